"""The loop: round 0 scores the model as it is, every further round tries to make it better."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datakit.errors import UsageError
from datakit.files import FolderLock, Manifest, atomic_write, sha256_file, write_manifest
from datakit.loop.plan import LoopPlan
from datakit.loop.rounds import (
    RoundFolder,
    Say,
    audit_step,
    badcases_step,
    finetune_step,
    mix_step,
    predict_step,
    read_json,
    synth_step,
    write_json,
)
from datakit.metrics import Score
from datakit.mix import Part

TRACK = "loop.json"
PAGE = "loop.html"


@dataclass(frozen=True, slots=True)
class RoundSummary:
    """One row of the table.

    ``scores`` by set name; ``promoted`` says whether the round's model is the start of the next one.
    """

    number: int
    promoted: bool
    candidate: str
    targets: tuple[str, ...]
    scores: Mapping[str, Mapping[str, Any]]
    seconds: float
    model: str


@dataclass(frozen=True, slots=True)
class LoopResult:
    """All rounds, the base as round 0."""

    rounds: tuple[RoundSummary, ...]
    model: str
    out: Path

    @property
    def improved(self) -> bool:
        """Whether any round was promoted."""
        return any(row.promoted for row in self.rounds[1:])

    def to_dict(self) -> dict[str, Any]:
        """For loop.json and ``--json``."""
        return {
            "schema_version": 1,
            "model": self.model,
            "rounds": [
                {
                    "round": row.number,
                    "promoted": row.promoted,
                    "candidate": row.candidate,
                    "targets": list(row.targets),
                    "scores": dict(row.scores),
                    "seconds": row.seconds,
                    "model": row.model,
                }
                for row in self.rounds
            ],
        }


def _named_sets(plan: LoopPlan) -> dict[str, Part]:
    """The sets that are scored after every round: the tests, or else the validation set and the guards."""
    from datakit_train.label_sets import name_sets

    if plan.test:
        return dict(plan.test)
    guards = name_sets(plan.guard)
    # A guard set whose file is called val.txt as well must not take its place.
    return {"val": plan.val, **{str(p.label_file) if n == "val" else n: p for n, p in guards.items()}}


def _score_sets(
    model: Path | str, sets: Mapping[str, Part], trained: Sequence[Path], folder: RoundFolder, say: Say
) -> dict[str, Any]:
    """Scores of every set, all lines and those with texts not in training; read back when resumed."""
    if folder.scores.exists():
        return read_json(folder.scores)
    from datakit.progress import Progress
    from datakit_train.evaluate import evaluate_predictions, training_texts
    from datakit_train.predict import LineReader, read_label_set
    from datakit_train.recognizer import load_recognizer

    reader = LineReader(load_recognizer(model))
    texts = training_texts(trained)
    scores: dict[str, Any] = {}
    for name, part in sets.items():
        label_set = read_label_set(part.label_file, part.data_dir)
        with Progress(len(label_set.lines), f"evaluate {name}") as progress:
            predictions = reader.read(label_set, progress)
        atomic_write(folder.readings(name), "".join(p.to_json() + "\n" for p in predictions))
        scores[name] = evaluate_predictions(name, predictions, texts).to_dict()
        say(f"{folder.path.name} {name}: {scores[name]['all']['accuracy_folded']:.4f} folded")
    write_json(folder.scores, scores)
    return scores


def _guard_floor(plan: LoopPlan, folder: RoundFolder) -> dict[str, Score]:
    """Scores of the guard sets with the model that the loop began with: forgetting is measured from there."""
    path = folder.path / "guards.json"
    if not path.exists():
        from datakit.progress import Progress
        from datakit_train.label_sets import name_sets
        from datakit_train.predict import LineReader, read_label_set, score_predictions
        from datakit_train.recognizer import load_recognizer

        reader = LineReader(load_recognizer(plan.model))
        floor = {}
        for name, part in name_sets(plan.guard).items():
            label_set = read_label_set(part.label_file, part.data_dir)
            with Progress(len(label_set.lines), f"guard {name}") as progress:
                floor[name] = score_predictions(reader.read(label_set, progress)).to_dict()
        write_json(path, floor)
    names = ("lines", "exact", "exact_folded", "edits", "characters", "unreadable")
    return {
        name: Score(**{key: int(counts[key]) for key in names}) for name, counts in read_json(path).items()
    }


def _round(
    plan: LoopPlan, number: int, model: str, floor: Mapping[str, Score], sets: Mapping[str, Part], say: Say
) -> RoundSummary:
    from datakit_train.recognizer import load_recognizer

    folder = RoundFolder(plan.out / f"round-{number:02d}")
    summary = folder.path / "round.json"
    if summary.exists():
        return _summary_from(read_json(summary))
    say(f"round {number}, from {model}")
    started = time.monotonic()
    charset = load_recognizer(model).charset
    earlier = [RoundFolder(plan.out / f"round-{n:02d}") for n in range(1, number)]
    audit_step(plan, folder, charset, say)
    predict_step(plan, folder, number, model, say)
    targets = badcases_step(plan, folder, charset, say)
    synth_step(plan, folder, number, targets, charset, say)
    mix_step(plan, folder, earlier, say)
    result = finetune_step(plan, folder, number, model, floor, say)
    best = str(folder.finetune / "best")
    kept = best if result["improved"] else model
    trained = [part.label_file for part in (*plan.domain, *plan.general)]
    scores = _score_sets(kept, sets, trained, folder, say)
    row = RoundSummary(
        number=number,
        promoted=bool(result["improved"]),
        candidate=str(result["chosen"]),
        targets=tuple(target.char for target in targets.targets),
        scores=scores,
        seconds=round(time.monotonic() - started, 1),
        model=kept,
    )
    write_json(summary, LoopResult((row,), kept, plan.out).to_dict()["rounds"][0])
    return row


def _summary_from(document: Mapping[str, Any]) -> RoundSummary:
    return RoundSummary(
        number=int(document["round"]),
        promoted=bool(document["promoted"]),
        candidate=str(document["candidate"]),
        targets=tuple(document["targets"]),
        scores=document["scores"],
        seconds=float(document["seconds"]),
        model=str(document["model"]),
    )


def _fingerprint(plan: LoopPlan) -> str:
    """What has to be the same for the rounds in a folder to be gone on with; more rounds may be asked for."""
    parts = [*plan.domain, plan.val, *plan.general, *plan.guard, *plan.test.values()]
    hashes = [(str(part.label_file), sha256_file(part.label_file)) for part in parts]
    facts = [
        plan.model,
        plan.seed,
        plan.mine,
        sorted(plan.finetune.items()),
        sorted(plan.synth.items()),
        hashes,
    ]
    return repr((*facts, *([sorted(plan.ratios.items())] if plan.ratios else [])))


def _require_same(plan: LoopPlan) -> None:
    path = plan.out / "plan.json"
    fingerprint = _fingerprint(plan)
    if path.exists() and read_json(path)["fingerprint"] != fingerprint:
        raise UsageError(f"{plan.out} holds rounds of another loop.yaml or other data; use another out")
    write_json(path, {"fingerprint": fingerprint})


def run_loop(plan: LoopPlan, *, say: Say = lambda _line: None) -> LoopResult:
    """Run the rounds of ``plan``, going on after whatever is finished in its folder.

    Raises:
        DatakitError: any step that fails; what is finished stays, and the same call goes on from there.
    """
    with FolderLock(plan.out):
        _require_same(plan)
        manifest = Manifest.begin(
            "loop", {"rounds": plan.rounds, "model": plan.model}, seed=plan.seed,
            inputs=[part.label_file for part in (*plan.domain, plan.val, *plan.general, *plan.guard)],
        )  # fmt: skip
        write_manifest(plan.out, manifest)
        sets = _named_sets(plan)
        base = RoundFolder(plan.out / "round-00")
        trained = [part.label_file for part in (*plan.domain, *plan.general)]
        started = time.monotonic()
        scores = _score_sets(plan.model, sets, trained, base, say)
        floor = _guard_floor(plan, base)
        rows = [RoundSummary(0, False, "base", (), scores, round(time.monotonic() - started, 1), plan.model)]
        for number in range(1, plan.rounds + 1):
            rows.append(_round(plan, number, rows[-1].model, floor, sets, say))
            _publish(LoopResult(tuple(rows), rows[-1].model, plan.out), sets)
        result = LoopResult(tuple(rows), rows[-1].model, plan.out)
        write_manifest(plan.out, manifest.ended("done", {"rounds": plan.rounds}))
    return result


def _publish(result: LoopResult, sets: Mapping[str, Part]) -> None:
    from datakit.loop.page import loop_page

    data_dirs = {name: part.data_dir or part.label_file.parent for name, part in sets.items()}
    write_json(result.out / TRACK, result.to_dict())
    atomic_write(result.out / PAGE, loop_page(result, data_dirs))
