"""Systematic labelling rules: what labels and readings that agree otherwise differ in, and which way."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from datakit.label_rules import without_spaces
from datakit.report.text import visible

Rule = Literal["case", "spaces", "width", "marks"]
RULES: tuple[Rule, ...] = ("case", "spaces", "width", "marks")

# A rule is called systematic from these shares on: of the agreeing lines, and of its differences one way.
LEAST_SHARE, ONE_WAY = 0.05, 0.9

_DIRECTIONS = {
    "upper": "the label is all upper case where the picture is read with lower case",
    "lower": "the label is all lower case where the picture is read with capitals",
    "mixed": "case differs in single letters",
    "joined": "the label has fewer spaces than are read",
    "spaced": "the label has more spaces than are read: the model misses them, unless the pictures show none",
    "moved": "spaces stand in other places",
    "variants": "the label is written in full-width or other compatibility forms, the reading plainly",
    "plain": "the label is written plainly, the reading in full-width or other compatibility forms",
    "left out": "marks are read that the label leaves out",
    "missed": "the label has marks that are not read: the model misses them, unless the pictures show none",
    "other": "the label has other marks than are read",
    "mixed marks": "marks differ both ways",
}
_CURES = {
    "case": "--restore case writes labels with the case that is read",
    "spaces": "--restore space writes labels with the spaces that are read",
    "width": "normalise labels or readings with NFKC",
    "marks": "--restore marks writes labels with the marks that are read",
}
# So many marks are named.
MOST_MARKS = 5


@dataclass(frozen=True, slots=True)
class RuleFinding:
    """``lines`` of ``agreed`` that differ in ``rule``, by direction; ``marks`` are those concerned (of the
    rule "marks"), most lines first."""

    rule: Rule
    lines: int
    agreed: int
    directions: dict[str, int]
    marks: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        """Lines that differ over the lines that agree once folded, 0..1."""
        return self.lines / self.agreed if self.agreed else 0.0

    @property
    def main(self) -> str:
        """The most frequent direction."""
        return max(self.directions, key=lambda name: self.directions[name]) if self.directions else ""

    @property
    def one_way(self) -> float:
        """The share of the differences that go the main way."""
        return self.directions[self.main] / self.lines if self.lines else 0.0

    @property
    def systematic(self) -> bool:
        """Whether this is a rule of the labels: no accident, and no spaces that the model misses."""
        clear = self.main not in ("mixed", "moved", "spaced", "missed", "mixed marks")
        return self.share >= LEAST_SHARE and self.one_way >= ONE_WAY and clear

    def sentence(self) -> str:
        """What was found and, for a rule, its cure."""
        words = (
            f"{self.rule}: differs in {self.lines} of {self.agreed} lines that agree otherwise "
            f"({self.share:.1%}), {self.one_way:.0%} one way: {_DIRECTIONS.get(self.main, 'nothing')}"
        )
        if self.marks:
            words += f" ({' '.join(visible(mark) for mark in self.marks)})"
        return f"{words}; a rule of the labels: {_CURES[self.rule]}" if self.systematic else words

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "rule": self.rule,
            "lines": self.lines,
            "agreed": self.agreed,
            "share": round(self.share, 6),
            "directions": dict(sorted(self.directions.items())),
            "marks": list(self.marks),
            "systematic": self.systematic,
            "sentence": self.sentence(),
        }


@dataclass(slots=True)
class RuleTally:
    """Counts over lines that agree once folded, and over those that agree but for marks."""

    differing: int = 0
    counts: Counter[tuple[Rule, str]] = field(default_factory=Counter)
    marks: Counter[str] = field(default_factory=Counter)

    def add(self, label: str, text: str) -> None:
        """Count a line whose texts differ, and agree once folded; a line may break several rules."""
        self.differing += 1
        self.counts.update(_differences(label, text))

    def add_marks(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Count a line in which nothing but marks differs, see :func:`only_marks`."""
        self.counts["marks", direction_of(pairs)] += 1
        self.marks.update({read or expected for expected, read in pairs})

    def findings(self, exact: int) -> tuple[RuleFinding, ...]:
        """Rules that any line breaks, most lines first; ``exact`` lines agree in everything."""
        found, agreed = [], self.differing + exact
        for rule in RULES:
            directions = {name: count for (of, name), count in self.counts.items() if of == rule}
            if directions:
                lines = sum(directions.values())
                # Lines that differ in marks are not among those that agree once folded.
                among, marks = (agreed + lines, self._most()) if rule == "marks" else (agreed, ())
                found.append(RuleFinding(rule, lines, among, directions, marks))
        return tuple(sorted(found, key=lambda finding: -finding.lines))

    def _most(self) -> tuple[str, ...]:
        ordered = sorted(self.marks.items(), key=lambda item: (-item[1], item[0]))
        return tuple(mark for mark, _ in ordered[:MOST_MARKS])


@lru_cache(maxsize=65536)
def is_mark(char: str) -> bool:
    """Whether ``char`` is punctuation (Unicode's categories P, the middle dot and the dashes among them)."""
    return unicodedata.category(char).startswith("P")


def only_marks(pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether nothing but marks differs: (expected, read) pairs, "" where there is no partner."""
    return bool(pairs) and all(is_mark(char) for pair in pairs for char in pair if char)


def direction_of(pairs: Sequence[tuple[str, str]]) -> str:
    """Which way marks differ: ``left out`` of the label, ``missed`` by the reading, ``other`` ones, or
    ``mixed marks``."""
    ways = {"other" if one and other else "missed" if one else "left out" for one, other in pairs}
    return ways.pop() if len(ways) == 1 else "mixed marks"


def _differences(label: str, text: str) -> Iterator[tuple[Rule, str]]:
    one, other = _nfkc(label), _nfkc(text)
    tight, tight_other = without_spaces(one), without_spaces(other)
    if tight != tight_other:
        yield "case", _case(tight, tight_other)
    if one.casefold() != other.casefold():
        more = len(one) - len(tight) - len(other) + len(tight_other)
        yield "spaces", "spaced" if more > 0 else "joined" if more < 0 else "moved"
    if not (label.isascii() and text.isascii()):
        bare, bare_other = without_spaces(label).casefold(), without_spaces(text).casefold()
        if bare != bare_other:
            yield "width", "variants" if one != label and other == text else "plain"


def _nfkc(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _case(label: str, text: str) -> str:
    if not any(map(str.islower, label)):
        return "upper"
    return "lower" if not any(map(str.isupper, label)) else "mixed"
