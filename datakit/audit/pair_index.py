"""Finds the lines that name a picture twice, in files too long for a dictionary of their paths.

Eight bytes a line are kept: a hash. Lines with equal hashes are read again and compared as they are written,
so that no finding rests on a hash.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from datakit.audit.columns import Ints
from datakit.audit.pair_checks import Pair, Pairs
from datakit.audit.path_hashes import Hashes, normalized
from datakit.labels import DetLine, RecLine

Line = RecLine | DetLine
# Lines whose hashes are sorted at a time: 32 MB.
_SORTED = 1 << 22
# Pictures whose first line is held at a time, some 500 bytes each.
_HELD = 1 << 17
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines ``first`` and after of source number ``source``; 0 stands for a line without a picture.

    ``offset`` and ``size`` say where in the file they stand, in bytes.
    """

    source: int
    first: int
    hashes: Hashes
    offset: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Twin:
    """A line, the pair that it makes with an earlier one, and the earlier path that differs by case alone."""

    source: int
    line: Line
    pair: Pair | None
    spelling: str | None


# Reads lines of a batch again: the lines with these numbers, in order.
Reader = Callable[[Batch, Sequence[int]], Iterator[Line]]


@dataclass(slots=True)
class PairIndex:
    """Takes the hashes of all lines in order, then yields every pair."""

    batches: list[Batch] = field(default_factory=list)

    def add(self, batch: Batch) -> None:
        """Take the next lines."""
        self.batches.append(batch)

    def pairs(self, reader: Reader, folders: Sequence[str]) -> Iterator[Twin]:
        """Every line whose picture an earlier one names, if only by a path in other case (of ASCII letters).

        ``folders`` holds the data_dir of every source. Twins come in the order of the lines, within some
        100,000 pictures at a time.
        """
        bases = np.cumsum([0, *(len(batch.hashes) for batch in self.batches)])
        for lines in self._candidates(bases):
            seen, spelled = Pairs(), dict[tuple[str, str], str]()
            for batch, numbers in self._of_batches(lines, bases):
                folder = folders[batch.source]
                for line in reader(batch, numbers):
                    pair = seen.seen(line, folder)
                    path = normalized(line.image)
                    first = spelled.setdefault((folder, path.translate(_LOWER)), path)
                    if pair is not None or first != path:
                        yield Twin(batch.source, line, pair, first if first != path else None)

    def _of_batches(self, lines: Ints, bases: Ints) -> Iterator[tuple[Batch, list[int]]]:
        cuts = np.searchsorted(lines, bases)
        for batch, start, end, base in zip(self.batches, cuts, cuts[1:], bases, strict=False):
            if start < end:
                yield batch, (lines[start:end] - base + batch.first).tolist()

    def _candidates(self, bases: Ints) -> Iterator[Ints]:
        """Places of lines that share a hash with another line, sorted; all of one hash at a time."""
        bits = max(0, int(bases[-1] - 1) // _SORTED).bit_length()
        waiting: list[Ints] = []
        held = 0
        for bucket in range(1 << bits):
            for group, groups in _repeated(*self._bucket(bucket, bits, bases)):
                waiting.append(group)
                held += groups
                if held >= _HELD:
                    yield np.sort(np.concatenate(waiting))
                    waiting, held = [], 0
        if waiting:
            yield np.sort(np.concatenate(waiting))

    def _bucket(self, bucket: int, bits: int, bases: Ints) -> tuple[Hashes, Ints]:
        """The hashes that begin with the bits of ``bucket``, and their places."""
        hashes, places = [], []
        for batch, base in zip(self.batches, bases, strict=False):
            wanted = batch.hashes != 0
            if bits:
                wanted &= (batch.hashes >> np.uint64(64 - bits)) == bucket
            at = np.flatnonzero(wanted)
            hashes.append(batch.hashes[at])
            places.append(at + base)
        if not hashes:
            return np.zeros(0, np.uint64), np.zeros(0, np.int64)
        return np.concatenate(hashes) << np.uint64(bits), np.concatenate(places)


def _repeated(hashes: Hashes, places: Ints) -> Iterator[tuple[Ints, int]]:
    """The places of the hashes that stand there twice, :data:`_HELD` hashes at a time, and how many."""
    # One sort of hash and place in a word; what the place leaves of the hash may let others pass as equal.
    width = np.uint64(max(24, len(places).bit_length()))
    keys = (hashes >> width << width) | np.arange(len(hashes), dtype=np.uint64)
    keys.sort()
    tops = keys >> width
    same: npt.NDArray[Any] = tops[1:] == tops[:-1]
    among = np.zeros(len(keys), bool)
    among[1:] = same
    among[:-1] |= same
    at = np.flatnonzero(among)
    if not len(at):
        return
    begins = np.flatnonzero(np.diff(tops[at], prepend=tops[at[:1]] + np.uint64(1)))
    order = (keys[at] & ((np.uint64(1) << width) - np.uint64(1))).astype(np.int64)
    for start in range(0, len(begins), _HELD):
        cut = begins[start : start + _HELD + 1]
        end = cut[_HELD] if len(cut) > _HELD else len(at)
        yield places[order[cut[0] : end]], min(len(begins) - start, _HELD)
