"""The page that grows with the rounds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datakit.loop.rounds import RoundFolder
from datakit.loop.run import LoopResult, RoundSummary
from datakit.metrics import fold
from datakit.records import Prediction, read_predictions
from datakit.report import render, thumbnail_or_none

_SHOWN = 24


def _reading(folder: Path, name: str) -> dict[tuple[str, int], Prediction]:
    path = RoundFolder(folder).readings(name)
    return {(p.file, p.line): p for p in read_predictions(path)} if path.exists() else {}


def _is_right(prediction: Prediction) -> bool:
    return prediction.text is not None and fold(prediction.text) == fold(prediction.label)


def _change(before: Prediction, after: Prediction, data_dir: Path | None) -> dict[str, str | None]:
    picture = None if data_dir is None else thumbnail_or_none(data_dir, after.image)
    return {"label": after.label, "before": before.text, "after": after.text, "picture": picture}


def _changes(out: Path, name: str, last: int, data_dir: Path | None) -> dict[str, Any]:
    """Lines that the last round reads right (folded) and the base did not, and the other way round.

    All are counted, the first ones shown.
    """
    before, after = _reading(out / "round-00", name), _reading(out / f"round-{last:02d}", name)
    both = [(before[key], now) for key, now in after.items() if key in before]
    groups = []
    for title, gained in (("mended", True), ("broken", False)):
        lines = [(b, a) for b, a in both if _is_right(a) != _is_right(b) and _is_right(a) is gained]
        shown = [_change(b, a, data_dir) for b, a in lines[:_SHOWN]]
        groups.append({"title": title, "count": len(lines), "shown": shown})
    return {"name": name, "groups": groups}


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


def loop_page(result: LoopResult, data_dirs: Mapping[str, Path] | None = None) -> str:
    """HTML: accuracy per set and round, characters made, lines mended and broken.

    ``data_dirs``: folder of the pictures of each set, for thumbnails.
    """
    names = list(result.rounds[0].scores)
    last = result.rounds[-1].number
    folders = data_dirs or {}
    return render(
        "loop.html",
        names=names,
        rows=[_row(row, names) for row in result.rounds],
        changes=[_changes(result.out, name, last, folders.get(name)) for name in names],
        model=result.model,
    )
