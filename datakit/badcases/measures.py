"""Accuracy in four strictnesses, CER and NED, each with an interval; sums of cells, no list of lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from datakit.intervals import Interval, bootstrap_ratio
from datakit.metrics import Score, fold


@dataclass(frozen=True, slots=True)
class Measures:
    """Shares of lines (0..1) and error rates, each with its 95 % bootstrap interval.

    ``exact`` as labelled, ``unspaced`` ignoring spaces, ``folded`` ignoring spaces and case, ``nfkc``
    ignoring width too. ``cer`` is edits over label characters; ``ned`` the mean of 1 - edits / longer text
    (PaddleOCR's norm_edit_dis, but as labelled), 1 for two empty texts.
    """

    exact: Interval
    unspaced: Interval
    folded: Interval
    nfkc: Interval
    cer: Interval
    ned: Interval

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: getattr(self, name).to_dict() for name in self.__slots__}


@dataclass(slots=True)
class MeasureTally:
    """Counts of lines: all that every measure and its interval needs."""

    unreadable: int = 0
    exact: int = 0
    unspaced: int = 0
    folded: int = 0
    nfkc: int = 0
    _right: Counter[int] = field(default_factory=Counter)
    _wrong: Counter[tuple[int, int, int]] = field(default_factory=Counter)

    def add_right(self, lengths: Iterable[int]) -> None:
        """Count lines read exactly as labelled, by the length of the label."""
        lengths = list(lengths)
        self.exact += len(lengths)
        self._right.update(lengths)

    def add_wrong(self, label: str, text: str, edits: int, agreed: bool) -> bool:
        """Count a line that was read otherwise; ``agreed``: but for case, spaces and width it is right. Gives
        whether it is right folded."""
        folded = agreed and fold(label) == fold(text)
        if agreed:
            self.unspaced += label.replace(" ", "") == text.replace(" ", "")
            self.folded += folded
            self.nfkc += 1
        self._wrong[edits, len(label), max(len(label), len(text))] += 1
        return folded

    def add_unreadable(self, label: str) -> None:
        """Count a line that could not be read: every character of it is missing."""
        self.unreadable += 1
        self._wrong[len(label), len(label), len(label)] += 1

    @property
    def cells(self) -> Counter[tuple[int, int, int]]:
        """Lines by (edits, label length, longer length)."""
        found = Counter({(0, length, length): count for length, count in self._right.items()})
        found.update(self._wrong)
        return found

    @property
    def total(self) -> int:
        """Lines so far."""
        return self._right.total() + self._wrong.total()

    def longer_than(self, length: int) -> int:
        """Lines whose label has more code points than ``length``."""
        return sum(count for (_, n, _), count in self.cells.items() if n > length)

    def score(self) -> Score:
        """The totals, as other commands know them."""
        cells = self.cells
        return Score(
            lines=self.total,
            exact=self.exact,
            exact_folded=self.exact + self.folded,
            edits=sum(edits * count for (edits, _, _), count in cells.items()),
            characters=sum(length * count for (_, length, _), count in cells.items()),
            unreadable=self.unreadable,
        )

    def measures(self, seed: int = 0) -> Measures:
        """Everything, with intervals drawn from ``seed``."""
        total = self.total

        def share(hits: int) -> Interval:
            return bootstrap_ratio([(1, 1, hits), (0, 1, total - hits)] if total else [], seed=seed)

        cells = sorted(self.cells.items())
        rates = Counter[tuple[float, float]]()
        for (edits, length, _), count in cells:
            rates[edits, length] += count
        near = Counter[float]()
        for (edits, _, longest), count in cells:
            near[1 - edits / longest if longest else float(edits == 0)] += count
        return Measures(
            share(self.exact),
            share(self.exact + self.unspaced),
            share(self.exact + self.folded),
            share(self.exact + self.nfkc),
            bootstrap_ratio([(e, n, count) for (e, n), count in rates.items()], seed=seed),
            bootstrap_ratio([(value, 1, count) for value, count in near.items()], seed=seed),
        )
