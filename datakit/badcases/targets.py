"""Which characters to make next, and how many lines of each.

A character is a target when it is missed once spaces, case and width are ignored, so that a labelling rule
("all capitals") never becomes one. Characters that the dictionary lacks, and those that no picture shows, are
none.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Container, Iterable
from dataclasses import dataclass, field

from datakit.badcases.alignment import Step
from datakit.badcases.characters import CharacterScore
from datakit.badcases.rules import RuleFinding
from datakit.badcases.slices import Slice
from datakit.intervals import wilson
from datakit.records import Target, Targets
from datakit.report.text import is_hidden

# Fewer new lines than this change nothing.
LEAST = 20
MOST_CONTEXTS = 10
MOST_CONFUSED = 5


def rule_text(per_char: int, max_targets: int, trained: bool) -> str:
    """The rule of :func:`choose_targets` in a sentence, with its figures."""
    also = f", or what the training labels lack to {per_char} lines if that is more" if trained else ""
    least = min(LEAST, per_char)
    return (
        f"the {max_targets} characters missed in most lines (spaces, case and width ignored); for each "
        f"{per_char} x the share of its lines in which it is missed{also}; at least {least}, at most "
        f"{per_char}. Lengths: bins of at least {LEAST} lines that fail more often than all lines do "
        f"(lower bound of the bin's folded error rate above the rate of all): {per_char} x that rate. "
        f"Spaces: {per_char} x the share of the lines labelled with a space, and read right but for that, "
        "in which spaces differ, unless that is a rule of the labels"
    )


def context(label: str, position: int, limit: int) -> str:
    """At most ``limit`` code points of ``label`` around the one at ``position``, stripped."""
    start = max(0, min(position - limit // 2, len(label) - limit))
    return label[start : start + limit].strip()


@dataclass(slots=True)
class Evidence:
    """What failures say about each character: contexts in the order they came, and what it was read as."""

    contexts: defaultdict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    confused: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def update(self, label: str, failed: list[Step], limit: int) -> None:
        """Take in the failed steps of one line."""
        for step in failed:
            if not step.expected:
                continue
            if len(self.contexts[step.expected]) < MOST_CONTEXTS:
                self.contexts[step.expected][context(label, step.position, limit)] = None
            if step.read:
                self.confused[step.expected][step.read] += 1

    def confused_with(self, char: str) -> tuple[str, ...]:
        """What ``char`` was read as, most frequent first, then by code point."""
        ordered = sorted(self.confused[char].items(), key=lambda item: (-item[1], item[0]))
        return tuple(read for read, _ in ordered[:MOST_CONFUSED])


def lines_to_make(score: CharacterScore, per_char: int) -> int:
    """How many lines of a character to make, by the rule of :func:`rule_text`."""
    by_rate = math.ceil(per_char * score.missed_lines / score.lines)
    lacking = 0 if score.train_lines is None else per_char - score.train_lines
    return min(per_char, max(LEAST, by_rate, lacking))


def choose_targets(
    scores: tuple[CharacterScore, ...],
    evidence: Evidence,
    *,
    per_char: int,
    max_targets: int,
    missing: Container[str] = (),
) -> Targets:
    """The targets of the next synth; ``missing`` are the characters that the dictionary lacks."""
    wanted = [
        score
        for score in scores
        if score.missed_lines
        and score.char not in missing
        and not is_hidden(score.char)
        and score.char != " "
    ]
    wanted.sort(key=lambda score: (-score.missed_lines, -score.missed_lines / score.lines, score.char))
    return Targets(
        tuple(
            Target(
                score.char,
                lines_to_make(score, per_char),
                evidence.confused_with(score.char),
                tuple(evidence.contexts[score.char]),
            )
            for score in wanted[:max_targets]
        )
    )


def length_shortfall(slices: Iterable[Slice], per_char: int) -> dict[str, int]:
    """Lines to make by length of text (a bin such as ``16-25``), by the rule of :func:`rule_text`."""
    bins = [part for part in slices if part.axis == "length" and part.value != "0"]
    lines = sum(part.lines for part in bins)
    overall = sum(part.lines - part.folded for part in bins) / lines if lines else 0.0
    return {
        part.value: _between(per_char, (part.lines - part.folded) / part.lines)
        for part in bins
        if part.lines >= LEAST and wilson(part.lines - part.folded, part.lines).low > overall
    }


def space_shortfall(findings: Iterable[RuleFinding], spaced: int, differ: int, per_char: int) -> int:
    """Lines with spaces to make: ``differ`` of the ``spaced`` labels that are read right have other spaces.

    0 where that is a rule of the labels: no picture would change it.
    """
    systematic = any(finding.rule == "spaces" and finding.systematic for finding in findings)
    if systematic or spaced < LEAST or not differ:
        return 0
    return _between(per_char, differ / spaced)


def _between(per_char: int, share: float) -> int:
    return min(per_char, max(LEAST, math.ceil(per_char * share)))
