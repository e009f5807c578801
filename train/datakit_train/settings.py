"""How to train: settings, and what follows from them for a training set."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from datakit.errors import UsageError
from datakit_train.batches import steps_per_epoch
from datakit_train.gate import MAX_FORGET
from datakit_train.samples import SampleSet
from datakit_train.schedules import SCHEDULES, Schedule, guide_rates


@dataclass(frozen=True, slots=True)
class Curve:
    """A learning-rate schedule in epochs, as a PaddleOCR recipe gives it.

    ``values`` are the rates of Piecewise, ``boundaries`` the epochs between them, counted from the end of
    the warm-up; ``end`` and ``power`` belong to Linear.
    """

    values: tuple[float, ...] = ()
    boundaries: tuple[float, ...] = ()
    warmup_epochs: float = 0.0
    end: float = 0.0
    power: float = 1.0


@dataclass(frozen=True, slots=True)
class Settings:
    """How to train.

    ``steps`` overrides ``epochs``. ``learning_rate`` None means the guide's, scaled to the batch. ``curve``
    is the rest of a recipe's schedule; without one the warm-up is ``warmup_steps`` (None: a twentieth of
    the steps), and Piecewise is the guide's. ``shares`` are the shares of tuned weights whose averages
    with the base are tried beside the tuned weights themselves; smaller ones follow where the guards
    refuse all. ``layer_decay`` is the factor from a layer's rate to that of the one before it.
    ``distill`` is the weight of the divergence from the base model's answers, on the pictures of
    ``distill_on`` (label file, folder or mix.yaml; None: on those of every batch). ``amp`` is one of
    :data:`datakit_train.precision.PRECISIONS`. ``max_width`` is the width in px that longer lines are
    squeezed to in training, as PaddleOCR's ``image_shape``. ``chances`` are probabilities of augmentation
    by the names of :data:`datakit.effects.LINE_EFFECTS`, where they are not the usual ones. Every
    ``evaluate_every`` steps behind ``evaluate_from`` (None: only before and after) the weights are
    scored, and after ``patience`` such scores without a better one training stops. A checkpoint is
    written every ``save_every`` steps, and at the latest after a minute.
    """

    epochs: int = 10
    steps: int | None = None
    batch_size: int = 32
    learning_rate: float | None = None
    schedule: str = "cosine"
    warmup_steps: int | None = None
    curve: Curve | None = None
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    freeze: str = "none"
    fixed_batch_norm: bool = True
    layer_decay: float = 1.0
    distill: float = 0.0
    distill_on: str | None = None
    amp: str = "off"
    augment: bool = True
    chances: Mapping[str, float] = field(default_factory=dict)
    shares: tuple[float, ...] = (0.5,)
    max_text_length: int = 25
    max_width: int = 320
    max_forget: float = MAX_FORGET
    max_bad: float = 0.01
    evaluate_every: int | None = None
    evaluate_from: int = 0
    patience: int | None = None
    save_every: int = 50
    seed: int = 0


def make_schedule(settings: Settings, steps: int, per_epoch: int = 1) -> Schedule:
    """The schedule for ``steps`` steps; an epoch of a recipe's curve has ``per_epoch``.

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
    if settings.curve is not None:
        return _from_curve(settings, settings.curve, rate, steps, per_epoch)
    warmup = min(steps, settings.warmup_steps if settings.warmup_steps is not None else max(1, steps // 20))
    # The guide's Piecewise lowers the rate after seven eighths of the epochs.
    piecewise = settings.schedule == "piecewise"
    return Schedule(
        settings.schedule,
        rate,
        steps,
        warmup,
        span=max(1, steps - warmup),
        boundaries=(steps * 7 // 8 - warmup,) if piecewise else (),
        values=(rate, late) if piecewise else (),
    )


def _from_curve(settings: Settings, curve: Curve, rate: float, steps: int, per_epoch: int) -> Schedule:
    """PaddleOCR's counting: a cosine and a line as long as the whole run, and behind the warm-up."""
    warmup = settings.warmup_steps
    if warmup is None:
        warmup = round(curve.warmup_epochs * per_epoch)
    values = curve.values
    if values and values[0] != rate:
        values = tuple(value * rate / values[0] for value in values)
    return Schedule(
        settings.schedule,
        rate,
        steps,
        min(steps, warmup),
        span=steps,
        boundaries=tuple(round(epoch * per_epoch) for epoch in curve.boundaries),
        values=values or (rate,),
        end=curve.end,
        power=curve.power,
    )


def epoch_steps(samples: SampleSet, settings: Settings) -> int:
    """Optimizer steps of one epoch."""
    return steps_per_epoch(samples, batch_size=settings.batch_size, seed=settings.seed)


def plan_steps(samples: SampleSet, settings: Settings) -> int:
    """Optimizer steps of the whole run."""
    if settings.steps is not None:
        return settings.steps
    return settings.epochs * epoch_steps(samples, settings)
