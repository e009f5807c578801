"""Accuracy by kind of line, and the characters that were mended or broken between two readings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit.badcases.alignment import align_folded
from datakit.badcases.kinds import RARE_LINES
from datakit.labels import LabelFault, scan_rec
from datakit.metrics import Score, fold, score_pairs
from datakit.records import Prediction

# Code points of a label up to which it is short.
SHORT = 10
SLICES = (
    "short",
    "long",
    "with space",
    "without space",
    "rare characters",
    "seen text",
    "unseen text",
)


@dataclass(frozen=True, slots=True)
class Trained:
    """What the real training labels hold: folded texts, and lines with each character."""

    texts: frozenset[str]
    lines_with: Counter[str]


def read_trained(label_files: Iterable[Path]) -> Trained:
    """Count the usable lines of label files.

    Raises:
        InputError: a file cannot be read.
    """
    texts: set[str] = set()
    lines_with: Counter[str] = Counter()
    for label_file in label_files:
        for entry in scan_rec(label_file):
            if not isinstance(entry, LabelFault):
                texts.add(fold(entry.text))
                lines_with.update(set(entry.text))
    return Trained(frozenset(texts), lines_with)


def names_of(label: str, trained: Trained) -> Iterator[str]:
    """The slices that a line with this label belongs to.

    Rare: fewer than 200 training lines hold one of its characters.
    """
    yield "short" if len(label) <= SHORT else "long"
    yield "with space" if " " in label else "without space"
    if any(trained.lines_with[char] < RARE_LINES for char in label if char != " "):
        yield "rare characters"
    yield "seen text" if fold(label) in trained.texts else "unseen text"


def slice_scores(predictions: Sequence[Prediction], trained: Trained) -> dict[str, Score]:
    """A score for every slice that has lines, in the order of :data:`SLICES`."""
    pairs: dict[str, list[tuple[str, str | None]]] = {name: [] for name in SLICES}
    for prediction in predictions:
        for name in names_of(prediction.label, trained):
            pairs[name].append((prediction.label, prediction.text))
    return {name: score_pairs(found) for name, found in pairs.items() if found}


@dataclass(frozen=True, slots=True)
class CharacterChange:
    """Lines that miss a character (spaces, case and width ignored), before and after, of ``lines``."""

    char: str
    lines: int
    before: int
    after: int


def _missed(predictions: Iterable[Prediction]) -> Counter[str]:
    missed: Counter[str] = Counter()
    for prediction in predictions:
        if prediction.text != prediction.label:
            steps = align_folded(prediction.label, prediction.text or "")
            missed.update({step.expected for step in steps if step.expected})
    return missed


def changed_characters(before: Sequence[Prediction], after: Sequence[Prediction]) -> list[CharacterChange]:
    """Characters that are missed in more or fewer lines than before, largest change first, mended ones
    before broken ones."""
    was, now = _missed(before), _missed(after)
    lines: Counter[str] = Counter()
    for prediction in after:
        lines.update(set(prediction.label))
    changes = [CharacterChange(char, lines[char], was[char], now[char]) for char in {*was, *now}]
    changed = [change for change in changes if change.before != change.after]
    return sorted(changed, key=lambda c: (c.after > c.before, -abs(c.before - c.after), c.char))
