"""How many of the first suspects are wrong labels: errors planted into the labels of lines that were read.

    datakit predict receipts/rec_val.txt --out receipts.jsonl
    python benchmarks/bench_suspects.py receipts.jsonl [--wrong benchmarks/known_wrong_labels.txt]

The readings do not depend on the labels, so the errors go into the label column: of every four, one swap of
neighbouring characters, one character dropped, one inserted (drawn from the set's characters), one label of
the line before or after. Looked at are the first N suspects, N being the number planted. ``planted`` counts
only planted lines as true, so that a label that was wrong before counts against the tool; with ``--wrong`` (a
file of picture paths, one a line, whose labels were found wrong by eye) ``true`` counts those too.

``--fit`` prints the weights for datakit.suspects, fitted on the files given (use other lines to measure).
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from datakit import suspects
from datakit.label_rules import folded_wide
from datakit.records import Prediction, read_predictions

KINDS = ("swap", "drop", "insert", "neighbour")
FIT_RATE, FIT_SEEDS, RIDGE = 0.02, 16, 10.0


def spoiled(kind: str, index: int, predictions: list[Prediction], alphabet: str, rng: random.Random) -> str:
    """The label of line ``index`` with one error."""
    label = predictions[index].label
    if kind == "neighbour":
        other = index + rng.choice((-1, 1))
        return predictions[other if 0 <= other < len(predictions) else 2 * index - other].label
    at = rng.randrange(len(label))
    if kind == "swap":
        return label[:at] + label[at : at + 2][::-1] + label[at + 2 :]
    if kind == "drop":
        return label[:at] + label[at + 1 :]
    return label[:at] + rng.choice(alphabet) + label[at:]


def plant(predictions: list[Prediction], rate: float, seed: int) -> tuple[list[Prediction], dict[int, str]]:
    """The predictions with errors in their labels, and which lines have what."""
    rng = random.Random(seed)
    alphabet = "".join(sorted({char for p in predictions for char in p.label if char != " "}))
    wanted, planted, out = max(1, round(rate * len(predictions))), {}, list(predictions)
    for index in rng.sample(range(len(predictions)), len(predictions)):
        kind = KINDS[len(planted) % len(KINDS)]
        label = spoiled(kind, index, predictions, alphabet, rng) if predictions[index].label else ""
        # What the folded comparison cannot see is no error here.
        if label and folded_wide(label) != folded_wide(predictions[index].label):
            out[index] = replace(predictions[index], label=label)
            planted[index] = kind
        if len(planted) == wanted:
            break
    return out, planted


def measure(predictions: list[Prediction], rate: float, seeds: int, wrong: set[str]) -> None:
    """Print the precision of the first N suspects, mean and range over ``seeds``, and recall by kind."""
    shares, true_shares, hit, total = [], [], Counter[str](), Counter[str]()
    for seed in range(seeds):
        spoilt, planted = plant(predictions, rate, seed)
        first = suspects.find_suspects(spoilt, every=True)[: len(planted)]
        place = {(p.file, p.line): index for index, p in enumerate(spoilt)}
        found = [place[s.prediction.file, s.prediction.line] for s in first]
        shares.append(sum(index in planted for index in found) / len(planted))
        true = sum(index in planted or spoilt[index].image in wrong for index in found)
        true_shares.append(true / len(planted))
        total.update(planted.values())
        hit.update(planted[index] for index in found if index in planted)
    print(f"{predictions[0].file}: {len(predictions)} lines, {len(planted)} planted, {seeds} seeds")
    for name, values in (("planted", shares), ("true", true_shares)):
        low, high = min(values), max(values)
        print(f"  {name:<8} {sum(values) / len(values):.3f} of the first N ({low:.2f} to {high:.2f})")
    print("  found:", ", ".join(f"{kind} {hit[kind] / total[kind]:.2f}" for kind in KINDS if total[kind]))


def examples(predictions: list[Prediction], seed: int) -> tuple[list[list[float]], list[float]]:
    """Features of the judged lines of one planting, and which of them are planted."""
    spoilt, planted = plant(predictions, FIT_RATE, seed)
    evidence, rows, truth = suspects.observe_all(spoilt), [], []
    for index, p in enumerate(spoilt):
        label, text = folded_wide(p.label), folded_wide(p.text or "")
        if label != text and suspects.judge(p, label, text, index, evidence) is not None:
            values = suspects.features(p, label, text, index, evidence)
            rows.append(suspects.with_gain(values, label, text, evidence))
            truth.append(float(index in planted))
    return rows, truth


def logistic(rows: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Weights of a ridge logistic regression, by Newton's method."""
    scale = np.sqrt((rows**2).mean(axis=0)) + 1e-9
    scaled, weights = rows / scale, np.zeros(rows.shape[1])
    ridge = RIDGE * np.eye(len(weights))
    ridge[0, 0] = 1e-3
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(scaled @ weights, -30, 30)))
        slope = scaled.T @ (chance - truth) + ridge @ weights
        curve = (scaled * (chance * (1 - chance))[:, None]).T @ scaled + ridge
        weights -= np.linalg.solve(curve, slope)
    return weights / scale


def fit(sets: list[list[Prediction]]) -> None:
    """Print SMALL and LARGE."""
    gathered = [examples(predictions, seed) for predictions in sets for seed in range(FIT_SEEDS)]
    rows = np.array([row for part, _ in gathered for row in part])
    truth = np.array([value for _, part in gathered for value in part])
    small = np.array([suspects.is_small(row) for row in rows])
    for name, chosen in (("SMALL", small), ("LARGE", ~small)):
        weights = logistic(rows[chosen], truth[chosen])
        print(f"{name} = (" + ", ".join(f"{weight:.3f}" for weight in weights) + ")")


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("predictions", nargs="+", type=Path)
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--wrong", type=Path)
    parser.add_argument("--fit", action="store_true")
    arguments = parser.parse_args()
    sets = [list(read_predictions(path)) for path in arguments.predictions]
    wrong = set(arguments.wrong.read_text().split()) if arguments.wrong else set()
    if arguments.fit:
        fit(sets)
    else:
        for predictions in sets:
            measure(predictions, arguments.rate, arguments.seeds, wrong)


if __name__ == "__main__":
    main()
