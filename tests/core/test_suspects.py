"""Suspicion of labels: planted errors rise above the mistakes that a model makes anyway."""

import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from datakit.records import Prediction, read_predictions
from datakit.suspects import FEATURES, LARGE, SMALL, find_suspects

WORDS = ("TOTAL", "CASH", "CHANGE", "AMOUNT", "INVOICE", "RECEIPT", "THANK", "YOU", "ROUNDING", "TAX", "DATE")


def read_set(lines=400, seed=3):
    """Lines that a model reads as such models do: spaces and case go, O becomes 0 with little confidence."""
    rng = random.Random(seed)
    records = []
    for n in range(lines):
        label = (
            " ".join(rng.choices(WORDS, k=rng.randint(1, 3))) + f" {rng.randint(1, 99)}.{rng.randint(10, 99)}"
        )
        text = label.title() if n % 3 else label.replace(" ", "")
        scores = [0.99] * len(text)
        if n % 7 == 0 and "o" in text.lower():
            at = text.lower().index("o")
            text, scores[at] = text[:at] + "0" + text[at + 1 :], 0.55
        score = sum(scores) / len(scores)
        records.append(Prediction("l.txt", n + 1, f"{n}.jpg", label, text, None, score, tuple(scores)))
    return records


def test_a_labelling_rule_and_usual_mistakes_are_no_suspects():
    assert find_suspects(read_set()) == []


def test_planted_errors_come_first():
    records = read_set()
    planted = {10: "swap", 95: "drop", 200: "neighbour", 301: "insert"}
    label = records[10].label
    records[10] = replace(records[10], label=label[1] + label[0] + label[2:])
    records[95] = replace(records[95], label=records[95].label[:1] + records[95].label[2:])
    records[200] = replace(records[200], label=records[199].label)
    records[301] = replace(records[301], label=records[301].label[:3] + "Q" + records[301].label[3:])
    first = find_suspects(records, every=True)[:4]
    assert {s.prediction.line - 1 for s in first} == set(planted)
    assert all(s.suspicion.reasons for s in first)


def test_a_second_model_decides():
    records = read_set()
    label = records[95].label
    records[95] = replace(records[95], label=label[:1] + label[2:])
    place = {s.prediction.line: s.suspicion.log_odds for s in find_suspects(records, every=True)}
    with_it = [replace(records[95], text=label)]
    against = [replace(records[95], text=records[95].label)]
    for second, change in ((with_it, 3.0), (against, -4.0)):
        other = {s.prediction.line: s.suspicion for s in find_suspects(records, second=second, every=True)}
        assert other[96].log_odds == pytest.approx(place[96] + change)
    assert "a second model reads the same" in find_suspects(records, second=with_it)[0].suspicion.reasons


def test_what_is_not_sure_or_empty_is_never_judged():
    unsure = Prediction("l", 1, "i", "TOTAL", "CASH", None, 0.59, (0.59,) * 4)
    empty = Prediction("l", 2, "i", "TOTAL", "", None, 0.99)
    unread = Prediction("l", 3, "i", "TOTAL", None, "gone")
    assert find_suspects([unsure, empty, unread], every=True) == []


def test_scores_are_found_through_folding():
    # Spaces and a ligature: one score a code point of the text, not of the folded one.
    one = Prediction("l", 1, "i", "office x", "o\ufb03ce y", None, 0.9, (0.9,) * 6)
    assert len(find_suspects([one], every=True)) == 1
    assert len(FEATURES) == len(SMALL) == len(LARGE)


@pytest.mark.realdata
def test_planted_errors_in_real_receipts():
    """70 % of the first N suspects are planted ones; the full figure is benchmarks/bench_suspects.py's."""
    path = Path(os.environ.get("DATAKIT_RECEIPTS_PREDICTIONS", ""))
    if not path.is_file():
        pytest.skip("DATAKIT_RECEIPTS_PREDICTIONS names no predictions of receipts/rec_val")
    records = list(read_predictions(path))
    rng, planted = random.Random(0), set()
    for index in rng.sample(range(1, len(records)), 15):
        records[index] = replace(records[index], label=records[index - 1].label)
        planted.add(records[index].line)
    first = find_suspects(records, every=True)[:15]
    assert sum(s.prediction.line in planted for s in first) >= 0.7 * 15
