"""Which characters to make next, and how many lines of each.

A character is a target when it is missed once spaces and case are ignored, so that a labelling rule ("all
capitals") never becomes one. Characters that the dictionary lacks, and those that no picture shows, are
none.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Container
from dataclasses import dataclass, field

from datakit.badcases.alignment import Step
from datakit.badcases.characters import CharacterScore
from datakit.records import Target, Targets
from datakit.report.text import is_hidden

# Fewer new lines than this change nothing.
LEAST = 20
MOST_CONTEXTS = 10
MOST_CONFUSED = 5


def rule_text(per_char: int, max_targets: int, trained: bool) -> str:
    """The rule of :func:`choose_targets` in a sentence, with its figures."""
    also = f", or what the training labels lack to {per_char} lines if that is more" if trained else ""
    return (
        f"the {max_targets} characters missed in most lines (spaces and case ignored); for each {per_char} "
        f"x the share of "
        f"its lines in which it is missed{also}; at least {min(LEAST, per_char)}, at most {per_char}"
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
