"""The page that grows with the rounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from datakit.loop.run import LoopResult, RoundSummary
from datakit.records import read_predictions
from datakit.report import render

_MENDED_SHOWN = 24


def _reading(folder: Path, name: str) -> dict[tuple[str, int], tuple[str, str | None]]:
    path = folder / f"predictions-{name}.jsonl"
    if not path.exists():
        return {}
    return {(p.file, p.line): (p.label, p.text) for p in read_predictions(path)}


def _changes(out: Path, name: str, last: int) -> dict[str, Any]:
    """Lines of a set that the last round reads right and the base did not, and the other way round."""
    before, after = _reading(out / "round-00", name), _reading(out / f"round-{last:02d}", name)
    mended: list[dict[str, str | None]] = []
    broken: list[dict[str, str | None]] = []
    for key, (label, text) in after.items():
        old = before.get(key, ("", None))[1]
        if (text == label) != (old == label):
            (mended if text == label else broken).append({"label": label, "before": old, "after": text})
    return {"name": name, "mended": mended, "broken": broken, "shown": _MENDED_SHOWN}


def _row(row: RoundSummary, names: list[str]) -> dict[str, Any]:
    return {
        "number": row.number,
        "promoted": row.promoted,
        "candidate": row.candidate,
        "targets": "".join(row.targets),
        "seconds": row.seconds,
        "scores": [row.scores[name]["all"] for name in names],
        "unseen": [row.scores[name]["unseen"] for name in names],
    }


def loop_page(result: LoopResult) -> str:
    """HTML: accuracy per set and round, characters made, lines mended and broken."""
    names = list(result.rounds[0].scores)
    last = result.rounds[-1].number
    return render(
        "loop.html",
        names=names,
        rows=[_row(row, names) for row in result.rounds],
        changes=[_changes(result.out, name, last) for name in names],
        model=result.model,
    )
