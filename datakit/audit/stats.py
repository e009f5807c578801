"""Exact numbers about texts, pictures and sources, which balance, guide and distance work on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class TextStats:
    """The labels of one recognition label file, or of all of them; exact counts, never samples.

    ``lines`` are the readable ones. ``occurrences``, ``lines_with`` and ``trained_with`` say for every code
    point how often it stands in a readable label, how many readable lines contain it, and how many kept
    lines do. ``lengths`` maps the code points of a label to the number of lines. ``spaced`` labels hold
    U+0020; ``words`` are the parts between such spaces over all labels. ``longest`` names at most 20 labels
    as ("file:line", code points), the longest first.
    """

    lines: int
    occurrences: Mapping[str, int]
    lines_with: Mapping[str, int]
    trained_with: Mapping[str, int]
    lengths: Mapping[int, int]
    spaced: int
    words: int
    longest: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class PictureStats:
    """Arrays over the readable pictures of label lines, one entry a picture, in the order of the lines.

    ``widths`` and ``heights`` in px after EXIF orientation and ``lengths`` in code points of the label are
    int32. ``sharpness`` is the variance of the Laplacian of the grey picture scaled to height 48 (of a JPEG
    of 96 px or more while it is decoded, by 2, 4 or 8), ``contrast`` (95th - 5th percentile) / 255 of the
    grey picture, scaled to that height where it is higher, 0 to 1; both float32.
    """

    widths: npt.NDArray[np.int32]
    heights: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int32]
    sharpness: npt.NDArray[np.float32]
    contrast: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SourceStats:
    """One label source: how often a line is drawn in an epoch (``ratio``), its lines and the kept ones."""

    file: str
    kind: str
    ratio: float
    lines: int
    kept: int
