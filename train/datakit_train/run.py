"""What stays the same during a fine-tuning run, and how its weights are scored and stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datakit.errors import InputError
from datakit.metrics import Score
from datakit_train import score_book
from datakit_train.engine import Engine
from datakit_train.gate import Candidate
from datakit_train.predict import LabelSet, LineReader
from datakit_train.ranks import ALONE, Ranks
from datakit_train.recognizer import Recognizer, measure_probe
from datakit_train.result import describe
from datakit_train.samples import SampleSet
from datakit_train.schedules import Schedule
from datakit_train.score_book import ScoreBook
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
    book: ScoreBook
    ranks: Ranks = ALONE


def score_sets(run: Run, name: str) -> Candidate:
    """Score the weights that are in the network now, every line of every set; what the book holds is not
    read again."""
    run.recognizer.network.eval()
    sets = {"": run.domain, **run.guards}
    reader = LineReader(run.recognizer, allow_outside=run.allow_outside)
    scored = score_book.score_sets(reader, sets, run.book, f"evaluate {name}")
    _check_readable(sets, {set_name: found.score for set_name, found in scored.items()})
    candidate = Candidate(
        name,
        scored[""].score,
        {set_name: scored[set_name].score for set_name in run.guards},
        {set_name: scored[set_name].right for set_name in sets},
    )
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
