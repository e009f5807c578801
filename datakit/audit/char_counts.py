"""Counts of the code points of whole chunks, in arrays indexed by code point."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from datakit.audit import char_classes as is_
from datakit.audit.char_classes import CharClasses
from datakit.audit.columns import Columns, Ints, Mask, ranges
from datakit.audit.line_facts import TextFacts
from datakit.audit.text_counts import LONGEST, TextCounts

# Texts up to this length are compared place by place, longer ones are sorted.
_SHORT = 26
# Code points compared at a time: they stay in a core's cache.
_BLOCK = 1 << 16
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


def add_lengths(
    counts: TextCounts, columns: Columns, facts: TextFacts, file: str, first: int, least: int
) -> None:
    """Count lines, lengths, spaces, words and case of the plain lines of a chunk that begins at ``first``.

    Only labels over ``least`` code points can be among the longest.
    """
    lengths, codes = columns.lengths, columns.codes
    if not len(lengths):
        return
    counts.lines += len(lengths)
    histogram = np.bincount(lengths)
    for length in np.flatnonzero(histogram).tolist():
        counts.lengths[length] += int(histogram[length])
    parts = (codes == _SPACE) | (codes == _NEWLINE)
    counts.words += int(np.count_nonzero(parts[:-1] > parts[1:])) + int(not parts[0])
    counts.spaced += int(np.count_nonzero(facts.bits & is_.PLAIN_SPACE))
    small = facts.words & ((facts.bits & is_.LOWER) != 0)
    large = facts.words & ((facts.bits & is_.UPPER) != 0)
    counts.cased += int(np.count_nonzero(small | large))
    counts.upper += int(np.count_nonzero(large & ~small))
    counts.lower += int(np.count_nonzero(small & ~large))
    longer = np.flatnonzero(lengths > least)
    if len(longer) > LONGEST:
        longer = longer[np.argsort(-lengths[longer], kind="stable")[:LONGEST]]
    for row in longer.tolist():
        counts.offer(int(lengths[row]), file, first + int(columns.plain[row]))


def note_missing(
    counts: TextCounts, columns: Columns, classes: CharClasses, file: str, first: int, noted: set[int]
) -> None:
    """Remember the first line of every character that the dictionary lacks and no line before held.

    ``noted`` are the code points known from earlier chunks of the file; it takes those of this one.
    """
    seen = np.flatnonzero(columns.counts)
    for code in seen[(classes.table[seen] & is_.MISSING) != 0].tolist():
        if code not in noted:
            noted.add(code)
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
        places = ranges(columns.firsts[gone], lengths[gone])
        lost_with += np.bincount(columns.codes[places[~repeated[places]]], minlength=size)
    return repeated, with_, lost_with


def _repeated(columns: Columns) -> Mask:
    """Whether the same code point stands among the :data:`_SHORT` places before it in its text.

    Comparing with a shifted copy costs a fraction of sorting: labels are short.
    """
    # Row and code point in one word: eleven bits tell rows apart that are so near.
    keys = np.repeat(np.arange(len(columns.lasts), dtype=np.uint32) << np.uint32(21), columns.lengths + 1)
    keys |= columns.codes
    repeated = np.zeros(len(keys), bool)
    most = min(_SHORT, int(columns.lengths.max(initial=0)))
    same = np.empty(_BLOCK, bool)
    for start in range(0, len(keys), _BLOCK):
        end = min(start + _BLOCK, len(keys))
        for back in range(1, most):
            begin = max(start, back)
            if begin >= end:
                break
            found = repeated[begin:end]
            equal = same[: end - begin]
            np.equal(keys[begin:end], keys[begin - back : end - back], out=equal)
            np.logical_or(found, equal, out=found)
    return repeated


def _different(columns: Columns, rows: Ints) -> tuple[Ints, np.ndarray[tuple[int], np.dtype[np.uint64]]]:
    """The places of the texts ``rows``, and row << 21 | code point of each once."""
    places = ranges(columns.firsts[rows], columns.lengths[rows])
    keys = (columns.rows[places].astype(np.uint64) << _CODE_BITS) | columns.codes[places]
    keys.sort()
    return places, keys[np.flatnonzero(np.diff(keys, prepend=keys[:1] + np.uint64(1)))]
