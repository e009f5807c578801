"""The page that grows with the rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from datakit.loop.folders import STEPS, read_json, round_folder
from datakit.loop.slices import SLICES, changed_characters
from datakit.loop.summary import LoopResult, RoundSummary
from datakit.loop.table import verdict
from datakit.metrics import fold
from datakit.records import Prediction, read_predictions
from datakit.report import render, thumbnail_or_none

_SHOWN = 24
_CHARACTERS = 40


def _reading(out: Path, number: int, name: str) -> list[Prediction]:
    path = round_folder(out, number).readings(name)
    return list(read_predictions(path)) if path.exists() else []


def _is_right(prediction: Prediction) -> bool:
    return prediction.text is not None and fold(prediction.text) == fold(prediction.label)


def _change(before: Prediction, after: Prediction, data_dir: Path | None) -> dict[str, str | None]:
    picture = None if data_dir is None else thumbnail_or_none(data_dir, after.image)
    return {"label": after.label, "before": before.text, "after": after.text, "picture": picture}


def _changes(out: Path, name: str, last: int, data_dir: Path | None) -> dict[str, Any]:
    """Lines that the last round reads right (folded) and the base did not, and the other way round.

    All are counted, the first ones shown; so are the characters.
    """
    before, after = _reading(out, 0, name), _reading(out, last, name)
    by_line = {(p.file, p.line): p for p in before}
    both = [(by_line[key], now) for now in after if (key := (now.file, now.line)) in by_line]
    groups = []
    for title, gained in (("mended", True), ("broken", False)):
        lines = [(b, a) for b, a in both if _is_right(a) != _is_right(b) and _is_right(a) is gained]
        shown = [_change(b, a, data_dir) for b, a in lines[:_SHOWN]]
        groups.append({"title": title, "count": len(lines), "shown": shown})
    return {"name": name, "groups": groups, "characters": _characters(before, after)}


def _characters(before: Sequence[Prediction], after: Sequence[Prediction]) -> list[dict[str, Any]]:
    changes = changed_characters(before, after)
    groups = []
    for title, gained in (("mended", True), ("broken", False)):
        found = [change for change in changes if (change.after < change.before) is gained]
        groups.append({"title": title, "count": len(found), "shown": found[:_CHARACTERS]})
    return groups


def _row(result: LoopResult, row: RoundSummary, names: Sequence[str], steps: Sequence[str]) -> dict[str, Any]:
    decision = round_folder(result.out, row.number).decision
    return {
        "number": row.number,
        "verdict": verdict(row),
        "refused": row.refused,
        "targets": "".join(row.targets),
        "seconds": row.seconds,
        "steps": [row.steps.get(step) for step in steps],
        "plan": read_json(decision)["sentences"] if decision.exists() else [],
        "scores": [row.scores[name]["all"] for name in names],
        "unseen": [row.scores[name]["unseen"] for name in names],
    }


def _slices(result: LoopResult, name: str) -> list[dict[str, Any]]:
    """Folded accuracy of every kind of line, by round."""
    found = []
    for kind in SLICES:
        cells = [row.scores[name].get("slices", {}).get(kind) for row in result.rounds]
        if cells[0]:
            found.append({"name": kind, "lines": cells[0]["lines"], "cells": cells})
    return found


def loop_page(result: LoopResult, data_dirs: Mapping[str, Path] | None = None) -> str:
    """HTML: accuracy per set, slice and round, what every round planned and made, lines and characters mended
    and broken, time by step.

    ``data_dirs``: folder of the pictures of each set, for thumbnails.
    """
    names = list(result.rounds[0].scores)
    last = result.rounds[-1].number
    folders = data_dirs or {}
    steps = [step for step in (*STEPS, "guards") if any(step in row.steps for row in result.rounds)]
    return render(
        "loop.html",
        names=names,
        steps=steps,
        rows=[_row(result, row, names, steps) for row in result.rounds],
        slices=[{"name": name, "rows": _slices(result, name)} for name in names],
        changes=[_changes(result.out, name, last, folders.get(name)) for name in names] if last else [],
        model=result.model,
        stopped=result.stopped,
    )
