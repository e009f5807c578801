"""Label against reading, code point by code point."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Operation = Literal["equal", "replace", "delete", "insert"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an alignment.

    ``position`` is the index in the label (of the next character for an insertion). ``expected`` is the
    label's character, "" for an insertion; ``read`` the reading's, "" for a deletion.
    """

    operation: Operation
    position: int
    expected: str
    read: str


def align(label: str, text: str) -> list[Step]:
    """A cheapest alignment of ``text`` to ``label``: as many steps differ as Levenshtein counts edits."""
    return [
        Step(
            operation, i, label[i] if operation != "insert" else "", text[j] if operation != "delete" else ""
        )
        for operation, i, j in _walk(label, text)
    ]


def align_folded(label: str, text: str) -> list[Step]:
    """The same without spaces and case; ``expected`` and ``read`` are the characters as they stand in the
    texts.

    A character that folds to several (the German sharp s) gives several steps at one position.
    """
    folded_label, label_at = _folded(label)
    folded_text, text_at = _folded(text)
    steps = []
    for operation, i, j in _walk(folded_label, folded_text):
        position = label_at[i] if i < len(label_at) else len(label)
        expected = "" if operation == "insert" else label[label_at[i]]
        read = "" if operation == "delete" else text[text_at[j]]
        steps.append(Step(operation, position, expected, read))
    return steps


def _folded(text: str) -> tuple[str, list[int]]:
    """The folded text (as metrics.fold) and the index in ``text`` of each of its characters."""
    units = [(unit, index) for index, char in enumerate(text) if char != " " for unit in char.casefold()]
    return "".join(unit for unit, _ in units), [index for _, index in units]


def _walk(label: str, text: str) -> Iterator[tuple[Operation, int, int]]:
    """Every step with its index in ``label`` and ``text``; editops name the edits alone."""
    from rapidfuzz.distance import Levenshtein

    i = j = 0
    for edit in Levenshtein.editops(label, text):
        while i < edit.src_pos and j < edit.dest_pos:
            yield "equal", i, j
            i, j = i + 1, j + 1
        if edit.tag == "replace":
            yield "replace", i, j
            i, j = i + 1, j + 1
        elif edit.tag == "delete":
            yield "delete", i, j
            i += 1
        else:
            yield "insert", i, j
            j += 1
    while i < len(label):
        yield "equal", i, j
        i, j = i + 1, j + 1


def diff(label: str, text: str) -> list[tuple[str, str, str]]:
    """Runs of (operation, expected, read), "equal" or "differ", for people to look at."""
    runs: list[tuple[str, str, str]] = []
    for step in align(label, text):
        operation = "equal" if step.operation == "equal" else "differ"
        if runs and runs[-1][0] == operation:
            _, expected, read = runs.pop()
            runs.append((operation, expected + step.expected, read + step.read))
        else:
            runs.append((operation, step.expected, step.read))
    return runs
