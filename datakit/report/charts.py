"""Numbers for inline SVG charts; the templates draw them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chart:
    """A line in a box of ``width`` x ``height`` px: ``points`` for an SVG polyline, marks as (y, text)."""

    width: int
    height: int
    points: str
    marks: tuple[tuple[float, str], ...]


def rank_frequency(
    counts: Sequence[int], *, floors: Sequence[int] = (), width: int = 640, height: int = 220
) -> Chart:
    """Counts against rank, both logarithmic, most frequent first; ``floors`` become horizontal marks.

    ``counts`` need not be sorted; zeros are left out, and no count at all gives an empty line.
    """
    ordered = sorted((count for count in counts if count > 0), reverse=True)
    top = math.log10(max([10, *ordered[:1], *floors]))
    right = math.log10(max(10, len(ordered)))

    def at(value: float) -> float:
        return round(height * (1 - math.log10(value) / top), 1)

    points = (
        f"{width * math.log10(rank) / right:.1f},{at(count)}" for rank, count in enumerate(ordered, start=1)
    )
    return Chart(width, height, " ".join(points), tuple((at(floor), str(floor)) for floor in floors))
