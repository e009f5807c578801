"""Characters, lengths and words of label texts: exact sums that can be added."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from datakit.audit.stats import TextStats
from datakit.label_rules import WORD

LONGEST = 20


@dataclass(slots=True)
class TextCounts:
    """Sums over the readable labels of one file, or of all.

    ``occurrences`` counts characters, ``lines_with`` the labels that contain them and ``trained_with`` those
    of them that are kept; ``lengths`` the labels of so many code points. ``cased`` labels hold a run of four
    letters or more, ``upper`` and ``lower`` those of them in one case; ``spaced`` and ``words`` as in
    :class:`TextStats`. ``longest`` has (code points, -line, file), longest first, at most 20. ``missing``
    has the first (file, line) of each character that the dictionary lacks.
    """

    lines: int = 0
    occurrences: Counter[str] = field(default_factory=Counter)
    lines_with: Counter[str] = field(default_factory=Counter)
    trained_with: Counter[str] = field(default_factory=Counter)
    lengths: Counter[int] = field(default_factory=Counter)
    spaced: int = 0
    words: int = 0
    cased: int = 0
    upper: int = 0
    lower: int = 0
    missing: dict[str, tuple[str, int]] = field(default_factory=dict)
    longest: list[tuple[int, int, str]] = field(default_factory=list)

    def count(self, text: str, *, kept: bool, file: str, line: int, missing: Iterable[str] = ()) -> None:
        """Count one label; ``missing`` are the characters that the dictionary lacks."""
        chars = set(text)
        self.lines += 1
        self.occurrences.update(text)
        self.lines_with.update(chars)
        if kept:
            self.trained_with.update(chars)
        self.lengths[len(text)] += 1
        self.spaced += " " in text
        self.words += sum(map(bool, text.split(" ")))
        small = any(map(str.islower, chars))
        large = any(char.isupper() or char.istitle() for char in chars)
        if (small or large) and WORD.search(text):
            self.cased += 1
            self.upper += not small
            self.lower += not large
        for char in missing:
            self.note_missing(char, file, line)
        self.offer(len(text), file, line)

    def note_missing(self, char: str, file: str, line: int) -> None:
        """A line of a file lacks a character; lines of one file may come in any order."""
        known = self.missing.get(char)
        if known is None or (known[0] == file and line < known[1]):
            self.missing[char] = (file, line)

    @property
    def least(self) -> int:
        """A label of ``file`` has to be longer than this to be among the longest."""
        return self.longest[-1][0] if len(self.longest) == LONGEST else -1

    def offer(self, length: int, file: str, line: int) -> None:
        """Take a label among the longest if it is; of equal ones the first of the file stay."""
        if length >= self.least:
            self.longest = heapq.nlargest(LONGEST, [*self.longest, (length, -line, file)])

    def add(self, other: TextCounts) -> None:
        """Add the sums of later lines."""
        self.lines += other.lines
        self.occurrences.update(other.occurrences)
        self.lines_with.update(other.lines_with)
        self.trained_with.update(other.trained_with)
        self.lengths.update(other.lengths)
        self.spaced += other.spaced
        self.words += other.words
        self.cased += other.cased
        self.upper += other.upper
        self.lower += other.lower
        for char, (file, line) in other.missing.items():
            self.note_missing(char, file, line)
        # Sorting is stable: of equal ones those of the earlier lines stay.
        both = sorted([*self.longest, *other.longest], key=lambda entry: -entry[0])
        self.longest = both[:LONGEST]

    def stats(self) -> TextStats:
        """The sums so far."""
        return TextStats(
            lines=self.lines,
            occurrences=dict(self.occurrences),
            lines_with=dict(self.lines_with),
            trained_with=dict(self.trained_with),
            lengths=dict(sorted(self.lengths.items())),
            spaced=self.spaced,
            words=self.words,
            longest=tuple((f"{file}:{-line}", length) for length, line, file in self.longest),
        )
