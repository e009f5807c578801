"""How often an epoch draws each character: lines that contain it, counted once a draw."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from datakit.labels import LabelFault, sniff_task
from datakit.mix.draws import split_ratio
from datakit.mix.moved import moved_lines


@dataclass(frozen=True, slots=True)
class CharacterDraws:
    """One character: ``lines`` of the label files contain it, an epoch draws them ``before`` times without
    lifting and ``after`` times with it. Draws are the mean over epochs, exact where ratios are whole."""

    char: str
    lines: int
    before: float
    after: float


@dataclass(slots=True)
class Counted:
    """The usable lines of a label file: how many, and how many contain each character (none for pages)."""

    lines: int = 0
    characters: Counter[str] = field(default_factory=Counter)
    faults: list[LabelFault] = field(default_factory=list)


def text_lines(label_file: Path, folder: Path, *, allow_outside: bool) -> Iterator[bytes | LabelFault]:
    """Every line as bytes, its pictures relative to ``folder``; through the door of the rewritten lists."""
    return moved_lines(label_file, folder, folder.resolve(), allow_outside=allow_outside)


def text_of(line: bytes) -> str:
    """The text of a recognition line as :func:`text_lines` gives it."""
    return line[line.index(b"\t") + 1 :].rstrip(b"\n").decode("utf-8")


def count_lines(label_file: Path, folder: Path, *, allow_outside: bool) -> Counted:
    """Count a label file.

    Raises:
        InputError: it cannot be read.
    """
    found = Counted()
    rec = sniff_task(label_file) == "rec"
    for line in text_lines(label_file, folder, allow_outside=allow_outside):
        if isinstance(line, LabelFault):
            found.faults.append(line)
            continue
        found.lines += 1
        if rec:
            found.characters.update(set(text_of(line)))
    return found


def mean_draws(counted: Sequence[Counted], ratios: Sequence[float]) -> dict[str, float]:
    """Lines with each character that an epoch draws, the mean over epochs."""
    draws: dict[str, float] = {}
    for source, ratio in zip(counted, ratios, strict=True):
        if not source.lines:
            continue
        each = sum(round(source.lines * term) for term in split_ratio(ratio)) / source.lines
        for char, lines in source.characters.items():
            draws[char] = draws.get(char, 0.0) + each * lines
    return draws
