"""How to train: settings, and what follows from them for a training set."""

from __future__ import annotations

import math
from dataclasses import dataclass

from datakit.errors import UsageError
from datakit_train.batches import steps_per_epoch
from datakit_train.gate import MAX_FORGET
from datakit_train.samples import SampleSet
from datakit_train.schedules import SCHEDULES, Schedule, guide_rates


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train.

    ``steps`` overrides ``epochs``. ``learning_rate`` None means the guide's, scaled to the batch. ``shares``
    are the shares of tuned weights whose averages with the base are tried beside the tuned weights
    themselves. ``max_width`` is the width in px that longer lines are squeezed to in training, as PaddleOCR's
    ``image_shape``. A checkpoint is written every ``save_every`` steps, and at the latest after a minute.
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


def plan_steps(samples: SampleSet, settings: Settings) -> int:
    """Optimizer steps of the whole run."""
    if settings.steps is not None:
        return settings.steps
    return settings.epochs * steps_per_epoch(samples, batch_size=settings.batch_size, seed=settings.seed)
