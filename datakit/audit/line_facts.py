"""The plain lines of a chunk judged at once: the arrays that correspond to fate.judge and the text checks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from datakit.audit import char_classes as is_
from datakit.audit.char_classes import Bits, CharClasses
from datakit.audit.columns import Columns, Ints, Mask, ranges
from datakit.audit.facts import Fate
from datakit.audit.fate import CTC_ENCODERS
from datakit.audit.settings import Settings
from datakit.encoders import RESERVED

_NEWLINE, _SPACE, _HASH, _STAR = 10, 32, 35, 42
_LETTERS = 4


@dataclass(frozen=True, slots=True)
class TextFacts:
    """The plain lines of a chunk; ``code_bits`` has one entry a code point, the rest one a line.

    ``bits`` are those of all its code points, ``missing`` how many of them the dictionary lacks (without the
    carriage return), ``words`` whether it holds one of four letters. ``faults`` has the lines that are
    unreadable, and why; the others are the masks of the fates, and a line in none of them is trained as it
    is.
    """

    code_bits: Bits
    bits: Bits
    missing: Ints
    words: Mask
    cut: Mask
    empty: Mask
    over_limit: Mask
    nothing_left: Mask
    no_steps: Mask
    lost: Mask
    faults: Mapping[int, str] = field(default_factory=dict)

    def without(self, faults: Mapping[int, str]) -> TextFacts:
        """The same with lines that are unreadable whatever their text is, each with the reason."""
        if not faults:
            return self
        there = np.ones(len(self.lost), bool)
        there[list(faults)] = False
        return replace(
            self,
            cut=self.cut & there,
            empty=self.empty & there,
            over_limit=self.over_limit & there,
            nothing_left=self.nothing_left & there,
            no_steps=self.no_steps & there,
            lost=self.lost | ~there,
            faults=faults,
        )

    def fate(self, row: int) -> tuple[Fate, str]:
        """Fate and reason of one line."""
        if row in self.faults:
            return "unreadable", self.faults[row]
        if not self.lost[row]:
            return ("cut", "") if self.cut[row] else ("trained", "")
        return next((fate, reason) for mask, fate, reason in self.fates if mask[row])

    @property
    def fates(self) -> tuple[tuple[Mask, Fate, str], ...]:
        """The lines of every fate but trained as it is and unreadable, and the reason; a line is in one at
        most.
        """
        return (
            (self.empty, "dropped", "empty-label"),
            (self.over_limit, "dropped", "over-limit"),
            (self.nothing_left, "dropped", "not-in-dictionary"),
            (self.no_steps, "never_learnable", "ctc-steps"),
            (self.cut, "cut", ""),
        )


def text_facts(
    columns: Columns, classes: CharClasses, settings: Settings, *, words: bool = True
) -> TextFacts:
    """Judge the plain lines, without their pictures, as fate.judge does; ``words`` only if asked for."""
    code_bits = classes.table[columns.codes]
    if not len(columns.firsts):
        nothing = np.zeros(0, bool)
        return TextFacts(code_bits, code_bits, np.zeros(0, np.int64), *(nothing,) * 7)
    bits = np.bitwise_or.reduceat(code_bits, columns.firsts)
    gone = _byte(code_bits, is_.MISSING) != 0
    places = np.flatnonzero(gone)
    some_gone = len(places) > 0
    missing = _per_line(columns, places)
    returns = columns.returns.astype(np.int64)
    labelled = columns.lengths + returns
    # No dictionary file can hold a carriage return.
    kept = labelled - missing
    if settings.charset is not None and "\r" not in settings.charset:
        kept -= returns
    empty = labelled == 0
    long = labelled > settings.max_text_length
    nothing = ~empty & ~long & (kept == 0)
    if RESERVED[settings.encoder]:
        long |= ~empty & ~nothing & (kept > settings.max_text_length - RESERVED[settings.encoder])
    lost = empty | long | nothing
    tight = np.zeros(len(bits), bool)
    if settings.encoder in CTC_ENCODERS:
        # Of so many characters no more than all but one can repeat the one before.
        close = np.flatnonzero(~lost & (kept * 2 - 1 > settings.time_steps))
        if len(close):
            repeats = _repeats(columns, classes, close, gone if some_gone else None)
            tight[close] = kept[close] + repeats > settings.time_steps
    cut = ~lost & ~tight & (kept < labelled)
    # A label that is empty but for a carriage return is lost for being empty.
    textless = columns.lengths == 0
    return TextFacts(
        code_bits,
        bits,
        missing,
        _words(columns, code_bits) if words else np.zeros(len(bits), bool),
        cut,
        lost & textless,
        long & ~textless,
        nothing & ~textless,
        tight,
        lost | tight,
    )


def _words(columns: Columns, code_bits: Bits) -> Mask:
    """Texts with four letters in a row of a script that has two cases; the newline between texts is no
    letter.
    """
    found = np.zeros(len(columns.lasts), bool)
    letters = _byte(code_bits, is_.CASED)
    if len(letters) >= _LETTERS:
        pairs = letters[1:] & letters[:-1]
        runs = np.zeros(len(letters), np.uint8)
        runs[_LETTERS - 1 :] = pairs[2:] & pairs[:-2]
        found = np.maximum.reduceat(runs, columns.firsts) != 0
    return found


def _byte(code_bits: Bits, bit: int) -> npt.NDArray[np.uint8]:
    """One bit of every word, by the byte that holds it: a fraction of the memory to work on."""
    number, size = bit.bit_length() - 1, code_bits.itemsize
    place = number // 8 if sys.byteorder == "little" else size - 1 - number // 8
    found: npt.NDArray[np.uint8] = code_bits.view(np.uint8)[place::size] & np.uint8(1 << number % 8)
    return found


def _per_line(columns: Columns, places: Ints) -> Ints:
    return np.bincount(columns.rows[places], minlength=len(columns.lasts))


def _repeats(columns: Columns, classes: CharClasses, rows: Ints, gone: Mask | None) -> Ints:
    """Adjacent equal characters of the texts ``rows`` once those that the dictionary lacks are left out."""
    lengths = columns.lengths[rows]
    places = ranges(columns.firsts[rows], lengths)
    owners = np.repeat(np.arange(len(rows)), lengths)
    if gone is not None:
        stay = ~gone[places]
        places, owners = places[stay], owners[stay]
    codes = columns.codes[places]
    if classes.lower is not None:
        codes = classes.lower[codes]
    same = (codes[1:] == codes[:-1]) & (owners[1:] == owners[:-1])
    return np.bincount(owners[1:][same], minlength=len(rows))


def double_spaces(columns: Columns) -> Mask:
    """Texts with two plain spaces in a row that are neither at their start nor at their end."""
    found = np.zeros(len(columns.lasts), bool)
    spaces = columns.codes == _SPACE
    pairs = np.flatnonzero(spaces[1:] & spaces[:-1])
    if len(pairs):
        codes = columns.codes
        # The first and the last pair of every run, in the same order; the very last code is a newline.
        first = pairs[(pairs == 0) | ~spaces[pairs - 1]]
        last = pairs[~spaces[pairs + 2]]
        inner = (first > 0) & (codes[first - 1] != _NEWLINE) & (codes[last + 2] != _NEWLINE)
        found[columns.rows[first[inner]]] = True
    return found


def edge_spaces(columns: Columns, facts: TextFacts) -> Mask:
    """Texts that begin or end with a blank of any kind."""
    found = np.zeros(len(columns.lasts), bool)
    rows = np.flatnonzero((facts.bits & is_.BLANK) != 0)
    edges = facts.code_bits[columns.firsts[rows]] | facts.code_bits[columns.lasts[rows] - 1]
    found[rows] = (columns.lengths[rows] > 0) & ((edges & is_.BLANK) != 0)
    return found


def _is_text(columns: Columns, text: tuple[int, ...]) -> Mask:
    same: Mask = columns.lengths == len(text)
    rows = np.flatnonzero(same)
    for place, code in enumerate(text):
        rows = rows[columns.codes[columns.firsts[rows] + place] == code]
    same[:] = False
    same[rows] = True
    return same


def _held(bit: int) -> Callable[[Columns, TextFacts], Mask]:
    return lambda _columns, facts: (facts.bits & bit) != 0


# The lines on which a check of the same id yields, exactly; each yields one message there.
EXACT: dict[str, Callable[[Columns, TextFacts], Mask]] = {
    "crlf": lambda columns, _facts: columns.returns,
    "over-limit": lambda _columns, facts: facts.over_limit,
    "empty-label": lambda columns, _facts: columns.lengths == 0,
    "not-in-dictionary": lambda _columns, facts: facts.missing > 0,
    "ctc-steps": lambda _columns, facts: facts.no_steps,
    "ignore-mark": lambda columns, _facts: _is_text(columns, (_HASH,) * 3),
    "lone-star": lambda columns, _facts: _is_text(columns, (_STAR,)),
    "control-character": _held(is_.CONTROL),
    "zero-width": _held(is_.INVISIBLE),
    "bidi-mark": _held(is_.DIRECTION),
    "wide-space": _held(is_.WIDE),
    "odd-space": _held(is_.OTHER_SPACE),
    "edge-space": edge_spaces,
    "double-space": lambda columns, _facts: double_spaces(columns),
}
# Bits of which a line must hold one before a check of that id can yield.
POSSIBLE: dict[str, int] = {"not-nfc": is_.COMPOSES}
# Checks on how a line is written that cannot yield on a plain line.
NEVER = frozenset(
    {
        "bom",
        "extra-tab",
        "carriage-return",
        "nul",
        "line-separator",
        "bracket-path",
        "text-type",
        "surrogate",
        "difficult",
    }
)
