"""Checks on a whole file, or on all of them together."""

from __future__ import annotations

from collections.abc import Iterator

from datakit.audit.check import Check
from datakit.audit.facts import SetFacts


def ignored_share(facts: SetFacts) -> Iterator[str]:
    """The share of boxes that do not count."""
    ignored = sum(facts.ignored.values())
    if ignored:
        marks = ", ".join(f"{count} {mark}" for mark, count in sorted(facts.ignored.items()))
        yield f"{ignored} of {facts.boxes} boxes ({ignored / facts.boxes:.1%}) are ignored: {marks}"


FILE_CHECKS: dict[str, Check[SetFacts]] = {
    "ignored-share": Check(
        ignored_share,
        "info",
        "How many boxes are left out?",
        "Ignored boxes teach nothing, and hide what a model misses.",
        "nothing, if the texts cannot be read",
    ),
}
