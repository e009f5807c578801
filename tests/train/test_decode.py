from __future__ import annotations

import pytest

from datakit.charset import Charset
from datakit_train.decode import greedy_decode

CHARSET = Charset(("a", "b", "\u6c49"))


@pytest.mark.parametrize(
    ("classes", "text", "scores"),
    [
        ([], "", ()),
        ([0, 0], "", ()),
        ([1, 1, 2], "ab", (0.2, 0.3)),
        ([1, 0, 1], "aa", (0.1, 0.3)),
        ([0, 3, 3, 3, 0], "\u6c49", (0.4,)),
        ([2, 1, 1, 0, 1, 2], "baab", (0.1, 0.3, 0.5, 0.6)),
    ],
)
def test_repeats_collapse_blanks_go_and_the_best_score_stays(
    classes: list[int], text: str, scores: tuple[float, ...]
) -> None:
    given = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6][: len(classes)]
    assert greedy_decode(classes, given, CHARSET) == (text, scores)


def test_a_falling_score_keeps_its_peak() -> None:
    assert greedy_decode([1, 1, 1], [0.9, 0.5, 0.7], CHARSET) == ("a", (0.9,))


def test_one_score_a_code_point_where_an_entry_holds_several() -> None:
    assert greedy_decode([1, 0, 2], [0.5, 1.0, 0.25], Charset(("ffi", "x"))) == (
        "ffix",
        (0.5, 0.5, 0.5, 0.25),
    )


def test_lengths_have_to_agree() -> None:
    with pytest.raises(ValueError, match="zip"):
        greedy_decode([1, 2], [0.5], CHARSET)
