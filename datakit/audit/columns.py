"""The plain recognition lines of a chunk as arrays; whatever is odd is left to the parser of single lines.

A plain line is one path, one tab, one text and a newline, with or without a carriage return before it, and no
other control character, no line separator, no byte that is not UTF-8, no list of pictures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from datakit import labels
from datakit.audit.char_classes import ODD, CharClasses
from datakit.audit.chunks import Chunk

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
_TAB, _NEWLINE, _RETURN, _SPACE, _BRACKET = 9, 10, 13, 32, 91
# Bit 0 parts them.
_DOT, _SLASH = 46, 47
_BOM = b"\xef\xbb\xbf"
# A longer line costs more memory in arrays than time in Python.
LONG_LINE = 1 << 16


@dataclass(slots=True)
class Columns:
    """A chunk by line and by code point.

    ``starts`` and ``ends`` hold the place of every line and of its newline in the chunk; ``plain`` the index
    of the plain ones. Of these, ``tabs`` is the place of the tab, ``returns`` whether a carriage return ends
    the line, ``lengths`` the code points of the text. ``codes`` are the code points of all plain texts, each
    text followed by a newline; ``firsts`` and ``lasts`` the place of a text's first code point and of its
    newline in it. ``counts`` says how often each code point stands in ``codes``.
    """

    starts: Ints
    ends: Ints
    plain: Ints
    tabs: Ints
    returns: Mask
    codes: npt.NDArray[np.uint32]
    firsts: Ints
    lasts: Ints
    counts: Ints
    lengths: Ints = field(init=False)
    _rows: npt.NDArray[np.int32] | None = field(default=None, repr=False)
    _spelled: Ints | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.lengths = self.lasts - self.firsts

    @property
    def rows(self) -> npt.NDArray[np.int32]:
        """The number of its plain line, from 0, for every code point."""
        if self._rows is None:
            self._rows = np.repeat(np.arange(len(self.lasts), dtype=np.int32), self.lengths + 1)
        return self._rows

    def spelled(self, chunk: Chunk) -> Ints:
        """The plain lines whose path holds // or /. or ends with a slash."""
        if self._spelled is None:
            data, starts = chunk.array, self.starts[self.plain]
            pairs = np.flatnonzero((data[:-1] == _SLASH) & ((data[1:] & 0xFE) == _DOT))
            lines = np.searchsorted(starts, pairs, side="right") - 1
            inside = lines[(lines >= 0) & (pairs < self.tabs[lines])]
            self._spelled = np.union1d(inside, np.flatnonzero(data[self.tabs - 1] == _SLASH))
        return self._spelled

    @property
    def odd(self) -> Ints:
        """The index of every line that is not plain."""
        left = np.ones(len(self.ends), bool)
        left[self.plain] = False
        return np.flatnonzero(left)


def columns_of(chunk: Chunk, classes: CharClasses) -> Columns:
    """Take a chunk apart; ``classes`` learns its code points."""
    data = chunk.array
    # Newlines, tabs and carriage returns in one look; anything else below a space makes a line odd.
    control = np.flatnonzero(data < _SPACE)
    starts, ends, tabs, returns, plain = _fields(chunk, data, control)
    index = np.flatnonzero(plain)
    while True:
        codes = _texts(data, ends[index] - returns[index], tabs[index])
        counts = np.bincount(codes)
        lasts = np.flatnonzero(codes == _NEWLINE)
        bad = _odd_lines(codes, counts, lasts, classes)
        if not _ascii_paths(data, starts, ends, index, counts):
            bad = np.union1d(bad, _odd_paths(data, starts[index], tabs[index], classes))
        if not len(bad):
            break
        index = np.delete(index, bad)
    firsts = np.empty_like(lasts)
    if len(lasts):
        firsts[0] = 0
        firsts[1:] = lasts[:-1] + 1
    return Columns(starts, ends, index, tabs[index], returns[index], codes, firsts, lasts, counts)


