"""Distance from a reference set."""

from __future__ import annotations

import math
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datakit.audit.distance import (
    CONTRAST_EDGES,
    HEIGHT_EDGES,
    LENGTH_EDGES,
    SHARPNESS_EDGES,
    aspect,
    bin_names,
    binned,
    distance,
    distance_lines,
    divergence,
)
from datakit.audit.distance_checks import DISTANCE_CHECKS
from datakit.audit.measures import MEASURE_CHECKS, measure, set_findings
from datakit.audit.settings import Settings
from datakit.audit.stats import PictureStats, SourceStats, TextStats
from datakit.labels import read_rec

REALDATA = Path(os.environ.get("DATAKIT_REALDATA", Path(__file__).parents[2].parent / "shared/data"))


def texts(labels):
    lines_with = Counter(char for text in labels for char in set(text))
    return TextStats(
        len(labels),
        Counter("".join(labels)),
        lines_with,
        lines_with,
        Counter(map(len, labels)),
        sum(" " in text for text in labels),
        sum(len(text.split()) for text in labels),
    )


def pictures(count, *, height=48, sharpness=500.0, contrast=0.5):
    whole, real = np.full(count, height, np.int32), np.ones(count, np.float32)
    return PictureStats(whole * 5, whole, whole, real * sharpness, real * contrast)


def codes(found):
    return [code for code, check in DISTANCE_CHECKS.items() if list(check.run(found))]


def test_equal_distributions_are_at_zero_and_disjoint_ones_at_one():
    assert divergence(np.array([1.0, 3.0]), np.array([10.0, 30.0])).sum() == 0
    assert divergence(np.array([1.0, 0.0]), np.array([0.0, 9.0])).sum() == 1


def test_a_divergence_by_hand():
    bits = divergence(np.array([1.0, 1.0]), np.array([1.0, 0.0]))
    assert bits[0] == pytest.approx((0.5 * math.log2(0.5 / 0.75) + math.log2(1 / 0.75)) / 2)
    assert bits[1] == pytest.approx(0.5 * 1 / 2)


def test_an_empty_distribution_is_an_error():
    with pytest.raises(ValueError, match="empty"):
        divergence(np.zeros(2), np.ones(2))


counts = st.lists(st.integers(0, 1000), min_size=2, max_size=20).filter(sum)


@given(counts, counts, counts)
def test_it_is_a_metric_between_zero_and_one(a, b, c):
    size = max(map(len, (a, b, c)))
    vectors = [np.array(v + [0] * (size - len(v)), float) for v in (a, b, c)]
    keys = [str(i) for i in range(size)]
    ab, ba, bc, ac = (
        aspect("x", keys, vectors[i], vectors[j]).distance for i, j in ((0, 1), (1, 0), (1, 2), (0, 2))
    )
    assert ab == pytest.approx(ba, abs=1e-7)
    assert 0 <= ab <= 1
    # Rounding near zero is as large as the root of a float's last bit.
    assert ac <= ab + bc + 1e-7


def test_two_halves_of_one_distribution_are_at_about_chance():
    generator = np.random.default_rng(1)
    share = generator.dirichlet(np.ones(100))
    found = [
        aspect(
            "x",
            [str(i) for i in range(100)],
            generator.multinomial(20_000, share).astype(float),
            generator.multinomial(3000, share).astype(float),
        )
        for _ in range(20)
    ]
    mean = sum(one.distance for one in found) / len(found)
    assert mean == pytest.approx(found[0].chance, rel=0.1)
    assert max(one.excess for one in found) < 0.04


def test_bins_take_their_lower_edge():
    assert binned(np.array([0, 4, 5, 6, 7, 25, 26, 500]), LENGTH_EDGES).tolist() == (
        [1, 0, 0, 0, 1, 2, 1, 0, 0, 0, 1, 1, 0, 0, 0, 1]
    )
    assert binned(np.array([-1.0, 0.049, 0.05, 1.0]), CONTRAST_EDGES)[[0, 1, 19]].tolist() == [2, 1, 1]


