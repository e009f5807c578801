"""What is measured of a crop is what was put into it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from style_pictures import INK, PAPER, crop

from datakit_synth.crops import Crop, find_ink, measure_crop, units
from datakit_synth.jpeg_tables import jpeg_quality, luminance_table


def measured(image: np.ndarray, text: str = "TOTAL 12.50") -> Crop:
    marks = find_ink(image)
    assert marks is not None
    found = measure_crop(image, text, 80, marks)
    assert found is not None
    return found


def test_colours_are_those_of_the_print() -> None:
    found = measured(crop(noise=3.0))
    assert np.abs(np.subtract(found.paper, PAPER)).max() <= 2
    assert np.abs(np.subtract(found.ink, INK)).max() <= 12
    assert found.separation < -140


def test_light_ink_on_dark_paper_is_ink() -> None:
    found = measured(crop(paper=(120, 40, 20), ink=(240, 240, 240)))
    assert found.paper == (120, 40, 20)
    assert min(found.ink) >= 225
    assert found.separation > 140


@pytest.mark.parametrize("sigma", [2.0, 4.0, 8.0])
def test_noise_is_measured_beside_the_text(sigma: float) -> None:
    assert measured(crop(noise=sigma, height=40)).noise == pytest.approx(sigma, rel=0.15)


def test_margins_are_free_space_in_heights() -> None:
    image = cv2.copyMakeBorder(crop(height=40), 10, 0, 20, 40, cv2.BORDER_CONSTANT, value=PAPER)
    found, before = measured(image), measured(crop(height=40))
    assert found.height == 50
    assert found.left == pytest.approx((before.left * 40 + 20) / 50, abs=0.002)
    assert found.right == pytest.approx((before.right * 40 + 40) / 50, abs=0.002)
    assert found.top == pytest.approx((before.top * 40 + 10) / 50, abs=0.002)
    assert found.density == pytest.approx(before.density, rel=0.01)


@pytest.mark.parametrize("angle", [-4.0, 3.0])
def test_the_lean_of_a_line(angle: float) -> None:
    image = cv2.copyMakeBorder(crop("A LONGER LINE 123"), 40, 40, 9, 9, cv2.BORDER_CONSTANT, value=PAPER)
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -angle, 1.0)
    turned = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
    assert measured(turned, "A LONGER LINE 123").angle == pytest.approx(angle, abs=0.8)


def test_the_lean_of_letters() -> None:
    image = cv2.copyMakeBorder(crop("HILTE HILTE", height=48), 0, 0, 20, 20, cv2.BORDER_CONSTANT, value=PAPER)
    shear = np.array([[1, -0.24, 0.24 * 24], [0, 1, 0]], np.float32)
    leaning = cv2.warpAffine(image, shear, image.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)
    assert measured(image, "HILTE HILTE").slant == 0.0
    assert measured(leaning, "HILTE HILTE").slant == pytest.approx(0.24, abs=0.09)
    assert measured(leaning, "HI").slant == 0.0


@pytest.mark.parametrize("level", [0, 128, 255])
def test_a_blank_crop_has_no_ink(level: int) -> None:
    assert find_ink(np.full((30, 90, 3), level, np.uint8)) is None


def test_faint_noise_is_no_ink() -> None:
    grey = np.random.default_rng(1).normal(128, 2, (30, 90)).astype(np.uint8)
    assert find_ink(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)) is None


def test_a_picture_half_dark_does_not_say_which_is_ink() -> None:
    image = np.full((30, 90, 3), 240, np.uint8)
    image[:, 45:] = 10
    marks = find_ink(image)
    assert marks is not None
    assert not marks.sure
    told = [find_ink(image, dark=dark) for dark in (True, False)]
    assert [marks and marks.dark for marks in told] == [True, False]
    clear = find_ink(crop())
    assert clear is not None
    assert clear.sure


def test_wide_characters_count_twice() -> None:
    assert units("AB中") == 4
    assert units("") == 1


@pytest.mark.parametrize("quality", [1, 5, 10, 25, 49, 50, 51, 75, 88, 95, 99, 100])
def test_quality_is_read_from_the_tables(quality: int) -> None:
    data = cv2.imencode(".jpg", crop(noise=5.0), [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
    table = luminance_table(data)
    assert len(table) == 64
    # Below 10 every entry is 255, and several qualities share one table.
    assert jpeg_quality(table) == pytest.approx(quality, abs=0 if quality >= 10 else 8)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xdb\x00\x43\x00", b"\x89PNG\r\n\x1a\n" + bytes(99)]
)
def test_a_file_without_a_table_has_no_quality(data: bytes) -> None:
    assert luminance_table(data) == ()
    assert jpeg_quality(()) == 0
