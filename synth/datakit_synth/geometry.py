"""Where the line lies in its picture: scale, slant, rotation, perspective, margins; on the one-channel mask.

The picture is laid round the moved text and never the other way, so that no text is cut.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import cv2
import numpy as np

from datakit_synth.layout import Mask

MIN_MARGIN = 2


@dataclass(frozen=True, slots=True)
class Bend:
    """Largest amounts: rotation in degrees, slant (dx/dy), corner shift and side margin in line heights."""

    angle: float
    slant: float
    shift: float
    margin: float


# Preset of effects -> how far its lines may lean.
BENDS: dict[str, Bend] = {
    "clean": Bend(0.0, 0.0, 0.0, 0.3),
    "scan": Bend(1.2, 0.04, 0.02, 0.35),
    "photo": Bend(4.0, 0.22, 0.07, 0.4),
    "thermal": Bend(2.0, 0.06, 0.03, 0.3),
    "copier": Bend(1.2, 0.04, 0.02, 0.35),
    "handheld": Bend(1.2, 0.04, 0.02, 0.35),
}


def sample_geometry(rng: Random, bend: Bend, height: int) -> dict[str, Any]:
    """Parameters of one picture of ``height`` pixels; most pictures lean less than they might."""

    def lean(limit: float) -> float:
        return round(limit * rng.uniform(-1.0, 1.0) * rng.random(), 4)

    return {
        "height": height,
        "angle": lean(bend.angle),
        "slant": lean(bend.slant),
        "corners": [lean(bend.shift) for _ in range(8)],
        "top": round(rng.uniform(0.05, 0.18), 3),
        "bottom": round(rng.uniform(0.05, 0.18), 3),
        "left": round(rng.uniform(0.06, bend.margin), 3),
        "right": round(rng.uniform(0.06, bend.margin), 3),
    }


def _corners(width: int, height: int, params: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """The four corners of the line after slant, corner shifts and rotation, in the mask's own pixels."""
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    middle = corners.mean(axis=0)
    moved = corners - middle
    moved[:, 0] -= params["slant"] * moved[:, 1]
    moved += np.asarray(params["corners"]).reshape(4, 2) * height
    # A long line may not drift by more than a third of its height, or the text would become too small.
    limit = math.atan2(0.33 * height, width)
    angle = max(-limit, min(limit, math.radians(params["angle"])))
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return np.asarray(moved @ turn)


def content_height(params: Mapping[str, Any]) -> int:
    """Pixels between the top and the bottom margin."""
    height = params["height"]
    return int(height - _margin(params, "top") - _margin(params, "bottom"))


def _margin(params: Mapping[str, Any], side: str) -> int:
    return max(MIN_MARGIN, round(float(params["height"]) * float(params[side])))


def place(mask: Mask, params: Mapping[str, Any]) -> Mask:
    """The mask in its picture: ``params["height"]`` px high, as wide as the text and its margins need."""
    height, width = mask.shape
    corners = _corners(width, height, params)
    low, high = corners.min(axis=0), corners.max(axis=0)
    scale = content_height(params) / (high[1] - low[1])
    left, top = _margin(params, "left"), _margin(params, "top")
    target = (corners - low) * scale + (left, top)
    size = (math.ceil((high[0] - low[0]) * scale) + left + _margin(params, "right"), int(params["height"]))
    source = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, target.astype(np.float32))
    if scale < 0.7:
        # Linear interpolation skips source pixels when it shrinks by much: thin strokes would break.
        mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.35 / scale), np.uint8)
    return np.asarray(cv2.warpPerspective(mask, matrix, size, flags=cv2.INTER_LINEAR), np.uint8)
