"""A line written with pictures of its characters: sizes and baselines as in print, every instance its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
import uharfbuzz

from datakit.errors import InputError
from datakit_fonts import CoverageIndex, FontFace
from datakit_synth.char_crops import CropBook
from datakit_synth.crop_ink import read_ink
from datakit_synth.kinds import is_wide
from datakit_synth.layout import PAD, X_HEIGHT, LineMask, Mask

# Ems: bottom and top of a character that no font describes, above the baseline.
_UNKNOWN = (-0.08, 0.8)
_KEPT = 4096


@dataclass(frozen=True, slots=True)
class Extent:
    """Where the ink of a character stands, in ems: width, bottom and top above the baseline."""

    width: float
    bottom: float
    top: float

    @property
    def larger(self) -> float:
        """The larger of width and height."""
        return max(self.width, self.top - self.bottom)


@lru_cache(maxsize=_KEPT)
def _ink(path: str) -> Mask:
    return read_ink(path)


@lru_cache(maxsize=16)
def _font(path: str, index: int) -> tuple[Any, float]:
    face = uharfbuzz.Face(uharfbuzz.Blob.from_file_path(path), index)
    return uharfbuzz.Font(face), float(face.upem)


class Handwriter:
    """Sets lines in the pictures of ``book``; ``faces`` say how large a comma is beside a letter."""

    def __init__(self, book: CropBook, faces: Sequence[FontFace]) -> None:
        self._book, self._crops = book, book.pictures()
        self._index = CoverageIndex(faces)
        self._extents: dict[str, Extent | None] = {}

    def write(self, text: str, size: int, rng: Random) -> tuple[LineMask, list[str]]:
        """The line at ``size`` px an em, and the picture taken for each character ("" for a space).

        A picture comes again in a line only when all pictures of its character have been used.

        Raises:
            InputError: a character has no picture.
        """
        spacing = rng.uniform(0.03, 0.12)
        word, drift = rng.uniform(0.28, 0.5), rng.uniform(-0.008, 0.008)
        bags: dict[str, list[str]] = {}
        pieces: list[tuple[int, int, int, Mask]] = []
        taken = []
        pen = 0.0
        for index, char in enumerate(text):
            if char == " ":
                pen += word * size
                taken.append("")
                continue
            name = self._take(char, bags, rng)
            taken.append(name)
            mask, up = self._sized(char, _ink(str(Path(self._book.root) / name)), size, rng)
            up += drift * pen + rng.gauss(0.0, 0.012) * size
            pieces.append((index, round(pen), -round(up), mask))
            room = 0.25 if is_wide(char) and mask.shape[1] < 0.35 * size else 0.0
            pen += mask.shape[1] + max(0.0, spacing + room + rng.gauss(0.0, 0.02)) * size
        return _composed(pieces, size), taken

    def _take(self, char: str, bags: dict[str, list[str]], rng: Random) -> str:
        if char not in self._crops:
            raise InputError(f"{char!r} (U+{ord(char):04X}) has no crop")
        if not bags.get(char):
            bags[char] = rng.sample(self._crops[char], len(self._crops[char]))
        return bags[char].pop()

    def _sized(self, char: str, ink: Mask, size: int, rng: Random) -> tuple[Mask, float]:
        """The ink as large as ``char`` is beside others, and how far above the baseline its top is, in px."""
        extent = self._extent(char)
        height, width = ink.shape
        if extent is None:
            extent = Extent(width / height * (_UNKNOWN[1] - _UNKNOWN[0]), *_UNKNOWN)
        scale = extent.larger * size * rng.uniform(0.93, 1.05) / max(width, height)
        shape = (max(1, round(width * scale)), max(1, round(height * scale)))
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        sized = np.asarray(cv2.resize(ink, shape, interpolation=way), np.uint8)
        middle = (extent.top + extent.bottom) / 2 * size
        return sized, middle + sized.shape[0] / 2

    def _extent(self, char: str) -> Extent | None:
        """How the first face that covers ``char`` draws it; None when none does."""
        if char not in self._extents:
            faces = self._index.covering(char)
            self._extents[char] = _measured(faces[0], char) if faces else None
        return self._extents[char]


def _measured(face: FontFace, char: str) -> Extent | None:
    font, em = _font(face.path, face.index)
    glyph = font.get_nominal_glyph(ord(char))
    box = None if glyph is None else font.get_glyph_extents(glyph)
    if box is None or not box.width or not box.height:
        return None
    top = box.y_bearing / em
    return Extent(abs(box.width) / em, top - abs(box.height) / em, top)


def _composed(pieces: Sequence[tuple[int, int, int, Mask]], size: int) -> LineMask:
    """One mask; it reaches from the baseline to the height of an x at least, as a set line does."""
    if not pieces:
        raise InputError("a line of spaces has no ink")
    x0 = min(left for _, left, _, _ in pieces) - PAD
    x1 = max(left + mask.shape[1] for _, left, _, mask in pieces) + PAD
    y0 = min([-round(X_HEIGHT * size), *(top for _, _, top, _ in pieces)]) - PAD
    y1 = max([0, *(top + mask.shape[0] for _, _, top, mask in pieces)]) + PAD
    whole = np.zeros((y1 - y0, x1 - x0), np.uint8)
    places = []
    for index, left, top, mask in pieces:
        x, y = left - x0, top - y0
        region = whole[y : y + mask.shape[0], x : x + mask.shape[1]]
        np.maximum(region, mask, out=region)
        places.append((index, x, y, x + mask.shape[1], y + mask.shape[0]))
    return LineMask(whole, tuple(places), -y0)
