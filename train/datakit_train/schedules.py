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
    """``rate`` is the highest rate, reached at the end of the warm-up of ``warmup_steps``.

    Warm-up is linear: step s (from 0) gets (s + 1) / ``warmup_steps`` of the rate. What follows counts from
    its end, as in PaddleOCR: the cosine and the line fall over ``span`` steps, and stay there; at every one
    of ``boundaries`` the next of ``values`` (one more than boundaries, the first is ``rate``) takes over.
    """

    name: str
    rate: float
    steps: int
    warmup_steps: int = 0
    span: int = 1
    boundaries: tuple[int, ...] = ()
    values: tuple[float, ...] = ()
    end: float = 0.0
    power: float = 1.0


def guide_rates(batch_size: int) -> tuple[float, float]:
    """The guide's two rates for a total batch of ``batch_size``."""
    return GUIDE_RATE * batch_size / GUIDE_BATCH, GUIDE_LATE_RATE * batch_size / GUIDE_BATCH


def _constant(schedule: Schedule, _step: int) -> float:
    return schedule.rate


def _cosine(schedule: Schedule, step: int) -> float:
    return schedule.rate * 0.5 * (1 + math.cos(math.pi * min(1.0, step / schedule.span)))


def _linear(schedule: Schedule, step: int) -> float:
    left = 1 - min(1.0, step / schedule.span)
    fall: float = left**schedule.power
    return (schedule.rate - schedule.end) * fall + schedule.end


def _piecewise(schedule: Schedule, step: int) -> float:
    return schedule.values[sum(step >= boundary for boundary in schedule.boundaries)]


SCHEDULES: Mapping[str, Callable[[Schedule, int], float]] = {
    "constant": _constant,
    "cosine": _cosine,
    "linear": _linear,
    "piecewise": _piecewise,
}


def rate_at(schedule: Schedule, step: int) -> float:
    """The learning rate of ``step``, counted from 0."""
    if step < schedule.warmup_steps:
        return schedule.rate * (step + 1) / schedule.warmup_steps
    return SCHEDULES[schedule.name](schedule, step - schedule.warmup_steps)
