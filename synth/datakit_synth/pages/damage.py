"""Ways to make a drawn line illegible on purpose, so that its box may be labelled ``###``."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import cv2
import numpy as np

from datakit.effects import Image
from datakit_synth import ink
from datakit_synth.layout import Mask

_REACH = 0.12


def _near(mask: Mask, em: float) -> Mask:
    """Soft cover of the line's ink and of what lies close to it."""
    side = max(3, 2 * round(_REACH * em) + 1)
    wide = cv2.dilate(mask, np.ones((side, 3 * side), np.uint8))
    return np.asarray(cv2.blur((wide > 0).astype(np.uint8) * 255, (3, 3)), np.uint8)


def _within(patch: Image, changed: Image, cover: Mask) -> Image:
    share = cv2.cvtColor(cover, cv2.COLOR_GRAY2BGR)
    kept = cv2.multiply(patch, cv2.bitwise_not(share), scale=1 / 255)
    return np.asarray(cv2.add(kept, cv2.multiply(changed, share, scale=1 / 255)), np.uint8)


def _blurred(patch: Image, drawn: Image, mask: Mask, em: float, rng: Random) -> Image:
    changed = cv2.GaussianBlur(drawn, (0, 0), em * rng.uniform(0.3, 0.45))
    return _within(drawn, np.asarray(changed, np.uint8), _near(mask, em))


def _coarse(patch: Image, drawn: Image, mask: Mask, em: float, rng: Random) -> Image:
    cells = max(2.0, em / rng.uniform(1.8, 2.6))
    size = (max(1, round(drawn.shape[1] / cells)), max(1, round(drawn.shape[0] / cells)))
    small = cv2.resize(drawn, size, interpolation=cv2.INTER_AREA)
    way = rng.choice((cv2.INTER_NEAREST, cv2.INTER_LINEAR))
    changed = cv2.resize(small, (drawn.shape[1], drawn.shape[0]), interpolation=way)
    return _within(drawn, np.asarray(changed, np.uint8), _near(mask, em))


def _faded(patch: Image, drawn: Image, mask: Mask, em: float, rng: Random) -> Image:
    share = rng.uniform(0.02, 0.05)
    return np.asarray(cv2.addWeighted(drawn, share, patch, 1.0 - share, 0.0), np.uint8)


def _scribbled(patch: Image, drawn: Image, mask: Mask, em: float, rng: Random) -> Image:
    """Strokes of the ink's colour up and down over the whole line, closer than the letters' own."""
    ys, xs = np.nonzero(mask > 127)
    colour = tuple(int(level) for level in np.median(drawn[ys, xs], axis=0))
    thick = max(2, round(0.16 * em))
    along = np.arange(xs.min(), xs.max() + 1, max(2.0, 0.16 * em))
    strokes = np.zeros(mask.shape, np.uint8)
    points = []
    for number, x in enumerate(along):
        column = ys[np.abs(xs - x) <= max(1.0, 0.5 * em)]
        low, high = (column.min(), column.max()) if column.size else (ys.min(), ys.max())
        y = low if number % 2 else high
        points.append([round(x + rng.uniform(-0.1, 0.1) * em), round(y + rng.uniform(-0.12, 0.12) * em)])
    cv2.polylines(strokes, [np.array(points, np.int32)], False, 255, thick, cv2.LINE_AA)
    inside = cv2.min(strokes, _near(mask, em))
    return ink.blend(drawn, np.asarray(inside, np.uint8), (colour[0], colour[1], colour[2]))


# Ground without the line, ground with it, mask of its ink, px an em -> the line made illegible.
Damage = Callable[[Image, Image, Mask, float, Random], Image]
DAMAGES: dict[str, Damage] = {
    "blurred": _blurred,
    "coarse": _coarse,
    "faded": _faded,
    "scribbled": _scribbled,
}
