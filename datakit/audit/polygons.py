"""Polygons in picture coordinates: x to the right, y down, in px.

Areas, crossings, and what two polygons share. No polygon library is needed: intersections are made by
clipping at half planes, which is exact for convex polygons, and others are taken apart into triangles.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

Point = tuple[float, float]
Polygon = Sequence[Point]
# Left, top, right, bottom of the upright rectangle around a polygon.
Rectangle = tuple[float, float, float, float]
# More candidates than this come from no page of text; the rest is left out, and box-pairs-left says so.
MAX_PAIRS = 200_000
_FAR = 1e7
# Answers kept for polygons of at most so many points.
_CACHED = 8192
_SMALL = 16


def tame(points: Polygon) -> tuple[Point, ...]:
    """``points`` without repeated neighbours, no coordinate beyond 10 million px (products stay finite)."""
    outline = tuple(points)
    return _tame_small(outline) if len(outline) <= _SMALL else _tame(outline)


def _tame(points: tuple[Point, ...]) -> tuple[Point, ...]:
    kept: list[Point] = []
    for x, y in points:
        point = (min(max(x, -_FAR), _FAR), min(max(y, -_FAR), _FAR))
        if not kept or point != kept[-1]:
            kept.append(point)
    while len(kept) > 1 and kept[0] == kept[-1]:
        kept.pop()
    return tuple(kept)


def signed_area(points: Polygon) -> float:
    """The area in square px by the shoelace formula; above 0 where the points run clockwise on the screen."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in edges(points)) / 2


def polygon_area(points: Polygon) -> float:
    """The area of a polygon in square px, by the shoelace formula, never negative."""
    return abs(signed_area(points))