def _ascii_paths(data: npt.NDArray[np.uint8], starts: Ints, ends: Ints, index: Ints, counts: Ints) -> bool:
    """Whether every byte beyond ASCII of the lines at ``index`` stands in their texts, counted in
    ``counts``.
    """
    beyond = int(np.count_nonzero(data & np.uint8(0x80)))
    for line in np.delete(np.arange(len(starts)), index).tolist():
        beyond -= int(np.count_nonzero(data[starts[line] : ends[line]] & np.uint8(0x80)))
    two, three, four = (int(counts[a:b].sum()) for a, b in ((0x80, 0x800), (0x800, 0x10000), (0x10000, None)))
    return beyond == 2 * two + 3 * three + 4 * four


def _fields(chunk: Chunk, data: npt.NDArray[np.uint8], control: Ints) -> tuple[Any, ...]:
    """Start, newline, tab, carriage return of every line, and whether it looks plain."""
    kinds = data[control]
    last = np.flatnonzero(kinds == _NEWLINE)
    ends = control[last]
    starts = np.empty_like(ends)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    held = np.diff(last, prepend=-1)
    tab = np.maximum(last - 1, 0)
    before = kinds[tab]
    plain = (held == 2) & (before == _TAB)
    returns = (held == 3) & (before == _RETURN) & (control[tab] == ends - 1)
    if returns.any():
        earlier = np.maximum(last - 2, 0)
        returns &= kinds[earlier] == _TAB
        tab = np.where(returns, earlier, tab)
        plain |= returns
    tabs = control[tab]
    opening = data[starts]
    plain &= (
        (tabs > starts)
        & (opening != _SPACE)
        & (opening != _BRACKET)
        & (ends - starts < min(LONG_LINE, labels.MAX_LINE_BYTES))
    )
    if chunk.first == 1 and chunk.data.startswith(_BOM):
        plain[0] = False
    return starts, ends, tabs, returns, plain


def _texts(data: npt.NDArray[np.uint8], ends: Ints, tabs: Ints) -> npt.NDArray[np.uint32]:
    """The code points between ``tabs`` and ``ends``, a newline after each text.

    A byte that is no UTF-8 becomes half a surrogate pair, which no valid text can hold.
    """
    return _decoded(_between(data, tabs + 1, ends))


def _between(data: npt.NDArray[np.uint8], starts: Ints, ends: Ints) -> npt.NDArray[np.uint8]:
    """The bytes from ``starts`` up to ``ends``, pieces in order, a newline for the byte at each end."""
    if not len(starts):
        return np.zeros(0, np.uint8)
    # Lengths of what is skipped and kept, by turns.
    runs = np.empty(2 * len(starts) + 1, np.int64)
    runs[0] = starts[0]
    runs[2:-1:2] = starts[1:] - ends[:-1] - 1
    runs[1::2] = ends - starts + 1
    runs[-1] = len(data) - ends[-1] - 1
    flags = np.zeros(len(runs), bool)
    flags[1::2] = True
    kept: npt.NDArray[np.uint8] = data[np.repeat(flags, runs)]
    kept[np.cumsum(runs[1::2]) - 1] = _NEWLINE
    return kept


def _decoded(kept: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint32]:
    text = kept.tobytes().decode("utf-8", "surrogateescape")
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def _odd_lines(codes: npt.NDArray[np.uint32], counts: Ints, lasts: Ints, classes: CharClasses) -> Ints:
    """The texts that hold a code point no plain line may hold."""
    seen = np.flatnonzero(counts)
    classes.learn(seen)
    odd: Ints = seen[(classes.table[seen] & ODD) != 0]
    if not len(odd):
        return odd
    places = np.flatnonzero((classes.table[codes] & ODD) != 0)
    return np.unique(np.searchsorted(lasts, places))


def _odd_paths(data: npt.NDArray[np.uint8], starts: Ints, tabs: Ints, classes: CharClasses) -> Ints:
    if not len(starts):
        return np.zeros(0, np.int64)
    codes = _decoded(_between(data, starts, tabs))
    return _odd_lines(codes, np.bincount(codes), np.flatnonzero(codes == _NEWLINE), classes)


def ranges(starts: Ints, lengths: Ints) -> Ints:
    """All numbers from each start on, one after the other."""
    ends = np.cumsum(lengths)
    offsets = np.repeat(starts - (ends - lengths), lengths)
    return offsets + np.arange(len(offsets))
