"""What photographed screens and displays show: interference, the grid of pixels, reflections."""

from __future__ import annotations

import math
from collections.abc import Mapping
from random import Random
from typing import Any

import cv2
import numpy as np

from datakit.effects.base import Effect, Image, Params


def _sample_moire(rng: Random) -> Params:
    return {
        "period": round(rng.uniform(4.0, 16.0), 2),
        "angle": round(rng.uniform(0.0, math.pi), 4),
        "depth": round(rng.uniform(4.0, 16.0), 1),
        "phases": [round(rng.uniform(0.0, 2 * math.pi), 3) for _ in range(3)],
    }


def _moire(image: Image, params: Mapping[str, Any]) -> Image:
    """Slanted waves of ``depth`` levels, each colour with a phase of its own.

    cos(ax + by) is two outer products, which costs a tenth of a cosine a pixel.
    """
    height, width = image.shape[:2]
    turn = 2 * math.pi / params["period"]
    across = turn * math.cos(params["angle"]) * np.arange(width, dtype=np.float32)
    down = turn * math.sin(params["angle"]) * np.arange(height, dtype=np.float32)
    cosines, sines = np.cos(down)[:, None], np.sin(down)[:, None]
    # Half the depth around half the depth: an unsigned wave, whose mean is taken off again.
    half = params["depth"] / 2
    waves = [
        (half * (1.0 + cosines * np.cos(across + phase) - sines * np.sin(across + phase))).astype(np.uint8)
        for phase in params["phases"]
    ]
    raised = cv2.add(image, cv2.merge(waves))
    return np.asarray(cv2.subtract(raised, np.full_like(raised, round(half))), np.uint8)


def _sample_grid(rng: Random) -> Params:
    return {
        "period": round(rng.uniform(2.0, 4.0), 2),
        "depth": round(rng.uniform(0.06, 0.28), 3),
        "stripes": rng.random() < 0.5,
        "phase": round(rng.random(), 3),
    }


def _grid(image: Image, params: Mapping[str, Any]) -> Image:
    """Dark gaps between a display's pixels; ``stripes`` shifts red, green and blue by thirds of a pixel."""
    height, width = image.shape[:2]

    def gap(length: int, shift: float) -> Any:
        wave = np.cos(2 * math.pi * (np.arange(length) / params["period"] + params["phase"] + shift))
        return 1.0 - params["depth"] * (0.5 - 0.5 * wave).astype(np.float32)

    rows = 255 * gap(height, 0.0)[:, None]
    shifts = (0.0, 1 / 3, 2 / 3) if params["stripes"] else (0.0, 0.0, 0.0)
    factors = cv2.merge([(rows * gap(width, shift)[None, :]).astype(np.uint8) for shift in shifts])
    return np.asarray(cv2.multiply(image, factors, scale=1 / 255), np.uint8)


def _sample_glare(rng: Random) -> Params:
    return {
        "x": round(rng.random(), 3),
        "y": round(rng.uniform(-0.2, 1.2), 3),
        "reach": [round(rng.uniform(0.6, 3.0), 3), round(rng.uniform(0.3, 1.2), 3)],
        "level": rng.randint(15, 75),
    }


def _glare(image: Image, params: Mapping[str, Any]) -> Image:
    """A soft reflection of up to ``level`` grey levels; ``reach`` is its sigma in picture heights."""
    height, width = image.shape[:2]
    across = (np.arange(width) - params["x"] * width) / (params["reach"][0] * height)
    down = (np.arange(height) - params["y"] * height) / (params["reach"][1] * height)
    bright = params["level"] * np.exp(-0.5 * down * down)[:, None] * np.exp(-0.5 * across * across)[None, :]
    return np.asarray(cv2.add(image, cv2.merge([bright.astype(np.uint8)] * 3)), np.uint8)


DISPLAY: dict[str, Effect] = {
    "moire": Effect("moire", _sample_moire, _moire),
    "screen-grid": Effect("screen-grid", _sample_grid, _grid),
    "glare": Effect("glare", _sample_glare, _glare),
}
