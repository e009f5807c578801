"""Which texts can be lines: cleaned, cut to length, inside the dictionary, and covered by a font."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Protocol

from datakit.charset import Charset
from datakit_fonts import BrokenFont

# Where a long text may be cut: after a space or a mark that ends a phrase.
_BOUNDARY = re.compile(r"(?<=[ ,;:.!?，。；：、！？）】」』])")


def clean(text: str) -> str:
    """``text`` without spaces at its ends; every run of white space is one space."""
    return " ".join(text.split())


def cut_to_length(text: str, limit: int) -> list[str]:
    """Pieces of at most ``limit`` characters, cut at spaces and punctuation where there are any.

    A run without boundary is cut anywhere when it is not made of letters of an alphabet (CJK), and stays
    too long otherwise: half a Latin word is no text.
    """
    if len(text) <= limit:
        return [text]
    pieces: list[str] = []
    piece = ""
    for part in _BOUNDARY.split(text):
        if piece and len(piece) + len(part.rstrip()) > limit:
            pieces.append(piece.strip())
            piece = ""
        piece += part
        while len(piece.rstrip()) > limit and _cuttable(piece, limit):
            pieces.append(piece[:limit].strip())
            piece = piece[limit:]
    pieces.append(piece.strip())
    return [piece for piece in pieces if piece]


def _cuttable(text: str, place: int) -> bool:
    return all(unicodedata.east_asian_width(char) in "WF" for char in text[place - 1 : place + 1])


class Coverage(Protocol):
    """What a text can be drawn with: :class:`datakit_fonts.CoverageIndex`, or pictures of characters."""

    broken: list[BrokenFont]

    def mask(self, text: Iterable[str]) -> int:
        """A bit set of what covers every character of ``text``; 0 when nothing does."""


# Why a text, and a character, cannot be drawn: for a count, and as part of a sentence.
Lack = tuple[str, str]
NO_FONT: Lack = ("no-font", "no font covers it")
NO_CROP: Lack = ("no-crop", "has no crop")


class Rules:
    """What a line must be; counts what it refuses."""

    def __init__(
        self,
        index: Coverage,
        charset: Charset | None,
        max_length: int,
        *,
        keep_spaces: bool = False,
        lack: Lack = NO_FONT,
    ) -> None:
        self.index = index
        self.lack = lack
        self.keep_spaces = keep_spaces
        self.max_length = max_length
        self._charset = (
            None if charset is None else frozenset(char for char in charset.chars if len(char) == 1)
        )
        self._faces: dict[str, int] = {" ": index.mask(" ")}
        self.refused: Counter[str] = Counter()

    @property
    def charset(self) -> frozenset[str] | None:
        """The characters of the dictionary; None when every character is welcome."""
        return self._charset

    def refusal(self, text: str) -> str:
        """Why ``text`` cannot be a line; "" when it can. Runs of spaces may stand inside, as labelled."""
        if not text:
            return "empty"
        if len(text) > self.max_length:
            return "too-long"
        if text[0] == " " or text[-1] == " ":
            return "control-or-space"
        faces, known = -1, self._faces
        for char in set(text):
            mask = known.get(char)
            if mask is None:
                mask = known[char] = 0 if self._unwelcome(char) else self.index.mask(char)
            faces &= mask
        return "" if faces else next(filter(None, map(self._unwelcome, sorted(text))), self.lack[0])

    def _unwelcome(self, char: str) -> str:
        if (char.isspace() and char != " ") or unicodedata.category(char)[0] == "C":
            return "control-or-space"
        if self._charset is not None and char not in self._charset:
            return "outside-dictionary"
        return ""

    def char_refusal(self, char: str) -> str:
        """Why no line can contain ``char``, as a sentence; "" when one can."""
        if char == " " and self.char_refusal("a"):
            return "a space needs letters around it"
        if char != " " and (char.isspace() or unicodedata.category(char)[0] in "C"):
            return "is no visible character"
        if self._charset is not None and char not in self._charset:
            return "is not in the dictionary"
        return "" if self.index.mask(char) else self.lack[1]

    def usable(self, texts: Iterable[str]) -> list[str]:
        """What of ``texts`` can be lines, cut to length; what cannot is counted in ``refused``.

        Runs of white space become one space, or stay as they are with ``keep_spaces``.
        """
        pieces = []
        for text in texts:
            whole = text.strip() if self.keep_spaces else clean(text)
            fits = len(whole) <= self.max_length
            for piece in (whole,) if fits else cut_to_length(whole, self.max_length):
                reason = self.refusal(piece)
                if reason:
                    self.refused[reason] += 1
                else:
                    pieces.append(piece)
        return pieces
