"""What the label encoders of PaddleOCR 2.10 make of a text."""

from __future__ import annotations

import pytest

from datakit.charset import Charset
from datakit.encoders import Verdict, ctc_steps_needed, encode_verdict
from datakit.errors import UsageError

CHARSET = Charset(("a", "b", "c", "xy", "", "漢", " "))
ENCODERS = ["ctc", "sar", "nrtr", "multi"]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_whole_cut_and_dropped(encoder: str) -> None:
    assert encode_verdict("ab 漢", CHARSET, encoder=encoder) == Verdict("trained", "ab 漢")
    assert encode_verdict("Axbxyc", CHARSET, encoder=encoder) == Verdict(
        "cut", "bc", ("A", "x", "x", "y"), "not in the dictionary and left out: Axy"
    )
    assert encode_verdict("XYZ", CHARSET, encoder=encoder) == Verdict(
        "dropped", "", ("X", "Y", "Z"), "no character is in the dictionary"
    )
    assert encode_verdict("", CHARSET, encoder=encoder) == Verdict("dropped", "", (), "the text is empty")


@pytest.mark.parametrize(
    ("encoder", "limit", "longest"),
    [("ctc", 25, 25), ("sar", 25, 23), ("nrtr", 25, 23), ("multi", 25, 23), ("ctc", 80, 80), ("sar", 2, 0)],
)
def test_the_longest_text_that_is_trained(encoder: str, limit: int, longest: int) -> None:
    def kind(length: int) -> str:
        return encode_verdict("a" * length, CHARSET, encoder=encoder, max_text_length=limit).kind

    assert kind(longest) == ("trained" if longest else "dropped")
    assert kind(longest + 1) == "dropped"


def test_the_limit_counts_the_text_as_labelled() -> None:
    verdict = encode_verdict("a" * 25 + "?", CHARSET)
    assert (verdict.kind, verdict.reason) == ("dropped", "26 characters, over the limit of 25")

    # The attention encoders count again once the dictionary has cut: 25 as labelled, 23 left.
    assert encode_verdict("a" * 23 + "??", CHARSET, encoder="sar").kind == "cut"
    verdict = encode_verdict("a" * 24 + "?", CHARSET, encoder="sar")
    assert (verdict.kind, verdict.text) == ("dropped", "")
    assert verdict.reason == "24 characters, and the sar encoder keeps at most 23"


def test_an_unknown_encoder() -> None:
    with pytest.raises(UsageError, match="unknown encoder 'attn': one of ctc, sar, nrtr, multi"):
        encode_verdict("a", CHARSET, encoder="attn")


@pytest.mark.parametrize(
    ("labels", "steps"), [([], 0), ([1], 1), ([1, 2, 1], 3), ([1, 1], 3), ([1, 1, 1, 2, 2], 8)]
)
def test_steps_that_ctc_needs(labels: list[int], steps: int) -> None:
    assert ctc_steps_needed(labels) == steps