def test_bins_are_named_by_what_they_hold():
    assert bin_names(LENGTH_EDGES)[:8] == ["0", "1", "2", "3", "4", "5-6", "7-8", "9-11"]
    assert bin_names(CONTRAST_EDGES)[:2] == ["0-0.05", "0.05-0.1"]
    assert bin_names(SHARPNESS_EDGES)[-1] == "32768+"
    assert len(bin_names(HEIGHT_EDGES)) == len(HEIGHT_EDGES)


def test_over_and_under_name_what_differs():
    found = distance((texts(["aaab"] * 50), None), (texts(["abbc"] * 50), None))
    characters = found.aspects["characters"]
    assert [(part.key, part.ours, part.reference) for part in characters.over] == [("a", 0.75, 0.25)]
    assert [part.key for part in characters.under] == ["c", "b"]
    assert found.unseen == (("c", 50),)
    assert found.aspects["heights"] is None
    total = sum(part.bits for part in (*characters.over, *characters.under))
    assert characters.distance == pytest.approx(math.sqrt(total))


def test_the_same_set_has_no_finding():
    side = (texts(["ab cd", "x"] * 50), pictures(100))
    found = distance(side, side)
    assert [one.distance for one in found.aspects.values()] == [0] * 5
    assert codes(found) == []
    assert len(distance_lines(found)) == 5


def test_every_aspect_has_its_finding():
    ours = (texts(["abcdefghijkl"] * 100), pictures(100))
    other = (texts(["1 2"] * 100), pictures(100, height=10, sharpness=5.0, contrast=0.1))
    assert codes(distance(ours, other)) == list(DISTANCE_CHECKS)


def test_shares_are_reported_below_half_of_the_reference():
    ours = texts(["abcdefgh"] * 80 + ["a b"] * 20)
    assert "reference-short" in codes(distance((ours, None), (texts(["abcdefgh"] * 50 + ["a b"] * 50), None)))
    close = distance((ours, None), (texts(["abcdefgh"] * 61 + ["a b"] * 39), None))
    assert not {"reference-short", "reference-spaces"}.intersection(codes(close))


def test_a_handful_of_lines_tells_nothing():
    found = distance((texts(["aaaaaaa"] * 19), None), (texts(["b"] * 100), None))
    assert codes(found) == ["reference-unseen"]


def test_messages_name_the_space():
    found = distance((texts(["a b"] * 50), None), (texts(["ab"] * 50), None))
    assert "more space" in distance_lines(found)[0]


def test_measures_give_findings_of_the_registry_in_its_order():
    own = [SourceStats("a.txt", "", 1.0, 100, 100)]
    measures = measure(
        texts(["a b"] * 100), None, Settings(), sources={"rec": own}, reference=(texts(["xy"] * 100), None)
    )
    found = [code for code, _ in set_findings(measures)]
    assert found == [code for code in MEASURE_CHECKS if code in found]
    assert found[:3] == ["chars-under-200", "chars-under-300", "guide-rec-size"]
    assert "reference-characters" in found
    assert len(measures.lines()) == 8
    assert measures.to_dict()["epochs"][0]["domain"] == 100


def test_a_set_without_recognition_lines_is_measured_by_its_pages_only():
    pages = [SourceStats("d.txt", "", 1.0, 20, 20)]
    measures = measure(texts([]), None, Settings(), sources={"rec": [], "det": pages})
    assert [code for code, _ in set_findings(measures)] == ["guide-det-size"]
    assert measures.to_dict()["balance"] is None


@pytest.mark.realdata
@pytest.mark.skipif(not REALDATA.is_dir(), reason=f"no real data at {REALDATA} (set DATAKIT_REALDATA)")
def test_thresholds_part_sources_and_not_halves_of_one():
    sets = ("receipts/rec", "general/rec", "general/rec_books", "chinese/rec", "chinese/plates")
    sides = {
        name: tuple(
            (texts([line.text for line in read_rec(REALDATA / f"{name}_{part}.txt")[0]]), None)
            for part in ("train", "val")
        )
        for name in sets
    }
    for ours, (train, _) in sides.items():
        for other, (_, val) in sides.items():
            found = {"reference-characters", "reference-lengths"}.intersection(codes(distance(train, val)))
            assert len(found) == (0 if ours == other else 2), (ours, other)
