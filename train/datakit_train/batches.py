"""Batches of like width: what an epoch draws, in which order, and the arrays of one batch.

Everything here is a function of (seed, epoch, position): a run that is resumed sees the same batches.
"""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from datakit.errors import InputError
from datakit.images import resize_norm
from datakit.line_sets import read_bgr
from datakit.mix import epoch_draws
from datakit_train.framework import available_cores
from datakit_train.ranks import ALONE, Ranks
from datakit_train.recognizer import HEIGHT
from datakit_train.samples import Dropped, Sample, SampleSet

# Threads that decode, and batches that they may be ahead; OpenCV lets go of Python's lock.
_MOST_WORKERS = 4


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """Which samples make a batch: (position in the epoch, sample) pairs, and their common size in px."""

    epoch: int
    width: int
    items: tuple[tuple[int, Sample], ...]
    height: int = HEIGHT


@dataclass(frozen=True, slots=True)
class Batch:
    """``images`` N x 3 x H x W float32, ``labels`` N x L int32 padded with 0, ``lengths`` N int64."""

    images: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int32]
    lengths: npt.NDArray[np.int64]
    broken: tuple[Dropped, ...]


def plan_epoch(samples: SampleSet, *, batch_size: int, seed: int, epoch: int) -> list[BatchPlan]:
    """The batches of one epoch, in random order.

    Every draw of the mix is in exactly one of them; like widths together where ``samples.like_widths``.
    """
    counts = [len(source) for source in samples.samples]
    draws = epoch_draws(samples.mix, counts, seed=seed, epoch=epoch)
    chosen = [samples.samples[source][line] for source, line in draws]
    rng = random.Random(f"batches/{seed}/{epoch}")
    order = list(range(len(chosen)))
    rng.shuffle(order)
    if samples.like_widths:
        # Stable: within a width the order stays random.
        order.sort(key=lambda position: chosen[position].width)
    plans = []
    for start in range(0, len(order), batch_size):
        positions = order[start : start + batch_size]
        width = max(chosen[position].width for position in positions)
        items = tuple((position, chosen[position]) for position in positions)
        plans.append(BatchPlan(epoch, width, items, samples.height))
    rng.shuffle(plans)
    return plans


def load_batch(
    plan: BatchPlan, *, seed: int, augment: bool, chances: Mapping[str, float] | None = None
) -> Batch:
    """Decode, augment and resize; a picture that cannot be decoded is left out and named, never replaced."""
    from datakit.effects import augment_line

    images: list[npt.NDArray[np.float32]] = []
    labels: list[tuple[int, ...]] = []
    broken: list[Dropped] = []
    for position, sample in plan.items:
        rng = random.Random(f"sample/{seed}/{plan.epoch}/{position}")
        path = rng.choice(sample.paths)
        try:
            picture = read_bgr(path)
        except InputError as error:
            broken.append(Dropped(sample.line.file, sample.line.line, str(error)))
            continue
        if augment:
            picture = augment_line(picture, rng, chances)
        images.append(resize_norm(picture, plan.height, plan.width))
        labels.append(sample.labels)
    stacked = np.stack(images) if images else np.zeros((0, 3, plan.height, plan.width), np.float32)
    return Batch(stacked, _pad(labels), np.array([len(x) for x in labels], np.int64), tuple(broken))


def _pad(labels: Sequence[tuple[int, ...]]) -> npt.NDArray[np.int32]:
    padded = np.zeros((len(labels), max(map(len, labels), default=1)), np.int32)
    for row, classes in zip(padded, labels, strict=True):
        row[: len(classes)] = classes
    return padded


def steps_per_epoch(samples: SampleSet, *, batch_size: int, seed: int) -> int:
    """Batches of an epoch; the same for every epoch of a mix."""
    return len(plan_epoch(samples, batch_size=batch_size, seed=seed, epoch=0))


def stream_batches(
    samples: SampleSet,
    *,
    batch_size: int,
    seed: int,
    first_step: int,
    last_step: int,
    augment: bool,
    chances: Mapping[str, float] | None = None,
    ranks: Ranks = ALONE,
) -> Generator[Batch, None, None]:
    """The batches of steps ``first_step`` .. ``last_step`` - 1.

    Threads prepare them ahead while the network computes. Of each this process gets its part.
    """
    plans = _plans(samples, batch_size=batch_size, seed=seed, first_step=first_step, last_step=last_step)
    workers = min(_MOST_WORKERS, available_cores())
    with ThreadPoolExecutor(workers, thread_name_prefix="datakit-batches") as pool:
        pending = []
        for whole in plans:
            plan = replace(whole, items=tuple(ranks.part(whole.items)))
            pending.append(pool.submit(load_batch, plan, seed=seed, augment=augment, chances=chances))
            if len(pending) > workers + 1:
                yield pending.pop(0).result()
        for future in pending:
            yield future.result()


def _plans(
    samples: SampleSet, *, batch_size: int, seed: int, first_step: int, last_step: int
) -> Iterator[BatchPlan]:
    per_epoch = steps_per_epoch(samples, batch_size=batch_size, seed=seed)
    step = first_step
    while step < last_step:
        epoch, offset = divmod(step, per_epoch)
        for plan in plan_epoch(samples, batch_size=batch_size, seed=seed, epoch=epoch)[offset:]:
            if step == last_step:
                return
            yield plan
            step += 1
