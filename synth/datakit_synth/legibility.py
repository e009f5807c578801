"""Can the line still be read? Measured on the finished picture, at the edges of the very strokes.

Where the mask of the ink steps by dm between two neighbours, the picture steps by dg. The regression
dg = c * dm over a stretch of the line gives the contrast c that is left at its edges: low contrast lowers it,
and so do blur and low resolution, which fill the gaps of fine writing before those of bold letters. Noise,
shadows and colour casts hardly change it, as they do not hinder reading.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from datakit.effects import Image, Params
from datakit_synth.layout import Mask

# Grey levels of 255 that are left at the edges, over the whole line and in its worst stretch.
MIN_EDGES = 30
MIN_WORST = 14
# A stretch is as long as the picture is high; one with less than this share of an average one is empty.
_EMPTY = 0.2
# What goes first when a line cannot be read: all that takes sharpness.
_SOFTENING = frozenset(
    {"blur", "motion", "low-resolution", "defocus", "jpeg", "colour-shift", "screen-grid", "broken-strokes"}
)


class Edges(NamedTuple):
    """Grey levels between ink and ground at the edges: over the line, and in its worst stretch."""

    mean: float
    worst: float

    @property
    def legible(self) -> bool:
        """Whether both are enough."""
        return self.mean >= MIN_EDGES and self.worst >= MIN_WORST


def measure(image: Image, mask: Mask) -> Edges:
    """The edges that are left of ``mask`` in ``image``; steps run diagonally, from every second row."""
    wanted = _steps(mask)
    left, strength = _along(_steps(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)), wanted), _along(wanted, wanted)
    total = sum(strength)
    mean = 255 * sum(left) / max(total, 1.0)
    floor = _EMPTY * total / len(strength)
    sign = 255 if mean >= 0 else -255
    local = [sign * part / full for part, full in zip(left, strength, strict=True) if full > floor]
    return Edges(round(abs(mean), 1), round(min(local, default=0.0), 1))


def _along(first: Mask, second: Mask) -> list[float]:
    """Sums of the products over stretches of twice as many columns as there are rows, from left to right."""
    product = cv2.reduce(cv2.multiply(first, second, dtype=cv2.CV_32F), 0, cv2.REDUCE_SUM)
    stretch = 2 * first.shape[0]
    return [float(part) for part in np.add.reduceat(product[0], range(0, product.shape[1], stretch))]


def _steps(image: Mask) -> Mask:
    below, above = image[1::2, 1:], image[: image.shape[0] - 1 : 2, :-1]
    return np.asarray(cv2.subtract(below, above, dtype=cv2.CV_16S))


def milder(steps: list[tuple[str, Params]]) -> list[list[tuple[str, Params]]]:
    """What to try when ``steps`` left a line illegible, in order: without softening, then nothing at all."""
    crisp = [step for step in steps if step[0] not in _SOFTENING]
    return [[]] if crisp in (steps, []) else [crisp, []]
