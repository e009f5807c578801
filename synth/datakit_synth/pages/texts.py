"""The texts of a page: drawn from one pool, those of a block all covered by one face."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from random import Random

from datakit_fonts import CoverageIndex, FontFace
from datakit_synth.kinds import is_wide, joint

_TRIES = 24
# Width of a character in ems, to judge a text by before it is set.
_WIDE, _NARROW = 1.0, 0.5
_NUMERIC = 0.4


def judged_width(text: str) -> float:
    """Roughly the ems that ``text`` takes."""
    return sum(_WIDE if is_wide(char) else _NARROW for char in text)


def is_numeric(text: str) -> bool:
    """Whether digits are much of ``text``."""
    return sum(unicodedata.category(char) == "Nd" for char in text) >= _NUMERIC * len(text)


class TextPool:
    """Draws texts; ``index`` says which face covers what. Nothing in it changes from page to page."""

    def __init__(self, texts: Sequence[str], index: CoverageIndex) -> None:
        self.texts = texts
        self.numbers = [text for text in texts if is_numeric(text)] or list(texts)
        self.index = index

    def faces(self, text: str) -> list[FontFace]:
        """The faces that cover all of ``text``."""
        return self.index.covering(text)

    def draw(self, rng: Random, face: FontFace, kind: str, ems: float) -> str:
        """A text of at most about ``ems`` ems that ``face`` covers; "" when none is found in a few tries."""
        if kind == "fill":
            return self._filled(rng, face, ems)
        source = self.numbers if kind == "number" else self.texts
        return self._one(rng, face, source, ems)

    def _one(self, rng: Random, face: FontFace, source: Sequence[str], ems: float) -> str:
        bit = 1 << self.index.faces.index(face)
        for _ in range(_TRIES):
            text = source[rng.randrange(len(source))]
            if judged_width(text) <= ems and self.index.mask(text) & bit:
                return text
        return ""

    def _filled(self, rng: Random, face: FontFace, ems: float) -> str:
        """Texts joined as long as they fit."""
        line = ""
        while True:
            left = ems - judged_width(line) - _NARROW
            piece = self._one(rng, face, self.texts, left) if left > _WIDE else ""
            if not piece:
                return line
            between = joint(line, piece)
            line += between + piece
