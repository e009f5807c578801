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
# Top left, top right, bottom right, bottom left, as signs.
_SIDES = ((-1, -1), (1, -1), (1, 1), (-1, 1))


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
    "screen": Bend(3.0, 0.05, 0.05, 0.35),
    "lcd": Bend(3.0, 0.12, 0.05, 0.4),
    "plate": Bend(4.0, 0.12, 0.06, 0.35),
    "copier": Bend(1.2, 0.04, 0.02, 0.35),
    "handheld": Bend(1.2, 0.04, 0.02, 0.35),
}


def sample_geometry(rng: Random, bend: Bend, height: int) -> dict[str, Any]:
    """Parameters of one picture of ``height`` pixels; most pictures lean less than they might."""

    random = rng.random

    def lean(limit: float) -> float:
        return round(limit * (2.0 * random() - 1.0) * random(), 4)

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


def _corners(width: int, height: int, params: Mapping[str, Any]) -> list[tuple[float, float]]:
    """The line's four corners after slant, corner shifts and rotation, around the line's middle.

    In the mask's own pixels, clockwise from top left. Plain floats: numpy costs ten times as much here.
    """
    # A long line may not drift by more than a third of its height, or the text would become too small.
    limit = math.atan2(0.33 * height, width)
    angle = max(-limit, min(limit, math.radians(params["angle"])))
    cos, sin = math.cos(angle), math.sin(angle)
    shifts, slant, half_width, half_height = params["corners"], params["slant"], width / 2, height / 2
    moved = []
    for corner, (right, down) in enumerate(_SIDES):
        y = down * half_height
        x = right * half_width - slant * y + shifts[2 * corner] * height
        y += shifts[2 * corner + 1] * height
        moved.append((x * cos - y * sin, x * sin + y * cos))
    return moved


def _to_quad(width: int, height: int, quad: list[tuple[float, float]]) -> np.ndarray[Any, Any]:
    """The 3x3 matrix that takes a width x height rectangle to ``quad`` (Heckbert 1989, section 2.2.3)."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = quad
    dx1, dx2, sx = x1 - x2, x3 - x2, x0 - x1 + x2 - x3
    dy1, dy2, sy = y1 - y2, y3 - y2, y0 - y1 + y2 - y3
    area = dx1 * dy2 - dx2 * dy1
    g, h = (sx * dy2 - dx2 * sy) / area, (dx1 * sy - sx * dy1) / area
    rows = (
        ((x1 - x0 + g * x1) / width, (x3 - x0 + h * x3) / height, x0),
        ((y1 - y0 + g * y1) / width, (y3 - y0 + h * y3) / height, y0),
        (g / width, h / height, 1.0),
    )
    return np.array(rows)


def content_height(params: Mapping[str, Any]) -> int:
    """Pixels between the top and the bottom margin."""
    height = params["height"]
    return int(height - _margin(params, "top") - _margin(params, "bottom"))


def _margin(params: Mapping[str, Any], side: str) -> int:
    return max(int(params.get("least", MIN_MARGIN)), round(float(params["height"] * params[side])))


@dataclass(frozen=True, slots=True)
class Placing:
    """Where a line of ``scale`` times its own pixels lies: matrix, and (width, height) of the picture."""

    matrix: np.ndarray[Any, Any]
    size: tuple[int, int]
    scale: float

    def warp(self, mask: Mask) -> Mask:
        """A mask of the line's size in the picture."""
        if self.scale < 0.7:
            # Linear interpolation skips source pixels when it shrinks by much: thin strokes would break.
            mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.35 / self.scale), np.uint8)
        return np.asarray(cv2.warpPerspective(mask, self.matrix, self.size, flags=cv2.INTER_LINEAR), np.uint8)


def placing(shape: tuple[int, ...], params: Mapping[str, Any]) -> Placing:
    """Lay a line mask of ``shape`` into a picture as high as asked and as wide as text and margins need."""
    height, width = shape[:2]
    corners = _corners(width, height, params)
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    low_x, low_y = min(xs), min(ys)
    scale = content_height(params) / (max(ys) - low_y)
    # A stretched line is wider or narrower than its font sets it.
    broad = scale * params.get("stretch", 1.0)
    left, top = _margin(params, "left"), _margin(params, "top")
    quad = [((x - low_x) * broad + left, (y - low_y) * scale + top) for x, y in corners]
    across = math.ceil((max(xs) - low_x) * broad) + left + _margin(params, "right")
    return Placing(_to_quad(width, height, quad), (across, int(params["height"])), scale)
