"""Checks on the balance of a set."""

from __future__ import annotations

from collections.abc import Iterator

from datakit.audit.balance import ADVICE, FLOOR, Balance, shown
from datakit.audit.check import Check

_SHOWN = 20


def _under(found: Balance, floor: int) -> Iterator[str]:
    shortfall = next(under for under in found.under if under.floor == floor)
    if shortfall.chars:
        listed = " ".join(f"{shown(char)}:{lines}" for char, lines in shortfall.chars[:_SHOWN])
        more = " ..." if len(shortfall.chars) > _SHOWN else ""
        yield (
            f"{len(shortfall.chars)} of {found.characters} characters stand in fewer than {floor} lines, "
            f"{shortfall.least} to {shortfall.missing} lines are missing: {listed}{more}"
        )


def under_floor(found: Balance) -> Iterator[str]:
    """Characters below the floor."""
    yield from _under(found, FLOOR)


def under_advice(found: Balance) -> Iterator[str]:
    """Characters below the advice for fine-tuning."""
    yield from _under(found, ADVICE)


def never_seen(found: Balance) -> Iterator[str]:
    """Classes that no label trains."""
    if found.never_seen:
        groups = ", ".join(f"{group} {count:,}" for group, count in found.never_seen.items())
        yield (
            f"{found.unseen:,} of the dictionary's {found.dictionary:,} characters are in no label: {groups}"
        )


BALANCE_CHECKS: dict[str, Check[Balance]] = {
    "chars-under-200": Check(
        under_floor,
        "info",
        f"Does every character stand in {FLOOR} lines?",
        f"PaddleOCR's FAQ asks for more than {FLOOR} line pictures a character before results can be "
        "relied on.",
        "datakit synth --chars ... --per-char 200",
    ),
    "chars-under-300": Check(
        under_advice,
        "info",
        f"Does every character stand in {ADVICE} lines?",
        f"PaddleOCR's FAQ advises at least {ADVICE} samples a character for fine-tuning, and an even spread.",
        "datakit synth --chars ... --per-char 300",
    ),
    "chars-never-seen": Check(
        never_seen,
        "info",
        "Is every character of the dictionary trained?",
        "A class that no label holds is only pushed down in training: a fine-tuned model slowly forgets it.",
        "mix in general lines that hold the characters you still need",
    ),
}
