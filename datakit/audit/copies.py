"""Pictures that are there twice: the same bytes, the same pixels, or the same crop saved another time."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from datakit.audit.candidates import near_pairs, sketched
from datakit.audit.picture_table import PictureTable
from datakit.executor import Shard, Workers, make_shards, values_of

Grey = npt.NDArray[np.uint8]
# Reads the picture of a row again, grey; None if that is not possible any more.
Load = Callable[[int], Grey | None]

# Some 20 ms of work.
_SHARD_PAIRS = 96
# Pictures kept decoded while pairs are compared.
_DECODED = 2048
# Least likeness of a copy, by width over height of the narrower one. One character printed twice looks like a
# copy of itself; two lines of text do not. Measured on receipts: see benchmarks/bench_near_copies.py.
_LEAST = ((0.8, 0.96), (1.5, 0.92), (float("inf"), 0.82))


@dataclass(frozen=True, slots=True)
class NearPair:
    """Rows ``first`` < ``second`` of a table whose pictures show the same crop; ``likeness`` 0..1."""

    first: int
    second: int
    likeness: float


@dataclass(frozen=True, slots=True)
class Copies:
    """``exact``: groups of rows with the same pixels, sorted by their first row; ``near``: sorted pairs.

    Of an exact group only the first row takes part in near pairs.
    """

    exact: tuple[tuple[int, ...], ...]
    near: tuple[NearPair, ...]


def picture_loader(table: PictureTable, data_dirs: Sequence[str], allow_outside: bool = False) -> Load:
    """A ``load`` for pictures in files and in LMDB sets; ``data_dirs`` by number of the source."""
    from datakit.audit.opening import grey_picture

    def load(row: int) -> Grey | None:
        if row in table.greys:
            return table.greys[row]
        place = table.place(row)
        return grey_picture(data_dirs[place.source], place.image, allow_outside=allow_outside)

    return load


def find_copies(table: PictureTable, load: Load, workers: int | Workers = 1) -> Copies:
    """All copies among the decoded pictures of a table; near ones only among pictures that are not blank.

    The same whatever the ``workers``.
    """
    digests = table.column("digests").astype(np.uint64)
    groups = _Groups(len(table))
    for rows in _same(digests):
        groups.join(rows)
    # One of every group of equal files.
    firsts = np.flatnonzero((digests != 0) & (groups.firsts() == np.arange(len(table))))
    near = []
    for first, second, like in _compared(table, firsts, _cached(load), workers):
        if like == 1.0:
            groups.join([first, second])
        else:
            near.append(NearPair(first, second, like))
    return Copies(groups.all(), tuple(_of_firsts(near, groups.firsts())))


def _same(digests: npt.NDArray[np.uint64]) -> Iterator[list[int]]:
    order = np.argsort(digests, kind="stable")
    ordered = digests[order]
    begins = np.flatnonzero(np.diff(ordered, prepend=ordered[:1] + np.uint64(1)))
    for begin, end in zip(begins, [*begins[1:], len(order)], strict=True):
        if end - begin > 1 and ordered[begin]:
            yield order[begin:end].tolist()


def _compared(
    table: PictureTable, rows: npt.NDArray[np.int64], load: Load, workers: int | Workers
) -> Iterator[tuple[int, int, float]]:
    """Pairs of ``rows`` that are alike enough, with their likeness."""
    rows = rows[table.column("blanks")[rows] == 0]
    widths = table.column("widths").astype(np.int64)[rows]
    heights = table.column("heights").astype(np.int64)[rows]
    pictures = sketched(table.sketches[rows], widths, heights)
    first, second = near_pairs(pictures, workers)
    aspects = widths / heights
    narrow = np.minimum(aspects[first], aspects[second]).tolist()
    pairs = list(zip(rows[first].tolist(), rows[second].tolist(), strict=True))
    for (one, other), width, like in zip(pairs, narrow, _likenesses(pairs, load, workers), strict=True):
        if like >= next(least for below, least in _LEAST if width < below):
            yield one, other, like


def _likenesses(pairs: Sequence[tuple[int, int]], load: Load, workers: int | Workers) -> Iterator[float]:
    """The likeness of the pictures of each pair of rows; -1 where one cannot be read any more."""
    # Here, so that the checks can be listed without OpenCV.
    from datakit.audit.alignment import likenesses

    # One after the other: no more pictures are held than the workers need.
    shards = (
        Shard(part.index, [(load(one), load(other)) for one, other in part.items])
        for part in make_shards(pairs, _SHARD_PAIRS)
    )
    yield from itertools.chain.from_iterable(values_of(likenesses, shards, workers=workers))


def _of_firsts(near: list[NearPair], firsts: npt.NDArray[np.int64]) -> Iterator[NearPair]:
    """The pairs between the first rows of their groups, each once, with its best likeness."""
    best: dict[tuple[int, int], float] = {}
    for pair in near:
        first, second = sorted((int(firsts[pair.first]), int(firsts[pair.second])))
        if first != second:
            best[first, second] = max(pair.likeness, best.get((first, second), 0.0))
    yield from (NearPair(first, second, like) for (first, second), like in sorted(best.items()))


def _cached(load: Load) -> Load:
    kept: OrderedDict[int, Grey | None] = OrderedDict()

    def cached(row: int) -> Grey | None:
        if row in kept:
            kept.move_to_end(row)
            return kept[row]
        kept[row] = load(row)
        if len(kept) > _DECODED:
            kept.popitem(last=False)
        return kept[row]

    return cached


class _Groups:
    """Which rows are the same; each is known by the first of its group."""

    def __init__(self, count: int) -> None:
        self._above = np.arange(count)

    def join(self, rows: Sequence[int]) -> None:
        """Make one group of the groups of ``rows``."""
        tops = [self._top(row) for row in rows]
        for top in tops:
            self._above[top] = min(tops)

    def _top(self, row: int) -> int:
        while self._above[row] != row:
            row = int(self._above[row])
        return row

    def firsts(self) -> npt.NDArray[np.int64]:
        """The first row of the group of each row."""
        while not np.array_equal(above := self._above[self._above], self._above):
            self._above = above
        firsts: npt.NDArray[np.int64] = self._above.copy()
        return firsts

    def all(self) -> tuple[tuple[int, ...], ...]:
        """The groups of two and more."""
        found: dict[int, list[int]] = {}
        firsts = self.firsts()
        for row in np.flatnonzero((firsts != np.arange(len(firsts))) | _is_shared(firsts)).tolist():
            found.setdefault(int(firsts[row]), []).append(row)
        return tuple(tuple(rows) for _, rows in sorted(found.items()))


def _is_shared(firsts: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Whether a row is the first of another one."""
    shared = np.zeros(len(firsts), np.bool_)
    shared[firsts[firsts != np.arange(len(firsts))]] = True
    return shared
