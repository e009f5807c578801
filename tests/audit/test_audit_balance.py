"""Balance, lengths and guide, on sets small enough to count by hand."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datakit.audit.balance import SHORT, balance, balance_lines, entropy, gini, script
from datakit.audit.balance_checks import BALANCE_CHECKS
from datakit.audit.stats import TextStats
from datakit.charset import Charset


def texts(labels, kept=None):
    """TextStats of labels, the plain way; ``kept`` says which of them are trained (all)."""
    chosen = labels if kept is None else [text for text, keep in zip(labels, kept, strict=True) if keep]
    return TextStats(
        lines=len(labels),
        occurrences=Counter(char for text in labels for char in text),
        lines_with=Counter(char for text in labels for char in set(text)),
        trained_with=Counter(char for text in chosen for char in set(text)),
        lengths=Counter(map(len, labels)),
        spaced=sum(" " in text for text in labels),
        words=sum(len(text.split()) for text in labels),
    )


def found(code, subject, checks=BALANCE_CHECKS):
    return list(checks[code].run(subject))


def test_entropy_of_even_counts_is_the_logarithm_of_their_number():
    assert entropy([3, 3, 3, 3]) == 2.0
    assert entropy([7, 0]) == 0.0
    assert entropy([]) == 0.0
    assert entropy([1, 3]) == pytest.approx(2 - 0.75 * math.log2(3))


def test_gini_is_nothing_for_equals_and_near_one_for_a_single_owner():
    assert gini([5, 5, 5]) == 0.0
    assert gini([0, 0, 0, 8]) == 0.75
    assert gini([1, 2, 3]) == pytest.approx(2 / 9)
    assert gini([]) == 0.0


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=30))
def test_gini_is_half_the_mean_difference_over_the_mean(counts):
    total, size = sum(counts), len(counts)
    expected = sum(abs(a - b) for a in counts for b in counts) / (2 * size * total) if total else 0.0
    assert gini(counts) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("char", "group"),
    [
        ("a", "Latin"),
        ("é", "Latin"),
        ("д", "Cyrillic"),
        ("中", "CJK"),
        ("ひ", "Hiragana"),
        ("7", "digit"),
        ("$", "symbol"),
        (",", "punctuation"),
        (" ", "space"),
        ("\u0301", "mark"),
        ("\x00", "other"),
    ],
)
def test_script(char, group):
    assert script(char) == group


def test_counts_of_a_small_set():
    counted = balance(texts(["ab", "a b", "abcde", "a"]))
    assert (counted.lines, counted.characters, counted.occurrences) == (4, 6, 11)
    assert counted.words == 5
    assert counted.spaced == 0.25
    assert counted.lengths.mean == 2.75
    assert (counted.lengths.median, counted.lengths.p80, counted.lengths.most) == (2, 5, 5)
    assert counted.lengths.short == 0.75
    assert SHORT == 4
    assert (counted.most, counted.head, counted.tail, counted.least) == (4, 4, 1, 1)
    assert counted.to_dict()["most_to_least"] == 4.0


def test_floors_count_kept_lines_and_say_what_is_missing():
    labels = ["ab"] * 250 + ["a"] * 100 + ["cc"] * 10
    counted = balance(texts(labels, kept=[True] * 350 + [False] * 10))
    under, advice = counted.under
    assert under.chars == (("c", 0),)
    assert (under.missing, under.least) == (200, 200)
    assert advice.chars == (("c", 0), ("b", 250))
    assert (advice.missing, advice.least) == (350, 300)
    assert counted.to_dict()["under"][1]["missing"] == {"c": 300, "b": 50}
    assert counted.to_dict()["head_to_tail"] is None
    assert found("chars-under-200", counted) == [
        "1 of 3 characters stand in fewer than 200 lines, 200 to 200 lines are missing: c:0"
    ]
    assert found("chars-under-300", counted) == [
        "2 of 3 characters stand in fewer than 300 lines, 300 to 350 lines are missing: c:0 b:250"
    ]


def test_enough_lines_give_no_finding():
    counted = balance(texts(["a b"] * 300), Charset(("a", "b", " ")))
    assert [code for code in BALANCE_CHECKS if found(code, counted)] == []


def test_space_and_hidden_characters_are_named():
    message = found("chars-under-200", balance(texts(["a \u200b"])))[0]
    assert message.endswith(": space:1 a:1 <U+200B>:1")


def test_dictionary_characters_never_seen_are_grouped():
    counted = balance(texts(["ab"] * 400), Charset(("a", "b", "c", "中", "文", "1", "", "long", " ")))
    assert counted.dictionary == 7
    assert counted.never_seen == {"CJK": 2, "Latin": 1, "digit": 1, "space": 1}
    assert counted.unseen == 5
    message = "5 of the dictionary's 7 characters are in no label: CJK 2, Latin 1, digit 1, space 1"
    assert found("chars-never-seen", counted) == [message]
    assert "5 of 7 characters never seen" in balance_lines(counted)[-1]


def test_without_a_dictionary_nothing_is_never_seen():
    counted = balance(texts(["ab"]))
    assert counted.never_seen is None
    assert found("chars-never-seen", counted) == []


def test_a_set_without_lines_gives_zeros():
    counted = balance(texts([]))
    assert (counted.lines, counted.most, counted.lengths.most, counted.entropy) == (0, 0, 0, 0.0)
    assert balance_lines(counted)
