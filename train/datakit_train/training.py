"""The training of one run: from the last checkpoint to the last step."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from datakit.errors import TooManyBadError, UsageError
from datakit.files import atomic_write
from datakit.progress import Progress
from datakit_train.batches import stream_batches
from datakit_train.checkpoint import Checkpoint, has_latest, load_latest, save_latest
from datakit_train.run import Run, trained_model
from datakit_train.samples import Dropped
from datakit_train.schedules import rate_at

BROKEN = "broken.jsonl"
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


def train(run: Run) -> tuple[Dropped, ...]:
    """Train to the last step; returns every draw of a picture that could not be decoded.

    Raises:
        UsageError: the folder holds a checkpoint of another run.
        TooManyBadError: more pictures than ``max_bad`` cannot be decoded.
        DivergedError: the loss is no number.
    """
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
    saved = time.monotonic()
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
            due = done % run.settings.save_every == 0 or time.monotonic() - saved >= SAVE_SECONDS
            if due or done == last:
                _save_latest(run, done, bad)
                saved = time.monotonic()
    return tuple(bad)
