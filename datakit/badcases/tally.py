"""The first pass: every prediction once, sums only; what failed is put by for the second."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from datakit.badcases.alignment import fold_wide, folded_text
from datakit.badcases.characters import CharacterCounts
from datakit.badcases.measures import MeasureTally
from datakit.badcases.pictures import MOST_PICTURES, Measure, PictureFacts, PictureTally
from datakit.badcases.rules import RuleFinding, RuleTally
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
    """Which lines of which files have come: a run that goes on, and a bit for every line before it."""

    blocks: dict[tuple[str, int], int] = field(default_factory=dict)
    twice: int = 0
    _again: set[tuple[str, int]] = field(default_factory=set)
    _known: set[str] = field(default_factory=set)
    _file: str = ""
    _start: int = 0
    _next: int = 0

    def add(self, file: str, line: int) -> None:
        """Take in a line; one that came before is counted once as ``twice``."""
        if line == self._next and file == self._file:
            self._next += 1
            return
        self._close()
        if file in self._known:
            self._mark(file, line)
        else:
            self._file, self._start, self._next = file, line, line + 1

    def _close(self) -> None:
        """Turn the run into bits; from now on every line of its file is looked up."""
        for line in range(self._start, self._next):
            self._mark(self._file, line)
        if self._next > self._start:
            self._known.add(self._file)
        self._file, self._start, self._next = "", 0, 0

    def _mark(self, file: str, line: int) -> None:
        key, bit = (file, line >> _BLOCK), 1 << (line & ((1 << _BLOCK) - 1))
        block = self.blocks.get(key, 0)
        if not block & bit:
            self.blocks[key] = block | bit
        elif (file, line) not in self._again:
            self._again.add((file, line))
            self.twice += 1


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
        facts = None if self.measure is None else self._facts(p)
        kind = traits(label)
        folded, edits = True, 0
        if text == label:
            self.metric.add_right(label)
            self.counts.add_right(label)
            self.labels.observe(folded_text(label))
            self.spaced += kind[1] == "with"
            self.slices.add_right(p.file, p.image, kind, len(label))
        else:
            folded, edits = self._add_failed(p)
            self.spool.add(p, self.index, facts, second)
            self.slices.add_wrong(p.file, p.image, kind, folded, edits, len(label))
        if facts is not None:
            self.pictures.add(facts, text == label, folded, edits, len(label))
        self.index += 1

    def _add_failed(self, p: Prediction) -> tuple[bool, int]:
        """Count a line that is not read as labelled; gives whether it is right folded, and its edits."""
        label, text = p.label, p.text
        if text is None:
            self.metric.add_unreadable(label)
            self.labels.observe(folded_text(label))
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
        self.rules.add(label, text)
        if " " in label:
            self.spaced += 1
            self.space_differs += label.count(" ") != text.count(" ")

    def _facts(self, prediction: Prediction) -> PictureFacts | None:
        self.pictures.asked += 1
        if self.measure is None or self.pictures.asked > MOST_PICTURES:
            return None
        return self.measure(prediction)

    def rule_findings(self) -> tuple[RuleFinding, ...]:
        """Labelling rules, with the lines read as labelled among those that agree."""
        return self.rules.findings(self.metric.exact)

    def missing(self) -> dict[str, int]:
        """Characters that the dictionary lacks, with the number of lines that hold them."""
        if self.charset is None:
            return {}
        self.counts.flush()
        found = Counter({char: n for char, n in self.counts.lines.items() if char not in self.charset})
        found.update(self.unread_missing)
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
