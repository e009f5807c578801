"""Ink on ground: a colour that can be told from the ground under the very strokes, and the blend on uint8."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, floor
from random import Random
from typing import Any

import cv2
import numpy as np

from datakit.effects import Image
from datakit_synth.layout import Mask

# Grey levels of 255 by which ink and ground differ before the effects, against the ground's worst 1 %.
MIN_CONTRAST = 64
_FLATTEN = (1.0, 0.6, 0.3, 0.0)

Colour = tuple[int, int, int]


def luma(colour: tuple[float, float, float]) -> float:
    """Grey level of a BGR colour, as cv2.COLOR_BGR2GRAY weighs it."""
    return 0.114 * colour[0] + 0.587 * colour[1] + 0.299 * colour[2]


def ground_range(ground: Image, mask: Mask) -> tuple[int, int]:
    """The 1st and the 99th percentile of the ground's grey level under the mask.

    One letter of a line is about a twentieth of its ink: at 5 % a highlight could swallow it whole.
    """
    # Every second row: a ground hardly changes from one to the next.
    grey = cv2.cvtColor(ground[::2], cv2.COLOR_BGR2GRAY)
    reached = cv2.calcHist([grey], [0], mask[::2], [256], [0, 256]).cumsum()
    return int(reached.searchsorted(0.01 * reached[-1])), int(reached.searchsorted(0.99 * reached[-1]))


def _flattened(ground: Image, factor: float) -> Image:
    """The ground with its contrast around its mean reduced to ``factor``."""
    if factor == 1.0:
        return ground
    mean = np.asarray(cv2.mean(ground)[:3])[None, :]
    levels = mean + (np.arange(256)[:, None] - mean) * factor
    return np.asarray(cv2.LUT(ground, np.clip(levels, 0, 255).astype(np.uint8)[:, None, :]), np.uint8)


def choose_ink(
    ground: Image, mask: Mask, rng: Random, wish: Colour | None = None
) -> tuple[Image, Colour, dict[str, Any]]:
    """The ground (flattened if it must be), an ink that differs from it enough, and what was measured.

    A flat ground leaves room for dark ink from grey 64 upwards and for light ink up to 191: one always fits.
    ``wish`` is taken where it differs enough.
    """
    for factor in _FLATTEN:
        flat = _flattened(ground, factor)
        low, high = ground_range(flat, mask)
        if low >= MIN_CONTRAST or high <= 255 - MIN_CONTRAST:
            break
    colour = _ink(low, high, rng)
    if wish is not None and max(low - luma(wish), luma(wish) - high) >= MIN_CONTRAST:
        colour = wish
    level = luma(colour)
    contrast = round(low - level if level < low else level - high, 1)
    return (
        flat,
        colour,
        {"ground": [low, high], "ink": list(colour), "contrast": contrast, "flattened": factor},
    )


def reach_ink(ground: Image, mask: Mask, wish: Colour, *, dark: bool) -> tuple[Image, Colour, dict[str, Any]]:
    """As :func:`choose_ink`, for an ink of ``wish`` or one that differs more, on the side that ``dark`` says.

    The ground is flattened where its own range takes the room, and moved where there is no room beyond it.
    """
    level = luma(wish)
    for factor in _FLATTEN:
        flat = _flattened(ground, factor)
        low, high = ground_range(flat, mask)
        if high - low <= MIN_CONTRAST:
            break
    level = min(level, low - MIN_CONTRAST) if dark else max(level, high + MIN_CONTRAST)
    moved = -floor(level) if level < 0 else 255 - ceil(level) if level > 255 else 0
    if moved:
        shift = np.clip(np.arange(256) + moved, 0, 255).astype(np.uint8)
        flat = np.asarray(cv2.LUT(flat, shift), np.uint8)
        low, high, level = min(255, low + moved), max(0, high + moved), min(255.0, max(0.0, level))
    colour = _at_level(wish, level)
    contrast = round(low - luma(colour) if dark else luma(colour) - high, 1)
    return (
        flat,
        colour,
        {"ground": [low, high], "ink": list(colour), "contrast": contrast, "flattened": factor},
    )


def _at_level(colour: Colour, level: float) -> Colour:
    """``colour`` on its way to black or to white, as far as its luma must be ``level``."""
    have = luma(colour)
    if level < have:
        part = level / have
        return _each(colour, lambda channel: floor(channel * part))
    if level > have:
        part = (255 - level) / (255 - have)
        return _each(colour, lambda channel: ceil(255 - (255 - channel) * part))
    return colour


def _each(colour: Colour, change: Callable[[int], int]) -> Colour:
    blue, green, red = colour
    return change(blue), change(green), change(red)


def _ink(low: int, high: int, rng: Random) -> Colour:
    dark_room, light_room = low - MIN_CONTRAST, 255 - MIN_CONTRAST - high
    dark = light_room < 0 or (dark_room >= 0 and rng.random() < (0.9 if low + high > 220 else 0.25))
    room = rng.uniform(0.0, 1.0) ** 2
    level = room * dark_room if dark else 255 - room * light_room
    tint = 60 if rng.random() < 0.25 else 8
    return _tinted(level, dark, tint, rng)


def _tinted(level: float, dark: bool, tint: int, rng: Random) -> Colour:
    """A colour around grey ``level`` whose luma never lies on the ground's side of it."""
    blue, green, red = (tint * (2.0 * rng.random() - 1.0) for _ in range(3))
    centre = luma((blue, green, red))
    whole = floor if dark else ceil
    # The shifts change the hue and not the luma, until a channel meets 0 or 255: then half of them, and none.
    for part in (1.0, 0.5, 0.0):
        base = level - centre * part
        colour = (
            min(255, max(0, whole(base + blue * part))),
            min(255, max(0, whole(base + green * part))),
            min(255, max(0, whole(base + red * part))),
        )
        over = luma(colour) - level
        if (over <= 0.01) if dark else (over >= -0.01):
            break
    return colour


def blend(ground: Image, mask: Mask, colour: Colour, strength: float = 1.0) -> Image:
    """Ink over ground; ``strength`` 1 covers the ground wholly where the mask is 255."""
    alpha = mask if strength == 1.0 else np.asarray(cv2.convertScaleAbs(mask, alpha=strength), np.uint8)
    coverage = cv2.cvtColor(alpha, cv2.COLOR_GRAY2BGR)
    kept = cv2.multiply(ground, cv2.bitwise_not(coverage), scale=1 / 255)
    # One scaled copy of the mask a channel: a third of what a table over three channels costs.
    inked = cv2.merge([cv2.convertScaleAbs(alpha, alpha=level / 255) for level in colour])
    return np.asarray(cv2.add(kept, inked), np.uint8)
