"""What a run would train, said before it starts."""

from __future__ import annotations

from pathlib import Path

from datakit.charset import Charset
from datakit.mix import Mix
from datakit.progress import Progress
from datakit_train.batches import steps_per_epoch
from datakit_train.recognizer import find_model
from datakit_train.samples import SampleSet, load_samples
from datakit_train.schedules import Schedule
from datakit_train.settings import Settings, make_schedule, plan_steps
from datakit_train.weights.store import StoredModel, load_model


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


def preflight(mix: Mix, pretrained: str | Path, settings: Settings, *, allow_outside: bool = False) -> str:
    """What :func:`finetune` would train, in one sentence, without training."""
    samples = load_for(mix, load_model(find_model(pretrained)), settings, allow_outside=allow_outside)
    return describe_samples(samples, settings, make_schedule(settings, plan_steps(samples, settings)))
