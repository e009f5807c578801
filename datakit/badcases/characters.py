"""Counts of every character over aligned lines: how often it stands there, is found, and is read wrongly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from datakit.badcases.alignment import Step, align, align_folded


@dataclass(frozen=True, slots=True)
class CharacterScore:
    """One character.

    ``occurrences`` in labels and ``lines`` that contain it; ``read`` how often the model wrote it.
    ``recall`` and ``precision`` (0..1, None where it never stands there or is never written) are as
    labelled; ``missed_lines`` counts the lines in which it is missed once spaces and case are ignored.
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
    """``expected`` was read as ``read``; "" as expected is an insertion, as read a deletion."""

    expected: str
    read: str
    count: int


@dataclass(slots=True)
class CharacterCounts:
    """Sums over lines: ``update`` a line, then ask for tables."""

    occurrences: Counter[str] = field(default_factory=Counter)
    lines: Counter[str] = field(default_factory=Counter)
    read: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    missed_lines: Counter[str] = field(default_factory=Counter)
    as_labelled: Counter[tuple[str, str]] = field(default_factory=Counter)
    folded: Counter[tuple[str, str]] = field(default_factory=Counter)

    def update(self, label: str, text: str) -> list[Step]:
        """Count one line that was read; gives its folded steps that are no match."""
        self.occurrences.update(label)
        self.lines.update(set(label))
        self.read.update(text)
        if label == text:
            self.right.update(label)
            return []
        for step in align(label, text):
            if step.operation == "equal":
                self.right[step.expected] += 1
            else:
                self.as_labelled[step.expected, step.read] += 1
        failed = [step for step in align_folded(label, text) if step.operation != "equal"]
        self.folded.update((step.expected, step.read) for step in failed)
        self.missed_lines.update({step.expected for step in failed if step.expected})
        return failed

    def scores(self, train_lines: Counter[str] | None) -> tuple[CharacterScore, ...]:
        """Every character of labels and readings, most missed lines first, then by code point."""
        chars = self.occurrences.keys() | self.read.keys()
        ordered = sorted(chars, key=lambda char: (-self.missed_lines[char], char))
        return tuple(self._score(char, train_lines) for char in ordered)

    def _score(self, char: str, train_lines: Counter[str] | None) -> CharacterScore:
        occurrences, read, right = self.occurrences[char], self.read[char], self.right[char]
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


def confusions(counts: Counter[tuple[str, str]]) -> tuple[Confusion, ...]:
    """The pairs, most frequent first, then by code points."""
    ordered: Iterable[tuple[tuple[str, str], int]] = sorted(
        counts.items(), key=lambda item: (-item[1], item[0])
    )
    return tuple(Confusion(expected, read, count) for (expected, read), count in ordered)
