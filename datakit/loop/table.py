"""The table of rounds for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from datakit.loop.run import LoopResult, RoundSummary
from datakit.report import visible


def _verdict(row: RoundSummary) -> str:
    if row.number == 0:
        return "base"
    return f"promoted ({row.candidate})" if row.promoted else "not promoted, nothing passed the gate"


def format_table(result: LoopResult) -> Iterator[str]:
    """One line a round: folded accuracy on every set, characters targeted, verdict."""
    names = list(result.rounds[0].scores)
    yield "round  " + "  ".join(f"{name:>14}" for name in names) + "  targeted  verdict"
    for row in result.rounds:
        cells = "  ".join(f"{row.scores[name]['all']['accuracy_folded']:14.4f}" for name in names)
        yield f"{row.number:5d}  {cells}  {len(row.targets):8d}  {_verdict(row)}"
    for row in result.rounds[1:]:
        if row.targets:
            yield f"round {row.number} targeted: {visible(''.join(row.targets))}"
