"""Confidence intervals and paired tests, all from counts: nothing here needs a list of the lines.

A set of lines is summed up as cells: how many lines have these values. Drawing lines with replacement is then
one multinomial draw over the cells, which gives exactly the bootstrap's distribution at a cost that does not
grow with the number of lines.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Z95 = 1.959963984540054
DRAWS = 1000
# Draws held at once: cells x 100 whole numbers.
_BLOCK = 100


@dataclass(frozen=True, slots=True)
class Interval:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float]:
        """For JSON."""
        return {"value": round(self.value, 6), "low": round(self.low, 6), "high": round(self.high, 6)}


def wilson(hits: int, total: int, z: float = Z95) -> Interval:
    """Wilson's score interval of ``hits`` in ``total``; 0..1 where there is nothing."""
    if total <= 0:
        return Interval(0.0, 0.0, 1.0)
    share, zz = hits / total, z * z / total
    middle = (share + zz / 2) / (1 + zz)
    half = z / (1 + zz) * math.sqrt(share * (1 - share) / total + zz / (4 * total))
    low = 0.0 if hits <= 0 else middle - half
    high = 1.0 if hits >= total else middle + half
    return Interval(share, low, high)


def bootstrap_ratio(
    cells: Sequence[tuple[float, float, int]], *, seed: int = 0, draws: int = DRAWS
) -> Interval:
    """The ratio of two sums over lines with the 2.5 % and 97.5 % quantiles of its bootstrap.

    ``cells`` holds (numerator of a line, denominator of a line, lines). A draw whose denominator is 0 counts
    as 0. The same cells in the same order and ``seed`` give the same interval.
    """
    import numpy as np

    numbers = np.array([cell[2] for cell in cells], dtype=np.int64)
    lines = int(numbers.sum()) if len(cells) else 0
    if not lines:
        return Interval(0.0, 0.0, 0.0)
    tops = np.array([cell[0] for cell in cells], dtype=np.float64)
    bottoms = np.array([cell[1] for cell in cells], dtype=np.float64)
    rng = np.random.default_rng(seed)
    ratios = []
    for start in range(0, draws, _BLOCK):
        drawn = rng.multinomial(lines, numbers / lines, size=min(_BLOCK, draws - start))
        top, bottom = drawn @ tops, drawn @ bottoms
        ratios.append(np.divide(top, bottom, out=np.zeros_like(top), where=bottom != 0))
    low, high = np.quantile(np.concatenate(ratios), [0.025, 0.975])
    bottom_sum = float(numbers @ bottoms)
    value = float(numbers @ tops) / bottom_sum if bottom_sum else 0.0
    return Interval(value, float(low), float(high))


def mcnemar(better: int, worse: int) -> float:
    """The two-sided exact p-value that lines turn right and wrong equally often; 1 where none turned.

    The binomial test of McNemar's discordant pairs; sums logarithms, so that no count is too large.
    """
    turned, least = better + worse, min(better, worse)
    if turned == 0:
        return 1.0
    whole = math.lgamma(turned + 1) - turned * math.log(2)
    terms = [whole - math.lgamma(i + 1) - math.lgamma(turned - i + 1) for i in range(least + 1)]
    top = max(terms)
    return min(1.0, 2 * math.exp(top) * math.fsum(math.exp(term - top) for term in terms))
