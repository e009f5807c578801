"""Counts of the code points of whole chunks, in arrays indexed by code point."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from datakit.audit import char_classes as is_
from datakit.audit.char_classes import CharClasses
from datakit.audit.columns import Columns, Ints, Mask
from datakit.audit.line_facts import TextFacts
from datakit.audit.text_counts import LONGEST, TextCounts

# Texts up to this length are compared place by place, longer ones are sorted.
_SHORT = 32
# Code points compared at a time: three arrays of them stay in a core's cache.
_BLOCK = 1 << 15
_NEWLINE, _SPACE = 10, 32
_CODE_BITS = np.uint64(21)


def _empty() -> Ints:
    return np.zeros(0, np.int64)


@dataclass(slots=True)
class CharCounts:
    """Occurrences of a code point, lines with it, and lost lines with it; all grow with the alphabet only."""

    occurrences: Ints = field(default_factory=_empty)
    lines_with: Ints = field(default_factory=_empty)
    lost_with: Ints = field(default_factory=_empty)

    def add(self, columns: Columns, lost: Mask) -> None:
        """Count the plain lines of a chunk."""
        repeated, with_, lost_with = _lines_with(columns, lost)
        with_ += columns.counts - np.bincount(columns.codes[repeated], minlength=len(columns.counts))
        self.occurrences = _added(self.occurrences, columns.counts)
        self.lines_with = _added(self.lines_with, with_)
        self.lost_with = _added(self.lost_with, lost_with)

    def pour(self, counts: TextCounts) -> None:
        """Add the sums to ``counts``."""
        trained = self.lines_with - np.pad(self.lost_with, (0, len(self.lines_with) - len(self.lost_with)))
        _pour(self.occurrences, counts.occurrences)
        _pour(self.lines_with, counts.lines_with)
        _pour(trained, counts.trained_with)


def add_lengths(counts: TextCounts, columns: Columns, facts: TextFacts, file: str, first: int) -> None:
    """Count lines, lengths, spaces, words and case of the plain lines of a chunk that begins at ``first``."""
    lengths, codes = columns.lengths, columns.codes
    if not len(lengths):
        return
    counts.lines += len(lengths)
    histogram = np.bincount(lengths)
    for length in np.flatnonzero(histogram).tolist():
        counts.lengths[length] += int(histogram[length])
    parts = (codes == _SPACE) | (codes == _NEWLINE)
    counts.words += int(np.count_nonzero(~parts[1:] & parts[:-1])) + int(not parts[0])
    counts.spaced += int(np.count_nonzero(facts.bits & is_.PLAIN_SPACE))
    word = (facts.bits & is_.WORD) != 0
    small, large = word & ((facts.bits & is_.LOWER) != 0), word & ((facts.bits & is_.UPPER) != 0)
    counts.cased += int(np.count_nonzero(small | large))
    counts.upper += int(np.count_nonzero(large & ~small))
    counts.lower += int(np.count_nonzero(small & ~large))
    if len(histogram) - 1 >= counts.least:
        for row in np.argsort(-lengths, kind="stable")[:LONGEST].tolist():
            counts.offer(int(lengths[row]), file, first + int(columns.plain[row]))


def note_missing(counts: TextCounts, columns: Columns, classes: CharClasses, file: str, first: int) -> None:
    """Remember the first line of every character that the dictionary lacks and no line before held."""
    seen = np.flatnonzero(columns.counts)
    for code in seen[(classes.table[seen] & is_.MISSING) != 0].tolist():
        if chr(code) not in counts.missing:
            place = int(np.argmax(columns.codes == code))
            counts.note_missing(chr(code), file, first + int(columns.plain[columns.rows[place]]))


def _added(total: Ints, counts: Ints) -> Ints:
    """``total`` changed, or a longer copy of it."""
    if len(total) < len(counts):
        total = np.pad(total, (0, len(counts) - len(total)))
    total[: len(counts)] += counts
    return total


def _pour(array: Ints, counter: Counter[str]) -> None:
    for code in np.flatnonzero(array).tolist():
        if code != _NEWLINE:
            counter[chr(code)] += int(array[code])


def _lines_with(columns: Columns, lost: Mask) -> tuple[Mask, Ints, Ints]:
    """Which code points stand in their text before; lines with each code point from the long texts alone, and
    lost lines with each. All places of long texts count as repeated.
    """
    size = len(columns.counts)
    lengths = columns.lengths
    repeated = _repeated(columns)
    long = np.flatnonzero(lengths > _SHORT)
    with_, lost_with = np.zeros(size, np.int64), np.zeros(size, np.int64)
    if len(long):
        places, keys = _different(columns, long)
        repeated[places] = True
        codes = keys & np.uint64((1 << 21) - 1)
        with_ += np.bincount(codes.astype(np.int64), minlength=size)
        of_lost = lost[(keys >> _CODE_BITS).astype(np.int64)]
        lost_with += np.bincount(codes[of_lost].astype(np.int64), minlength=size)
    gone = np.flatnonzero(lost & (lengths <= _SHORT))
    if len(gone):
        places = _ranges(columns.firsts[gone], lengths[gone])
        lost_with += np.bincount(columns.codes[places[~repeated[places]]], minlength=size)
    return repeated, with_, lost_with


def _repeated(columns: Columns) -> Mask:
    """Whether the same code point stands among the :data:`_SHORT` places before it in its text.

    Comparing with a shifted copy costs a fraction of sorting: labels are short.
    """
    codes = columns.codes if len(columns.counts) > 1 << 16 else columns.codes.astype(np.uint16)
    places = np.arange(len(codes)) - np.repeat(columns.firsts, columns.lengths + 1)
    place = np.minimum(places, _SHORT).astype(np.uint8)
    before = np.concatenate((np.zeros(_SHORT, codes.dtype), codes))
    repeated = np.zeros(len(codes), bool)
    same, inside = np.empty(_BLOCK, bool), np.empty(_BLOCK, bool)
    for start in range(0, len(codes), _BLOCK):
        here, at = codes[start : start + _BLOCK], place[start : start + _BLOCK]
        size = len(here)
        for back in range(1, int(at.max()) + 1):
            left = start + _SHORT - back
            np.equal(here, before[left : left + size], out=same[:size])
            np.greater_equal(at, back, out=inside[:size])
            np.logical_and(same[:size], inside[:size], out=same[:size])
            found = repeated[start : start + size]
            np.logical_or(found, same[:size], out=found)
    return repeated


def _different(columns: Columns, rows: Ints) -> tuple[Ints, np.ndarray[tuple[int], np.dtype[np.uint64]]]:
    """The places of the texts ``rows``, and row << 21 | code point of each once."""
    places = _ranges(columns.firsts[rows], columns.lengths[rows])
    keys = (columns.rows[places].astype(np.uint64) << _CODE_BITS) | columns.codes[places]
    keys.sort()
    return places, keys[np.flatnonzero(np.diff(keys, prepend=keys[:1] + np.uint64(1)))]


def _ranges(starts: Ints, lengths: Ints) -> Ints:
    """All numbers from each start on, one after the other."""
    ends = np.cumsum(lengths)
    offsets = np.repeat(starts - (ends - lengths), lengths)
    return offsets + np.arange(len(offsets))
