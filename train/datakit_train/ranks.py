"""The processes of one run: which of them this is, and what they tell each other.

Every process plans the same batches and takes its part of each; gradients are added up before a step, so that
all hold the same weights. The first process alone writes, scores and speaks.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from datakit.errors import WorkerError
from datakit_train.framework import import_paddle

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ranks:
    """Process ``rank``, from 0, of ``size``."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes, scores and speaks."""
        return self.rank == 0

    def part(self, items: Sequence[T]) -> Sequence[T]:
        """What this process takes of ``items``."""
        return items[self.rank :: self.size]

    def sum(self, value: float) -> float:
        """The sum of ``value`` over all processes; every one of them has to ask."""
        if self.size == 1:
            return value
        paddle = import_paddle()
        tensor = paddle.to_tensor(np.array([value], np.float64))
        with _others_there():
            paddle.distributed.all_reduce(tensor)
        return float(tensor.numpy()[0])

    def gather(self, items: Sequence[T]) -> list[T]:
        """``items`` of all processes, those of the first one first; every one of them has to ask."""
        if self.size == 1 or not self.sum(float(len(items))):
            return list(items)
        found: list[list[T]] = []
        with _others_there():
            import_paddle().distributed.all_gather_object(found, list(items))
        return [item for part in found for item in part]

    def add_gradients(self, parameters: Iterable[Any]) -> None:
        """Replace every gradient by its sum over all processes; one that has none counts as zero."""
        if self.size == 1:
            return
        paddle = import_paddle()
        held = list(parameters)
        pieces = [paddle.zeros_like(p) if p.grad is None else p.grad for p in held]
        joined = paddle.concat([piece.reshape([-1]) for piece in pieces])
        with _others_there():
            paddle.distributed.all_reduce(joined)
        summed = paddle.split(joined, [int(np.prod(p.shape)) for p in held])
        for parameter, total in zip(held, summed, strict=True):
            parameter.grad = total.reshape(parameter.shape)


@contextlib.contextmanager
def _others_there() -> Iterator[None]:
    """What Paddle raises where a connection breaks is a RuntimeError of a hundred lines."""
    try:
        yield
    except RuntimeError as error:
        raise WorkerError(
            "another process of this run has ended (its workerlog says why); the same command goes on from "
            "the last checkpoint"
        ) from error


ALONE = Ranks()


def current_ranks() -> Ranks:
    """This process's place among those that ``paddle.distributed.launch`` started; :data:`ALONE` without it.

    The connection is made at the first call.
    """
    size = int(os.environ.get("PADDLE_TRAINERS_NUM", "1"))
    if size == 1:
        return ALONE
    distributed = import_paddle().distributed
    if not distributed.is_initialized():
        distributed.init_parallel_env()
    return Ranks(distributed.get_rank(), distributed.get_world_size())
