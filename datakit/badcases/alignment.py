"""Label against reading, code point by code point."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from datakit.badcases.clusters import borders, extends
from datakit.label_rules import folded_wide
from datakit.suspects import Edit, edits_of

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


@dataclass(frozen=True, slots=True)
class Folded:
    """A text without case, white space and width variants; ``at[i]`` is where its character i came from.

    Every code point is folded by itself, so that it can be pointed at; :func:`folded_wide` alone decides
    whether two texts agree.
    """

    text: str
    at: list[int]


def fold_wide(text: str) -> Folded:
    """``text`` folded, with the way back."""
    if text.isascii():
        # Control characters that split() would take are no part of a label file's text.
        return Folded(text.replace(" ", "").lower(), [i for i, char in enumerate(text) if char != " "])
    units = [(unit, index) for index, char in enumerate(text) for unit in folded_wide(char)]
    return Folded("".join([unit for unit, _ in units]), [index for _, index in units])


def folded_text(text: str) -> str:
    """The text of :func:`fold_wide` alone."""
    return text.replace(" ", "").lower() if text.isascii() else "".join(map(folded_wide, text))


def agree(label: str, text: str) -> bool:
    """Whether two texts are equal but for case, spaces and width."""
    if label.isascii() and text.isascii():
        return label.replace(" ", "").lower() == text.replace(" ", "").lower()
    return folded_wide(label) == folded_wide(text)


def align(label: str, text: str, *, ignore_case: bool = False) -> list[Step]:
    """A cheapest alignment of ``text`` to ``label``: as many steps differ as Levenshtein counts edits.

    ``ignore_case`` takes letters that differ in case as equal, where lower case keeps the length of both.
    """
    one, other = (label.lower(), text.lower()) if ignore_case else (label, text)
    if len(one) != len(label) or len(other) != len(text):
        one, other = label, text
    return [
        Step(
            operation, i, label[i] if operation != "insert" else "", text[j] if operation != "delete" else ""
        )
        for operation, i, j in _walk(one, other)
    ]


def failed_steps(
    label: str, text: str, folded_label: Folded, folded_text: Folded, edits: list[Edit]
) -> list[Step]:
    """The steps of the folded alignment that are no match, spelt as in the texts themselves."""
    steps = []
    for tag, i, j in edits:
        position = folded_label.at[i] if i < len(folded_label.at) else len(label)
        expected = "" if tag == "insert" else label[position]
        read = "" if tag == "delete" else text[folded_text.at[j]]
        steps.append(Step(tag, position, expected, read))  # type: ignore[arg-type]
    return steps


def align_folded(label: str, text: str) -> list[Step]:
    """The alignment without spaces, case and width; its steps that differ, as :func:`failed_steps`."""
    one, other = fold_wide(label), fold_wide(text)
    return failed_steps(label, text, one, other, edits_of(one.text, other.text))


def _walk(label: str, text: str) -> Iterator[tuple[Operation, int, int]]:
    """Every step with its index in ``label`` and ``text``; editops name the edits alone."""
    i = j = 0
    for tag, source, target in edits_of(label, text):
        while i < source and j < target:
            yield "equal", i, j
            i, j = i + 1, j + 1
        if tag == "replace":
            yield "replace", i, j
            i, j = i + 1, j + 1
        elif tag == "delete":
            yield "delete", i, j
            i += 1
        else:
            yield "insert", i, j
            j += 1
    while i < len(label):
        yield "equal", i, j
        i, j = i + 1, j + 1


def diff(label: str, text: str, *, ignore_case: bool = False) -> list[tuple[str, str, str]]:
    """Runs of (operation, expected, read), "equal" or "differ", for people to look at; see :func:`align`.

    What is one character to the reader's eye (a letter and its accent) is coloured as a whole.
    """
    cluster = borders(label)
    runs: list[tuple[str, str, str]] = []
    steps = align(label, text, ignore_case=ignore_case)
    marked = {cluster[place] for step in steps if (place := _marked_by(step)) is not None}
    for step in steps:
        whole = step.operation == "equal" and cluster[step.position] not in marked
        operation = "equal" if whole else "differ"
        if runs and runs[-1][0] == operation:
            _, expected, read = runs.pop()
            runs.append((operation, expected + step.expected, read + step.read))
        else:
            runs.append((operation, step.expected, step.read))
    return runs


def _marked_by(step: Step) -> int | None:
    """The place in the label that a step makes differ."""
    if step.operation == "equal":
        return None
    if step.operation == "insert":
        # An accent too many belongs to the letter before it.
        return step.position - 1 if step.position and extends(step.read) else None
    return step.position
