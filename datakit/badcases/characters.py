"""Counts of every character over aligned lines: how often it stands there, is found, and is read wrongly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from datakit.badcases.alignment import Folded, Step, failed_steps
from datakit.badcases.clusters import clusters, is_simple
from datakit.intervals import Interval, wilson
from datakit.suspects import Edit

# Lines x distinct characters up to which a table of both is made, rather than a sorted list of pairs.
_TABLE = 4_000_000


@dataclass(frozen=True, slots=True)
class CharacterScore:
    """One character.

    ``occurrences`` in labels and ``lines`` that contain it; ``read`` how often the model wrote it.
    ``recall`` and ``precision`` (0..1, None where it never stands there or is never written) are as
    labelled; ``missed_lines`` counts the lines in which it is missed once spaces, case and width are ignored.
    ``train_lines`` is None where no training labels were given.
    """

    char: str
    occurrences: int
    lines: int
    read: int
    recall: float | None
    precision: float | None
    missed_lines: int
    train_lines: int | None


@dataclass(frozen=True, slots=True)
class Confusion:
    """``expected`` was read as ``read``; "" as expected is an insertion, as read a deletion.

    ``occurrences`` of the expected character in readable labels (for insertions, of all characters), ``rate``
    the share of them with its 95 % interval.
    """

    expected: str
    read: str
    count: int
    occurrences: int = 0

    @property
    def rate(self) -> Interval:
        """Wilson's interval of ``count`` in ``occurrences``."""
        return wilson(min(self.count, self.occurrences), self.occurrences)

    @property
    def sure(self) -> float:
        """How many such errors a set of this size has at least (lower bound of the rate x occurrences)."""
        return self.rate.low * self.occurrences


@dataclass(frozen=True, slots=True)
class ClusterScore:
    """A character of several code points, as a reader sees it: labels that hold it, misses, most frequent
    reading in its place."""

    cluster: str
    occurrences: int
    missed: int


@dataclass(slots=True)
class CharacterCounts:
    """Sums over lines: all labels, and the edits of the wrong ones, go in; tables come out."""

    lines: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    added: Counter[str] = field(default_factory=Counter)
    missed_lines: Counter[str] = field(default_factory=Counter)
    as_labelled: Counter[tuple[str, str]] = field(default_factory=Counter)
    folded: Counter[tuple[str, str]] = field(default_factory=Counter)
    cluster_count: Counter[str] = field(default_factory=Counter)
    cluster_missed: Counter[str] = field(default_factory=Counter)

    def add_labels(self, labels: Sequence[str]) -> None:
        """Count the labels of lines that could be read, right or wrong; many at once is quick."""
        for char, occurrences, lines in character_table(labels):
            self.right[char] += occurrences
            self.lines[char] += lines
        for label in labels:
            if not label.isascii() and not is_simple(label):
                self.cluster_count.update(cluster for cluster in clusters(label) if len(cluster) > 1)

    def add_wrong(self, label: str, text: str, edits: list[Edit]) -> None:
        """Count the ``edits`` between label and text as they stand."""
        missed, added, pairs = self.missed, self.added, self.as_labelled
        for tag, i, j in edits:
            expected = label[i] if tag != "insert" else ""
            read = text[j] if tag != "delete" else ""
            pairs[expected, read] += 1
            if expected:
                missed[expected] += 1
            if read:
                added[read] += 1

    def add_failed(
        self, label: str, text: str, folded_label: Folded, folded_text: Folded, edits: list[Edit]
    ) -> list[Step]:
        """Count the folded edits of a line; gives its steps that are no match."""
        failed = failed_steps(label, text, folded_label, folded_text, edits)
        self.folded.update([(step.expected, step.read) for step in failed])
        self.missed_lines.update({step.expected for step in failed if step.expected})
        if not is_simple(label):
            positions = {step.position for step in failed if step.expected}
            start = 0
            for cluster in clusters(label):
                if len(cluster) > 1 and positions & set(range(start, start + len(cluster))):
                    self.cluster_missed[cluster] += 1
                start += len(cluster)
        return failed

    def scores(self, train_lines: Counter[str] | None) -> tuple[CharacterScore, ...]:
        """Every character of labels and readings, most missed lines first, then by code point."""
        chars = self.right.keys() | self.added.keys()
        ordered = sorted(chars, key=lambda char: (-self.missed_lines[char], char))
        return tuple(self._score(char, train_lines) for char in ordered)

    def _score(self, char: str, train_lines: Counter[str] | None) -> CharacterScore:
        # ``right`` counts the characters of every label; what was missed is taken off here.
        occurrences = self.right[char]
        right = occurrences - self.missed[char]
        read = right + self.added[char]
        return CharacterScore(
            char,
            occurrences,
            self.lines[char],
            read,
            round(right / occurrences, 6) if occurrences else None,
            round(right / read, 6) if read else None,
            self.missed_lines[char],
            None if train_lines is None else train_lines[char],
        )

    def confusions(self, folded: bool) -> tuple[Confusion, ...]:
        """The pairs, those that cost most for sure first, then by code points."""
        total = self.right.total()
        pairs = self.folded if folded else self.as_labelled
        found = [
            Confusion(expected, read, count, self.right[expected] if expected else total)
            for (expected, read), count in pairs.items()
        ]
        return tuple(sorted(found, key=lambda c: (-c.sure, -c.count, c.expected, c.read)))

    def cluster_scores(self) -> tuple[ClusterScore, ...]:
        """Characters of several code points, most missed first."""
        ordered = sorted(self.cluster_count, key=lambda c: (-self.cluster_missed[c], c))
        return tuple(ClusterScore(c, self.cluster_count[c], self.cluster_missed[c]) for c in ordered)


def character_table(texts: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    """(character, occurrences, texts that hold it) for every character of ``texts``."""
    import numpy as np

    joined = "".join(texts)
    if not joined:
        return
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    present = np.bincount(codes)
    distinct = np.flatnonzero(present)
    place = np.zeros(len(present), dtype=np.int64)
    place[distinct] = np.arange(len(distinct))
    rows = np.repeat(np.arange(len(texts)), [len(text) for text in texts])
    if len(texts) * len(distinct) <= _TABLE:
        table = np.zeros((len(texts), len(distinct)), dtype=bool)
        table[rows, place[codes]] = True
        lines = table.sum(axis=0)
    else:
        pairs = np.unique(rows * len(distinct) + place[codes])
        lines = np.bincount(pairs % len(distinct), minlength=len(distinct))
    for code, count in zip(distinct.tolist(), lines.tolist(), strict=True):
        yield chr(code), int(present[code]), count
