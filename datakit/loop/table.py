"""The table of rounds for the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from datakit.loop.summary import LoopResult, RoundSummary
from datakit.report.text import shorten, visible


def verdict(row: RoundSummary) -> str:
    """What became of the round."""
    if row.number == 0:
        return "base"
    return f"promoted ({row.candidate})" if row.promoted else "not promoted, nothing passed the gate"


def _folded(row: RoundSummary, name: str) -> float:
    return float(row.scores[name]["all"]["accuracy_folded"])


def table_lines(result: LoopResult) -> Iterator[str]:
    """One line a round: folded accuracy on every set, characters targeted, minutes, verdict."""
    names = list(result.rounds[0].scores)
    head = "  ".join(f"{shorten(visible(name), 14):>14}" for name in names)
    yield f"round  {head}  targeted  minutes  verdict"
    for row in result.rounds:
        cells = "  ".join(f"{_folded(row, name):14.4f}" for name in names)
        yield f"{row.number:5d}  {cells}  {len(row.targets):8d}  {row.seconds / 60:7.1f}  {verdict(row)}"


def change_line(result: LoopResult) -> str:
    """The last round in a sentence: every set's accuracy and what it gained since the base."""
    base, row = result.rounds[0], result.rounds[-1]
    sets = ", ".join(
        f"{visible(name)} {_folded(row, name):.4f}"
        + (f" ({_folded(row, name) - _folded(base, name):+.4f})" if row.number else "")
        for name in row.scores
    )
    return f"round {row.number} is over, {verdict(row)}: {sets}; {row.seconds / 60:.1f} minutes"


def format_table(result: LoopResult) -> Iterator[str]:
    """The table, what every round made, and why it stopped early if it did."""
    yield from table_lines(result)
    for row in result.rounds[1:]:
        if row.targets:
            yield f"round {row.number} targeted: {visible(''.join(row.targets))}"
        for reason in row.refused:
            yield f"round {row.number} refused {visible(reason)}"
    if result.stopped:
        yield f"stopped: {visible(result.stopped)}"
