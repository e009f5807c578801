"""What printing, copying and folding do to ink and paper.

No effect draws anything that could pass for a stroke: what is added is one pixel small, or soft and wide.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from random import Random
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from datakit.effects.base import Effect, Image, Params

_BLOTCHES = (256, 1024)


def _sample_bleed(rng: Random) -> Params:
    return {"share": round(rng.uniform(0.15, 0.6), 2), "dark": rng.random() < 0.5}


def _bleed(image: Image, params: Mapping[str, Any]) -> Image:
    """Dark strokes grow (ink bleeds) or shrink (worn print), mixed with the picture as it was."""
    kernel = np.ones((2, 2), np.uint8)
    changed = cv2.erode(image, kernel) if params["dark"] else cv2.dilate(image, kernel)
    share = params["share"]
    return np.asarray(cv2.addWeighted(image, 1.0 - share, changed, share, 0.0), np.uint8)


def _sample_dust(rng: Random) -> Params:
    return {
        "points": [[round(rng.random(), 4), round(rng.random(), 4)] for _ in range(rng.randint(2, 14))],
        "level": rng.choice((20, 60, 200, 245)),
    }


def _dust(image: Image, params: Mapping[str, Any]) -> Image:
    """Specks of one pixel: too small to pass for a full stop."""
    height, width = image.shape[:2]
    specked: Image = image.copy()
    for x, y in params["points"]:
        specked[min(height - 1, int(y * height)), min(width - 1, int(x * width))] = params["level"]
    return specked


def paper_side(image: Image) -> bool:
    """Whether the ink is darker than its ground: the ground is the larger part, so it holds the median."""
    grey = cv2.cvtColor(image[::2], cv2.COLOR_BGR2GRAY)
    return float(np.median(grey)) >= float(cv2.mean(grey)[0])


def _towards_paper(image: Image, reach: int) -> Image:
    """The picture with strokes up to ``reach`` px wide taken away."""
    kernel = np.ones((reach, reach), np.uint8)
    way = cv2.MORPH_CLOSE if paper_side(image) else cv2.MORPH_OPEN
    return np.asarray(cv2.morphologyEx(image, way, kernel, borderType=cv2.BORDER_REPLICATE), np.uint8)


def _mixed(image: Image, other: Image, share: npt.NDArray[np.uint8]) -> Image:
    """``other`` where the HxW ``share`` is 255, ``image`` where it is 0."""
    weight = cv2.cvtColor(share, cv2.COLOR_GRAY2BGR)
    kept = cv2.multiply(image, cv2.bitwise_not(weight), scale=1 / 255)
    return np.asarray(cv2.add(kept, cv2.multiply(other, weight, scale=1 / 255)), np.uint8)


@lru_cache(maxsize=3)
def _blotches(grain: int) -> npt.NDArray[np.uint8]:
    """Smooth noise whose levels are evenly spread over 0 to 255; ``grain`` px is the size of its blobs."""
    field = np.random.default_rng([3, grain]).standard_normal(_BLOTCHES, np.float32)
    smooth = cv2.GaussianBlur(field, (0, 0), 0.5 * grain, borderType=cv2.BORDER_REFLECT)
    ranks = np.empty(smooth.size, np.int64)
    ranks[np.argsort(smooth, axis=None, kind="stable")] = np.arange(smooth.size)
    return np.asarray((ranks * 256 // smooth.size).reshape(_BLOTCHES), np.uint8)


def blotch_mask(height: int, width: int, params: Mapping[str, Any]) -> npt.NDArray[np.uint8]:
    """HxW, 0 to 255: blobs of ``grain`` px over ``area`` of the picture at strength ``share``, edges soft."""
    pool = _blotches(params["grain"])
    if height > pool.shape[0] or width > pool.shape[1]:
        pool = np.tile(pool, (-(-height // pool.shape[0]), -(-width // pool.shape[1])))
    x, y = params["x"] % (pool.shape[1] - width + 1), params["y"] % (pool.shape[0] - height + 1)
    levels = (np.arange(256) / 256 - (1.0 - params["area"])) * 16 + 0.5
    table = np.clip(levels, 0.0, 1.0) * (255 * params["share"])
    return np.asarray(cv2.LUT(pool[y : y + height, x : x + width], table.astype(np.uint8)), np.uint8)


def _sample_broken(rng: Random) -> Params:
    return {
        "grain": rng.choice((2, 3, 5)),
        "area": round(rng.uniform(0.06, 0.22), 3),
        "share": round(rng.uniform(0.3, 0.7), 2),
        "x": rng.randrange(1 << 16),
        "y": rng.randrange(1 << 16),
    }


def _broken(image: Image, params: Mapping[str, Any]) -> Image:
    """Ink missing in blobs: worn type, dry ribbons, rough paper."""
    return _mixed(image, _towards_paper(image, 7), blotch_mask(image.shape[0], image.shape[1], params))


def _sample_thermal(rng: Random) -> Params:
    return {
        "fade": [round(rng.uniform(0.0, 0.4) * rng.random(), 3) for _ in range(5)],
        "dead": [round(rng.random(), 4) for _ in range(rng.choice((0, 0, 1, 2)))],
        "dead_share": round(rng.uniform(0.2, 0.5), 2),
    }


def _thermal(image: Image, params: Mapping[str, Any]) -> Image:
    """Heat that varies along the line, and dots of the head that print too weakly, one pixel wide each."""
    height, width = image.shape[:2]
    knots = np.linspace(0, width - 1, len(params["fade"]))
    share = np.interp(np.arange(width), knots, params["fade"])
    for place in params["dead"]:
        column = min(width - 1, int(place * width))
        share[column] = max(share[column], params["dead_share"])
    row = (share * 255).astype(np.uint8)
    return _mixed(image, _towards_paper(image, 9), np.repeat(row[None, :], height, axis=0))


def _sample_fold(rng: Random) -> Params:
    return {
        "at": round(rng.random(), 4),
        "slope": round(rng.uniform(-0.6, 0.6), 3),
        "reach": round(rng.uniform(0.3, 1.5), 3),
        "depth": round(rng.uniform(0.08, 0.35), 3),
        "side": rng.choice((-1, 1)),
    }


def _fold(image: Image, params: Mapping[str, Any]) -> Image:
    """A crease across the line: dark on one side, running out over ``reach`` heights; no thin dark line."""
    height, width = image.shape[:2]
    crease = params["at"] * width + params["slope"] * (np.arange(height) - height / 2)
    away = (np.arange(width)[None, :] - crease[:, None]) * (params["side"] / (params["reach"] * height))
    # The shade rises over two pixels and fades over the reach.
    rise = np.clip(away * params["reach"] * height / 2 + 0.5, 0.0, 1.0)
    shade = rise * np.clip(1.0 - away, 0.0, 1.0) * params["depth"]
    factor = (255 * (1.0 - shade)).astype(np.uint8)
    return np.asarray(cv2.multiply(image, cv2.merge([factor] * 3), scale=1 / 255), np.uint8)


def _sample_copy(rng: Random) -> Params:
    return {
        "gain": round(rng.uniform(1.1, 1.7), 2),
        "middle": rng.randint(115, 150),
        "streaks": [[round(rng.random(), 4), rng.randint(4, 18)] for _ in range(rng.randint(0, 3))],
        "specks": [[round(rng.random(), 4), round(rng.random(), 4)] for _ in range(rng.randint(0, 12))],
    }


def _copy(image: Image, params: Mapping[str, Any]) -> Image:
    """A copier's: grey, steep, soft streaks of a few levels along the paper's way, toner specks of 1 px."""
    height, width = image.shape[:2]
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    levels = (np.arange(256) - params["middle"]) * params["gain"] + params["middle"]
    # Ink that lies wholly on one side of the middle would be washed out: the steep part follows the picture.
    shift = float(cv2.mean(grey)[0]) - params["middle"]
    levels = np.clip(levels - shift * (params["gain"] - 1.0), 0, 255).astype(np.uint8)
    steep = np.asarray(cv2.LUT(grey, levels), np.uint8)
    dark = np.zeros(width, np.float32)
    for place, depth in params["streaks"]:
        away = (np.arange(width) - place * width) / (0.12 * height + 1)
        dark += depth * np.exp(-away * away)
    streaks = np.repeat(dark.astype(np.uint8)[None, :], height, axis=0)
    steep = np.asarray(cv2.subtract(steep, streaks), np.uint8)
    for x, y in params["specks"]:
        steep[min(height - 1, int(y * height)), min(width - 1, int(x * width))] = 40
    return np.asarray(cv2.cvtColor(steep, cv2.COLOR_GRAY2BGR), np.uint8)


PRINTING: dict[str, Effect] = {
    "bleed": Effect("bleed", _sample_bleed, _bleed),
    "dust": Effect("dust", _sample_dust, _dust),
    "broken-strokes": Effect("broken-strokes", _sample_broken, _broken),
    "thermal-print": Effect("thermal-print", _sample_thermal, _thermal),
    "fold-shadow": Effect("fold-shadow", _sample_fold, _fold),
    "copy-artefacts": Effect("copy-artefacts", _sample_copy, _copy),
}
