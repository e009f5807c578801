"""The 80 % rule, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datakit.audit.lengths import (
    LENGTH_CHECKS,
    fit,
    fit_lines,
    padded,
    percentile,
    scaled_widths,
    share_within,
)
from datakit.audit.settings import Settings
from datakit.audit.stats import PictureStats, TextStats


def text_of(lengths):
    return TextStats(sum(lengths.values()), {}, {}, {}, lengths, 0, 0)


def pictures_of(sizes):
    widths, heights = (np.array(column, np.int32) for column in zip(*sizes, strict=True))
    zeros = np.zeros(len(sizes), np.float32)
    return PictureStats(widths, heights, np.ones(len(sizes), np.int32), zeros, zeros)


def codes(fitted):
    return {code: list(check.run(fitted)) for code, check in LENGTH_CHECKS.items() if list(check.run(fitted))}


@given(st.dictionaries(st.integers(0, 50), st.integers(1, 20), min_size=1), st.integers(1, 100))
def test_percentile_is_nearest_rank(counts, percent):
    ordered = [value for value in sorted(counts) for _ in range(counts[value])]
    rank = -(-len(ordered) * percent // 100)
    assert percentile(counts, percent) == ordered[rank - 1]


def test_percentile_of_nothing_is_an_error():
    with pytest.raises(ValueError, match="no entry"):
        percentile({3: 0}, 80)


def test_share_within():
    assert share_within({1: 1, 25: 2, 26: 1}, 25) == 0.75
    assert share_within({}, 25) == 1.0


def test_widths_round_up_as_paddleocr_does():
    assert scaled_widths(pictures_of([(100, 48), (100, 47), (33, 96), (9, 0)]), 48) == {17: 1, 100: 1, 103: 1}
    assert [padded(width) for width in (0, 1, 32, 33, 320)] == [32, 32, 32, 64, 320]


def test_a_set_that_fits_has_no_finding():
    fitted = fit(text_of({5: 16, 30: 4}), pictures_of([(300, 48)] * 16 + [(400, 48)] * 4), Settings())
    assert (fitted.width_share, fitted.length_share) == (0.8, 0.8)
    assert codes(fitted) == {}


def test_a_set_that_does_not_fit_is_told_what_would():
    sizes = [(300, 48)] * 15 + [(401, 48)] * 4 + [(900, 48)]
    fitted = fit(text_of({5: 15, 30: 4, 90: 1}), pictures_of(sizes), Settings())
    assert codes(fitted) == {
        "width-under-80": [
            "75.0% of the pictures fit into 320 px; image_shape [3, 48, 416] holds 80 % (1.3 x the time "
            "a step), [3, 48, 416] holds 95 %"
        ],
        "limit-under-80": [
            "75.0% of the labels have at most 25 characters; max_text_length 30 holds 80 %, 30 holds 95 % "
            "(with image_shape [3, 48, 416])"
        ],
    }
    assert (fitted.cover(99).characters, fitted.cover(99).width) == (90, 928)
    assert fitted.to_dict()["proposed"][0]["image_shape"] == (3, 48, 416)


def test_an_encoder_that_keeps_places_needs_a_larger_limit():
    fitted = fit(text_of({24: 20}), None, Settings(encoder="sar"))
    assert (fitted.limit, fitted.length_share) == (23, 0.0)
    assert fitted.cover(80).max_text_length == 26
    assert list(codes(fitted)) == ["limit-under-80"]
    assert len(fit_lines(fitted)) == 1


def test_proposed_widths_hold_the_proposed_labels():
    fitted = fit(text_of({80: 20}), pictures_of([(320, 48)] * 20), Settings(), repeats=3)
    assert fitted.cover(80).width == 320
    assert fitted.shape_for(80) == (3, 48, 672)
    attention = fit(text_of({80: 20}), pictures_of([(320, 48)] * 20), Settings(encoder="nrtr"))
    assert attention.shape_for(80) == (3, 48, 320)


def test_a_limit_beyond_the_time_steps():
    settings = Settings(max_text_length=41)
    assert codes(fit(text_of({5: 20}), None, settings)) == {
        "limit-over-steps": [
            "max_text_length 41 lets 41 labels through, 320 px give 40 time steps: 352 px are needed"
        ]
    }
    assert codes(fit(text_of({5: 20}), None, Settings(max_text_length=40))) == {}
    assert codes(fit(text_of({5: 20}), None, Settings(max_text_length=41, encoder="nrtr"))) == {}


def test_a_handful_of_lines_sets_no_rule():
    assert codes(fit(text_of({90: 19}), pictures_of([(900, 48)] * 19), Settings())) == {}
