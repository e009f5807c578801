"""The first pass: every prediction once, sums only; what failed is put by for the second."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from datakit.badcases.alignment import agree, fold_wide, folded_text
from datakit.badcases.characters import CharacterCounts
from datakit.badcases.measures import MeasureTally
from datakit.badcases.pictures import MOST_PICTURES, Measure, PictureFacts, PictureTally
from datakit.badcases.rules import RuleFinding, RuleTally, only_marks
from datakit.badcases.slices import SliceTally
from datakit.badcases.spool import Failed, Spool
from datakit.badcases.targets import Evidence
from datakit.badcases.traits import Traits, traits
from datakit.charset import Charset
from datakit.records import Prediction
from datakit.suspects import Evidence as LabelEvidence
from datakit.suspects import edits_of

_BLOCK = 12
# Lines whose labels are counted together.
BATCH = 8192


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
class Batch:
    """Lines put by: all labels in order, those that could not be read, and what is needed of those read
    right."""

    labels: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    right: list[tuple[str, Traits, int]] = field(default_factory=list)
    images: list[str] = field(default_factory=list)


def _taken(counts: Counter[str], label: str) -> bool:
    """Whether ``label`` is one of ``counts``, which then holds one less."""
    if not counts or not counts.get(label):
        return False
    counts[label] -= 1
    return True


def _folded_all(labels: list[str]) -> list[str]:
    """Every label folded; plain ASCII in one go."""
    joined = "\n".join(labels)
    if joined.isascii() and joined.count("\n") == len(labels) - 1:
        return joined.replace(" ", "").lower().split("\n")
    return [folded_text(label) for label in labels]


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
    _batch: Batch = field(default_factory=Batch)

    def add(self, prediction: Prediction, second: str | None = None) -> None:
        """Count one prediction; ``second`` is what another model read of it."""
        p, label, batch = prediction, prediction.label, self._batch
        self.seen.add(p.file, p.line)
        facts = None if self.measure is None else self._facts(p)
        kind = traits(label)
        batch.labels.append(label)
        if p.text == label:
            batch.right.append((p.file, kind, len(label)))
            batch.images.append(p.image)
            self.spaced += kind[1] == "with"
            if facts is not None:
                self.pictures.add(facts, True, True, 0, len(label))
        else:
            folded, edits = self._add_failed(p, facts, second)
            self.slices.add_wrong(p.file, p.image, kind, folded, edits, len(label))
            if facts is not None:
                self.pictures.add(facts, False, folded, edits, len(label))
        self.index += 1
        if len(batch.labels) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Count what was put by to be counted together."""
        batch, self._batch = self._batch, Batch()
        self.metric.add_right(length for _, _, length in batch.right)
        self.slices.add_right(batch.right, batch.images)
        self.labels.observe_labels(_folded_all(batch.labels))
        unread = Counter(batch.unread)
        self.counts.add_labels([label for label in batch.labels if not _taken(unread, label)])

    def _add_failed(self, p: Prediction, facts: PictureFacts | None, second: str | None) -> tuple[bool, int]:
        """Count a line that is not read as labelled; gives whether it is right folded, and its edits."""
        label, text = p.label, p.text
        if text is None:
            self.metric.add_unreadable(label)
            self._batch.unread.append(label)
            if self.charset is not None:
                self.unread_missing.update(self.charset.missing(label))
            self.spool.add(Failed(p, self.index, facts, second))
            return False, len(label)
        plain = edits_of(label, text)
        short, read = folded_text(label), folded_text(text)
        agreed = short == read or agree(label, text)
        folded = self.metric.add_wrong(label, text, len(plain), agreed)
        self.counts.add_wrong(label, text, plain)
        pairs: tuple[tuple[str, str], ...] = ()
        if agreed:
            self._add_agreed(label, text)
        else:
            one, other = fold_wide(label), fold_wide(text)
            edits = edits_of(short, read)
            failed = self.counts.add_failed(label, text, one, other, edits)
            self.evidence.update(label, failed, self.limit)
            self.slices.add_failed(len(label), failed)
            self.labels.observe_edits(short, read, edits)
            pairs = tuple([(step.expected, step.read) for step in failed])
            if only_marks(pairs):
                self.rules.add_marks(pairs)
        self.spool.add(Failed(p, self.index, facts, second, agreed, short, read, pairs))
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
        facts = self.measure(prediction)
        if facts is None:
            self.pictures.miss(prediction.image)
        return facts

    def rule_findings(self) -> tuple[RuleFinding, ...]:
        """Labelling rules, with the lines read as labelled among those that agree."""
        return self.rules.findings(self.metric.exact)

    def missing(self) -> dict[str, int]:
        """Characters that the dictionary lacks, with the number of lines that hold them."""
        if self.charset is None:
            return {}
        found = Counter({char: n for char, n in self.counts.lines.items() if char not in self.charset})
        found.update(self.unread_missing)
        return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
