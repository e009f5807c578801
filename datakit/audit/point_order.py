"""In which order the points of a box are written, and what that says about the text in it.

PaddleOCR wants four points clockwise from the top left of the *text*; crops are cut by that order. Its own
``order_points_clockwise`` (the least x + y is the top left) goes by the axes of the picture, which is another
corner for text turned by a right angle, and a wrong one for slanted boxes, so the direction of the first side
is looked at here.
"""

from __future__ import annotations

import math
from typing import Literal

from datakit.audit.polygons import Polygon, crosses_itself, signed_area, tame

Corner = Literal["top left", "top right", "bottom right", "bottom left"]

# A side this much longer than the other is the side along which several characters are read.
CLEARLY = 1.5
# The long side may lean by this many degrees before "top" stops to mean anything.
LEVEL = 30.0


def counter_clockwise(points: Polygon) -> bool:
    """Whether the outline runs against the clock on the screen; False for one that crosses itself."""
    outline = tame(points)
    return len(outline) > 2 and signed_area(outline) < 0 and not crosses_itself(outline)


def first_corner(points: Polygon) -> Corner | None:
    """Which corner the first point is, told from where the first side of a clockwise box points to.

    None unless there are four points, clockwise, of a box that is clearly longer one way, and level or
    upright.
    """
    outline = tame(points)
    if len(outline) != 4 or len(points) != 4 or crosses_itself(outline) or signed_area(outline) <= 0:
        return None
    if _shape(outline) is None:
        return None
    dx, dy = outline[1][0] - outline[0][0], outline[1][1] - outline[0][1]
    if abs(dx) >= abs(dy):
        return "top left" if dx > 0 else "bottom right"
    return "top right" if dy > 0 else "bottom left"


def _shape(points: Polygon) -> Literal["lying", "standing"] | None:
    """Lying or standing, for a box whose long sides are clearly that."""
    sides = [(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in zip(points, (*points[1:], points[0]), strict=True)]
    even = (math.hypot(*sides[0]) + math.hypot(*sides[2])) / 2
    odd = (math.hypot(*sides[1]) + math.hypot(*sides[3])) / 2
    if max(even, odd) < CLEARLY * min(even, odd):
        return None
    dx, dy = sides[0] if even >= odd else sides[1]
    lean = math.degrees(math.atan2(abs(dy), abs(dx)))
    if lean <= LEVEL:
        return "lying"
    return "standing" if lean >= 90 - LEVEL else None


def read_across(points: Polygon, text: str) -> bool:
    """Whether the first side, along which the text should run, is the short side of a lying box.

    No text of two characters and more is read that way: the points were written from another corner. A
    standing box proves nothing, because columns of Chinese begin at the top left and turned lines do not.
    """
    if len(text) < 2 or first_corner(points) not in ("top right", "bottom left"):
        return False
    return _shape(tame(points)) == "lying"


def upside_down(points: Polygon) -> bool:
    """Whether the first point is the bottom right corner: the text is turned by half a circle, or the points
    were written from the wrong one."""
    return first_corner(points) == "bottom right"
