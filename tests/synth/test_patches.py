"""Ground cut from crops holds no ink, and is laid as it is."""

from __future__ import annotations

from random import Random

import cv2
import numpy as np
import pytest
from style_pictures import INK, PAPER, crop

from datakit_synth.crops import find_ink
from datakit_synth.patches import MOST_COLUMNS, REFUSALS, Patch, cut_patch, lay, moved_to


def patch_of(image: np.ndarray) -> Patch | str:
    marks = find_ink(image)
    assert marks is not None
    return cut_patch(image, marks)


def pixels(patch: Patch) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(patch.data, np.uint8), cv2.IMREAD_COLOR)


@pytest.mark.parametrize("height", [20, 32, 64])
def test_the_text_is_gone_and_the_paper_is_not(height: int) -> None:
    patch = patch_of(crop(height=height, noise=2.0))
    assert isinstance(patch, Patch)
    ground = pixels(patch).astype(int)
    assert np.abs(ground - PAPER).max() <= 16
    assert np.abs(np.subtract(patch.colour, PAPER)).max() <= 2
    assert patch.height == height


def test_faint_strokes_that_the_threshold_leaves_to_the_paper_are_painted_over_too() -> None:
    image = crop("TOTAL 12.50      ", height=40)
    cv2.putText(image, "RM", (image.shape[1] - 70, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (175, 185, 195), 2)
    patch = patch_of(image)
    assert isinstance(patch, Patch)
    left = np.abs(pixels(patch).astype(int) - PAPER).max(axis=2)
    assert (left > 8).mean() < 0.001
    assert (np.abs(image.astype(int) - PAPER).max(axis=2) > 8).mean() > 0.1


def test_a_crop_full_of_ink_is_refused() -> None:
    image = np.full((30, 90, 3), 255, np.uint8)
    image[::2] = 0
    assert patch_of(image) == REFUSALS[0]


def test_a_patch_that_still_holds_strokes_is_refused() -> None:
    # Bars too broad to stand out of their neighbourhood, and too faint beside the black text.
    image = np.full((64, 420, 3), 245, np.uint8)
    cv2.putText(image, "ABCDEF", (8, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (10, 10, 10), 3)
    for left in range(200, 400, 40):
        image[6:58, left : left + 22] = 200
    assert patch_of(image) == REFUSALS[2]


def test_patches_are_kept_small() -> None:
    image = np.tile(crop(noise=2.0, height=40), (1, 6, 1))
    patch = patch_of(image)
    assert isinstance(patch, Patch)
    assert pixels(patch).shape == (40, MOST_COLUMNS, 3)
    assert len(patch.data) < 20_000


@pytest.mark.parametrize(("height", "width"), [(20, 50), (32, 700), (90, 300), (64, 10)])
def test_any_size_is_laid_in_the_colour_asked_for(height: int, width: int) -> None:
    patch = patch_of(crop(noise=2.0))
    assert isinstance(patch, Patch)
    laid = lay(patch, Random(1), height, width, (150, 100, 50))
    assert laid.shape == (height, width, 3)
    assert laid.dtype == np.uint8
    assert np.abs(laid.mean(axis=(0, 1)) - (150, 100, 50)).max() <= 3
    again = lay(patch, Random(1), height, width, (150, 100, 50))
    assert np.array_equal(laid, again)


def test_moving_a_ground_keeps_its_texture() -> None:
    ground = np.full((10, 10, 3), 100, np.uint8)
    ground[3] = 120
    moved = moved_to(ground, (52, 102, 202))
    assert moved[3, 0].tolist() == [70, 120, 220]
    assert moved[0, 0].tolist() == [50, 100, 200]
    assert moved_to(ground, (102, 102, 102)) is ground


def test_ink_stays_the_colour_that_find_ink_says() -> None:
    marks = find_ink(crop())
    assert marks is not None
    image = crop()
    assert np.median(image[marks.core > 0], axis=0).tolist() == list(INK)
