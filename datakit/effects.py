"""Degradations of a picture, and the augmentation of recognition lines in training.

The only module that imports albumentations (2.0.8, the last MIT release), when one of its effects is first
applied. An effect samples its parameters from a ``random.Random`` into a plain dict, then applies them: the
same dict gives the same pixels, so that any picture can be explained and drawn again. Images are HxWx3 uint8
BGR; no effect changes their size. No global random state is read or written.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from datakit.errors import UsageError

Image = npt.NDArray[np.uint8]
Params = dict[str, Any]

_POOL_SIDE = 1024


@dataclass(frozen=True, slots=True)
class Effect:
    """``sample(rng)`` draws the parameters (plain JSON values), ``apply(image, params)`` uses them."""

    name: str
    sample: Callable[[Random], Params]
    apply: Callable[[Image, Mapping[str, Any]], Image]


# Own effects: OpenCV on uint8.


@lru_cache(maxsize=1)
def _noise_pool() -> tuple[Image, Image]:
    """Positive and negative part of one Gaussian field of sigma 32.

    Drawing fresh noise for every picture costs 70 times as much as cutting it from here.
    """
    field = np.random.default_rng(20240611).normal(0.0, 32.0, (_POOL_SIDE, _POOL_SIDE, 3))
    return np.clip(field, 0, 255).astype(np.uint8), np.clip(-field, 0, 255).astype(np.uint8)


def _cut(pool: Image, height: int, width: int, x: int, y: int) -> Image:
    """An HxWx3 piece of the pool from (x, y), wrapping round its edges."""
    if height > _POOL_SIDE or width > _POOL_SIDE:
        pool = np.tile(pool, (-(-height // _POOL_SIDE), -(-width // _POOL_SIDE), 1))
    x, y = x % (pool.shape[1] - width + 1), y % (pool.shape[0] - height + 1)
    return pool[y : y + height, x : x + width]


def _sample_noise(rng: Random) -> Params:
    return {
        "sigma": round(rng.uniform(2.0, 10.0), 2),
        "x": rng.randrange(1 << 16),
        "y": rng.randrange(1 << 16),
        "grey": rng.random() < 0.4,
    }


def _noise(image: Image, params: Mapping[str, Any]) -> Image:
    height, width = image.shape[:2]
    plus, minus = (_cut(pool, height, width, params["x"], params["y"]) for pool in _noise_pool())
    if params["grey"]:
        plus, minus = (cv2.cvtColor(part[:, :, :1].copy(), cv2.COLOR_GRAY2BGR) for part in (plus, minus))
    alpha = params["sigma"] / 32.0
    brighter = cv2.add(image, cv2.convertScaleAbs(plus, alpha=alpha))
    return np.asarray(cv2.subtract(brighter, cv2.convertScaleAbs(minus, alpha=alpha)), np.uint8)


def _sample_blur(rng: Random) -> Params:
    return {"sigma": round(rng.uniform(0.3, 1.1), 2)}


def _blur(image: Image, params: Mapping[str, Any]) -> Image:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), params["sigma"]), np.uint8)


def _sample_motion(rng: Random) -> Params:
    return {"length": rng.choice((3, 3, 5)), "angle": rng.randrange(180)}


def _motion(image: Image, params: Mapping[str, Any]) -> Image:
    return np.asarray(cv2.filter2D(image, -1, _motion_kernel(params["length"], params["angle"])), np.uint8)


@lru_cache(maxsize=1024)
def _motion_kernel(length: int, angle: int) -> npt.NDArray[np.float32]:
    kernel = np.zeros((length, length), np.float32)
    middle, radians = length // 2, math.radians(angle)
    for step in range(-middle, middle + 1):
        kernel[middle + round(step * math.sin(radians)), middle + round(step * math.cos(radians))] = 1.0
    return np.asarray(kernel / kernel.sum(), np.float32)


def _sample_low_resolution(rng: Random) -> Params:
    return {"height": rng.randint(22, 34), "smooth": rng.random() < 0.6}


def _low_resolution(image: Image, params: Mapping[str, Any]) -> Image:
    height, width = image.shape[:2]
    if params["height"] >= height:
        return image
    small = (max(1, round(width * params["height"] / height)), params["height"])
    way = cv2.INTER_CUBIC if params["smooth"] else cv2.INTER_LINEAR
    reduced = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(reduced, (width, height), interpolation=way), np.uint8)


def _sample_jpeg(rng: Random) -> Params:
    return {"quality": rng.randint(30, 80)}


def _jpeg(image: Image, params: Mapping[str, Any]) -> Image:
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, params["quality"]])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def _sample_light(rng: Random) -> Params:
    return {"gain": round(rng.uniform(0.75, 1.15), 3), "offset": round(rng.uniform(-22.0, 22.0), 1)}


def _light(image: Image, params: Mapping[str, Any]) -> Image:
    """Gain around mid grey, then an offset; by a LUT, for convertScaleAbs folds negative values back."""
    levels = (np.arange(256) - 128.0) * params["gain"] + 128.0 + params["offset"]
    return np.asarray(cv2.LUT(image, np.clip(levels, 0, 255).astype(np.uint8)), np.uint8)


def _sample_cast(rng: Random) -> Params:
    return {"gains": [round(rng.uniform(0.88, 1.0), 3) for _ in range(3)]}


def _cast(image: Image, params: Mapping[str, Any]) -> Image:
    levels = np.arange(256)[:, None] * np.asarray(params["gains"])[None, :]
    return np.asarray(cv2.LUT(image, levels.astype(np.uint8)[:, None, :]), np.uint8)


def _sample_shadow(rng: Random) -> Params:
    return {
        "from": round(rng.uniform(0.6, 1.0), 3),
        "to": round(rng.uniform(0.6, 1.0), 3),
        "edge": round(rng.uniform(0.1, 0.9), 3),
        "slope": round(rng.uniform(-0.5, 0.5), 3),
        "softness": round(rng.uniform(0.05, 0.6), 3),
    }


def _shadow(image: Image, params: Mapping[str, Any]) -> Image:
    """Darken from ``from`` (left) to ``to`` (right) over a soft slanted edge."""
    height, width = image.shape[:2]
    xs = np.linspace(0.0, 1.0, width, dtype=np.float32)
    lean = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None] * np.float32(
        params["slope"] * height / width
    )
    ramp = np.clip((xs[None, :] + lean - params["edge"]) / params["softness"] + 0.5, 0.0, 1.0)
    factor = (255.0 * (params["from"] + (params["to"] - params["from"]) * ramp)).astype(np.uint8)
    return np.asarray(cv2.multiply(image, cv2.merge([factor] * 3), scale=1 / 255), np.uint8)


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


def _sample_sharpen(rng: Random) -> Params:
    return {"amount": round(rng.uniform(0.3, 1.2), 2)}


def _sharpen(image: Image, params: Mapping[str, Any]) -> Image:
    soft = cv2.GaussianBlur(image, (0, 0), 1.0)
    return np.asarray(cv2.addWeighted(image, 1.0 + params["amount"], soft, -params["amount"], 0.0), np.uint8)


# albumentations: each transform is built once and seeded for every picture.

_ALBUMENTATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "defocus": ("Defocus", {"radius": (1, 2), "alias_blur": (0.1, 0.2)}),
    "sensor-noise": ("ISONoise", {"color_shift": (0.01, 0.04), "intensity": (0.05, 0.25)}),
    "planckian": ("PlanckianJitter", {"mode": "blackbody"}),
    "tone-curve": ("RandomToneCurve", {"scale": 0.12}),
    "colour-shift": ("ChromaticAberration", {}),
    "illumination": ("Illumination", {"intensity_range": (0.02, 0.12)}),
    "local-contrast": ("CLAHE", {"clip_limit": (1.0, 2.5)}),
}


def build_albumentation(class_name: str, arguments: Mapping[str, Any]) -> Any:
    """The albumentations transform ``class_name``, always applied.

    Raises:
        UsageError: albumentations does not know one of the arguments (by itself it only warns).
    """
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations  # takes a second; most runs of datakit never need it

    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            return getattr(albumentations, class_name)(p=1.0, **arguments)
        except (UserWarning, ValueError, TypeError) as error:
            raise UsageError(f"albumentations.{class_name}: {error}") from error


@lru_cache(maxsize=64)
def _transform(name: str) -> Any:
    return build_albumentation(*_ALBUMENTATIONS[name])


def _sample_seed(rng: Random) -> Params:
    return {"seed": rng.getrandbits(31)}


def _albumentation(name: str) -> Effect:
    def apply(image: Image, params: Mapping[str, Any]) -> Image:
        transform = _transform(name)
        transform.set_random_seed(params["seed"])
        return np.asarray(transform(image=image)["image"], np.uint8)

    return Effect(name, _sample_seed, apply)


EFFECTS: dict[str, Effect] = {
    "noise": Effect("noise", _sample_noise, _noise),
    "blur": Effect("blur", _sample_blur, _blur),
    "motion": Effect("motion", _sample_motion, _motion),
    "low-resolution": Effect("low-resolution", _sample_low_resolution, _low_resolution),
    "jpeg": Effect("jpeg", _sample_jpeg, _jpeg),
    "light": Effect("light", _sample_light, _light),
    "cast": Effect("cast", _sample_cast, _cast),
    "shadow": Effect("shadow", _sample_shadow, _shadow),
    "bleed": Effect("bleed", _sample_bleed, _bleed),
    "dust": Effect("dust", _sample_dust, _dust),
    "sharpen": Effect("sharpen", _sample_sharpen, _sharpen),
    **{name: _albumentation(name) for name in _ALBUMENTATIONS},
}

# Preset -> (effect, probability) in the order of application.
PRESETS: dict[str, tuple[tuple[str, float], ...]] = {
    "clean": (),
    "scan": (
        ("bleed", 0.4),
        ("blur", 0.5),
        ("low-resolution", 0.2),
        ("light", 0.5),
        ("local-contrast", 0.04),
        ("dust", 0.2),
        ("noise", 0.4),
        ("jpeg", 0.3),
    ),
    "photo": (
        ("shadow", 0.35),
        ("planckian", 0.1),
        ("tone-curve", 0.1),
        ("cast", 0.4),
        ("light", 0.5),
        ("low-resolution", 0.25),
        ("blur", 0.35),
        ("motion", 0.15),
        ("defocus", 0.04),
        ("illumination", 0.04),
        ("colour-shift", 0.05),
        ("sensor-noise", 0.05),
        ("noise", 0.5),
        ("sharpen", 0.1),
        ("jpeg", 0.3),
    ),
    "thermal": (
        ("bleed", 0.6),
        ("light", 0.8),
        ("shadow", 0.3),
        ("low-resolution", 0.4),
        ("blur", 0.4),
        ("dust", 0.4),
        ("noise", 0.5),
        ("jpeg", 0.4),
    ),
    # Two presets that share no effect: `datakit demo` trains on the one and is tested on the other.
    "copier": (
        ("bleed", 0.4),
        ("light", 0.5),
        ("local-contrast", 0.04),
        ("low-resolution", 0.2),
        ("blur", 0.4),
        ("dust", 0.3),
        ("noise", 0.4),
    ),
    "handheld": (
        ("shadow", 0.3),
        ("planckian", 0.1),
        ("tone-curve", 0.1),
        ("cast", 0.4),
        ("motion", 0.2),
        ("illumination", 0.05),
        ("sensor-noise", 0.1),
        ("jpeg", 0.4),
    ),
}


def check_preset(name: str) -> str:
    """``name`` itself.

    Raises:
        UsageError: there is no such preset.
    """
    if name not in PRESETS:
        raise UsageError(f"there is no preset {name!r}; there are {', '.join(PRESETS)}")
    return name


def sample_preset(preset: str, rng: Random) -> list[tuple[str, Params]]:
    """Which effects of ``preset`` a picture gets, with their parameters, in the order of application.

    Raises:
        UsageError: there is no such preset.
    """
    steps = PRESETS[check_preset(preset)]
    return [(name, EFFECTS[name].sample(rng)) for name, chance in steps if rng.random() < chance]


def apply_effects(image: Image, steps: list[tuple[str, Params]]) -> Image:
    """Apply what :func:`sample_preset` drew; the input is left as it was."""
    for name, params in steps:
        image = EFFECTS[name].apply(image, params)
    return image


def apply_preset(image: Image, preset: str, rng: Random) -> tuple[Image, list[tuple[str, Params]]]:
    """Sample ``preset`` and apply it; returns the picture and what was done to it.

    Raises:
        UsageError: there is no such preset.
    """
    steps = sample_preset(preset, rng)
    return apply_effects(image, steps), steps


# Recognition training.

LINE_CHANCE = 0.4
LINE_EFFECTS = ("warp", "crop", "blur", "jitter", "noise", "light")
# Share of the height that a crop may take from top or bottom: PaddleOCR takes 1 to 8 px of 48 or so.
_CROP_SHARE = 0.1
_MIN_AUGMENTED = 16


def augment_line(image: Image, rng: Random, chances: Mapping[str, float] | None = None) -> Image:
    """One training view of a text line, after PaddleOCR's RecAug, without its colour reversal.

    Each of :data:`LINE_EFFECTS` happens with probability 0.4, or what ``chances`` says. The crop takes up
    to a tenth of the height. Lines under 16 px on a side keep their geometry. About 0.2 ms at 48 x 320.
    """
    given = chances or {}
    draws = [rng.random() < given.get(name, LINE_CHANCE) for name in LINE_EFFECTS]
    big = min(image.shape[:2]) >= _MIN_AUGMENTED
    if big and draws[0]:
        image = _warp_line(image, rng)
    if big and draws[1]:
        image = _crop_line(image, rng)
    if draws[2]:
        image = _blur(image, _sample_blur(rng))
    if big and draws[3]:
        image = _jitter_line(image, rng)
    if draws[4]:
        image = _noise(image, _sample_noise(rng))
    if draws[5]:
        image = _cast(_light(image, _sample_light(rng)), _sample_cast(rng))
    return np.ascontiguousarray(image)


def _warp_line(image: Image, rng: Random) -> Image:
    """Move every corner by up to 6 % of the height (x up to 3 % of the width); the border is repeated."""
    height, width = image.shape[:2]
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    reach = (min(0.03 * width, 0.3 * height), 0.06 * height)
    moved = [
        [x + rng.uniform(-1, 1) * reach[0], y + rng.uniform(-1, 1) * reach[1]] for x, y in source.tolist()
    ]
    matrix = cv2.getPerspectiveTransform(source, np.array(moved, np.float32))
    warped = cv2.warpPerspective(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def _crop_line(image: Image, rng: Random) -> Image:
    """Take a few rows off the top or the bottom, never a column: a column could hold a whole stroke."""
    rows = rng.randint(1, max(1, int(image.shape[0] * _CROP_SHARE)))
    return image[rows:] if rng.random() < 0.5 else image[: image.shape[0] - rows]


def _jitter_line(image: Image, rng: Random) -> Image:
    """Shift the picture by a pixel or two against itself, as PaddleOCR's jitter does."""
    step = max(1, int(image.shape[0] * rng.uniform(0.0, 0.03)))
    shifted: Image = image.copy()
    shifted[step:, step:] = image[:-step, :-step]
    return shifted
