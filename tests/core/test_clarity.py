"""Sharpness and contrast: one definition for audit, synth and badcases."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from datakit import clarity
from datakit.audit.pictures import picture_facts
from datakit.badcases.pictures import measure


def line(height: int, sigma: float) -> clarity.Grey:
    grey = np.full((height, 6 * height), 235, np.uint8)
    cv2.putText(grey, "TOTAL 12.30", (3, height * 3 // 4), 0, height / 40, 20, max(1, height // 16))
    noisy = grey + np.random.default_rng(1).normal(0, 2, grey.shape)
    return np.asarray(cv2.GaussianBlur(noisy, (0, 0), sigma).clip(0, 255), np.uint8)


@pytest.mark.parametrize(("height", "sigma"), [(12, 0.3), (20, 0.3), (32, 0.8), (48, 1.0), (100, 2.0)])
def test_all_parts_measure_the_same(height: int, sigma: float, tmp_path: Path) -> None:
    grey = line(height, sigma)
    cv2.imwrite(str(tmp_path / "a.png"), grey)
    audited, failed = picture_facts(tmp_path, "a.png"), measure(grey)
    sharp, contrast = clarity.sharpness(clarity.scaled(grey)), clarity.contrast(grey)
    assert (audited.sharpness, audited.contrast) == (failed.sharpness, failed.contrast) == (sharp, contrast)


@pytest.mark.parametrize("sigma", [0.3, 1.0, 3.0])
def test_they_are_the_textbook_s(sigma: float) -> None:
    grey = line(48, sigma)
    assert clarity.sharpness(clarity.scaled(grey)) == pytest.approx(
        float(cv2.Laplacian(grey, cv2.CV_64F).var()), rel=0.01
    )
    dark, light = np.percentile(grey, [5, 95])
    assert clarity.contrast(grey) == pytest.approx((light - dark) / 255, abs=0.02)


def test_blur_lowers_sharpness() -> None:
    blurred = [clarity.sharpness(clarity.scaled(line(48, sigma))) for sigma in (0.3, 1.0, 3.0)]
    assert blurred == sorted(blurred, reverse=True) and blurred[0] > 10 * blurred[-1]
