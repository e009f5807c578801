"""Fine-tunes a recogniser on a mix, keeps what it knew, and resumes where it stopped.

A run: score the base (step 0), train, score the result and its average with the base, keep the best candidate
that passes the gate (:mod:`datakit_train.gate`). The output folder holds ``best/`` (a model), ``latest.json``
with its step folder, ``train.jsonl`` (loss and rate of every step), ``dropped.jsonl``, ``broken.jsonl``
(pictures that could not be decoded, if any) and ``result.json``.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from datakit.charset import Charset
from datakit.errors import InputError, TooManyBadError, UsageError
from datakit.files import FolderLock, Manifest, atomic_write, sha256_file, write_manifest
from datakit.metrics import Score
from datakit.mix import Mix, Part, Source, load_mix
from datakit.progress import Progress
from datakit_train.batches import steps_per_epoch, stream_batches
from datakit_train.checkpoint import Checkpoint, has_latest, load_latest, save_latest
from datakit_train.engine import Engine, average
from datakit_train.gate import MAX_FORGET, Candidate, choose, forgotten
from datakit_train.predict import LabelSet, LineReader, read_label_set, score_predictions
from datakit_train.recognizer import Recognizer, assemble, find_model, measure_probe
from datakit_train.samples import Dropped, SampleSet, load_samples
from datakit_train.schedules import SCHEDULES, Schedule, guide_rates, rate_at
from datakit_train.weights.store import StoredModel, load_model, save_model

Say = Callable[[str], None]

BEST = "best"
RESULT = "result.json"
BROKEN = "broken.jsonl"


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train.

    ``steps`` overrides ``epochs``. ``learning_rate`` None means the guide's, scaled to the batch. ``shares``
    are the shares of tuned weights whose averages with the base are tried beside the tuned weights
    themselves. ``max_width`` is the width in px that longer lines are squeezed to in training, as PaddleOCR's
    ``image_shape``.
    """

    epochs: int = 10
    steps: int | None = None
    batch_size: int = 32
    learning_rate: float | None = None
    schedule: str = "cosine"
    warmup_steps: int | None = None
    weight_decay: float = 0.0
    freeze: str = "none"
    fixed_batch_norm: bool = True
    augment: bool = True
    shares: tuple[float, ...] = (0.5,)
    max_text_length: int = 25
    max_width: int = 320
    max_forget: float = MAX_FORGET
    max_bad: float = 0.01
    save_every: int = 50
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What came out: the base, every candidate, the one that was kept, and whether it beats the base."""

    base: Candidate
    candidates: tuple[Candidate, ...]
    chosen: Candidate
    model: Path
    steps: int
    seconds: float
    trained_lines: int
    dropped_lines: int
    refused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def improved(self) -> bool:
        """Whether a candidate passed the gate."""
        return self.chosen.name != self.base.name

    def to_dict(self) -> dict[str, Any]:
        """For result.json and ``--json``."""
        return {
            "schema_version": 1,
            "improved": self.improved,
            "chosen": self.chosen.name,
            "base": candidate_dict(self.base),
            "candidates": [candidate_dict(candidate) for candidate in self.candidates],
            "refused": {name: list(reasons) for name, reasons in self.refused.items()},
            "model": str(self.model),
            "steps": self.steps,
            "seconds": round(self.seconds, 1),
            "trained_lines": self.trained_lines,
            "dropped_lines": self.dropped_lines,
        }


def candidate_dict(candidate: Candidate) -> dict[str, Any]:
    """A candidate as JSON."""
    return {
        "name": candidate.name,
        "domain": candidate.domain.to_dict(),
        "guards": {name: score.to_dict() for name, score in candidate.guards.items()},
    }


def make_schedule(settings: Settings, steps: int) -> Schedule:
    """The schedule for ``steps`` steps.

    Raises:
        UsageError: an unknown name, a rate that is none, or no step at all.
    """
    if settings.schedule not in SCHEDULES:
        raise UsageError(f"--schedule {settings.schedule!r} is not one of {', '.join(sorted(SCHEDULES))}")
    if steps < 1:
        raise UsageError("there is not one step to train")
    given = settings.learning_rate
    if given is not None and not 0 < given < math.inf:
        raise UsageError(f"--learning-rate {given} is not a number above 0")
    rate, late = guide_rates(settings.batch_size)
    if given is not None:
        late *= given / rate
        rate = given
    warmup = settings.warmup_steps if settings.warmup_steps is not None else max(1, steps // 20)
    # The guide's Piecewise lowers the rate after seven eighths of the epochs.
    return Schedule(settings.schedule, rate, late, steps, min(warmup, steps), steps * 7 // 8)


@dataclass(frozen=True, slots=True)
class _Run:
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


def _score(run: _Run, name: str) -> Candidate:
    """Score the weights that are in the network now, every line of every set."""
    run.recognizer.network.eval()
    reader = LineReader(run.recognizer, allow_outside=run.allow_outside)
    sets = {"": run.domain, **run.guards}
    scores: dict[str, Score] = {}
    total = sum(len(label_set.lines) for label_set in sets.values())
    with Progress(total, f"evaluate {name}") as progress:
        for set_name, label_set in sets.items():
            scores[set_name] = score_predictions(reader.read(label_set, progress))
    _check_readable(sets, scores)
    domain = scores.pop("")
    candidate = Candidate(name, domain, scores)
    run.say(describe(candidate))
    return candidate


def _check_readable(sets: Mapping[str, LabelSet], scores: Mapping[str, Score]) -> None:
    for name, score in scores.items():
        if score.unreadable == score.lines:
            raise InputError(
                "not one picture can be read; paths are relative to this file's folder", file=sets[name].path
            )


def describe(candidate: Candidate) -> str:
    """One line: name, folded accuracy on the domain and every guard set."""
    parts = [
        f"domain {candidate.domain.accuracy_folded:.4f} folded ({candidate.domain.accuracy:.4f} as labelled)"
    ]
    parts += [f"{name} {score.accuracy_folded:.4f}" for name, score in candidate.guards.items()]
    return f"{candidate.name}: " + ", ".join(parts)


def _model(run: _Run, tensors: Mapping[str, Any], *, name: str) -> StoredModel:
    run.engine.set_weights(tensors)
    extra = {"trained": {"from": run.base.source, "candidate": name, "seed": run.settings.seed}}
    return replace(run.base, tensors=tensors, probe=measure_probe(run.recognizer.network), extra=extra)


def _save_latest(run: _Run, step: int, bad: Sequence[Dropped]) -> None:
    state = {
        "step": step,
        "fingerprint": run.fingerprint,
        "bad": [asdict(entry) for entry in bad],
    }
    model = _model(run, run.engine.weights(), name=f"step {step}")
    save_latest(run.out, step, Checkpoint(model, run.engine.optimizer_state(), state))


def _resume(run: _Run) -> tuple[int, list[Dropped]]:
    """The step to go on from and the broken pictures so far.

    Raises:
        UsageError: the folder holds a run with other settings or data.
    """
    if not has_latest(run.out):
        return 0, []
    checkpoint = load_latest(run.out)
    if checkpoint.state["fingerprint"] != run.fingerprint:
        raise UsageError(f"{run.out} holds a run with other settings, data or base model; use another --out")
    run.engine.set_weights(checkpoint.model.tensors)
    run.engine.set_optimizer_state(checkpoint.optimizer)
    step = int(checkpoint.state["step"])
    run.say(f"going on from step {step}")
    return step, [Dropped(**entry) for entry in checkpoint.state["bad"]]


def _check_bad(run: _Run, bad: Sequence[Dropped]) -> None:
    lines = sum(map(len, run.samples.samples))
    broken = _unique(bad)
    if len(broken) > run.settings.max_bad * lines:
        _write_dropped(run.out / BROKEN, broken)
        first = broken[0]
        raise TooManyBadError(
            f"{len(broken)} of {lines} pictures cannot be read, over --max-bad {run.settings.max_bad:g}; "
            f"the first: {first.file}:{first.line}: {first.reason}; all: {run.out / BROKEN}"
        )


def _unique(bad: Sequence[Dropped]) -> list[Dropped]:
    """One entry a line: every draw of a broken picture adds one."""
    return list({(entry.file, entry.line): entry for entry in bad}.values())


class _Journal:
    """train.jsonl: one line a step; lines past the step that is resumed from are cut first."""

    def __init__(self, path: Path, first_step: int) -> None:
        kept = (
            path.read_text("utf-8").splitlines(keepends=True)[:first_step]
            if path.exists() and first_step
            else []
        )
        atomic_write(path, "".join(kept))
        # Line by line: a killed run keeps what it has written.
        self._stream = path.open("a", encoding="utf-8", buffering=1)

    def write(self, **values: float) -> None:
        """Append one record."""
        self._stream.write(json.dumps(values) + "\n")

    def close(self) -> None:
        """Flush and close."""
        self._stream.close()


def _train(run: _Run) -> tuple[Dropped, ...]:
    first, bad = _resume(run)
    last = run.schedule.steps
    stream = stream_batches(
        run.samples,
        batch_size=run.settings.batch_size,
        seed=run.settings.seed,
        first_step=first,
        last_step=last,
        augment=run.settings.augment,
    )
    journal = _Journal(run.out / "train.jsonl", first)
    with closing(journal), Progress(last - first, "finetune") as progress:
        for step, batch in enumerate(stream, start=first):
            loss = run.engine.step(batch, step, rate := rate_at(run.schedule, step))
            journal.write(
                step=step, loss=loss, rate=rate, lines=len(batch.lengths), width=batch.images.shape[3]
            )
            bad.extend(batch.broken)
            _check_bad(run, bad)
            progress.advance(1, note=f"loss {loss:.3f}")
            done = step + 1
            if done % run.settings.save_every == 0 or done == last:
                _save_latest(run, done, bad)
    return tuple(bad)


def _trials(run: _Run) -> list[tuple[Candidate, Mapping[str, Any]]]:
    """The tuned weights and their averages with the base, each scored."""
    tuned = run.engine.weights()
    trials: list[tuple[Candidate, Mapping[str, Any]]] = []
    for share in (1.0, *run.settings.shares):
        name = "tuned" if share == 1.0 else f"average {share:g}"
        weights = tuned if share == 1.0 else average(run.base.tensors, tuned, share)
        run.engine.set_weights(weights)
        trials.append((_score(run, name), weights))
    return trials


def _fingerprint(settings: Settings, mix: Mix, base: StoredModel) -> str:
    """What must be the same for a run to be resumed."""
    sources = [(sha256_file(s.label_file), str(s.data_dir), s.kind, s.ratio) for s in mix.sources]
    return json.dumps([asdict(settings), sources, base.source, list(base.probe)], sort_keys=True)


def _write_dropped(path: Path, entries: Sequence[Dropped]) -> None:
    atomic_write(path, "".join(json.dumps(asdict(entry), ensure_ascii=False) + "\n" for entry in entries))


def plan_steps(samples: SampleSet, settings: Settings) -> int:
    """Optimizer steps of the whole run."""
    if settings.steps is not None:
        return settings.steps
    return settings.epochs * steps_per_epoch(samples, batch_size=settings.batch_size, seed=settings.seed)


def load_for(mix: Mix, base: StoredModel, settings: Settings, *, allow_outside: bool = False) -> SampleSet:
    """The samples of ``mix`` for a base model."""
    charset = Charset(base.characters)
    with Progress(0, "read labels") as progress:
        return load_samples(
            mix,
            charset,
            max_text_length=settings.max_text_length,
            max_width=settings.max_width,
            allow_outside=allow_outside,
            on_line=progress.advance,
        )


def describe_samples(samples: SampleSet, settings: Settings, schedule: Schedule) -> str:
    """The pre-flight: what trains, what is cut or dropped, how many steps, at which rate."""
    trained = sum(map(len, samples.samples))
    per_epoch = steps_per_epoch(samples, batch_size=settings.batch_size, seed=settings.seed)
    return (
        f"{samples.lines_in} lines: {trained} train ({len(samples.cut)} of them with characters cut), "
        f"{len(samples.dropped)} dropped (named in dropped.jsonl); "
        f"{schedule.steps} steps of {settings.batch_size}, "
        f"{schedule.steps / per_epoch:.2f} epochs, {schedule.name} at {schedule.rate:.2g}"
    )


def sources_of(files: Sequence[Path]) -> Mix:
    """One mix of mix.yaml files and plain label files (each line once, their folder as data_dir)."""
    sources: list[Source] = []
    for path in files:
        if path.suffix in {".yaml", ".yml"}:
            sources.extend(load_mix(path).sources)
        else:
            sources.append(Source(path, path.parent, "domain", 1.0))
    return Mix(tuple(sources))


def preflight(mix: Mix, pretrained: str | Path, settings: Settings, *, allow_outside: bool = False) -> str:
    """What :func:`finetune` would train, in one sentence, without training."""
    samples = load_for(mix, load_model(find_model(pretrained)), settings, allow_outside=allow_outside)
    return describe_samples(samples, settings, make_schedule(settings, plan_steps(samples, settings)))


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
    with FolderLock(out):
        run = _prepare(mix, judge, out, pretrained, kept, settings, allow_outside, say)
        arguments = {"val": judge.label_file, "pretrained": pretrained, "settings": asdict(settings)}
        inputs = [*(source.label_file for source in mix.sources), *(p.label_file for p in (judge, *kept))]
        manifest = Manifest.begin("finetune", arguments, seed=settings.seed, inputs=inputs)
        write_manifest(out, manifest)
        _write_dropped(out / "dropped.jsonl", (*run.samples.dropped, *run.samples.cut))
        base = _score(run, "base")
        bad = _unique(_train(run))
        if bad:
            _write_dropped(out / BROKEN, bad)
        result = _finish(run, base, _trials(run), floor or base.guards, len(bad), time.monotonic() - started)
        write_manifest(out, manifest.ended("done", {"steps": result.steps, "trained": result.trained_lines}))
    return result


def as_part(label_set: Path | Part) -> Part:
    """A label file with its data_dir; None there means its own folder."""
    return label_set if isinstance(label_set, Part) else Part(label_set)


def name_sets(parts: Sequence[Part]) -> dict[str, Part]:
    """Label files by the name that reports use: the stem where stems differ, else the path."""
    stems = [part.label_file.stem for part in parts]
    return {
        stem if stems.count(stem) == 1 else str(part.label_file): part
        for stem, part in zip(stems, parts, strict=True)
    }


def _prepare(
    mix: Mix,
    val: Part,
    out: Path,
    pretrained: str | Path,
    guards: Sequence[Part],
    settings: Settings,
    allow_outside: bool,
    say: Say,
) -> _Run:
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
    return _Run(
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


def _finish(
    run: _Run,
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
    model = run.base if chosen is judged else _model(run, weights, name=chosen.name)
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
