from __future__ import annotations

import random
from fractions import Fraction

import jiwer
import pytest

from datakit.metrics import RecMetric, Score, fold, score_pairs


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("", ""),
        ("Total 5.00", "total5.00"),
        (" A  B ", "ab"),
        ("Stra\u00dfe", "strasse"),
        ("\u3000\u6c49", "\u3000\u6c49"),
        ("a\tb", "a\tb"),
    ],
)
def test_folding_takes_case_and_plain_spaces_away_and_nothing_else(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_exact_fractions() -> None:
    score = score_pairs([("abc", "abc"), ("A B", "ab"), ("word", "ward"), ("gone", None)])
    assert score == Score(lines=4, exact=1, exact_folded=2, edits=3 + 1 + 4, characters=14, unreadable=1)
    assert Fraction(score.accuracy) == Fraction(1, 4)
    assert Fraction(score.accuracy_folded) == Fraction(1, 2)
    assert score.cer == 8 / 14
    assert score.to_dict() == {
        "lines": 4,
        "exact": 1,
        "exact_folded": 2,
        "edits": 8,
        "characters": 14,
        "unreadable": 1,
        "accuracy": 0.25,
        "accuracy_folded": 0.5,
        "cer": 0.571429,
    }


def test_an_unreadable_picture_is_never_right_even_where_the_label_is_empty() -> None:
    assert score_pairs([("", None), ("", "")]) == Score(lines=2, exact=1, exact_folded=1, unreadable=1)
    # Folded both are empty; what was not read is not right either.
    assert score_pairs([(" ", None)]).exact_folded == 0


def test_cer_is_a_ratio_of_sums_and_may_exceed_one() -> None:
    assert score_pairs([("a", "xyz"), ("abcdefghi", "abcdefghi")]).cer == 3 / 10
    assert score_pairs([("a", "xyz")]).cer == 3.0
    assert score_pairs([("", "xyz")]) == Score(lines=1, edits=3)


def test_nothing_scored_is_zero_and_not_an_error() -> None:
    score = score_pairs([])
    assert (score.accuracy, score.accuracy_folded, score.cer, score.lines) == (0.0, 0.0, 0.0, 0)


def test_characters_are_code_points() -> None:
    assert score_pairs([("e\u0301", "e")]) == Score(lines=1, edits=1, characters=2)
    assert score_pairs([("\U0001f600", "")]).characters == 1


def test_update_summary_reset() -> None:
    metric = RecMetric()
    metric.update("ab", "ab")
    first = metric.summary()
    metric.update("ab", None)
    assert (first.lines, metric.summary().lines) == (1, 2)
    metric.reset()
    assert metric.summary() == Score()


def test_cer_agrees_with_jiwer() -> None:
    rng = random.Random(4)
    pairs = [
        (
            "".join(rng.choices("abc ", k=rng.randint(1, 12))),
            "".join(rng.choices("abc ", k=rng.randint(0, 12))),
        )
        for _ in range(300)
    ]
    keep = jiwer.Compose([jiwer.ReduceToListOfListOfChars()])
    wanted = jiwer.cer(
        [label for label, _ in pairs],
        [text for _, text in pairs],
        reference_transform=keep,
        hypothesis_transform=keep,
    )
    assert score_pairs(pairs).cer == pytest.approx(wanted, abs=1e-12)
