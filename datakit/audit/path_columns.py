"""Which plain lines a check on paths can yield on, told from the bytes of a chunk."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from datakit.audit.chunks import Chunk
from datakit.audit.columns import Columns, Ints, Mask

_BACKSLASH, _COLON, _SLASH, _TILDE, _SPACE = 92, 58, 47, 126, 32
_CASE = 0x20


def _places(chunk: Chunk, columns: Columns, byte: int) -> tuple[Ints, Ints]:
    """Where a byte stands in the paths of plain lines, and the number of the plain line."""
    if bytes([byte]) not in chunk.data:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    places = np.flatnonzero(chunk.array == byte)
    rows = np.searchsorted(columns.starts[columns.plain], places, side="right") - 1
    inside = (rows >= 0) & (places < columns.tabs[rows])
    return places[inside], rows[inside]


def _lines(columns: Columns, rows: Ints) -> Mask:
    found = np.zeros(len(columns.plain), bool)
    found[rows] = True
    return found


def drives(chunk: Chunk, columns: Columns) -> Mask:
    """Paths that begin with a Windows drive or a share."""
    if b":" not in chunk.data and b"\\" not in chunk.data:
        return np.zeros(len(columns.plain), bool)
    data, starts = chunk.array, columns.starts[columns.plain]
    # A plain line has three bytes at least: one of path, tab, newline.
    first, second, third = data[starts], data[starts + 1], data[starts + 2]
    letter = ((first | _CASE) >= ord("a")) & ((first | _CASE) <= ord("z"))
    ended = (third == _BACKSLASH) | (third == _SLASH) | (columns.tabs == starts + 2)
    found: Mask = letter & (second == _COLON) & ended
    found |= (first == _BACKSLASH) & (second == _BACKSLASH)
    return found


def _backslashes(chunk: Chunk, columns: Columns) -> Mask:
    if b"\\" not in chunk.data:
        return np.zeros(len(columns.plain), bool)
    return _lines(columns, _places(chunk, columns, _BACKSLASH)[1]) & ~drives(chunk, columns)


def _absolute(chunk: Chunk, columns: Columns) -> Mask:
    first = chunk.array[columns.starts[columns.plain]]
    found: Mask = (first == _SLASH) | (first == _TILDE)
    return found


def _urls(chunk: Chunk, columns: Columns) -> Mask:
    data = chunk.array
    places, rows = _places(chunk, columns, _COLON)
    return _lines(columns, rows[(data[places + 1] == _SLASH) & (data[places + 2] == _SLASH)])


def _climbing(chunk: Chunk, columns: Columns) -> Mask:
    return _lines(columns, columns.spelled(chunk))


def _edge_spaces(chunk: Chunk, columns: Columns) -> Mask:
    data, starts, last = chunk.array, columns.starts[columns.plain], columns.tabs - 1
    # Beyond ASCII: the lead bytes of the spaces in two and three bytes, and what ends them. No plain path
    # begins with a blank byte.
    front, end = _LEADS[data[starts]], data[last]
    found: Mask = (end == _SPACE) | _TAILS[end]
    if front.any():
        second, third = data[starts + 1], data[starts + 2]
        wide = (data[starts] == 0xE3) & (second == 0x80) & (third == 0x80)
        found |= (
            wide | ((data[starts] == 0xE2) & (second == 0x80)) | ((data[starts] == 0xC2) & (second == 0xA0))
        )
    return found


def _bytes(*values: int) -> Mask:
    table = np.zeros(256, bool)
    table[list(values)] = True
    return table


_LEADS = _bytes(0xC2, 0xE2, 0xE3)
_TAILS = _bytes(0x80, 0x82, 0x83, 0x89, 0xA0, 0xAF)

# The lines on which the check of the same id yields, exactly.
EXACT_PATHS: dict[str, Callable[[Chunk, Columns], Mask]] = {
    "path-backslash": _backslashes,
    "path-drive": drives,
    "path-absolute": _absolute,
}
# Lines among which are all that the check of the same id yields on.
POSSIBLE_PATHS: dict[str, Callable[[Chunk, Columns], Mask]] = {
    "path-url": _urls,
    "path-parent": _climbing,
    "path-edge-space": _edge_spaces,
}
