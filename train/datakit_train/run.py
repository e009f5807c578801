"""What stays the same during a fine-tuning run, and how its weights are scored and stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datakit.errors import InputError
from datakit.metrics import Score, fold
from datakit.progress import Progress
from datakit_train.engine import Engine
from datakit_train.gate import Candidate
from datakit_train.predict import LabelSet, LineReader, score_predictions
from datakit_train.ranks import ALONE, Ranks
from datakit_train.recognizer import Recognizer, measure_probe
from datakit_train.result import describe
from datakit_train.samples import SampleSet
from datakit_train.schedules import Schedule
from datakit_train.settings import Settings
from datakit_train.weights.store import StoredModel

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Run:
    """What stays the same during a run."""

    base: StoredModel
    recognizer: Recognizer
    engine: Engine
    samples: SampleSet
    schedule: Schedule
    settings: Settings
    domain: LabelSet
    guards: Mapping[str, LabelSet]
    out: Path
    say: Say
    fingerprint: str
    allow_outside: bool
    ranks: Ranks = ALONE


def score_sets(run: Run, name: str) -> Candidate:
    """Score the weights that are in the network now, every line of every set."""
    run.recognizer.network.eval()
    reader = LineReader(run.recognizer, allow_outside=run.allow_outside)
    sets = {"": run.domain, **run.guards}
    scores: dict[str, Score] = {}
    right: dict[str, tuple[bool, ...]] = {}
    total = sum(len(label_set.lines) for label_set in sets.values())
    with Progress(total, f"evaluate {name}") as progress:
        for set_name, label_set in sets.items():
            predictions = reader.read(label_set, progress)
            scores[set_name] = score_predictions(predictions)
            right[set_name] = tuple(fold(p.text or "") == fold(p.label) for p in predictions)
    _check_readable(sets, scores)
    domain = scores.pop("")
    candidate = Candidate(name, domain, scores, right)
    run.say(describe(candidate))
    return candidate


def _check_readable(sets: Mapping[str, LabelSet], scores: Mapping[str, Score]) -> None:
    for name, score in scores.items():
        if score.unreadable == score.lines:
            raise InputError(
                "not one picture can be read; paths are relative to this file's folder", file=sets[name].path
            )


def trained_model(run: Run, tensors: Mapping[str, Any], *, name: str) -> StoredModel:
    """``tensors`` as a model that can be stored, with a probe of its own; they stay in the network."""
    run.engine.set_weights(tensors)
    extra = {"trained": {"from": run.base.source, "candidate": name, "seed": run.settings.seed}}
    return replace(run.base, tensors=tensors, probe=measure_probe(run.recognizer.network), extra=extra)
