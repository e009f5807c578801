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
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    steps, wanted = _steps(grey), _steps(mask)
    hits = cv2.reduce(cv2.multiply(steps, wanted, dtype=cv2.CV_32F), 0, cv2.REDUCE_SUM).ravel()
    energy = cv2.reduce(cv2.multiply(wanted, wanted, dtype=cv2.CV_32F), 0, cv2.REDUCE_SUM).ravel()
    total = float(energy.sum())
    mean = 255 * float(hits.sum()) / max(total, 1.0)
    starts = np.arange(0, len(hits), image.shape[0])
    hits, energy = np.add.reduceat(hits, starts), np.add.reduceat(energy, starts)
    full = energy > _EMPTY * total / len(starts)
    local = 255 * hits[full] / energy[full]
    worst = float((local if mean >= 0 else -local).min()) if full.any() else 0.0
    return Edges(round(abs(mean), 1), round(worst, 1))


def _steps(image: Mask) -> Mask:
    below, above = image[1::2, 1:], image[: image.shape[0] - 1 : 2, :-1]
    return np.asarray(cv2.subtract(below, above, dtype=cv2.CV_16S))


def milder(steps: list[tuple[str, Params]]) -> list[list[tuple[str, Params]]]:
    """What to try when ``steps`` left a line illegible, in order: without softening, then nothing at all."""
    crisp = [step for step in steps if step[0] not in _SOFTENING]
    return [[]] if crisp in (steps, []) else [crisp, []]
