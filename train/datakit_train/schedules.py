"""Learning rates as functions of the step."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

# The fine-tuning guide: 1e-4 (then 2e-5) at a total batch of 128, scaled linearly with the batch.
GUIDE_RATE = 1e-4
GUIDE_LATE_RATE = 2e-5
GUIDE_BATCH = 128


@dataclass(frozen=True, slots=True)
class Schedule:
    """``rate`` is the highest rate, ``late_rate`` the one from ``decay_step`` on (Piecewise).

    Warm-up is linear: step s of ``warmup_steps`` (from 0) gets (s + 1) / ``warmup_steps`` of the rate.
    """

    name: str
    rate: float
    late_rate: float
    steps: int
    warmup_steps: int
    decay_step: int


def guide_rates(batch_size: int) -> tuple[float, float]:
    """The guide's two rates for a total batch of ``batch_size``."""
    return GUIDE_RATE * batch_size / GUIDE_BATCH, GUIDE_LATE_RATE * batch_size / GUIDE_BATCH


def _cosine(schedule: Schedule, step: int) -> float:
    span = max(1, schedule.steps - schedule.warmup_steps)
    return schedule.rate * 0.5 * (1 + math.cos(math.pi * min(1.0, (step - schedule.warmup_steps) / span)))


def _piecewise(schedule: Schedule, step: int) -> float:
    return schedule.rate if step < schedule.decay_step else schedule.late_rate


SCHEDULES: Mapping[str, Callable[[Schedule, int], float]] = {"cosine": _cosine, "piecewise": _piecewise}


def rate_at(schedule: Schedule, step: int) -> float:
    """The learning rate of ``step``, counted from 0."""
    if step < schedule.warmup_steps:
        return schedule.rate * (step + 1) / schedule.warmup_steps
    return SCHEDULES[schedule.name](schedule, step)
