"""How long the lines of a run are and how many hold a space: what is asked for, and what still lacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from datakit.errors import InputError, UsageError
from datakit.labels import RecLine, scan_rec

_TOLERANCE = 1e-6

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class LengthShare:
    """``share`` (0 to 1) of the lines shall have ``low`` to ``high`` characters, both included."""

    low: int
    high: int
    share: float

    @property
    def name(self) -> str:
        """Such as ``6-10``, or ``7`` for a single length."""
        return str(self.low) if self.low == self.high else f"{self.low}-{self.high}"


def parse_bin(text: str) -> tuple[int, int]:
    """``6-10`` or ``7``: smallest and largest length.

    Raises:
        UsageError: anything else.
    """
    low, _, high = text.strip().partition("-")
    high = high or low
    if not (low.isdecimal() and high.isdecimal() and 0 < int(low) <= int(high)):
        raise UsageError(f"length {text!r}: a number or two such as 6-10, smallest first")
    return int(low), int(high)


def parse_length_shares(text: str) -> tuple[LengthShare, ...]:
    """``1-4:0.3,5-10:0.5,11-25:0.2``; "" is none. What they leave of 1 may have any other length.

    Raises:
        UsageError: no such list.
    """
    shares = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        lengths, _, share = part.partition(":")
        try:
            shares.append(LengthShare(*parse_bin(lengths), float(share)))
        except ValueError as error:
            raise UsageError(f"length share {part!r}: LENGTHS:SHARE such as 1-4:0.3") from error
    return check_length_shares(tuple(shares))


def check_length_shares(shares: tuple[LengthShare, ...]) -> tuple[LengthShare, ...]:
    """Themselves, shortest first.

    Raises:
        UsageError: bins that overlap or make no sense; shares under 0, or over 1 together.
    """
    ordered = tuple(sorted(shares, key=lambda share: share.low))
    for share in ordered:
        if not (1 <= share.low <= share.high and 0 <= share.share <= 1):
            raise UsageError(f"length share {share.name}:{share.share:g}: lengths from 1, a share of 0 to 1")
    for left, right in pairwise(ordered):
        if right.low <= left.high:
            raise UsageError(f"length shares {left.name} and {right.name} overlap")
    total = sum(share.share for share in ordered)
    if total > 1 + _TOLERANCE:
        raise UsageError(f"length shares are {total:g} together, more than 1")
    return ordered


def shares_of_labels(path: Path, limit: int) -> tuple[tuple[LengthShare, ...], float]:
    """The share of every length among the texts of a label file, and the share that holds a space.

    Texts of more than ``limit`` characters and empty ones do not count: the encoder drops them.

    Raises:
        InputError: the file cannot be read, or holds no text of 1 to ``limit`` characters.
    """
    lengths: Counter[int] = Counter()
    spaced = 0
    for line in scan_rec(path):
        if isinstance(line, RecLine) and 0 < len(line.text) <= limit:
            lengths[len(line.text)] += 1
            spaced += " " in line.text
    total = lengths.total()
    if not total:
        raise InputError(f"holds no text of 1 to {limit} characters", file=path)
    shares = (LengthShare(length, length, count / total) for length, count in sorted(lengths.items()))
    return tuple(shares), spaced / total


class Balance:
    """Lines so far against the shares: classes are (bin, holds a space), numbered bin x 2 + space.

    The last bin is every length that no share names. ``total`` is the number of lines of the run, 0 as long
    as it is not known: the shares then hold for the lines so far and ``slack`` (in lines) more, and a
    twentieth.
    """

    def __init__(
        self,
        lengths: Sequence[LengthShare],
        spaces: float | None,
        limit: int,
        *,
        total: int = 0,
        slack: float = 1.0,
    ) -> None:
        self.asked = any(share.share for share in lengths) or spaces is not None
        self.lengths = tuple(share for share in lengths if share.low <= limit) if self.asked else ()
        self.spaces = spaces
        self._total = total
        self._slack = slack
        self._limit = limit
        named = [share.share for share in self.lengths]
        self._length_share = np.array([*named, max(0.0, 1 - sum(named))])
        self._space_share = np.array([0.5, 0.5] if spaces is None else [1 - spaces, spaces])
        self._bin_of = [self._bin(length) for length in range(limit + 1)]
        self._length_lines = np.zeros(len(self._length_share))
        self._space_lines = np.zeros(2)

    def _bin(self, length: int) -> int:
        inside = (k for k, share in enumerate(self.lengths) if share.low <= length <= share.high)
        return next(inside, len(self.lengths))

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return 2 * len(self._length_share)

    def class_of(self, text: str) -> int:
        """The class of a text of at most ``limit`` characters."""
        return self._bin_of[len(text)] * 2 + (" " in text)

    def add(self, text: str) -> None:
        """One more line."""
        if self.asked:
            self._length_lines[self._bin_of[len(text)]] += 1
            self._space_lines[int(" " in text)] += 1

    def _lacks(self) -> tuple[Floats, Floats, float]:
        so_far = float(self._length_lines.sum())
        total = max(self._total, so_far + 1) if self._total else so_far * 1.05 + self._slack
        lengths = self._length_share * total - self._length_lines
        return lengths, self._space_share * total - self._space_lines, total

    def room(self, number: int) -> float:
        """Lines that a class still lacks."""
        lengths, spaces, _ = self._lacks()
        place, spaced = divmod(number, 2)
        return float(lengths[place] if self.spaces is None else min(lengths[place], spaces[spaced]))

    def wants(self) -> Floats:
        """For every class how much it lacks, against what it shall have; 0 or less where it lacks nothing.

        Bins and spaces are each brought up in step, so that neither uses up what the other needs.
        """
        lengths, spaces, total = self._lacks()
        relative = lengths / np.maximum(self._length_share * total, 1e-9)
        if self.spaces is None:
            return np.repeat(np.where(lengths > 0, relative, np.minimum(lengths, 0)), 2)
        spaced = spaces / np.maximum(self._space_share * total, 1e-9)
        least = np.minimum(lengths[:, None], spaces[None, :])
        return np.where(least > 0, relative[:, None] + spaced[None, :], least).ravel()

    def wanted(self, rank: int = 0) -> tuple[int, int, bool | None]:
        """:meth:`bounds` of the class that lacks most; every length when nothing is asked.

        ``rank`` 1 is the class that lacks second most, and so on, round again after the last that lacks.
        """
        if not self.asked:
            return 1, self._limit, None
        wants = self.wants()
        order = np.argsort(-wants, kind="stable")[: max(1, int((wants > 0).sum()))]
        return self.bounds(int(order[rank % len(order)]))

    def bounds(self, number: int) -> tuple[int, int, bool | None]:
        """Smallest and largest length of a class, and whether it holds a space (None: as it comes)."""
        place, spaced = divmod(number, 2)
        low, high = 1, self._limit
        if place < len(self.lengths):
            low, high = self.lengths[place].low, min(high, self.lengths[place].high)
        return low, high, None if self.spaces is None else bool(spaced)

    def report(self) -> dict[str, dict[str, float]]:
        """Shares asked and planned, by bin and for ``spaces``; empty when none is asked."""
        if not self.asked:
            return {}
        total = max(1.0, float(self._length_lines.sum()))
        rows = {
            f"length {share.name}": {"asked": round(share.share, 6), "planned": round(lines / total, 6)}
            for share, lines in zip(self.lengths, self._length_lines.tolist(), strict=False)
        }
        if self.spaces is not None:
            planned = round(float(self._space_lines[1]) / total, 6)
            rows["spaces"] = {"asked": round(self.spaces, 6), "planned": planned}
        return rows
