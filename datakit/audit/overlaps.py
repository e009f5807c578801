"""Boxes of a page that lie on one another.

DB learns the kernel of a box, its polygon moved inwards by ``area * (1 - 0.4^2) / perimeter`` px (Liao et
al., "Real-time scene text detection with differentiable binarization", and PaddleOCR's MakeShrinkMap).
Neighbours whose outlines overlap are still two texts to it as long as their kernels stay apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from datakit.audit.polygons import (
    Point,
    crosses_itself,
    inset,
    is_convex,
    is_rectangle,
    pairs_left,
    perimeter,
    polygon_area,
    rectangle,
    shared_area,
    tame,
    touching,
    upright,
)
from datakit.labels import DetLine

SHRINK_RATIO = 0.4
# Of the smaller box: less is a descender that reaches into the next line.
LEAST_SHARE = 0.1
_LEAST_AREA = 1.0


@dataclass(frozen=True, slots=True)
class Outline:
    """A box that has an area: its number on the page from 1, whether it is ignored, its cleaned polygon."""

    number: int
    ignored: bool
    points: tuple[Point, ...]
    area: float
    upright: bool


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two boxes that share ``shared`` square px, at least a tenth of the smaller one."""

    first: Outline
    second: Outline
    shared: float

    @property
    def union_share(self) -> float:
        """Intersection over union, 0..1."""
        return self.shared / (self.first.area + self.second.area - self.shared)

    @property
    def smaller(self) -> Outline:
        """The box with less area."""
        return self.second if self.second.area < self.first.area else self.first

    @property
    def larger(self) -> Outline:
        """The other one."""
        return self.first if self.smaller is self.second else self.second

    @property
    def smaller_share(self) -> float:
        """The part of the smaller box that the larger one covers, 0..1."""
        return self.shared / self.smaller.area


class _Same:
    """A page as a key by identity: hashing thousands of points costs more than looking them up saves."""

    __slots__ = ("line",)

    def __init__(self, line: DetLine) -> None:
        self.line = line

    def __hash__(self) -> int:
        return id(self.line)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.line is other.line


def overlaps(line: DetLine) -> tuple[Overlap, ...]:
    """The pairs of boxes that lie on one another, by number; boxes without an area, and those that cross
    themselves, are left out."""
    return _overlaps(_Same(line))


@lru_cache(maxsize=1)  # several checks ask about the same page in turn
def _overlaps(page: _Same) -> tuple[Overlap, ...]:
    outlines = list(_outlines(page.line))
    pairs = touching([rectangle(outline.points) for outline in outlines])
    return tuple(_measured(outlines, pairs))


def left_out(line: DetLine) -> int:
    """How many pairs of boxes that stand side by side :func:`overlaps` does not compare."""
    return pairs_left([rectangle(outline.points) for outline in _outlines(line)])


def _outlines(line: DetLine) -> Iterator[Outline]:
    for number, box in enumerate(line.boxes, start=1):
        if (known := upright(box.points)) is not None:
            left, top, right, bottom = known
            if (area := (right - left) * (bottom - top)) >= _LEAST_AREA:
                yield Outline(number, box.ignored, box.points, area, True)
            continue
        points = tuple(tame(box.points))
        area = polygon_area(points)
        if len(points) > 2 and area >= _LEAST_AREA and not crosses_itself(points):
            yield Outline(number, box.ignored, points, area, is_rectangle(points))


def _measured(outlines: Sequence[Outline], pairs: Sequence[tuple[int, int]]) -> Iterator[Overlap]:
    for i, j in pairs:
        first, second = outlines[i], outlines[j]
        least = LEAST_SHARE * min(first.area, second.area)
        # The upright rectangles share at least what the polygons do.
        shared = _rectangles_share(first, second)
        if shared >= least and not (first.upright and second.upright):
            shared = shared_area(first.points, second.points)
        if shared >= least:
            yield Overlap(first, second, min(shared, first.area, second.area))


def _rectangles_share(first: Outline, second: Outline) -> float:
    a, b = rectangle(first.points), rectangle(second.points)
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    return width * height if width > 0 and height > 0 else 0.0


def kernel(outline: Outline) -> list[Point]:
    """What DB is taught of a box; the box itself where it is not convex, empty where nothing is left."""
    if not is_convex(outline.points):
        return list(outline.points)
    distance = outline.area * (1 - SHRINK_RATIO**2) / perimeter(outline.points)
    return inset(outline.points, distance)


def kernels_meet(overlap: Overlap, least: float = 0.05) -> bool:
    """Whether the kernels of two convex boxes share at least ``least`` of the smaller kernel."""
    if not (is_convex(overlap.first.points) and is_convex(overlap.second.points)):
        return False
    first, second = kernel(overlap.first), kernel(overlap.second)
    if len(first) < 3 or len(second) < 3:
        return False
    smaller = min(polygon_area(first), polygon_area(second))
    return smaller > 0 and shared_area(first, second) >= least * smaller
