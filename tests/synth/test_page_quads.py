"""Outlines on a page: tight round the ink, in whole pixels, apart."""

from __future__ import annotations

import numpy as np
import pytest

from datakit_synth.pages.quads import (
    apart,
    apart_from_all,
    corners,
    grown,
    holds,
    ink_bounds,
    ink_quad,
    project,
)


def square(left: float, top: float, side: float) -> np.ndarray:
    return corners((left, top, left + side, top + side))


def test_ink_bounds_are_the_edges_of_its_pixels() -> None:
    mask = np.zeros((9, 12), np.uint8)
    mask[2:5, 3:10] = 200
    mask[8, 11] = 15  # too faint to be seen
    assert ink_bounds(mask) == (2.5, 1.5, 9.5, 4.5)
    assert ink_bounds(np.zeros((4, 4), np.uint8)) == (0.0, 0.0, 0.0, 0.0)


def test_projecting_with_perspective() -> None:
    matrix = np.array([[1, 0, 2], [0, 1, 3], [0.5, 0, 1]], np.float64)
    assert project(matrix, np.array([[2.0, 1.0]])).tolist() == [[2.0, 2.0]]


def test_growing_moves_every_edge_by_as_much() -> None:
    assert grown(square(10, 20, 4), 1.5).tolist() == square(8.5, 18.5, 7).tolist()


@pytest.mark.parametrize(
    ("other", "gap", "free"),
    [
        (square(10, 0, 5), 0.0, True),
        (square(10, 0, 5), 5.0, True),
        (square(10, 0, 5), 5.5, False),
        (square(4, 4, 5), 0.0, False),
        # A diamond whose upright box overlaps the square and which itself does not.
        (np.array([[8.0, 2.0], [14.0, 8.0], [8.0, 14.0], [2.0, 8.0]]) + 1.0, 0.5, True),
    ],
)
def test_apart(other: np.ndarray, gap: float, free: bool) -> None:
    assert apart(square(0, 0, 5), other, gap) is free
    assert apart_from_all(square(0, 0, 5), [square(100, 0, 5), other], gap) is free


def test_an_outline_takes_in_all_ink_and_hardly_more() -> None:
    mask = np.zeros((20, 40), np.uint8)
    mask[5:15, 4:36] = 255
    outline = corners(ink_bounds(mask)) + np.array([100, 50])
    quad = ink_quad(outline, mask, (100, 50), (400, 300))
    assert quad == ((103, 54), (136, 54), (136, 65), (103, 65))
    assert holds(np.array(quad, np.float64), np.array([[104.0, 55.0], [135.0, 64.0]]))
    assert not holds(np.array(quad, np.float64), np.array([[102.0, 60.0]]))


def test_an_outline_that_leaves_the_picture_is_none() -> None:
    mask = np.full((4, 4), 255, np.uint8)
    outline = corners(ink_bounds(mask))
    assert ink_quad(outline, mask, (0, 0), (50, 50)) is None
    assert ink_quad(outline + 46, mask, (46, 46), (50, 50)) is None
    assert ink_quad(outline + 45, mask, (45, 45), (50, 50)) == ((44, 44), (49, 44), (49, 49), (44, 49))
    assert ink_quad(outline, np.zeros((4, 4), np.uint8), (9, 9), (50, 50)) is None
