"""What one epoch draws from a source, exactly."""

from __future__ import annotations

import random
from collections.abc import Sequence

from datakit.errors import UsageError
from datakit.mix.sources import Mix


def split_ratio(ratio: float) -> tuple[float, ...]:
    """``ratio`` as terms of at most 1: 2.3 -> (1.0, 1.0, 0.3); 0 -> ().

    The rest is rounded to 6 decimals, so that 2.3 - 2 is 0.3 and a draw count does not hang on a float's
    tail.
    """
    whole = int(ratio)
    rest = round(ratio - whole, 6)
    if rest >= 1:
        whole, rest = whole + 1, 0.0
    return (1.0,) * whole + ((rest,) if rest > 0 else ())


def draws_of(lines: int, ratio: float) -> int:
    """How many of ``lines`` lines one epoch draws; rounds each term as PaddleOCR's loader does."""
    return sum(round(lines * term) for term in split_ratio(ratio))


def epoch_draws(mix: Mix, lines_per_source: Sequence[int], *, seed: int, epoch: int) -> list[tuple[int, int]]:
    """The (source index, line index) pairs of one epoch, both from 0, source by source and not shuffled.

    A whole term of a ratio takes every line; a fraction is drawn without replacement, anew each epoch. The
    result is a function of the arguments alone.

    Raises:
        UsageError: ``lines_per_source`` has not one count a source.
    """
    if len(lines_per_source) != len(mix.sources):
        raise UsageError(f"{len(lines_per_source)} line counts for {len(mix.sources)} sources")
    drawn: list[tuple[int, int]] = []
    for index, (source, lines) in enumerate(zip(mix.sources, lines_per_source, strict=True)):
        # A string seed is hashed by SHA-512, the same in every process and Python version.
        generator = random.Random(f"mix/{seed}/{epoch}/{index}")
        for term in split_ratio(source.ratio):
            chosen = range(lines) if term == 1.0 else generator.sample(range(lines), round(lines * term))
            drawn.extend((index, line) for line in chosen)
    return drawn
