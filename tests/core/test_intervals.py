"""Intervals and tests from counts, against figures known from elsewhere."""

import math

import numpy as np
import pytest

from datakit.intervals import Interval, bootstrap_ratio, mcnemar, wilson


def test_wilson_is_what_the_formula_gives():
    # Newcombe 1998, method 3: 81 of 263 and 0 of 20.
    found = wilson(81, 263)
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)
    assert (wilson(0, 20).low, round(wilson(0, 20).high, 4)) == (0.0, 0.1611)
    assert wilson(20, 20).high == 1.0
    assert wilson(0, 0) == Interval(0.0, 0.0, 1.0)


def test_mcnemar_is_the_exact_binomial_test():
    def slow(b, c):
        n = b + c
        return min(1.0, 2 * sum(math.comb(n, i) for i in range(min(b, c) + 1)) / 2**n)

    for b in range(12):
        for c in range(12):
            assert mcnemar(b, c) == pytest.approx(slow(b, c), abs=1e-12)
    assert mcnemar(0, 0) == 1.0
    assert 0 < mcnemar(100_000, 99_000) < 0.03


def test_the_bootstrap_over_cells_is_the_bootstrap_over_lines():
    edits = [0] * 60 + [1] * 25 + [3] * 15
    lengths = [10] * 60 + [12] * 25 + [8] * 15
    cells = [(0, 10, 60), (1, 12, 25), (3, 8, 15)]
    found = bootstrap_ratio(cells, draws=4000)
    rng = np.random.default_rng(1)
    picks = rng.integers(0, 100, size=(4000, 100))
    ratios = np.array(edits)[picks].sum(axis=1) / np.array(lengths)[picks].sum(axis=1)
    low, high = np.quantile(ratios, [0.025, 0.975])
    assert found.value == 70 / 1020
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.004)
    assert bootstrap_ratio(cells, draws=4000) == found
    assert bootstrap_ratio([]) == Interval(0.0, 0.0, 0.0)
