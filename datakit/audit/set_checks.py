"""Checks on a whole file, or on all of them together."""

from __future__ import annotations

from collections.abc import Iterator

from datakit.audit.check import Check
from datakit.audit.facts import SetFacts
from datakit.report.text import visible

# The FAQ's floor for a usable character, and its advice for fine-tuning, in lines that contain the character.
FLOOR = 200
ADVICE = 300
# Fewer labels with words than this prove no habit.
LEAST_WORDS = 20
_SHOWN = 20


def upper_case_only(facts: SetFacts) -> Iterator[str]:
    """Sets whose words are all capitals."""
    if facts.words >= LEAST_WORDS and facts.words_upper == facts.words:
        yield f"all {facts.words} labels that hold a word of four letters or more are in upper case"


def _under(facts: SetFacts, floor: int) -> Iterator[str]:
    rare = sorted((count, char) for char, count in facts.lines_with.items() if count < floor)
    if rare:
        shown = " ".join(f"{visible(char)}:{count}" for count, char in rare[:_SHOWN])
        more = " ..." if len(rare) > _SHOWN else ""
        every = len(facts.lines_with)
        yield f"{len(rare)} of {every} characters stand in fewer than {floor} lines: {shown}{more}"


def under_floor(facts: SetFacts) -> Iterator[str]:
    """Characters below the floor."""
    yield from _under(facts, FLOOR)


def under_advice(facts: SetFacts) -> Iterator[str]:
    """Characters below the advice for fine-tuning."""
    yield from _under(facts, ADVICE)


def ignored_share(facts: SetFacts) -> Iterator[str]:
    """The share of boxes that do not count."""
    ignored = sum(facts.ignored.values())
    if ignored:
        marks = ", ".join(f"{count} {mark}" for mark, count in sorted(facts.ignored.items()))
        yield f"{ignored} of {facts.boxes} boxes ({ignored / facts.boxes:.1%}) are ignored: {marks}"


FILE_CHECKS: dict[str, Check[SetFacts]] = {
    "case-rule": Check(
        upper_case_only,
        "warning",
        "Do the labels keep the case of the pictures?",
        "Labels all in capitals may be right, or a habit: then the model is taught to read Total as TOTAL, "
        "everywhere.",
        "look at pictures with lower case; compare results folded",
    ),
    "ignored-share": Check(
        ignored_share,
        "info",
        "How many boxes are left out?",
        "Ignored boxes teach nothing, and hide what a model misses.",
        "nothing, if the texts cannot be read",
    ),
}

TOTAL_CHECKS: dict[str, Check[SetFacts]] = {
    "chars-under-200": Check(
        under_floor,
        "info",
        f"Does every character stand in {FLOOR} lines?",
        f"PaddleOCR's FAQ asks for more than {FLOOR} line pictures a character before results can be relied "
        f"on.",
        "datakit synth --chars ... --per-char 200",
    ),
    "chars-under-300": Check(
        under_advice,
        "info",
        f"Does every character stand in {ADVICE} lines?",
        f"PaddleOCR's FAQ advises at least {ADVICE} samples a character for fine-tuning, and an even spread.",
        "datakit synth --chars ... --per-char 300",
    ),
}
