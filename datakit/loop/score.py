"""The only step that reads the test sets: after a round's training, and once for the model as it was."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datakit.files import Manifest, atomic_write, write_manifest
from datakit.loop.folders import RoundFolder, Say, read_json, write_json
from datakit.loop.plan import LoopPlan
from datakit.loop.slices import read_trained, slice_scores
from datakit.metrics import Score
from datakit.mix import Part
from datakit.records import Prediction, read_predictions

if TYPE_CHECKING:
    from datakit_train.predict import LineReader

_COUNTS = ("lines", "exact", "exact_folded", "edits", "characters", "unreadable")


def named_sets(plan: LoopPlan) -> dict[str, Part]:
    """The sets that are scored after every round: the tests, or else the validation set and the guards."""
    from datakit_train.label_sets import name_sets

    if plan.test:
        return dict(plan.test)
    guards = name_sets(plan.guard)
    # A guard set whose file is called val.txt as well must not take its place.
    return {"val": plan.val, **{str(p.label_file) if n == "val" else n: p for n, p in guards.items()}}


def score_step(
    plan: LoopPlan, model: Path | str, folder: RoundFolder, say: Say, unchanged: RoundFolder | None = None
) -> dict[str, Any]:
    """Scores of every set: all lines, texts not in training, slices; a set is not read twice.

    ``unchanged`` is the round before where its model is still the one: its readings are taken over.
    """
    if folder.scores.exists():
        return read_json(folder.scores)
    if unchanged is not None:
        return _taken_over(plan, model, folder, unchanged)
    from datakit_train.evaluate import evaluate_predictions
    from datakit_train.predict import LineReader
    from datakit_train.recognizer import load_recognizer

    reader = LineReader(load_recognizer(model))
    trained = read_trained(part.label_file for part in (*plan.domain, *plan.general))
    scores: dict[str, Any] = {}
    for name, part in named_sets(plan).items():
        predictions = _read(reader, part, name, folder.readings(name))
        evaluation = evaluate_predictions(name, predictions, trained.texts).to_dict()
        slices = {key: score.to_dict() for key, score in slice_scores(predictions, trained).items()}
        scores[name] = {**evaluation, "slices": slices}
        say(f"{folder.path.name} {name}: {evaluation['all']['accuracy_folded']:.4f} folded")
    return _keep(folder, model, scores)


def _taken_over(
    plan: LoopPlan, model: Path | str, folder: RoundFolder, unchanged: RoundFolder
) -> dict[str, Any]:
    for name in named_sets(plan):
        atomic_write(folder.readings(name), unchanged.readings(name).read_bytes())
    return _keep(folder, model, read_json(unchanged.scores))


def _keep(folder: RoundFolder, model: Path | str, scores: dict[str, Any]) -> dict[str, Any]:
    manifest = Manifest.begin("loop round", {"round": folder.number, "model": str(model)})
    write_manifest(folder.path, manifest.ended("done", {"sets": len(scores)}))
    write_json(folder.scores, scores)
    return scores


def _read(reader: LineReader, part: Part, name: str, path: Path) -> list[Prediction]:
    if path.exists():
        return list(read_predictions(path))
    from datakit.progress import Progress
    from datakit_train.predict import read_label_set

    label_set = read_label_set(part.label_file, part.data_dir)
    with Progress(len(label_set.lines), f"evaluate {name}") as progress:
        predictions = reader.read(label_set, progress)
    atomic_write(path, "".join(p.to_json() + "\n" for p in predictions))
    return predictions


def base_scores(plan: LoopPlan, folder: RoundFolder) -> tuple[dict[str, Score], float | None]:
    """The guard sets as read by the model that the loop began with, from where forgetting is measured, and
    the folded accuracy of ``val`` (only read here if a target accuracy was asked for)."""
    path = folder.path / "guards.json"
    asked = plan.target_accuracy is not None
    found = read_json(path) if path.exists() else {}
    if not found or (asked and found.get("val") is None):
        from datakit_train.label_sets import name_sets
        from datakit_train.predict import LineReader, read_label_set
        from datakit_train.recognizer import load_recognizer
        from datakit_train.score_book import ScoreBook, score_sets

        parts = {**name_sets(plan.guard), **({"": plan.val} if asked else {})}
        sets = {name: read_label_set(part.label_file, part.data_dir) for name, part in parts.items()}
        reader, book = LineReader(load_recognizer(plan.model)), ScoreBook(book_of(plan))
        read = {
            name: scored.score.to_dict() for name, scored in score_sets(reader, sets, book, "guards").items()
        }
        found = {"schema_version": 1, "val": read.pop("", None), "guards": read}
        write_json(path, found)
    val = found["val"]
    return {n: _from_counts(c) for n, c in found["guards"].items()}, val and val["accuracy_folded"]


def book_of(plan: LoopPlan) -> Path:
    """Scores of val and guards by weights: a round begins with those that the round before ended with."""
    return plan.out / "scored.jsonl"


def _from_counts(counts: Mapping[str, Any]) -> Score:
    return Score(**{key: int(counts[key]) for key in _COUNTS})
