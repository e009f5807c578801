"""Counts and findings of some lines, which can be added to those of others."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from datakit.audit.box_sizes import BoxStats
from datakit.audit.facts import Fate
from datakit.audit.picture_table import PictureTable
from datakit.audit.registry import CHECKS
from datakit.audit.text_counts import TextCounts
from datakit.records import Finding

# Findings kept of one code; counts stay exact beyond it.
CAP = 1000


@dataclass(frozen=True, slots=True)
class Hit:
    """A finding and what a report shows beside it: pictures of the line, their data_dir, the label.

    ``outline`` is the polygon of the box that a finding on a page is about, in px of the page; ``beside``
    (data_dir, path) of a picture to show for comparison.
    """

    finding: Finding
    data_dir: str = ""
    images: tuple[str, ...] = ()
    text: str = ""
    outline: tuple[tuple[float, float], ...] = ()
    beside: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What becomes of the lines: lines = kept + dropped + never_learnable + unreadable, kept = trained +
    cut.

    ``reasons`` counts every line that is not kept under the id of one check.
    """

    lines: int
    trained: int
    cut: int
    dropped: int
    never_learnable: int
    unreadable: int
    reasons: dict[str, int]

    @property
    def kept(self) -> int:
        """Lines that are trained, with or without characters cut."""
        return self.trained + self.cut

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {**asdict(self), "kept": self.kept}


@dataclass(slots=True)
class Tally:
    """Sums over lines; ``hits`` keeps at most ``cap`` findings a check, all for None.

    ``lost`` has (line, fate, reason) of the lines of a part that are not trained as labelled, where somebody
    asked for them.
    """

    fates: Counter[Fate] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    hits: dict[str, list[Hit]] = field(default_factory=dict)
    text: TextCounts = field(default_factory=TextCounts)
    boxes: int = 0
    ignored: Counter[str] = field(default_factory=Counter)
    box_stats: BoxStats = field(default_factory=BoxStats)
    pictures: PictureTable = field(default_factory=PictureTable)
    lost: list[tuple[int, str, str]] = field(default_factory=list)
    cap: int | None = CAP

    def find(self, code: str, file: str, line: int | None, message: str, **shown: Any) -> None:
        """Record a finding of check ``code``; ``shown`` are the other fields of a :class:`Hit`."""
        self.counts[code] += 1
        if self.room(code):
            self.keep(code, file, line, message, **shown)

    def keep(self, code: str, file: str, line: int | None, message: str, **shown: Any) -> None:
        """Show a finding that is counted elsewhere."""
        check = CHECKS[code]
        hit = Hit(Finding(code, check.severity, file, line, message, check.fix), **shown)
        self.hits.setdefault(code, []).append(hit)

    def room(self, code: str) -> int:
        """How many more findings of a check will be kept."""
        return sys.maxsize if self.cap is None else self.cap - len(self.hits.get(code, ()))

    def add_findings(self, other: Tally) -> None:
        """Add the findings on later lines."""
        self.counts.update(other.counts)
        for code, hits in other.hits.items():
            room = self.room(code)
            if room:
                self.hits.setdefault(code, []).extend(hits[:room])

    def add(self, other: Tally) -> None:
        """Add the sums of later lines."""
        self.fates.update(other.fates)
        self.reasons.update(other.reasons)
        self.add_findings(other)
        self.text.add(other.text)
        self.box_stats.add(other.box_stats)
        self.pictures.extend(other.pictures)
        self.boxes += other.boxes
        self.ignored.update(other.ignored)

    def totals(self) -> Totals:
        """What became of the lines so far."""
        fates = self.fates
        return Totals(
            lines=sum(fates.values()),
            trained=fates["trained"],
            cut=fates["cut"],
            dropped=fates["dropped"],
            never_learnable=fates["never_learnable"],
            unreadable=fates["unreadable"],
            reasons=dict(sorted(self.reasons.items())),
        )
