"""Checks on pictures that are there more than once, in one set or on both sides of a split."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from datakit.audit.check import Check
from datakit.audit.copies import Copies, Load, find_copies
from datakit.audit.picture_table import PictureTable, Place
from datakit.executor import Workers
from datakit.report.text import shorten, visible


@dataclass(frozen=True, slots=True)
class Copy:
    """A picture and one that was there before it (of two sides: one to train on).

    ``likeness`` is 1 for the same pixels; ``sides`` whether one is trained on and the other measured with.
    """

    first: Place
    second: Place
    first_file: str
    likeness: float
    sides: bool

    @property
    def exact(self) -> bool:
        """Whether no pixel differs."""
        return self.likeness == 1.0

    @property
    def one_text(self) -> bool:
        """Whether both carry the same label."""
        return self.first.text == self.second.text

    @property
    def where(self) -> str:
        """The other picture, as file:line (path)."""
        return f"{self.first_file}:{self.first.line} ({visible(shorten(self.first.image, 60))})"


def _texts(copy: Copy) -> str:
    first, second = (visible(shorten(place.text, 30)) for place in (copy.first, copy.second))
    return f"'{second}', and '{first}'"


def exact_copy(copy: Copy) -> Iterator[str]:
    """The same pixels and the same label under another name."""
    if copy.exact and copy.one_text and not copy.sides:
        yield f"the same pixels as {copy.where}"


def copy_two_texts(copy: Copy) -> Iterator[str]:
    """The same pixels with another label."""
    if copy.exact and not copy.one_text:
        yield f"{_texts(copy)} for the same pixels at {copy.where}"


def near_copy(copy: Copy) -> Iterator[str]:
    """The same crop saved another time."""
    if not copy.exact and copy.one_text and not copy.sides:
        yield f"{copy.likeness:.2f} like {copy.where}"


def near_two_texts(copy: Copy) -> Iterator[str]:
    """The same crop saved another time, with another label."""
    if not copy.exact and not copy.one_text:
        yield f"{_texts(copy)} for pictures that are {copy.likeness:.2f} alike, at {copy.where}"


def leak_copy(copy: Copy) -> Iterator[str]:
    """The same pixels to train on and to measure with."""
    if copy.exact and copy.sides:
        yield f"the same pixels are trained on at {copy.where}"


def leak_near_copy(copy: Copy) -> Iterator[str]:
    """The same crop to train on and to measure with."""
    if not copy.exact and copy.sides:
        yield f"{copy.likeness:.2f} like {copy.where}, which is trained on"


COPY_CHECKS: dict[str, Check[Copy]] = {
    "exact-copy": Check(
        exact_copy,
        "warning",
        "Is every picture there once, by its pixels?",
        "A second copy counts double in training and in every score, whatever its name.",
        "take one out; a ratio above 1 in mix.yaml repeats on purpose",
    ),
    "copy-two-texts": Check(
        copy_two_texts,
        "error",
        "Do the same pixels carry one text?",
        "Two texts for the same pixels contradict each other: one of them teaches what is not there.",
        "look at the picture and take the wrong line out",
    ),
    "near-copy": Check(
        near_copy,
        "info",
        "Is every crop there once?",
        "The same crop scaled, shifted, brightened or saved again adds little. Print repeats, though: two "
        "receipts of one shop can look as alike.",
        "nothing if the prints are two; else take one out",
    ),
    "near-copy-two-texts": Check(
        near_two_texts,
        "warning",
        "Do crops that look the same carry one text?",
        "One of the labels is wrong, or the rule for spaces and case is not kept.",
        "look at both pictures",
    ),
    "leak-copy": Check(
        leak_copy,
        "error",
        "Is no picture of the validation set trained on?",
        "The score then says what was learnt by heart.",
        "take it out of one side; datakit split --by page",
    ),
    "leak-near-copy": Check(
        leak_near_copy,
        "warning",
        "Is no crop of the validation set trained on in another version?",
        "A crop scaled, shifted or saved again is as good as the same one for the score.",
        "take it out of one side; datakit split --keep-copies-together",
    ),
}


@dataclass(frozen=True, slots=True)
class RowFinding:
    """A finding on row ``row`` of a table of pictures, ``beside`` another row where it is about two."""

    code: str
    row: int
    message: str
    beside: int | None = None


def copy_findings(
    table: PictureTable,
    load: Load,
    files: list[str],
    val_sources: Collection[int] = (),
    workers: int | Workers = 1,
) -> Iterator[RowFinding]:
    """Every row that has a copy before it, or on the side that is trained on.

    ``files`` are the label files by number of the source, ``val_sources`` the numbers of those to measure
    with. A picture that two lines name by the same path is no copy.
    """
    copies = find_copies(table, load, workers)
    for first, second, likeness in _reported(copies, table, val_sources):
        one, other = table.place(first), table.place(second)
        if (one.source, one.image) == (other.source, other.image):
            continue
        sides = (one.source in val_sources) != (other.source in val_sources)
        copy = Copy(one, other, files[one.source], likeness, sides)
        for code, check in COPY_CHECKS.items():
            for message in check.run(copy):
                yield RowFinding(code, second, message, first)


def _reported(
    copies: Copies, table: PictureTable, val_sources: Collection[int]
) -> Iterator[tuple[int, int, float]]:
    """(the one before, the one to report, likeness): each row once for its pixels and once for its crop."""

    def measured(row: int) -> bool:
        return table.sources[row] in val_sources

    for rows in copies.exact:
        trained = [row for row in rows if not measured(row)]
        ordered = [*trained, *(row for row in rows if measured(row))]
        yield from ((ordered[0], row, 1.0) for row in ordered[1:])
    best: dict[int, tuple[bool, float, int]] = {}
    for pair in copies.near:
        first, second = sorted((pair.first, pair.second), key=lambda row: (measured(row), row))
        leak = measured(second) and not measured(first)
        best[second] = max(best.get(second, (False, 0.0, 0)), (leak, pair.likeness, first))
    yield from ((first, second, like) for second, (_, like, first) in sorted(best.items()))
