"""The flat sheet of a page in its picture: rotated and in perspective, lying on a ground or filling it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np

from datakit.effects import Image
from datakit_synth import backgrounds, geometry
from datakit_synth.pages.layouts import Layout
from datakit_synth.pages.quads import Matrix, Points, corners, project

# Corner shift as a share of the sheet's shorter side, for a bend whose lines shift by one of their heights.
_SHIFT = 0.5
_DESK = 0.6
_PAPERS = ("paper", "paper", "paper", "plain", "gradient")
_EDGE = 3


@dataclass(frozen=True, slots=True)
class Plane:
    """The sheet is ``width`` x ``height`` px flat; ``matrix`` (3x3) takes it into the picture.

    ``paper``: it is a sheet that lies on a ground; else the ground fills the picture and is the sheet.
    """

    width: float
    height: float
    matrix: Matrix
    paper: bool

    def outline(self) -> Points:
        """The corners of the sheet in the picture."""
        return project(self.matrix, corners((0.0, 0.0, self.width, self.height)))


def sample_plane(rng: Random, layout: Layout, preset: str, size: tuple[int, int]) -> Plane:
    """A sheet for ``layout`` in a picture of ``size`` (width, height)."""
    bend = geometry.BENDS.get(preset, geometry.BENDS["scan"])
    paper = layout.aspects is not None and rng.random() < _DESK and preset != "clean"
    width, height = _sheet(rng, layout, size) if paper else (float(size[0]), float(size[1]))
    angle = math.radians(bend.angle * (2 * rng.random() - 1) * rng.random())
    shift = bend.shift * _SHIFT * min(width, height)
    if layout.aspects is None:
        # Its lines have angles of their own.
        angle = shift = 0.0
    flat = corners((0.0, 0.0, width, height))
    middle = flat.mean(axis=0)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    moved = (flat - middle) @ turn.T + [[rng.uniform(-shift, shift) for _ in range(2)] for _ in range(4)]
    quad = _into(rng, moved, size) if paper else moved + np.array(size) / 2
    matrix = cv2.getPerspectiveTransform(flat.astype(np.float32), quad.astype(np.float32))
    return Plane(width, height, np.asarray(matrix, np.float64), paper)


def _sheet(rng: Random, layout: Layout, size: tuple[int, int]) -> tuple[float, float]:
    """Width and height of a sheet that fits into the picture."""
    aspect = rng.uniform(*(layout.aspects or (1.0, 1.0)))
    # A receipt in a lying picture would have no room for text: it is as broad as half the picture at least.
    aspect = max(0.5, min(aspect, 2.0 * size[1] / size[0]))
    width = min(size[0], size[1] / aspect) * rng.uniform(0.86, 0.97)
    return width, width * aspect


def _into(rng: Random, quad: Points, size: tuple[int, int]) -> Points:
    """``quad`` moved, and made smaller where it must be, so that it lies in the picture."""
    low, high = quad.min(axis=0), quad.max(axis=0)
    room = np.array(size, np.float64) - 2 * _EDGE
    scale = min(1.0, float((room / (high - low)).min()))
    free = room - (high - low) * scale
    return np.asarray((quad - low) * scale + [free[0] * rng.random(), free[1] * rng.random()] + _EDGE)


def lay_ground(
    rng: Random, plane: Plane, size: tuple[int, int], kinds: tuple[str, ...], photos: tuple[str, ...]
) -> tuple[Image, str]:
    """The picture without text, and the kind of its ground."""
    kind = rng.choice(kinds)
    ground = backgrounds.GROUNDS[kind](rng, size[1], size[0], photos)
    if not plane.paper:
        return ground, kind
    width, height = math.ceil(plane.width), math.ceil(plane.height)
    sheet = backgrounds.GROUNDS[rng.choice(_PAPERS)](rng, height, width, ())
    moved = cv2.warpPerspective(sheet, plane.matrix, size, borderMode=cv2.BORDER_REPLICATE)
    cover = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillConvexPoly(cover, np.rint(plane.outline()).astype(np.int32), 255, cv2.LINE_AA)
    shade = cv2.GaussianBlur(cover, (0, 0), 6.0)
    ground = cv2.subtract(ground, cv2.cvtColor(cv2.convertScaleAbs(shade, alpha=0.2), cv2.COLOR_GRAY2BGR))
    share = cv2.cvtColor(cover, cv2.COLOR_GRAY2BGR)
    under = cv2.multiply(ground, cv2.bitwise_not(share), scale=1 / 255)
    return np.asarray(cv2.add(under, cv2.multiply(moved, share, scale=1 / 255)), np.uint8), kind
