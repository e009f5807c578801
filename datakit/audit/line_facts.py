"""The plain lines of a chunk judged at once: the arrays that correspond to fate.judge and the text checks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from datakit.audit import char_classes as is_
from datakit.audit.char_classes import CharClasses
from datakit.audit.columns import Columns, Ints, Mask
from datakit.audit.fate import CTC_ENCODERS
from datakit.audit.settings import Settings
from datakit.encoders import RESERVED

_NEWLINE, _SPACE, _HASH, _STAR = 10, 32, 35, 42
_LETTERS = 4


@dataclass(frozen=True, slots=True)
class TextFacts:
    """One entry a plain line: ``bits`` of all its code points, how many the dictionary lacks (``missing``, the
    carriage return not counted), and the masks of the fates; a line in none of them is trained as it is.
    """

    bits: npt.NDArray[np.uint64]
    missing: Ints
    cut: Mask
    empty: Mask
    over_limit: Mask
    nothing_left: Mask
    no_steps: Mask

    @property
    def lost(self) -> Mask:
        """The lines that are not trained."""
        return self.empty | self.over_limit | self.nothing_left | self.no_steps


def text_facts(columns: Columns, classes: CharClasses, settings: Settings) -> TextFacts:
    """Judge the plain lines, without their pictures, as fate.judge does."""
    code_bits = classes.table[columns.codes]
    _mark_words(code_bits)
    bits = (
        np.bitwise_or.reduceat(code_bits, columns.firsts) if len(columns.firsts) else np.zeros(0, np.uint64)
    )
    gone = (code_bits & is_.MISSING) != 0
    some_gone = bool(gone.any())
    missing = _per_line(columns, np.flatnonzero(gone)) if some_gone else np.zeros(len(bits), np.int64)
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
    if settings.encoder in CTC_ENCODERS and bool((kept[~lost] * 2 - 1 > settings.time_steps).any()):
        steps = kept + _repeats(columns, classes, gone if some_gone else None)
        tight = ~lost & (steps > settings.time_steps)
    cut = ~lost & ~tight & (kept < labelled)
    # A label that is empty but for a carriage return is lost for being empty.
    textless = columns.lengths == 0
    return TextFacts(bits, missing, cut, lost & textless, long & ~textless, nothing & ~textless, tight)


def _mark_words(code_bits: npt.NDArray[np.uint64]) -> None:
    """Set WORD at the last of every four letters in a row; the newline between texts is no letter."""
    letters = (code_bits & is_.CASED) != 0
    if len(letters) >= _LETTERS:
        pairs = letters[1:] & letters[:-1]
        runs = pairs[2:] & pairs[:-2]
        code_bits[_LETTERS - 1 :][runs] |= is_.WORD


def _per_line(columns: Columns, places: Ints) -> Ints:
    return np.bincount(columns.rows[places], minlength=len(columns.lasts))


def _repeats(columns: Columns, classes: CharClasses, gone: Mask | None) -> Ints:
    """Adjacent equal characters of every text once those that the dictionary lacks are left out."""
    codes = columns.codes if classes.lower is None else classes.lower[columns.codes]
    if gone is None:
        places = np.flatnonzero((codes[1:] == codes[:-1]) & (codes[1:] != _NEWLINE))
    else:
        stay = np.flatnonzero(~gone)
        codes = codes[stay]
        places = stay[np.flatnonzero((codes[1:] == codes[:-1]) & (codes[1:] != _NEWLINE))]
    return _per_line(columns, places)


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


def edge_spaces(columns: Columns, classes: CharClasses) -> Mask:
    """Texts that begin or end with a blank of any kind."""
    held = columns.lengths > 0
    edges = classes.table[columns.codes[columns.firsts]] | classes.table[columns.codes[columns.lasts - 1]]
    return held & ((edges & is_.BLANK) != 0)


def _is_text(columns: Columns, text: tuple[int, ...]) -> Mask:
    same = columns.lengths == len(text)
    for place, code in enumerate(text):
        # A shorter text is not equal anyway; its look-up only has to stay inside.
        same &= columns.codes[np.minimum(columns.firsts + place, len(columns.codes) - 1)] == code
    return same


def _held(bit: np.uint64) -> Callable[[Columns, TextFacts, CharClasses], Mask]:
    return lambda _columns, facts, _classes: (facts.bits & bit) != 0


# The lines on which a check of the same id yields, exactly; each yields one message there.
EXACT: dict[str, Callable[[Columns, TextFacts, CharClasses], Mask]] = {
    "crlf": lambda columns, _facts, _classes: columns.returns,
    "over-limit": lambda _columns, facts, _classes: facts.over_limit,
    "empty-label": lambda columns, _facts, _classes: columns.lengths == 0,
    "not-in-dictionary": lambda _columns, facts, _classes: facts.missing > 0,
    "ctc-steps": lambda _columns, facts, _classes: facts.no_steps,
    "ignore-mark": lambda columns, _facts, _classes: _is_text(columns, (_HASH,) * 3),
    "lone-star": lambda columns, _facts, _classes: _is_text(columns, (_STAR,)),
    "control-character": _held(is_.CONTROL),
    "zero-width": _held(is_.INVISIBLE),
    "bidi-mark": _held(is_.DIRECTION),
    "wide-space": _held(is_.WIDE),
    "odd-space": _held(is_.OTHER_SPACE),
    "edge-space": lambda columns, _facts, classes: edge_spaces(columns, classes),
    "double-space": lambda columns, _facts, _classes: double_spaces(columns),
}
# Bits of which a line must hold one before a check of that id can yield.
POSSIBLE: dict[str, np.uint64] = {"not-nfc": is_.COMPOSES}
# Checks on how a line is written that cannot yield on a plain line.
NEVER = frozenset(
    {"bom", "extra-tab", "carriage-return", "nul", "line-separator", "bracket-path", "text-type", "surrogate"}
)
