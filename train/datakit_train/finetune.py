"""Fine-tunes a recogniser on a mix, keeps what it knew, and resumes where it stopped.

A run: score the base (step 0), train, score the result and its average with the base, keep the best candidate
that passes the gate (:mod:`datakit_train.gate`). The output folder holds ``best/`` (a model), ``latest.json``
with its step folder, ``train.jsonl`` (loss and rate of every step), ``dropped.jsonl``, ``broken.jsonl``
(pictures that could not be decoded, if any) and ``result.json``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from datakit.files import FolderLock, Manifest, atomic_write, sha256_file, write_manifest
from datakit.metrics import Score
from datakit.mix import Mix, Part
from datakit_train.engine import Engine, average
from datakit_train.gate import Candidate, choose, forgotten
from datakit_train.label_sets import as_part, name_sets, require_apart
from datakit_train.predict import read_label_set
from datakit_train.preflight import describe_samples, load_for
from datakit_train.recognizer import assemble, find_model
from datakit_train.result import Result
from datakit_train.run import Run, Say, score_sets, trained_model
from datakit_train.settings import Settings, make_schedule, plan_steps
from datakit_train.training import BROKEN, train, unique_lines, write_dropped
from datakit_train.weights.store import StoredModel, load_model, save_model

BEST = "best"
RESULT = "result.json"


def finetune(
    mix: Mix,
    *,
    val: Path | Part,
    out: Path,
    pretrained: str | Path = "ppocrv3-rec",
    guards: Sequence[Path | Part] = (),
    settings: Settings | None = None,
    floor: Mapping[str, Score] | None = None,
    allow_outside: bool = False,
    say: Say = lambda _line: None,
) -> Result:
    """Fine-tune ``pretrained`` on ``mix`` and keep the best candidate that has not forgotten.

    Args:
        mix: training sources and ratios.
        val: label file of the domain (as a Part: with its data_dir), scored at step 0 and at the end.
        out: output folder; a folder with an unfinished run of the same settings is gone on with.
        pretrained: name of a pulled model or folder of a checkpoint.
        guards: label files of what must not be forgotten.
        settings: how to train.
        floor: scores of the guard sets to measure forgetting from, by name; default: those of ``pretrained``.
        allow_outside: follow paths that leave a ``data_dir``.
        say: told what happens, one sentence at a time.

    Raises:
        DatakitError: any bad input, diverged training, or too many broken pictures.
    """
    settings = settings or Settings()
    started = time.monotonic()
    judge, kept = as_part(val), [as_part(guard) for guard in guards]
    require_apart(mix, (judge, *kept))
    with FolderLock(out):
        run = _prepare(mix, judge, out, pretrained, kept, settings, allow_outside, say)
        arguments = {"val": judge.label_file, "pretrained": pretrained, "settings": asdict(settings)}
        inputs = [*(source.label_file for source in mix.sources), *(p.label_file for p in (judge, *kept))]
        manifest = Manifest.begin("finetune", arguments, seed=settings.seed, inputs=inputs)
        write_manifest(out, manifest)
        write_dropped(out / "dropped.jsonl", (*run.samples.dropped, *run.samples.cut))
        base = score_sets(run, "base")
        bad = unique_lines(train(run))
        if bad:
            write_dropped(out / BROKEN, bad)
        result = _finish(run, base, _trials(run), floor or base.guards, len(bad), time.monotonic() - started)
        write_manifest(out, manifest.ended("done", {"steps": result.steps, "trained": result.trained_lines}))
    return result


def _prepare(
    mix: Mix,
    val: Part,
    out: Path,
    pretrained: str | Path,
    guards: Sequence[Part],
    settings: Settings,
    allow_outside: bool,
    say: Say,
) -> Run:
    base = load_model(find_model(pretrained))
    recognizer = assemble(base)
    samples = load_for(mix, base, settings, allow_outside=allow_outside)
    schedule = make_schedule(settings, plan_steps(samples, settings))
    say(describe_samples(samples, settings, schedule))
    engine = Engine(
        recognizer.network,
        weight_decay=settings.weight_decay,
        freeze=settings.freeze,
        fixed_batch_norm=settings.fixed_batch_norm,
        seed=settings.seed,
    )
    return Run(
        base=base,
        recognizer=recognizer,
        engine=engine,
        samples=samples,
        schedule=schedule,
        settings=settings,
        domain=read_label_set(val.label_file, val.data_dir),
        guards={
            name: read_label_set(part.label_file, part.data_dir) for name, part in name_sets(guards).items()
        },
        out=out,
        say=say,
        fingerprint=_fingerprint(settings, mix, base),
        allow_outside=allow_outside,
    )


def _fingerprint(settings: Settings, mix: Mix, base: StoredModel) -> str:
    """What must be the same for a run to be resumed."""
    sources = [(sha256_file(s.label_file), str(s.data_dir), s.kind, s.ratio) for s in mix.sources]
    return json.dumps([asdict(settings), sources, base.source, list(base.probe)], sort_keys=True)


def _trials(run: Run) -> list[tuple[Candidate, Mapping[str, Any]]]:
    """The tuned weights and their averages with the base, each scored."""
    tuned = run.engine.weights()
    trials: list[tuple[Candidate, Mapping[str, Any]]] = []
    for share in (1.0, *run.settings.shares):
        name = "tuned" if share == 1.0 else f"average {share:g}"
        weights = tuned if share == 1.0 else average(run.base.tensors, tuned, share)
        run.engine.set_weights(weights)
        trials.append((score_sets(run, name), weights))
    return trials


def _finish(
    run: Run,
    base: Candidate,
    trials: Sequence[tuple[Candidate, Mapping[str, Any]]],
    floor: Mapping[str, Score],
    bad: int,
    seconds: float,
) -> Result:
    judged = Candidate(
        base.name, base.domain, {name: floor.get(name, score) for name, score in base.guards.items()}
    )
    candidates = [candidate for candidate, _ in trials]
    chosen = choose(judged, candidates, run.settings.max_forget)
    weights = next((tensors for candidate, tensors in trials if candidate is chosen), run.base.tensors)
    model = run.base if chosen is judged else trained_model(run, weights, name=chosen.name)
    save_model(run.out / BEST, model)
    refused = {c.name: forgotten(judged, c, run.settings.max_forget) for c in candidates}
    result = Result(
        base=base,
        candidates=tuple(candidates),
        chosen=base if chosen is judged else chosen,
        model=run.out / BEST,
        steps=run.schedule.steps,
        seconds=seconds,
        trained_lines=sum(map(len, run.samples.samples)) - bad,
        dropped_lines=len(run.samples.dropped) + bad,
        refused={name: reasons for name, reasons in refused.items() if reasons},
    )
    atomic_write(run.out / RESULT, json.dumps(result.to_dict(), ensure_ascii=False, indent=1) + "\n")
    return result
