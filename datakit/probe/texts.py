"""The lines that a probe draws: every character in company that is easy to read and shares a font with it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from random import Random

# Letters and digits that are mistaken for nothing else in an undegraded line; what is misread beside
# them is the probed character.
COMPANY = "2345678ABDEFHKMNPRTabdefhkmnrt"
# Wide characters are probed several a line: a reader of single glyphs is not helped by their neighbours.
WIDE_A_LINE = 5

Covered = Callable[[str], bool]


def is_wide(char: str) -> bool:
    """Whether ``char`` takes a full square (Chinese characters, kana, Hangul, full-width forms)."""
    return unicodedata.east_asian_width(char) in "WF"


def probe_texts(chars: Sequence[str], lines: int, covered: Covered, rng: Random) -> Iterator[str]:
    """Texts in which every one of ``chars`` stands in at least ``lines`` lines.

    Wide characters stand in rows of :data:`WIDE_A_LINE`, dealt anew each time so that neighbours differ;
    the others singly among :data:`COMPANY`. ``covered(text)`` says whether a font can set a text: a row
    that none can is dealt out one by one, and a character that goes with no company stands alone.
    """
    wide = [char for char in chars if is_wide(char)]
    narrow = [char for char in chars if not is_wide(char)]
    for _ in range(lines):
        order = rng.sample(wide, len(wide))
        for start in range(0, len(order), WIDE_A_LINE):
            yield from _settable("".join(order[start : start + WIDE_A_LINE]), covered)
        for char in rng.sample(narrow, len(narrow)):
            yield _among(char, covered, rng)


def _settable(row: str, covered: Covered) -> Iterator[str]:
    if covered(row):
        yield row
    else:
        yield from row


def _among(char: str, covered: Covered, rng: Random) -> str:
    before = "".join(rng.choices(COMPANY, k=rng.randint(1, 3)))
    after = "".join(rng.choices(COMPANY, k=rng.randint(1, 3)))
    text = before + char + after
    return text if covered(text) else char
