"""Letters of one script that look like those of another, and text that was read in the wrong encoding.

The table of look-alikes was written for this project from how the letters are drawn in common text fonts;
pairs that differ in most fonts (the Greek alpha, nu, rho, kappa in small letters) are left out, because they
stand in formulas and units on purpose. Which script a letter belongs to is read from its Unicode name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator


def characters(first: int, last: int) -> str:
    """All characters of a range, the last one included."""
    return "".join(map(chr, range(first, last + 1)))


# Latin letter: what is drawn alike in Cyrillic and Greek.
_DRAWN_ALIKE = {
    "A": "\u0410\u0391",
    "B": "\u0412\u0392",
    "C": "\u0421",
    "E": "\u0415\u0395",
    "H": "\u041d\u0397",
    "I": "\u0406\u0399",
    "J": "\u0408",
    "K": "\u041a\u039a",
    "M": "\u041c\u039c",
    "N": "\u039d",
    "O": "\u041e\u039f",
    "P": "\u0420\u03a1",
    "S": "\u0405",
    "T": "\u0422\u03a4",
    "X": "\u0425\u03a7",
    "Y": "\u03a5\u04ae",
    "Z": "\u0396",
    "a": "\u0430",
    "c": "\u0441",
    "e": "\u0435",
    "h": "\u04bb",
    "i": "\u0456",
    "j": "\u0458",
    "o": "\u043e\u03bf",
    "p": "\u0440",
    "q": "\u051b",
    "s": "\u0455",
    "w": "\u051d",
    "x": "\u0445",
    "y": "\u0443",
}
TO_LATIN = {other: latin for latin, others in _DRAWN_ALIKE.items() for other in others}
FROM_LATIN: dict[str, dict[str, str]] = {"CYRILLIC": {}, "GREEK": {}}
for _other, _latin in TO_LATIN.items():
    FROM_LATIN[unicodedata.name(_other).split()[0]][_latin] = _other

_WORD = re.compile(r"[^\W\d_]+")
_FULL_WIDTH = "\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"
_LEAST_WORD = 3
_BOTH_WIDTHS = re.compile(f"[0-9A-Za-z{_FULL_WIDTH}]+")
_WIDE = re.compile(f"[{_FULL_WIDTH}]")

# What UTF-8's second and later bytes (80 to BF) become in Latin-1 and in Windows-1252.
_CP1252 = "".join(bytes([byte]).decode("cp1252", "ignore") for byte in range(0x80, 0xA0))
_TAIL = f"\x80-\xbf{_CP1252}"
# Closing quotes, dashes and the ellipsis may well follow a capital with an accent.
_SURE = (
    "\x80-\xba\xbc-\xbf\u20ac\u0192\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d\u2022\u02dc\u2122\u0161"
)
_MISREAD = re.compile(
    f"(?:[\xc2\xc3][{_SURE}]|\xe2\u20ac[{_TAIL}]|\xe2\u201a\xac|\xef\xbb\xbf|\xef\xbf\xbd|(?:[\xe1-\xef][{_TAIL}]{{2}}){{2,}})+"
)

MISREAD_LEADS = "\xc2\xc3" + characters(0xE1, 0xEF)
MISREAD_TAILS = characters(0x80, 0xBF) + _CP1252
GREEK_CYRILLIC = characters(0x370, 0x52F)
LATIN = characters(0x41, 0x5A) + characters(0x61, 0x7A) + characters(0xC0, 0x24F)
FULL_WIDTH = characters(0xFF10, 0xFF19) + characters(0xFF21, 0xFF3A) + characters(0xFF41, 0xFF5A)
ALPHANUMERIC = characters(0x30, 0x39) + characters(0x41, 0x5A) + characters(0x61, 0x7A)
_SCRIPTED = frozenset(GREEK_CYRILLIC + LATIN)


def script(char: str) -> str:
    """``LATIN`` (up to U+024F), ``GREEK`` or ``CYRILLIC`` (U+0370 to U+052F), "" for another script."""
    if char not in _SCRIPTED:
        return ""
    name = unicodedata.name(char, "").partition(" ")[0]
    return name if name in ("LATIN", "GREEK", "CYRILLIC") else ""


def foreign_letters(text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Every word that mixes Latin with Cyrillic or Greek where one side is look-alikes only: the word, and
    those letters with what they look like. The rarer script counts as foreign, in a draw the one that is not
    Latin."""
    for word in _WORD.findall(text):
        if word.isascii():
            continue
        found = [(script(char), char) for char in word]
        latin = [char for name, char in found if name == "LATIN"]
        for other in ("CYRILLIC", "GREEK"):
            letters = [char for name, char in found if name == other]
            if letters and latin:
                twins = _foreign(latin, letters, other)
                if twins:
                    yield word, twins


def _foreign(latin: list[str], letters: list[str], other: str) -> dict[str, str]:
    """The rarer letters with their twins if all have one, in Cyrillic else the others if all have.

    Greek letters beside Latin ones are often symbols: two of them make no word, and ``T`` in a word with a
    delta is no tau.
    """
    sides = [(letters, TO_LATIN), (latin, FROM_LATIN[other])]
    if len(latin) < len(letters):
        if other == "GREEK" and len(letters) < _LEAST_WORD:
            return {}
        sides.reverse()
    for side, table in sides[:1] if other == "GREEK" else sides:
        if all(char in table for char in side):
            return {char: table[char] for char in side}
    return {}


def mixed_width_words(text: str) -> Iterator[str]:
    """Every run of letters and digits that holds full-width and plain ones."""
    for run in _BOTH_WIDTHS.findall(text):
        wide = len(_WIDE.findall(run))
        if 0 < wide < len(run):
            yield run


def _byte(char: str) -> bytes:
    try:
        return char.encode("cp1252")
    except UnicodeEncodeError:
        return char.encode("latin-1")


def misread_utf8(text: str) -> Iterator[tuple[str, str]]:
    """Every run of UTF-8 that was decoded as Latin-1 or Windows-1252, with what it says when read right."""
    for match in _MISREAD.finditer(text):
        try:
            right = b"".join(_byte(char) for char in match[0]).decode("utf-8")
        except UnicodeDecodeError:
            continue
        yield match[0], right
