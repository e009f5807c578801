"""Augmentation of recognition lines in training."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import cv2
import numpy as np

from datakit.effects.base import Image
from datakit.effects.camera import CAMERA

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
        image = _drawn("blur", image, rng)
    if big and draws[3]:
        image = _jitter_line(image, rng)
    if draws[4]:
        image = _drawn("noise", image, rng)
    if draws[5]:
        image = _drawn("cast", _drawn("light", image, rng), rng)
    return np.ascontiguousarray(image)


def _drawn(name: str, image: Image, rng: Random) -> Image:
    effect = CAMERA[name]
    return effect.apply(image, effect.sample(rng))


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
