"""Counts and findings of some lines, which can be added to those of others."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from datakit.audit.facts import Fate
from datakit.audit.registry import CHECKS
from datakit.records import Finding

# Findings kept of one code; counts stay exact beyond it.
CAP = 1000


@dataclass(frozen=True, slots=True)
class Hit:
    """A finding and what a report shows beside it: pictures of the line, their data_dir, the label."""

    finding: Finding
    data_dir: str = ""
    images: tuple[str, ...] = ()
    text: str = ""


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
    """Sums over lines.

    ``occurrences`` counts characters of all readable labels, ``lines_with`` the lines that contain them and
    ``trained_with`` those of them that are kept.
    """

    fates: Counter[Fate] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    hits: dict[str, list[Hit]] = field(default_factory=dict)
    occurrences: Counter[str] = field(default_factory=Counter)
    lines_with: Counter[str] = field(default_factory=Counter)
    trained_with: Counter[str] = field(default_factory=Counter)
    words: int = 0
    words_upper: int = 0
    boxes: int = 0
    ignored: Counter[str] = field(default_factory=Counter)

    def find(self, code: str, file: str, line: int | None, message: str, **shown: Any) -> None:
        """Record a finding of check ``code``; ``shown`` are the other fields of a :class:`Hit`."""
        self.counts[code] += 1
        kept = self.hits.setdefault(code, [])
        if len(kept) < CAP:
            check = CHECKS[code]
            kept.append(Hit(Finding(code, check.severity, file, line, message, check.fix), **shown))

    def add(self, other: Tally) -> None:
        """Add the sums of later lines."""
        self.fates.update(other.fates)
        self.reasons.update(other.reasons)
        self.counts.update(other.counts)
        for code, hits in other.hits.items():
            kept = self.hits.setdefault(code, [])
            kept.extend(hits[: CAP - len(kept)])
        self.occurrences.update(other.occurrences)
        self.lines_with.update(other.lines_with)
        self.trained_with.update(other.trained_with)
        self.words += other.words
        self.words_upper += other.words_upper
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
