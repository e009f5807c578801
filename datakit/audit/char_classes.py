"""What a code point is, as bits in a table, so that a chunk of text is classified by one look-up."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from datakit.audit.settings import Settings
from datakit.audit.text_checks import BIDI, WIDE_SPACE, ZERO_WIDTH
from datakit.errors import DatakitError

Bits = npt.NDArray[np.unsignedinteger[Any]]
CODE_POINTS = 0x110000
_NEWLINE = 10
# Odd: what the parser of single lines has to see: separators, and half a surrogate pair for a broken byte.
ODD = 1 << 0
MISSING = 1 << 1
CONTROL = 1 << 2
INVISIBLE = 1 << 3
DIRECTION = 1 << 4
WIDE = 1 << 5
OTHER_SPACE = 1 << 6
BLANK = 1 << 7
PLAIN_SPACE = 1 << 8
COMPOSES = 1 << 9
CASED = 1 << 10
LOWER = 1 << 11
UPPER = 1 << 12
_FREE = 13
_SEPARATORS = frozenset("\x85\u2028\u2029")
# Letters of scripts with two cases: Latin, Greek, Cyrillic.
_CASED = (
    (0x41, 0x5A),
    (0x61, 0x7A),
    (0xC0, 0xD6),
    (0xD8, 0xF6),
    (0xF8, 0x24F),
    (0x370, 0x3FF),
    (0x400, 0x52F),
)


@cache
def _seconds() -> frozenset[str]:
    """Code points that some other one in front of them composes with, the vowels and ends of Hangul too."""
    found = {chr(code) for code in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}
    for code in range(0xC0, 0x30000):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            found.add(chr(int(parts[1], 16)))
    return frozenset(found)


@cache
def _members(chars: str) -> frozenset[str]:
    """The set of a trigger's characters; some have a hundred thousand."""
    return frozenset(chars)


class CharClasses:
    """``table[code point]`` holds the bits of every code point learnt so far, 0 for others.

    Its words are as narrow as the bits allow: there are as many to move as a chunk has characters.

    ``triggers`` are strings of characters; each gets a bit of its own, see :meth:`trigger`. ``lower`` maps a
    code point to its lower case where ``settings`` ask for that, else it is None.

    Raises:
        DatakitError: more different triggers than there are bits.
    """

    def __init__(self, settings: Settings, triggers: Sequence[str] = ()) -> None:
        self.lower = np.arange(CODE_POINTS, dtype=np.uint32) if settings.lower else None
        self._known = np.zeros(CODE_POINTS, bool)
        self._charset = settings.charset
        different = list(dict.fromkeys(triggers))
        if len(different) > 64 - _FREE:
            raise DatakitError(f"{len(different)} different triggers of checks, {64 - _FREE} fit")
        needed = _FREE + len(different)
        self.table: Bits = np.zeros(
            CODE_POINTS, np.uint16 if needed <= 16 else np.uint32 if needed <= 32 else np.uint64
        )
        self._triggers = {chars: 1 << bit for bit, chars in enumerate(different, start=_FREE)}
        self._members = [(_members(chars), 1 << bit) for bit, chars in enumerate(different, start=_FREE)]

    def trigger(self, chars: str) -> int:
        """The bit of one of the triggers."""
        return self._triggers[chars]

    def learn(self, codes: npt.NDArray[np.int64]) -> None:
        """Classify those of ``codes`` that are new."""
        for code in codes[~self._known[codes]].tolist():
            # The newline parts the texts and belongs to none.
            self.table[code] = 0 if code == _NEWLINE else self._bits(chr(code))
            self._known[code] = True

    def _bits(self, char: str) -> int:
        bits = _bits(char)
        written = self._lowered(char) if self.lower is not None else char
        if len(written) != 1:
            return bits | ODD
        if self._charset is not None and written not in self._charset:
            bits |= MISSING
        for chars, bit in self._members:
            if char in chars:
                bits |= bit
        return bits

    def _lowered(self, char: str) -> str:
        """The lower case; "" where it depends on the neighbours, as for a capital sigma."""
        written = "" if char == "\u03a3" else char.lower()
        if len(written) == 1 and self.lower is not None:
            self.lower[ord(char)] = ord(written)
        return written


def _bits(char: str) -> int:
    code = ord(char)
    category = unicodedata.category(char)
    bits = {
        ODD: category == "Cs" or char in _SEPARATORS,
        CONTROL: category == "Cc",
        INVISIBLE: char in ZERO_WIDTH,
        DIRECTION: char in BIDI,
        WIDE: char == WIDE_SPACE,
        OTHER_SPACE: category == "Zs" and char not in (" ", WIDE_SPACE),
        BLANK: char.isspace(),
        PLAIN_SPACE: char == " ",
        COMPOSES: _may_compose(char),
        CASED: any(first <= code <= last for first, last in _CASED),
        LOWER: char.islower(),
        UPPER: char.isupper() or char.istitle(),
    }
    return sum(bit for bit, holds in bits.items() if holds)


def _may_compose(char: str) -> bool:
    """Whether a text with ``char`` may be not NFC; a text without any such character is NFC."""
    if char.isascii() or unicodedata.category(char) == "Cs":
        return False
    return (
        unicodedata.combining(char) != 0 or not unicodedata.is_normalized("NFC", char) or char in _seconds()
    )
