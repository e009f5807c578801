"""The training of one run: from the last checkpoint to the last step, or until it gets no better."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from datakit.errors import TooManyBadError, UsageError
from datakit.files import atomic_write
from datakit.progress import Progress
from datakit_train.batches import Batch, stream_batches
from datakit_train.checkpoint import Checkpoint, has_latest, load_latest, save_latest
from datakit_train.gate import Candidate
from datakit_train.run import Run, trained_model
from datakit_train.samples import Dropped
from datakit_train.schedules import rate_at
from datakit_train.watch import Watch

BROKEN = "broken.jsonl"
SPEED = "speed.jsonl"
# A stopped run loses at most this much, however slow its steps are.
SAVE_SECONDS = 60.0


def write_dropped(path: Path, entries: Sequence[Dropped]) -> None:
    """One JSON object a line."""
    atomic_write(path, "".join(json.dumps(asdict(entry), ensure_ascii=False) + "\n" for entry in entries))


def unique_lines(bad: Sequence[Dropped]) -> list[Dropped]:
    """One entry a line: every draw of a broken picture adds one."""
    return list({(entry.file, entry.line): entry for entry in bad}.values())


def _check_bad(run: Run, bad: Sequence[Dropped]) -> None:
    lines = sum(map(len, run.samples.samples))
    broken = unique_lines(bad)
    if len(broken) > run.settings.max_bad * lines:
        if run.ranks.first:
            write_dropped(run.out / BROKEN, broken)
        first = broken[0]
        raise TooManyBadError(
            f"{len(broken)} of {lines} pictures cannot be read, over --max-bad {run.settings.max_bad:g}; "
            f"the first: {first.file}:{first.line}: {first.reason}; all: {run.out / BROKEN}"
        )


def _save_latest(run: Run, step: int, bad: Sequence[Dropped]) -> None:
    state = {
        "step": step,
        "fingerprint": run.fingerprint,
        "bad": [asdict(entry) for entry in bad],
    }
    model = trained_model(run, run.engine.weights(), name=f"step {step}")
    save_latest(run.out, step, Checkpoint(model, run.engine.optimizer_state(), state))


def _resume(run: Run) -> tuple[int, list[Dropped]]:
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


@dataclass(frozen=True, slots=True)
class Training:
    """What training came to.

    ``bad`` is every draw of a picture that could not be decoded, ``steps`` the last step, ``kept`` the best
    candidate that was scored on the way, with its weights.
    """

    bad: tuple[Dropped, ...]
    steps: int
    kept: tuple[Candidate, Mapping[str, Any]] | None


class _Clock:
    """How long the loop waits for batches, and how many lines a second it trains."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._waited = 0.0
        self._lines = 0

    def timed(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        """The batches of ``stream``, waits measured."""
        while True:
            before = time.monotonic()
            batch = next(stream, None)
            self._waited += time.monotonic() - before
            if batch is None:
                return
            self._lines += len(batch.lengths)
            yield batch

    def write(self, path: Path, first: int, last: int) -> str:
        """Append a record of this process's steps, and say it."""
        seconds = max(time.monotonic() - self._started, 1e-9)
        record = {
            "first_step": first,
            "last_step": last,
            "seconds": round(seconds, 3),
            "lines_per_second": round(self._lines / seconds, 3),
            "waiting_share": round(self._waited / seconds, 4),
        }
        with path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(record) + "\n")
        return f"{self._lines / seconds:.1f} lines a second, {self._waited / seconds:.0%} waiting for data"


def _stream(run: Run, first: int, last: int) -> Generator[Batch, None, None]:
    return stream_batches(
        run.samples,
        batch_size=run.settings.batch_size,
        seed=run.settings.seed,
        first_step=first,
        last_step=last,
        augment=run.settings.augment,
        chances=run.settings.chances,
        ranks=run.ranks,
    )


def train(run: Run, base: Candidate) -> Training:
    """Train to the last step, or until ``patience`` is used up.

    ``base`` is what the scores on the way are judged against.

    Raises:
        UsageError: the folder holds a checkpoint of another run.
        TooManyBadError: more pictures than ``max_bad`` cannot be decoded.
        DivergedError: the loss is no number.
    """
    first, bad = _resume(run)
    watch, clock = Watch(run, base, first), _Clock()
    last = first if _told_to_stop(run, watch.stopped) else run.schedule.steps
    stream = _stream(run, first, last)
    with closing(stream), Progress(last - first, "finetune") as progress:
        reached = _steps(run, clock.timed(stream), first, bad, watch, progress)
    if reached > first:
        run.say(clock.write(run.out / SPEED, first, reached))
    return Training(tuple(bad), reached, watch.kept())


def _steps(
    run: Run, batches: Iterator[Batch], step: int, bad: list[Dropped], watch: Watch, progress: Progress
) -> int:
    """Train on every batch; returns the step that was reached."""
    saved = time.monotonic()
    with closing(_Journal(run.out / "train.jsonl", step)) as journal:
        for batch in batches:
            loss = run.engine.step(batch, step, rate := rate_at(run.schedule, step))
            journal.write(
                step=step, loss=loss, rate=rate, lines=len(batch.lengths), width=batch.images.shape[3]
            )
            bad.extend(run.ranks.gather(batch.broken))
            _check_bad(run, bad)
            progress.advance(1, note=f"loss {loss:.3f}")
            step += 1
            scored = watch.look(step)
            due = step % run.settings.save_every == 0 or time.monotonic() - saved >= SAVE_SECONDS
            if due or scored or step == run.schedule.steps:
                _save_latest(run, step, bad)
                saved = time.monotonic()
            if _told_to_stop(run, watch.stopped):
                break
    return step


def _told_to_stop(run: Run, stopped: bool) -> bool:
    """What the first process decides; only ``patience`` can stop a run early."""
    return run.settings.patience is not None and run.ranks.sum(float(stopped)) > 0


def follow(run: Run) -> None:
    """Train along with the first process, which alone writes, scores and speaks.

    Raises:
        DatakitError: as :func:`train`.
    """
    first, bad = _resume(run)
    last = run.schedule.steps
    if _told_to_stop(run, False):
        return
    for step, batch in enumerate(_stream(run, first, last), first):
        run.engine.step(batch, step, rate_at(run.schedule, step))
        bad.extend(run.ranks.gather(batch.broken))
        _check_bad(run, bad)
        if _told_to_stop(run, False):
            return
