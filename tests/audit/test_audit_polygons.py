import math
import random

import pytest

from datakit.audit.point_order import counter_clockwise, first_corner, read_across, upside_down
from datakit.audit.polygons import (
    crosses_itself,
    inset,
    is_convex,
    is_rectangle,
    perimeter,
    polygon_area,
    shared_area,
    signed_area,
    tame,
    touching,
)

SQUARE = ((0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0))
BOW_TIE = ((0.0, 0.0), (10.0, 10.0), (10.0, 0.0), (0.0, 10.0))
L_SHAPE = ((0.0, 0.0), (10.0, 0.0), (10.0, 4.0), (4.0, 4.0), (4.0, 10.0), (0.0, 10.0))
BOX = ((0.0, 0.0), (100.0, 0.0), (100.0, 20.0), (0.0, 20.0))
COLUMN = ((0.0, 0.0), (20.0, 0.0), (20.0, 100.0), (0.0, 100.0))


def moved(points, dx, dy):
    return tuple((x + dx, y + dy) for x, y in points)


def begun(points, first):
    return (*points[first:], *points[:first])


def test_area_and_direction():
    assert signed_area(SQUARE) == 100
    assert signed_area(SQUARE[::-1]) == -100
    assert polygon_area(L_SHAPE) == 64
    assert perimeter(SQUARE) == 40
    assert is_rectangle(SQUARE) and not is_rectangle(BOW_TIE) and not is_rectangle(L_SHAPE)
    assert is_convex(SQUARE) and is_convex(SQUARE[::-1])
    assert not is_convex(L_SHAPE) and not is_convex(BOW_TIE)


@pytest.mark.parametrize(
    ("points", "crosses"),
    [
        (BOW_TIE, True),
        (((0, 0), (10, 0), (0, 10), (10, 10)), True),
        (((0, 0), (10, 0), (20, 5), (5, -5), (0, 10)), True),
        (SQUARE, False),
        (L_SHAPE, False),
        ((*SQUARE, SQUARE[-1], SQUARE[-1]), False),  # padded as PaddleOCR pads
        ((*SQUARE, SQUARE[0]), False),  # closed
        (((0, 0), (10, 0), (10, 0), (0, 10)), False),
        (((0, 0), (10, 0), (5, 0), (5, 10)), False),  # touches itself
        (((0, 0), (1, 1)), False),
    ],
)
def test_crossings(points, crosses):
    assert crosses_itself(points) is crosses


def test_repeated_and_far_points():
    assert tame([(0, 0), (0, 0), (1e300, 5), (0, 0)]) == ((0, 0), (1e7, 5))
    assert math.isfinite(polygon_area(tame([(-1e308, -1e308), (1e308, -1e308), (1e308, 1e308)])))


def test_shared_area():
    assert shared_area(SQUARE, moved(SQUARE, 5, 5)) == 25
    assert shared_area(SQUARE, moved(SQUARE, 10, 0)) == 0
    assert shared_area(SQUARE, SQUARE[::-1]) == 100
    diamond = ((5.0, 0.0), (10.0, 5.0), (5.0, 10.0), (0.0, 5.0))
    assert shared_area(SQUARE, diamond) == 50
    assert shared_area(L_SHAPE, moved(SQUARE, 4, 4)) == pytest.approx(0)
    assert shared_area(L_SHAPE, moved(SQUARE, 2, 2)) == pytest.approx(28)
    assert shared_area(L_SHAPE, L_SHAPE[::-1]) == pytest.approx(64)


def test_shared_area_is_that_of_counted_points():
    rng = random.Random(7)
    for _ in range(4):
        first, second = (
            [(50 + r * math.cos(a) + d, 50 + r * math.sin(a)) for a, r in star(rng)] for d in (0.0, 12.0)
        )
        spots = [(x + 0.5, y + 0.5) for x in range(0, 130) for y in range(0, 110)]
        counted = sum(holds(first, spot) and holds(second, spot) for spot in spots)
        assert shared_area(first, second) == pytest.approx(counted, abs=40)


def star(rng):
    """Corners of a simple polygon around a centre: angle and radius."""
    return [(2 * math.pi * k / 7, rng.uniform(15, 45)) for k in range(7)]


def holds(points, spot):
    """Even-odd rule."""
    x, y = spot
    inside = False
    for (x0, y0), (x1, y1) in zip(points, (*points[1:], points[0]), strict=True):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) / (y1 - y0) * (x1 - x0):
            inside = not inside
    return inside


def test_inset():
    assert polygon_area(inset(SQUARE, 2)) == pytest.approx(36)
    assert polygon_area(inset(SQUARE[::-1], 2)) == pytest.approx(36)
    assert inset(SQUARE, 6) == []


def test_touching_pairs_are_those_of_all_pairs():
    rng = random.Random(3)
    boxes = []
    for _ in range(150):
        x, y = rng.randrange(100), rng.randrange(100)
        boxes.append((x, y, x + rng.randrange(20), y + rng.randrange(20)))

    def meet(a, b):
        return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]

    pairs = [(i, j) for i in range(150) for j in range(i + 1, 150) if meet(boxes[i], boxes[j])]
    assert touching(boxes) == pairs
    assert touching(boxes[:1]) == [] and touching([]) == []


def test_a_clockwise_box_and_its_reverse():
    assert not counter_clockwise(BOX)
    assert counter_clockwise(BOX[::-1])
    assert not counter_clockwise(BOW_TIE)
    assert not counter_clockwise(((0, 0), (5, 5)))


def test_the_first_corner():
    corners = ["top left", "top right", "bottom right", "bottom left"]
    assert [first_corner(begun(BOX, k)) for k in range(4)] == corners
    assert [first_corner(begun(COLUMN, k)) for k in range(4)] == corners
    assert first_corner(SQUARE) is None
    assert first_corner(BOX[::-1]) is None
    assert first_corner(((0, 0), (70, 70), (56, 84), (-14, 14))) is None  # leans by 45 degrees
    # Slanted so far that the least x + y is the bottom left corner.
    slanted = ((472, 520), (580, 536), (530, 558), (429, 542))
    assert first_corner(slanted) == "top left"


def test_text_is_not_read_across_a_lying_box():
    assert not read_across(BOX, "TOTAL")
    assert read_across(begun(BOX, 1), "TOTAL")
    assert read_across(begun(BOX, 3), "TOTAL")
    assert not read_across(begun(BOX, 2), "TOTAL")
    assert not read_across(begun(BOX, 1), "-")  # one character may lie on its side
    # A column may be read down, or be a line turned either way.
    assert not any(read_across(begun(COLUMN, k), "TOTAL") for k in range(4))


def test_upside_down():
    assert [upside_down(begun(BOX, k)) for k in range(4)] == [False, False, True, False]
