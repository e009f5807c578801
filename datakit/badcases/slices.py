"""Accuracy by kind of text, source, place in the line, page and picture."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from datakit.badcases.alignment import Step
from datakit.badcases.traits import AXES, LENGTH_NAMES, Traits
from datakit.intervals import wilson

# v000_012.jpg, page-3.png: lines of one page differ in their last number.
_PAGE = re.compile(r"^(.+)[_-][0-9]+\.[^./]+$")
MOST_PAGES = 100_000
LEAST_PAGE_LINES = 5
SHOWN_PAGES = 50

Cell = list[int]


@dataclass(frozen=True, slots=True)
class Slice:
    """Lines with one value of one trait: counts of lines, right as labelled, right folded; edits and label
    characters."""

    axis: str
    value: str
    lines: int
    exact: int
    folded: int
    edits: int
    characters: int

    def to_dict(self) -> dict[str, Any]:
        """For JSON: counts, shares, and the interval of the folded error rate."""
        error = wilson(self.lines - self.folded, self.lines)
        return {
            "axis": self.axis,
            "value": self.value,
            "lines": self.lines,
            "exact": self.exact,
            "folded": self.folded,
            "accuracy": round(self.exact / self.lines, 6) if self.lines else 0.0,
            "accuracy_folded": round(self.folded / self.lines, 6) if self.lines else 0.0,
            "error_folded": error.to_dict(),
            "cer": round(self.edits / self.characters, 6) if self.characters else 0.0,
        }


@dataclass(frozen=True, slots=True)
class Places:
    """Folded errors by place in the line: characters there, and those that were missed or replaced."""

    first: int
    first_missed: int
    middle: int
    middle_missed: int
    last: int
    last_missed: int

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            name: {"characters": total, "missed": missed, "rate": wilson(missed, total).to_dict()}
            for name, total, missed in (
                ("first", self.first, self.first_missed),
                ("middle", self.middle, self.middle_missed),
                ("last", self.last, self.last_missed),
            )
        }


@dataclass(slots=True)
class SliceTally:
    """One cell for every combination of traits that occurs, summed up by trait at the end."""

    _right: Counter[tuple[str, Traits, int]] = field(default_factory=Counter)
    _wrong: dict[tuple[str, Traits], Cell] = field(default_factory=dict)
    pages: dict[str, Cell] = field(default_factory=dict)
    places: Counter[str] = field(default_factory=Counter)

    def add_right(self, lines: Sequence[tuple[str, Traits, int]], images: Iterable[str]) -> None:
        """Count lines read as labelled: (file, traits, length) of each, and their pictures."""
        self._right.update(lines)
        pages = Counter([page[1] for page in map(_PAGE.match, images) if page is not None])
        for name, count in pages.items():
            self._add_page(name, count, count, 0)

    def add_wrong(self, file: str, image: str, kind: Traits, folded: bool, edits: int, length: int) -> None:
        """Count another line."""
        cell = self._wrong.setdefault((file, kind), [0, 0, 0, 0, 0])
        cell[0] += 1
        cell[2] += folded
        cell[3] += edits
        cell[4] += length
        page = _PAGE.match(image)
        if page is not None:
            self._add_page(page[1], 1, folded, edits)

    def cells(self) -> list[tuple[str, Traits, Cell]]:
        """(file, traits, [lines, exact, folded, edits, characters])."""
        right = [
            (file, kind, [count, count, count, 0, length * count])
            for (file, kind, length), count in self._right.items()
        ]
        return right + [(file, kind, cell) for (file, kind), cell in self._wrong.items()]

    def _add_page(self, name: str, lines: int, folded: int, edits: int) -> None:
        cell = self.pages.get(name)
        if cell is None:
            if len(self.pages) >= MOST_PAGES:
                return
            cell = self.pages[name] = [0, 0, 0, 0, 0]
        cell[0] += lines
        cell[2] += folded
        cell[3] += edits

    def add_failed(self, length: int, failed: Sequence[Step]) -> None:
        """Count where a label's characters were missed."""
        for step in failed:
            if step.expected:
                place = "first" if step.position == 0 else "last" if step.position == length - 1 else "middle"
                self.places[place] += 1

    def slices(self) -> tuple[Slice, ...]:
        """By trait, then source; values in their own order, else most lines first."""
        found: list[Slice] = []
        cells = self.cells()
        for number, axis in enumerate(AXES):
            found += _summed(axis, ((kind[number], cell) for _, kind, cell in cells))
        found += _summed("source", ((file, cell) for file, _, cell in cells))
        return tuple(found)

    def worst_pages(self) -> tuple[Slice, ...]:
        """Pages of at least five lines, by the lower bound of their folded error rate."""
        pages = [
            Slice("page", name, *cell) for name, cell in self.pages.items() if cell[0] >= LEAST_PAGE_LINES
        ]
        wrong = [page for page in pages if page.folded < page.lines]
        wrong.sort(key=lambda p: (-wilson(p.lines - p.folded, p.lines).low, p.value))
        return tuple(wrong[:SHOWN_PAGES])

    def places_table(self, characters: int, begun: int, ended: int) -> Places:
        """First, middle and last characters, of ``characters`` in ``begun`` labels.

        ``ended`` of them have more than one: a label of one character is a first one.
        """
        return Places(
            begun,
            self.places["first"],
            characters - begun - ended,
            self.places["middle"],
            ended,
            self.places["last"],
        )


def _summed(axis: str, entries: Iterable[tuple[str, Cell]]) -> list[Slice]:
    sums: dict[str, Cell] = {}
    for value, cell in entries:
        total = sums.setdefault(value, [0, 0, 0, 0, 0])
        for number, count in enumerate(cell):
            total[number] += count
    if axis == "length":
        ordered = [name for name in LENGTH_NAMES if name in sums]
    else:
        ordered = sorted(sums, key=lambda value: (-sums[value][0], value))
    return [Slice(axis, value, *sums[value]) for value in ordered]
