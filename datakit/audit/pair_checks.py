"""Checks on two lines that name the same picture."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass

from datakit.audit.check import Check
from datakit.labels import DetLine, RecLine
from datakit.report.text import shorten, visible


@dataclass(frozen=True, slots=True)
class Pair:
    """A line and the first earlier one with the same picture."""

    first: RecLine | DetLine
    second: RecLine | DetLine

    @property
    def where(self) -> str:
        """The earlier line, as file:line."""
        return f"{self.first.file}:{self.first.line}"


def _texts(pair: Pair) -> tuple[str, str] | None:
    if isinstance(pair.first, RecLine) and isinstance(pair.second, RecLine):
        return pair.first.text, pair.second.text
    return None


def same_line(pair: Pair) -> Iterator[str]:
    """The same picture with the same label."""
    texts = _texts(pair)
    if texts and texts[0] == texts[1]:
        yield f"the same picture and text as {pair.where}"


def two_texts(pair: Pair) -> Iterator[str]:
    """The same picture with another label."""
    texts = _texts(pair)
    if texts and texts[0] != texts[1]:
        first, second = (visible(shorten(text, 30)) for text in texts)
        yield f"'{second}', and '{first}' for the same picture at {pair.where}"


def same_page(pair: Pair) -> Iterator[str]:
    """The same page twice."""
    if _texts(pair) is None:
        yield f"the same page as {pair.where}"


PAIR_CHECKS: dict[str, Check[Pair]] = {
    "duplicate-line": Check(
        same_line,
        "warning",
        "Is every line there once?",
        "A second copy counts double in training and in every score.",
        "take one out; a ratio above 1 in mix.yaml repeats on purpose",
    ),
    "image-two-texts": Check(
        two_texts,
        "error",
        "Does every picture have one text?",
        "Two texts for one picture contradict each other: at least one of the lines teaches what is not "
        "there.",
        "look at the picture and take the wrong line out",
    ),
    "duplicate-page": Check(
        same_page,
        "warning",
        "Is every page there once?",
        "A second copy counts double; with other boxes the two contradict each other.",
        "join the boxes in one line",
    ),
}


class Pairs:
    """Finds lines that name a picture seen before; keeps the first line of every picture."""

    def __init__(self) -> None:
        self._first: dict[tuple[str, str], RecLine | DetLine] = {}

    def seen(self, line: RecLine | DetLine, data_dir: str) -> Pair | None:
        """The pair that ``line`` makes with an earlier one; None for a new picture."""
        key = (data_dir, posixpath.normpath(line.image))
        first = self._first.setdefault(key, line)
        return None if first is line else Pair(first, line)
