"""Crops of known colours, noise and margins, for the tests of style."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

PAPER, INK = (200, 210, 220), (60, 40, 30)


def crop(
    text: str = "TOTAL 12.50",
    *,
    height: int = 32,
    paper: tuple[int, int, int] = PAPER,
    ink: tuple[int, int, int] = INK,
    noise: float = 0.0,
    seed: int = 0,
) -> Any:
    """A line of upright letters ``height`` px high with 6 px free on its left and right."""
    scale = height / 40
    (width, rise), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 2)
    image = np.full((height, width + 12, 3), paper, np.uint8)
    base = (height + rise) // 2
    cv2.putText(image, text, (6, base), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, 2, cv2.LINE_AA)
    if noise:
        spread = np.random.default_rng(seed).normal(0.0, noise, image.shape[:2])
        image = np.clip(np.rint(image + spread[:, :, None]), 0, 255).astype(np.uint8)
    return image


def write_set(folder: Path, count: int = 60, *, quality: int = 80, suffix: str = ".jpg") -> Path:
    """``count`` crops of 24 to 43 px in ``folder``, every third light on dark, and their label file."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for index in range(count):
        text = f"{'TOTAL ' if index % 2 else ''}{index}.{index % 10}0"
        dark = index % 3 > 0
        image = crop(
            text,
            height=24 + index % 20,
            paper=(190 + index, 200, 210) if dark else (90, 40 + index // 2, 20),
            ink=(40, 30, 20) if dark else (230, 235, 240),
            noise=2.0 + index % 3,
            seed=index,
        )
        cv2.imwrite(str(folder / f"{index}{suffix}"), image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        lines.append(f"{index}{suffix}\t{text}\n")
    labels = folder / "labels.txt"
    labels.write_text("".join(lines), encoding="utf-8")
    return labels
