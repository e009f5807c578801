"""The first pass: every prediction once, sums only; what failed is put by for the second."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from datakit.badcases.alignment import fold_wide
from datakit.badcases.characters import CharacterCounts
from datakit.badcases.measures import MeasureTally
from datakit.badcases.pictures import MOST_PICTURES, Measure, PictureFacts, PictureTally
from datakit.badcases.rules import RuleTally
from datakit.badcases.slices import SliceTally
from datakit.badcases.spool import Spool
from datakit.badcases.targets import Evidence
from datakit.badcases.traits import traits
from datakit.charset import Charset
from datakit.records import Prediction
from datakit.suspects import Evidence as LabelEvidence
from datakit.suspects import edits_of

_BLOCK = 12


@dataclass(slots=True)
class Seen:
    """Which lines of which files have come; a bit a line."""

    blocks: dict[tuple[str, int], int] = field(default_factory=dict)
    twice: int = 0
    _again: set[tuple[str, int]] = field(default_factory=set)

    def add(self, file: str, line: int) -> None:
        """Take in a line; one that came before is counted once as ``twice``."""
        key, bit = (file, line >> _BLOCK), 1 << (line & ((1 << _BLOCK) - 1))
        block = self.blocks.get(key, 0)
        if block & bit:
            if (file, line) not in self._again:
                self._again.add((file, line))
                self.twice += 1
        else:
            self.blocks[key] = block | bit


@dataclass(slots=True)
class Tally:
    """Everything that is summed over predictions."""

    charset: Charset | None
    limit: int
    measure: Measure | None = None
    metric: MeasureTally = field(default_factory=MeasureTally)
    counts: CharacterCounts = field(default_factory=CharacterCounts)
    evidence: Evidence = field(default_factory=Evidence)
    labels: LabelEvidence = field(default_factory=LabelEvidence)
    slices: SliceTally = field(default_factory=SliceTally)
    rules: RuleTally = field(default_factory=RuleTally)
    pictures: PictureTally = field(default_factory=PictureTally)
    seen: Seen = field(default_factory=Seen)
    spool: Spool = field(default_factory=Spool)
    unread_missing: Counter[str] = field(default_factory=Counter)
    spaced: int = 0
    space_differs: int = 0
    index: int = 0

    def add(self, prediction: Prediction, second: str | None = None) -> None:
        """Count one prediction; ``second`` is what another model read of it."""
        p, label, text = prediction, prediction.label, prediction.text
        self.seen.add(p.file, p.line)
        facts = self._facts(p)
        kind, length = traits(label), len(label)
        if text == label:
            self.metric.add_right(label)
            self.counts.add_right(label)
            self.labels.observe(_folded(label))
            exact = folded = True
            edits = 0
            self.rules.agreed += 1
            self.spaced += " " in label
        else:
            exact, (folded, edits) = False, self._add_failed(p)
            self.spool.add(p, self.index, facts, second)
        self.slices.add(p.file, p.image, kind, exact, folded, edits, length)
        if facts is not None:
            self.pictures.add(facts, exact, folded, edits, length)
        self.index += 1

    def _add_failed(self, p: Prediction) -> tuple[bool, int]:
        """Count a line that is not read as labelled; gives whether it is right folded, and its edits."""
        label, text = p.label, p.text
        if text is None:
            self.metric.add_unreadable(label)
            self.labels.observe(_folded(label))
            if self.charset is not None:
                self.unread_missing.update(self.charset.missing(label))
            return False, len(label)
        plain = edits_of(label, text)
        folded, agreed = self.metric.add_wrong(label, text, len(plain))
        self.counts.add_wrong(label, text, plain)
        one = fold_wide(label)
        if agreed:
            self._add_agreed(label, text)
            self.labels.observe(one.text)
            return folded, len(plain)
        other = fold_wide(text)
        edits = edits_of(one.text, other.text)
        failed = self.counts.add_failed(label, text, one, other, edits)
        self.evidence.update(label, failed, self.limit)
        self.slices.add_failed(len(label), failed)
        self.labels.observe(one.text, other.text, edits)
        return folded, len(plain)

    def _add_agreed(self, label: str, text: str) -> None:
        self.rules.agreed += 1
        self.rules.add(label, text)
        if " " in label:
            self.spaced += 1
            self.space_differs += label.count(" ") != text.count(" ")

    def _facts(self, prediction: Prediction) -> PictureFacts | None:
        if self.measure is None:
            return None
        self.pictures.asked += 1
        return self.measure(prediction) if self.pictures.asked <= MOST_PICTURES else None

    def missing(self) -> dict[str, int]:
        """Characters that the dictionary lacks, with the number of lines that hold them."""
        if self.charset is None:
            return {}
        self.counts.flush()
        found = Counter({char: n for char, n in self.counts.lines.items() if char not in self.charset})
        found.update(self.unread_missing)
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _folded(text: str) -> str:
    return text.replace(" ", "").lower() if text.isascii() else fold_wide(text).text
