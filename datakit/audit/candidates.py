"""Pairs of pictures whose sketches lie close together, without comparing all pairs.

Locality-sensitive hashing (Datar and others 2004): a table cuts the space of sketches into cells, along
random directions among those in which the sketches differ most, and only pictures of one cell are compared.
64 tables cut it elsewhere, so that a near pair shares a cell in one of them. What is compared is measured.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from datakit.audit.sketches import SCALE, Sketches
from datakit.executor import Shard, Workers, values_of

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

TABLES = 64
_SHARD_TABLES = 8
# Below so many pictures all pairs are measured: that takes no longer.
FEW = 2000
# Cuts of a table, and width of the cells in standard deviations of the sketches. Of 15,241 real crops, 99 %
# of the pairs under the limits share a cell, and 70 pairs a picture are compared.
_CUTS = 12
_WIDTH = 1.75
_DIRECTIONS = 32
_SAMPLE = 20_000
# Pictures of one cell that each is compared with; more are copies of a kind, which a chain finds as well.
_NEIGHBOURS = 48
# Near pictures that each is compared with pixel by pixel, beside those that choose it.
_NEAREST = 1
_BLOCK = 1 << 16
# Distance of the sketches of a picture and its copy, shifted by 2 px: it grows as the picture gets smaller.
_NEAR, _NEAR_PX, _FARTHEST = 0.07, 2.5, 0.25
# Rounding of both sides when scaled, and a px of another cut.
_PROPORTION_PX = 1.2


@dataclass(frozen=True, slots=True)
class Sketched:
    """Pictures to compare: sketches, and the limits that follow from their sizes.

    ``limits`` are distances, ``proportions`` the logarithm of width over height, ``slack`` how far that of a
    copy may lie away.
    """

    sketches: Sketches
    limits: Floats
    proportions: Floats
    slack: Floats


def sketched(sketches: Sketches, widths: Ints, heights: Ints) -> Sketched:
    """Of n sketches and the sizes of their pictures in px, each at least 1."""
    width, height = widths.astype(np.float32), heights.astype(np.float32)
    pixel = 1 / width + 1 / height
    return Sketched(
        sketches,
        np.minimum(_FARTHEST, _NEAR + _NEAR_PX * pixel).astype(np.float32),
        np.log(width / height),
        (_PROPORTION_PX * pixel).astype(np.float32),
    )


def near_pairs(pictures: Sketched, workers: int | Workers = 1) -> tuple[Ints, Ints]:
    """Index pairs (first < second, sorted) of pictures whose sketches and proportions are near.

    The same for the same pictures in the same order, whatever the ``workers``.
    """
    count = len(pictures.sketches)
    if count <= FEW:
        codes = _near_codes(pictures, _all_pairs(count))
    else:
        tables = _tables(pictures.sketches)
        shards = [
            Shard(number, (pictures, tables[start : start + _SHARD_TABLES]))
            for number, start in enumerate(range(0, TABLES, _SHARD_TABLES))
        ]
        codes = np.unique(np.concatenate(list(values_of(search_tables, shards, workers=workers))))
    first, second = codes // max(1, count), codes % max(1, count)
    chosen = _among_nearest(first, second, _squares(pictures.sketches, first, second))
    return first[chosen], second[chosen]


def search_tables(shard: Shard) -> Ints:
    """The near pairs that share a cell in one of the tables of a shard, (pictures, tables), as numbers."""
    pictures, tables = shard.items
    mates = itertools.chain.from_iterable(
        _mates(_cells(pictures.sketches, table.along, table.offsets, table.factors)) for table in tables
    )
    return _near_codes(pictures, _gathered(mates))


def _near_codes(pictures: Sketched, pairs: Iterable[tuple[Ints, Ints]]) -> Ints:
    """Those of ``pairs`` that are near, sorted, each once, as first * count + second."""
    count = len(pictures.sketches)
    found: list[Ints] = [np.zeros(0, np.int64)]
    for first, second in pairs:
        kept = _near(pictures, first, second)
        found.append(np.minimum(first, second)[kept] * count + np.maximum(first, second)[kept])
    return np.unique(np.concatenate(found))


def _among_nearest(first: Ints, second: Ints, squares: Floats) -> Ints:
    """The pairs of which one is among the nearest of the other, as indexes.

    In a set of texts in one font nearly everything is near; a copy is nearer.
    """
    ends = np.concatenate([first, second])
    order = np.lexsort((np.concatenate([squares, squares]), ends))
    sorted_ends = ends[order]
    begins = np.searchsorted(sorted_ends, sorted_ends)
    close = order[np.arange(len(order)) - begins < _NEAREST]
    return np.unique(close % max(1, len(first)))


def _squares(sketches: Sketches, first: Ints, second: Ints) -> Floats:
    """Squared distances of pairs of sketches, in units of a byte."""
    squares = np.empty(len(first), np.float32)
    for start in range(0, len(first), _BLOCK):
        one = sketches[first[start : start + _BLOCK]].astype(np.int16)
        difference = (one - sketches[second[start : start + _BLOCK]]).astype(np.float32)
        squares[start : start + _BLOCK] = np.einsum("ij,ij->i", difference, difference)
    return squares


def _all_pairs(count: int) -> Iterator[tuple[Ints, Ints]]:
    rows = max(1, _BLOCK // max(1, count))
    for start in range(0, count, rows):
        first, second = np.meshgrid(
            np.arange(start, min(start + rows, count)), np.arange(count), indexing="ij"
        )
        above = second > first
        yield first[above], second[above]


def _near(pictures: Sketched, first: Ints, second: Ints) -> npt.NDArray[np.bool_]:
    apart = np.abs(pictures.proportions[first] - pictures.proportions[second])
    near: npt.NDArray[np.bool_] = apart <= np.maximum(pictures.slack[first], pictures.slack[second])
    at = np.flatnonzero(near)
    limits = np.minimum(pictures.limits[first[at]], pictures.limits[second[at]]) * np.float32(SCALE)
    near[at] = _squares(pictures.sketches, first[at], second[at]) <= limits * limits
    return near


@dataclass(frozen=True, slots=True)
class _Table:
    """How a table cuts: along which directions, from where, and what makes one number of the cuts."""

    along: Floats
    offsets: Floats
    factors: Ints


def _tables(sketches: Sketches) -> list[_Table]:
    random = np.random.default_rng(0)
    directions, spread = _principal(sketches)
    cuts = _CUTS + max(0, round(np.log2(len(sketches) / 15_000)))
    tables = []
    for _ in range(TABLES):
        turn = random.normal(size=(directions.shape[1], cuts))
        turn /= np.linalg.norm(turn, axis=0)
        along = (directions @ turn / (_WIDTH * spread)).astype(np.float32)
        offsets = random.uniform(size=cuts).astype(np.float32)
        factors = random.integers(1, 1 << 62, cuts, dtype=np.int64) * 2 + 1
        tables.append(_Table(along, offsets, factors))
    return tables


def _gathered(pairs: Iterable[tuple[Ints, Ints]]) -> Iterator[tuple[Ints, Ints]]:
    """The same pairs in larger arrays: most of the time of small ones is the calls."""
    waiting: list[tuple[Ints, Ints]] = []
    count = 0
    for first, second in pairs:
        waiting.append((first, second))
        count += len(first)
        if count >= _BLOCK:
            yield np.concatenate([one for one, _ in waiting]), np.concatenate([two for _, two in waiting])
            waiting, count = [], 0
    if waiting:
        yield np.concatenate([one for one, _ in waiting]), np.concatenate([two for _, two in waiting])


def _principal(sketches: Sketches) -> tuple[npt.NDArray[np.float64], float]:
    """The directions, as columns, in which a sample differs most; the mean deviation along them."""
    sample = sketches[:: max(1, len(sketches) // _SAMPLE)].astype(np.float64)
    values, vectors = np.linalg.eigh(np.cov(sample, rowvar=False))
    top = slice(-_DIRECTIONS, None)
    return vectors[:, top], max(1.0, float(np.sqrt(np.maximum(values[top], 0)).mean()))


def _cells(sketches: Sketches, along: Floats, offsets: Floats, factors: Ints) -> Ints:
    """A number for the cell of every sketch; two cells hardly ever share one."""
    numbers = np.empty(len(sketches), np.int64)
    for start in range(0, len(sketches), _BLOCK):
        place = sketches[start : start + _BLOCK].astype(np.float32) @ along + offsets
        numbers[start : start + _BLOCK] = np.floor(place).astype(np.int64) @ factors
    return numbers


def _mates(cells: Ints) -> Iterator[tuple[Ints, Ints]]:
    order = np.argsort(cells, kind="stable")
    ordered = cells[order]
    at = np.arange(len(order))
    for step in range(1, _NEIGHBOURS + 1):
        at = at[at < len(order) - step]
        at = at[ordered[at] == ordered[at + step]]
        if not len(at):
            return
        yield order[at], order[at + step]
