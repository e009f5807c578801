"""64-bit hashes of picture paths, made for a whole chunk at once.

Equal paths have equal hashes; so have paths that differ in the case of ASCII letters only (and a few more:
bit 5 of every byte is ignored). Equal hashes prove nothing.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from datakit.audit.chunks import PADDING, Chunk
from datakit.audit.columns import Columns, Ints

Hashes = npt.NDArray[np.uint64]
# The hash of a line that has no path.
NO_PATH = 0
_CASE = np.uint64(0x2020202020202020)
_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_SHIFT = np.uint64(32)
_SLASH, _DOT = 47, 46


def normalized(image: str) -> str:
    """The path under which two spellings of one picture are the same."""
    return posixpath.normpath(image)


def hash_bytes(data: bytes, starts: Ints, ends: Ints, seed: int) -> Hashes:
    """The hash of ``data[start:end]`` for every pair; ``data`` ends with 8 bytes that belong to no piece."""
    words: npt.NDArray[np.uint64] = np.ndarray(len(data) - PADDING + 1, "<u8", data, strides=(1,))
    lengths = ends - starts
    hashes: Hashes = lengths.astype(np.uint64) * _MIX + np.uint64((seed * 0x9E3779B97F4A7C15 + 1) % (1 << 64))
    whole = int(lengths.min()) // PADDING if len(lengths) else 0
    for word in range(whole):
        hashes = _mixed(hashes, words[starts + word * PADDING])
    active = np.flatnonzero(lengths > whole * PADDING)
    place = whole * PADDING
    while len(active):
        left = np.minimum(lengths[active] - place, PADDING)
        # Bytes beyond the end are shifted out.
        spare = (PADDING * (PADDING - left)).astype(np.uint64)
        hashes[active] = _mixed(hashes[active], words[starts[active] + place] << spare)
        place += PADDING
        active = active[lengths[active] > place]
    hashes ^= hashes >> _SHIFT
    hashes *= _MIX
    hashes[hashes == NO_PATH] = 1
    return hashes


def _mixed(hashes: Hashes, words: Hashes) -> Hashes:
    hashes = (hashes ^ (words | _CASE)) * _FACTOR
    hashes ^= hashes >> _SHIFT
    return hashes


def hash_paths(images: Sequence[str], seed: int) -> Hashes:
    """The hashes of paths as label lines name them."""
    pieces = [normalized(image).encode("utf-8", "surrogatepass") for image in images]
    ends = np.cumsum([len(piece) for piece in pieces], dtype=np.int64)
    starts = np.concatenate((np.zeros(1, np.int64), ends[:-1])) if pieces else ends
    return hash_bytes(b"".join(pieces) + b"\0" * PADDING, starts, ends, seed)


def hash_columns(chunk: Chunk, columns: Columns, seed: int) -> Hashes:
    """The hashes of the paths of the plain lines."""
    data, starts, tabs = chunk.array, columns.starts[columns.plain], columns.tabs
    if not len(tabs):
        return np.zeros(0, np.uint64)
    # A leading "./" says nothing; any other spelling that normpath changes is left to it.
    dotted = (data[starts] == _DOT) & (data[starts + 1] == _SLASH)
    hashes = hash_bytes(chunk.data, starts + 2 * dotted, tabs, seed)
    spelled = columns.spelled(chunk)
    if len(spelled):
        images = [
            chunk.data[start:tab].decode() for start, tab in zip(starts[spelled], tabs[spelled], strict=True)
        ]
        hashes[spelled] = hash_paths(images, seed)
    return hashes
