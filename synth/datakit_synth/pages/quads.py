"""Four-sided outlines on a page: projected, laid tightly round ink, kept apart."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from datakit_synth.layout import Mask

Points = npt.NDArray[np.float64]
Quad = tuple[tuple[int, int], ...]
Matrix = npt.NDArray[np.float64]

# Coverage of 255 from which a pixel counts as ink: what is weaker cannot be seen.
INK = 16
_GROWTHS = (0.5, 1.0, 1.5, 2.0, 2.5)


def ink_bounds(mask: Mask, least: int = INK) -> tuple[float, float, float, float]:
    """Left, top, right and bottom edge of the ink, in coordinates in which a pixel's centre is whole.

    All zero for a mask without ink.
    """
    inked = mask >= least
    columns, rows = np.flatnonzero(inked.any(axis=0)), np.flatnonzero(inked.any(axis=1))
    if not columns.size:
        return 0.0, 0.0, 0.0, 0.0
    return columns[0] - 0.5, rows[0] - 0.5, columns[-1] + 0.5, rows[-1] + 0.5


def corners(bounds: tuple[float, float, float, float]) -> Points:
    """The corners of left, top, right, bottom: 4x2, clockwise from the top left."""
    left, top, right, bottom = bounds
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)


def project(matrix: Matrix, points: Points) -> Points:
    """``points`` (Nx2) moved by the 3x3 ``matrix``."""
    moved = np.column_stack([points, np.ones(len(points))]) @ matrix.T
    return np.asarray(moved[:, :2] / moved[:, 2:], np.float64)


def grown(points: Points, margin: float) -> Points:
    """A convex outline, clockwise on the screen, with every edge moved outwards by ``margin`` px."""
    ahead = np.roll(points, -1, axis=0) - points
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    out = np.column_stack([ahead[:, 1], -ahead[:, 0]])
    before = np.roll(out, 1, axis=0)
    share = 1.0 + (out * before).sum(axis=1, keepdims=True)
    return np.asarray(points + margin * (out + before) / np.maximum(share, 0.2), np.float64)


def ink_quad(outline: Points, mask: Mask, origin: tuple[int, int], size: tuple[int, int]) -> Quad | None:
    """``outline`` in whole pixels, as little larger as it takes to hold all ink of ``mask``.

    ``origin`` is the place of the mask's first pixel in the picture, ``size`` the picture's width and height.
    None when there is no ink or the outline leaves the picture.
    """
    ink = cv2.findNonZero((mask >= INK).astype(np.uint8))
    if ink is None:
        return None
    hull = cv2.convexHull(ink)[:, 0, :].astype(np.float64) + origin
    for growth in _GROWTHS:
        quad = np.rint(grown(outline, growth))
        if holds(quad, hull):
            break
    else:
        return None
    width, height = size
    if quad.min() < 0 or quad[:, 0].max() >= width or quad[:, 1].max() >= height:
        return None
    return tuple((int(x), int(y)) for x, y in quad)


def holds(quad: Points, points: Points) -> bool:
    """Whether all ``points`` lie inside the convex, clockwise ``quad`` or on its edge."""
    ahead = np.roll(quad, -1, axis=0) - quad
    offsets = points[None, :, :] - quad[:, None, :]
    turns = ahead[:, None, 0] * offsets[:, :, 1] - ahead[:, None, 1] * offsets[:, :, 0]
    return bool((turns >= -1e-9).all())


def apart(first: Points, second: Points, gap: float = 0.0) -> bool:
    """Whether a line separates two convex outlines with at least ``gap`` px between them."""
    for outline in (first, second):
        ahead = np.roll(outline, -1, axis=0) - outline
        axes = np.column_stack([ahead[:, 1], -ahead[:, 0]])
        axes /= np.maximum(np.linalg.norm(axes, axis=1, keepdims=True), 1e-9)
        one, other = first @ axes.T, second @ axes.T
        space = np.maximum(one.min(axis=0) - other.max(axis=0), other.min(axis=0) - one.max(axis=0))
        if (space >= gap).any():
            return True
    return False


def apart_from_all(outline: Points, others: Sequence[Points], gap: float) -> bool:
    """Whether ``outline`` keeps ``gap`` px from every other one."""
    if not others:
        return True
    low, high = outline.min(axis=0) - gap, outline.max(axis=0) + gap
    near = (
        other for other in others if (other.min(axis=0) <= high).all() and (other.max(axis=0) >= low).all()
    )
    return all(apart(outline, other, gap) for other in near)
