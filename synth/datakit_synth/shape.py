"""Texts of a wanted length made of real ones: words joined to lines, long lines cut at words."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from random import Random

from datakit_synth.kinds import is_wide, joint
from datakit_synth.texts import clean

_ATTEMPTS = 30
_MOST_PIECES = 12
_WORD_LIST_SAMPLE = 2_000
_LONGEST_WORD = 10
_ANY = 1 << 30


def is_word_list(texts: Sequence[str]) -> bool:
    """Whether a corpus holds words and no lines: short, and hardly a space in them."""
    sample = texts[:_WORD_LIST_SAMPLE]
    if not sample:
        return False
    lengths = sorted(map(len, sample))
    spaced = sum(" " in text for text in sample)
    return lengths[len(lengths) // 2] <= _LONGEST_WORD and spaced * 20 <= len(sample)


class Pool:
    """Real texts to draw from by length."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = sorted(texts, key=len)
        self._lengths = list(map(len, self._texts))

    def draw(self, rng: Random, low: int, high: int) -> str:
        """A text of ``low`` to ``high`` characters; "" where there is none."""
        start, end = bisect_left(self._lengths, low), bisect_right(self._lengths, high)
        return self._texts[rng.randrange(start, end)] if start < end else ""


def joined(first: str, pool: Pool, low: int, high: int, spaced: bool | None, rng: Random) -> str:
    """``first`` with whole texts before and behind it until it has ``low`` characters; "" if that fails.

    At most ``high`` characters. ``spaced`` says whether there shall be a space in it; wide characters
    then stand apart too.
    """
    text = first
    for _ in range(_MOST_PIECES):
        if len(text) >= low and (spaced is None or spaced == (" " in text)):
            return text
        # The last piece ends the line where it can; before that any length will do.
        room = high - len(text) - 1
        last = rng.random() < 0.5
        piece = pool.draw(rng, max(1, low - len(text) - 1) if last else 1, room)
        before = rng.random() < 0.5
        left, right = (piece, text) if before else (text, piece)
        # A space between Chinese words is rarer than none: only where spaces are wanted.
        space = " " if spaced else joint(left, right)
        if piece and (spaced is not False or not space):
            text = left + space + right
    return ""


def cut_between(text: str, low: int, high: int, spaced: bool | None, rng: Random) -> str:
    """A part of ``text`` of ``low`` to ``high`` characters that begins and ends at words; "" if none does."""
    if high < 1:
        return ""
    if len(text) <= high:
        return text if len(text) >= low and spaced in (None, " " in text) else ""
    starts = [k for k in range(len(text)) if _boundary(text, k)]
    ends = [k for k in range(1, len(text) + 1) if _boundary(text, k)]
    for _ in range(_ATTEMPTS):
        start = rng.choice(starts)
        fitting = [end for end in ends if low <= end - start <= high]
        if fitting:
            part = clean(text[start : rng.choice(fitting)])
            if low <= len(part) <= high and spaced in (None, " " in part):
                return part
    return ""


def _boundary(text: str, place: int) -> bool:
    """Whether a text may be cut before ``place``; a mark stays with what stands before it."""
    if place in (0, len(text)):
        return True
    left, right = text[place - 1], text[place]
    if " " in (left, right):
        return True
    return (is_wide(left) or is_wide(right)) and (right.isalnum() and (left.isalnum() or is_wide(left)))


class Shaper:
    """Makes texts of wanted lengths from those of a pool; ``usable(text)`` says which may be lines."""

    def __init__(self, pool: Pool, usable: Callable[[str], bool]) -> None:
        self._pool = pool
        self._usable = usable

    def make(self, low: int, high: int, spaced: bool | None, rng: Random) -> str:
        """A text of ``low`` to ``high`` characters, with or without a space; "" when none comes about."""
        for attempt in range(_ATTEMPTS):
            # Words are joined first, lines that are too long are cut after.
            most = high if attempt % 2 == 0 and not spaced else max(1, high - 2)
            first = self._pool.draw(rng, 1, most if attempt % 2 == 0 else _ANY)
            text = cut_between(first, low, high, spaced, rng)
            if not text and first and len(first) <= high:
                text = joined(first, self._pool, low, high, spaced, rng)
            if text and self._usable(text):
                return text
        return ""

    def around(self, piece: str, low: int, high: int, spaced: bool | None, rng: Random) -> str:
        """``piece`` whole, with real text beside it; "" when none comes about."""
        for _ in range(_ATTEMPTS):
            text = joined(piece, self._pool, max(low, len(piece) + 1), high, spaced, rng)
            if text and self._usable(text):
                return text
        return ""