def perimeter(points: Polygon) -> float:
    """The length of the outline in px."""
    return sum(math.hypot(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in edges(points))


def edges(points: Polygon) -> Iterator[tuple[Point, Point]]:
    """Every side of the closed polygon."""
    return zip(points, (*points[1:], *points[:1]), strict=True)


def rectangle(points: Polygon) -> Rectangle:
    """The upright rectangle around ``points``."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def upright(points: Polygon) -> Rectangle | None:
    """The rectangle that ``points`` are the corners of, clockwise from its top left; else None.

    Most boxes are written so, and what is asked of polygons is known of these.
    """
    if len(points) != 4:
        return None
    (left, top), (right, y1), (x2, bottom), (x3, y3) = points
    if x2 != right or x3 != left or y1 != top or y3 != bottom or not left < right or not top < bottom:
        return None
    near = left > -_FAR and right < _FAR and top > -_FAR and bottom < _FAR
    return (left, top, right, bottom) if near else None


def is_rectangle(points: Polygon) -> bool:
    """Whether the polygon is its own upright rectangle."""
    if upright(points) is not None:
        return True
    left, top, right, bottom = rectangle(points)
    corners = {(left, top), (right, top), (right, bottom), (left, bottom)}
    return len(points) == 4 and set(points) == corners and not crosses_itself(points)


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether the sides ab and cd cut through each other; touching is no crossing."""
    return _turn(a, b, c) * _turn(a, b, d) < 0 and _turn(c, d, a) * _turn(c, d, b) < 0


def crosses_itself(points: Polygon) -> bool:
    """Whether two sides of the polygon cut through each other."""
    outline = tame(points)
    return _crosses_small(outline) if len(outline) <= _SMALL else _crosses(outline)


def _crosses(outline: tuple[Point, ...]) -> bool:
    if len(outline) == 4:
        a, b, c, d = outline
        return _cross(a, b, c, d) or _cross(b, c, d, a)
    if len(outline) < 4:
        return False
    sides = list(edges(outline))
    rectangles = [rectangle(side) for side in sides]
    return any(_cross(*sides[i], *sides[j]) for i, j in touching(rectangles))


# Several checks ask about the same boxes of a page in turn.
_tame_small = lru_cache(maxsize=_CACHED)(_tame)
_crosses_small = lru_cache(maxsize=_CACHED)(_crosses)


def is_convex(points: Polygon) -> bool:
    """Whether the outline always turns the same way; False for one that crosses itself."""
    shifted = (*points[1:], *points[:1])
    turns = [_turn(a, b, c) for (a, b), c in zip(edges(points), (*shifted[1:], *shifted[:1]), strict=True)]
    one_way = all(turn >= 0 for turn in turns) or all(turn <= 0 for turn in turns)
    return one_way and not crosses_itself(points)


def _half_plane(points: Polygon, a: Point, b: Point, inset: float = 0.0) -> list[Point]:
    """What of ``points`` lies to the right of the way from a to b on the screen, ``inset`` px further in."""
    length = math.hypot(b[0] - a[0], b[1] - a[1])
    depths = [_turn(a, b, point) - inset * length for point in points]
    kept: list[Point] = []
    for (p, q), (depth, following) in zip(
        edges(points), zip(depths, (*depths[1:], *depths[:1]), strict=True), strict=True
    ):
        if depth >= 0:
            kept.append(p)
        if depth * following < 0:
            part = depth / (depth - following)
            kept.append((p[0] + part * (q[0] - p[0]), p[1] + part * (q[1] - p[1])))
    return kept


def _clockwise(points: Polygon) -> list[Point]:
    return list(points) if signed_area(points) >= 0 else list(points)[::-1]


def _convex_intersection(first: Polygon, second: Polygon) -> list[Point]:
    shared = list(first)
    for a, b in edges(_clockwise(second)):
        shared = _half_plane(shared, a, b)
        if not shared:
            break
    return shared


def inset(points: Polygon, distance: float) -> list[Point]:
    """A convex polygon with every side moved ``distance`` px inwards; empty where nothing is left."""
    outline = _clockwise(points)
    inner = list(outline)
    for a, b in edges(outline):
        inner = _half_plane(inner, a, b, distance)
        if not inner:
            break
    return inner


def shared_area(first: Polygon, second: Polygon) -> float:
    """The area in square px that two polygons share.

    Polygons that are not convex are taken as signed triangles around the origin of the first, whose
    intersections add up to that of simple polygons.
    """
    if is_convex(first) and is_convex(second):
        return polygon_area(_convex_intersection(first, second))
    origin = first[0]
    total = 0.0
    for a, b in edges(first):
        side = _turn(origin, a, b)
        for c, d in edges(second):
            other = _turn(origin, c, d)
            if side and other:
                piece = polygon_area(_convex_intersection((origin, a, b), (origin, c, d)))
                total += math.copysign(piece, side * other)
    return abs(total)


def touching(rectangles: Sequence[Rectangle]) -> list[tuple[int, int]]:
    """The pairs (i < j) of rectangles that share a point, at most :data:`MAX_PAIRS` of those that overlap in
    height.

    A sweep from top to bottom: the cost grows with the pairs that stand side by side, not with all pairs.
    """
    if len(rectangles) < 2:
        return []
    array = np.asarray(rectangles, dtype=np.float64)
    order = np.argsort(array[:, 1], kind="stable")
    boxes = array[order]
    first, second = _side_by_side(boxes)
    meet = (boxes[first, 0] <= boxes[second, 2]) & (boxes[second, 0] <= boxes[first, 2])
    a, b = order[first[meet]], order[second[meet]]
    return sorted(zip(np.minimum(a, b).tolist(), np.maximum(a, b).tolist(), strict=True))


def _side_by_side(boxes: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pairs that overlap in height, of rectangles sorted by their top."""
    counts = _beside_each(boxes)
    starts = np.cumsum(counts) - counts
    counts = np.clip(MAX_PAIRS - starts, 0, counts)
    first = np.repeat(np.arange(len(boxes)), counts)
    second = np.arange(len(first)) - np.repeat(starts, counts) + first + 1
    return first, second


def _beside_each(boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """How many later rectangles overlap each in height, of rectangles sorted by their top."""
    ends = np.searchsorted(boxes[:, 1], boxes[:, 3], side="right")
    later: npt.NDArray[np.int64] = np.maximum(ends - np.arange(len(boxes)) - 1, 0)
    return later


def pairs_left(rectangles: Sequence[Rectangle]) -> int:
    """How many pairs that overlap in height :func:`touching` leaves out."""
    if len(rectangles) < 2:
        return 0
    array = np.asarray(rectangles, dtype=np.float64)
    return max(0, int(_beside_each(array[np.argsort(array[:, 1], kind="stable")]).sum()) - MAX_PAIRS)
