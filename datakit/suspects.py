"""Labels that are probably wrong: where a model contradicts a label and has good reasons to.

A model that reads something else than the label is usually the one that is wrong. What tells the two cases
apart is weighed here as a logistic sum of evidence, after everything that a rule of labelling explains (case,
spaces, width) has been looked through:

- how sure the model was, at the characters in question and in all;
- how usual this confusion is for this model on this very set (the line itself not counted);
- which of the two texts looks more like the set's other labels: n-grams of characters, digits alike;
- whether the text, or the label, is that of a line near by (a label that slipped to another line);
- the kind of the difference: neighbours swapped, characters only missing or only added, repeats, line ends.

The weights come from errors planted into the labels of receipt lines and scene words that PP-OCRv3 had read
(``benchmarks/bench_suspects.py --fit``); other lines of these sources measure them. Only confident readings
are judged at all.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import mul
from typing import Any, cast

from rapidfuzz.distance import Levenshtein

from datakit.label_rules import folded_wide
from datakit.records import Prediction

# A model this unsure of a line says nothing about its label.
LEAST_SCORE = 0.6
# Log odds from which a label counts as suspect: about one in four of the lines there is an unfounded one.
SUSPECT = -1.0
ORDER = 5
LEARNT_LINES = 20_000
MOST_TEXTS = 200_000
# Bounds of the two features of plausibility, and where they stand among FEATURES.
MOST_GAIN, MOST_GAIN_PER_CHAR, GAIN = 12.0, 3.0, 5
# What a second model's agreement is worth, in log odds; set by hand.
SECOND_AGREES, SECOND_CONTRADICTS = 3.0, -4.0

FEATURES = (
    "bias", "score_at_edits", "score", "surprise_mean", "surprise_sum", "gain", "gain_per_char", "share",
    "log_edits", "swapped", "only_missing", "only_added", "text_seen", "label_seen", "text_near",
    "label_near", "repeat", "alnum", "ends", "lowest_score", "digits",
)  # fmt: skip
# Weights of FEATURES for small differences (two edits and half of the text at most), and for larger ones.
SMALL = (
    -8.766, 0.245, 0.212, 0.150, 0.232, 0.117, 0.145, 1.325, 0.476, 2.371, 2.460, 2.578, 0.671, -0.810,
    3.741, -0.655, -0.746, 0.396, -0.213, 0.143, 0.938,
)  # fmt: skip
LARGE = (
    -6.957, 0.270, 0.490, 0.217, 0.063, 0.085, 0.192, 0.830, 0.919, 4.151, -0.331, 2.396, -0.182, -0.198,
    1.697, 3.070, -0.198, -0.008, -0.532, 0.145, 0.249,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Suspicion:
    """How probably a label is wrong: ``log_odds`` of the weighed evidence, and the main reasons in words."""

    log_odds: float
    reasons: tuple[str, ...]

    @property
    def probability(self) -> float:
        """0..1; calibrated on sets with 2 % planted errors, so a rank rather than a truth."""
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, self.log_odds))))

    @property
    def suspect(self) -> bool:
        """Whether the line is worth a look."""
        return self.log_odds >= SUSPECT


def _shape(text: str) -> str:
    """Digits made equal: an amount looks like an amount whatever its figures."""
    return "".join(["0" if char.isdigit() else char for char in text]) if _has_digit(text) else text


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


class Plausibility:
    """Which texts look like the labels of a set: counts of n-grams, interpolated from long to short.

    The count of a context is smoothed with the next shorter one (weight ``K``), as Dirichlet smoothing does.
    """

    K = 3.0

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._chars = 0

    def learn(self, texts: Sequence[str]) -> None:
        """Count the n-grams of folded labels."""
        for text in texts:
            fenced = f"\x02{_shape(text)}\x03"
            self._chars += len(fenced)
            for size in range(1, ORDER + 1):
                self._counts.update([fenced[i : i + size] for i in range(len(fenced) - size + 1)])

    def gain(self, label: str, text: str) -> float:
        """Log probability of ``text`` over that of ``label``, whose own n-grams are not counted.

        Only characters that the two do not share at their ends, and those whose context reaches there, are
        looked at: the rest cancels.
        """
        own, other = f"\x02{_shape(label)}\x03", f"\x02{_shape(text)}\x03"
        start, least = 0, min(len(own), len(other))
        while start < least and own[start] == other[start]:
            start += 1
        tail = 0
        while tail < least - start and own[-1 - tail] == other[-1 - tail]:
            tail += 1
        reach = max(0, tail - ORDER + 1)
        return self._log(other, start, len(other) - reach, own) - self._log(own, start, len(own) - reach, own)

    def _log(self, text: str, start: int, stop: int, own: str) -> float:
        # Half of the time that it takes to look for suspects: no call that is not needed.
        counts, own_count, weight = self._counts.get, own.count, self.K
        total, characters = 0.0, self._chars + 200
        for i in range(max(1, start), stop):
            char = text[i]
            hits = counts(char, 0)
            if hits:
                hits -= own_count(char)
            chance = (hits + 1 if hits > 0 else 1) / characters
            for first in range(i - 1, max(-1, i - ORDER), -1):
                context = text[first:i]
                seen = counts(context, 0)
                if not seen:
                    break
                seen -= own_count(context)
                if seen <= 0:
                    break
                gram = text[first : i + 1]
                hits = counts(gram, 0)
                if hits:
                    hits -= own_count(gram)
                chance = ((hits if hits > 0 else 0) + weight * chance) / (seen + weight)
            total += math.log(chance)
        return total


Edit = tuple[str, int, int]


def edits_of(label: str, text: str) -> list[Edit]:
    """(replace, delete or insert; index in label; index in text) of a cheapest alignment."""
    return cast("list[Edit]", Levenshtein.editops(label, text).as_list())


def _pair(edit: Edit, label: str, text: str) -> tuple[str, str]:
    tag, i, j = edit
    return (label[i] if tag != "insert" else "", text[j] if tag != "delete" else "")


@dataclass(slots=True)
class Evidence:
    """What a set says about its model and its labels: fed with every line, then asked about some.

    Memory: 8 bytes a line, and tables that stop growing (:data:`LEARNT_LINES`, :data:`MOST_TEXTS`).
    """

    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    occurrences: Counter[str] = field(default_factory=Counter)
    characters: int = 0
    texts: Counter[str] = field(default_factory=Counter)
    hashes: array[int] = field(default_factory=lambda: array("q"))
    plausibility: Plausibility = field(default_factory=Plausibility)

    def observe_labels(self, labels: Sequence[str]) -> None:
        """Take in the folded labels of the next lines, right or wrong."""
        room = max(0, LEARNT_LINES - len(self.hashes))
        self.plausibility.learn(labels[:room])
        self.hashes.extend(map(hash, labels))
        if len(self.texts) >= MOST_TEXTS:
            labels = [label for label in labels if label in self.texts]
        self.texts.update(labels)

    def observe_edits(self, label: str, text: str, edits: Sequence[Edit]) -> None:
        """Take in how a folded reading differs from its folded label."""
        if text and not is_far(label, text, edits):
            for edit in edits:
                self.pairs[_pair(edit, label, text)] += 1

    def count_characters(self, text: str) -> None:
        """Count the characters of folded labels, several at once if joined."""
        self.occurrences.update(text)
        self.characters += len(text)

    def near(self, index: int, text: str) -> bool:
        """Whether one of the two lines before or after line ``index`` (from 0) is labelled ``text``."""
        wanted, hashes = hash(text), self.hashes
        return any(
            hashes[other] == wanted
            for other in (index - 2, index - 1, index + 1, index + 2)
            if 0 <= other < len(hashes)
        )

    def surprise(self, pair: tuple[str, str], counted: bool) -> float:
        """-log of how often the model makes this confusion; ``counted``: this line is among the counts."""
        # get: a Counter's own look-up of what it lacks is slow.
        occurrences = self.occurrences.get(pair[0], 0) if pair[0] else self.characters
        chance = (max(0, self.pairs.get(pair, 0) - counted) + 0.2) / (occurrences + 5)
        return max(0.0, min(9.0, -math.log(chance)))


def is_far(label: str, text: str, edits: Sequence[Edit]) -> bool:
    """Whether more than half of the longer text differs: no confusion of characters, but another text."""
    return 2 * len(edits) > max(len(label), len(text))


def _logit(score: float) -> float:
    score = min(0.999, max(0.02, score))
    return math.log(score / (1 - score))


def _scores(prediction: Prediction, folded: str) -> Sequence[float]:
    """One score a character of the folded text; the line's own where there is none a character."""
    text, scores = prediction.text or "", prediction.char_scores
    if len(scores) == len(text) == len(folded):
        return scores
    if len(scores) == len(text) and text.isascii():
        spread = [score for char, score in zip(text, scores, strict=True) if char != " "]
        if len(spread) == len(folded):
            return spread
    elif len(scores) == len(text):
        spread = [s for char, s in zip(text, scores, strict=True) for _ in folded_wide(char)]
        if len(spread) == len(folded):
            return spread
    return [prediction.score] * len(folded)


def _at_edits(label: str, edits: Sequence[Edit], scores: Sequence[float]) -> float:
    """The lowest score at an edit; at a character that was not read, of what was read beside it."""
    return min(
        min(scores[max(0, j - 1) : j + 1] or [0.5]) if tag == "delete" else scores[j] for tag, _, j in edits
    )


def _repeats(label: str, edits: Sequence[Edit]) -> bool:
    """Whether a missing character stands beside its like, which CTC may merge."""
    return any(
        tag == "delete" and label[i] in (label[i - 1 : i], label[i + 1 : i + 2]) for tag, i, _ in edits
    )


def with_gain(values: list[float], label: str, text: str, evidence: Evidence) -> list[float]:
    """``values`` with the features of how plausible the texts are."""
    gain = evidence.plausibility.gain(label, text)
    per_char = max(-MOST_GAIN_PER_CHAR, min(MOST_GAIN_PER_CHAR, gain / max(len(label), len(text))))
    return [*values[:GAIN], max(-MOST_GAIN, min(MOST_GAIN, gain)), per_char, *values[GAIN + 2 :]]


def features(prediction: Prediction, label: str, text: str, index: int, evidence: Evidence) -> list[float]:
    """The values of :data:`FEATURES` but for plausibility; ``label`` and ``text`` folded, different, not
    empty."""
    edits, scores = edits_of(label, text), _scores(prediction, text)
    far, longest = is_far(label, text, edits), max(len(label), len(text))
    pairs = [_pair(edit, label, text) for edit in edits]
    surprise = [evidence.surprise(pair, not far) for pair in pairs]
    tags = {tag for tag, _, _ in edits}
    at_ends = all(i == 0 or i >= len(label) - 1 for _, i, _ in edits)
    return [
        1.0,
        _logit(_at_edits(label, edits, scores)),
        _logit(prediction.score),
        sum(surprise) / len(surprise),
        min(20.0, sum(surprise)),
        # The two about plausibility, which cost most: see with_gain.
        0.0,
        0.0,
        len(edits) / longest,
        math.log(len(edits)),
        float(len(label) == len(text) and sorted(label) == sorted(text)),
        float(tags == {"delete"}),
        float(tags == {"insert"}),
        min(2.0, math.log(evidence.texts.get(text, 0) + 1)),
        min(2.0, math.log(max(1, evidence.texts.get(label, 0)))),
        float(evidence.near(index, text)),
        float(evidence.near(index, label)),
        float(_repeats(label, edits)),
        sum((a + b).isalnum() for a, b in pairs) / len(pairs),
        float(at_ends),
        _logit(min(scores)),
        sum(_has_digit(a + b) for a, b in pairs) / len(pairs),
    ]


def is_small(values: Sequence[float]) -> bool:
    """Which of the two sets of weights goes with these features."""
    return values[8] <= math.log(2) + 1e-9 and values[7] <= 0.5


def judge(
    prediction: Prediction,
    label: str,
    text: str,
    index: int,
    evidence: Evidence,
    second: str | None = None,
    exact: bool = False,
) -> Suspicion | None:
    """How probably the label is wrong; None where the reading is too unsure, or empty, to tell.

    ``label`` and ``text`` are folded (:func:`datakit.label_rules.folded_wide`) and differ; ``index`` is the
    line's place among those that ``evidence`` has seen; ``second`` the folded reading of another model.
    Unless ``exact``, a line that no plausibility could make suspect is judged without it.
    """
    if prediction.score < LEAST_SCORE or not label or not text:
        return None
    values = features(prediction, label, text, index, evidence)
    weights = SMALL if is_small(values) else LARGE
    extra = SECOND_AGREES if second == text else SECOND_CONTRADICTS if second == label else 0.0
    most = weights[GAIN] * MOST_GAIN + weights[GAIN + 1] * MOST_GAIN_PER_CHAR
    if exact or _weighed(weights, values) + extra + most >= SUSPECT:
        values = with_gain(values, label, text, evidence)
    log_odds = _weighed(weights, values) + extra
    return Suspicion(log_odds, tuple(_reasons(dict(zip(FEATURES, values, strict=True)), second == text)))


def _weighed(weights: Sequence[float], values: Sequence[float]) -> float:
    return math.fsum(map(mul, weights, values))


def _reasons(values: dict[str, float], agreed: bool) -> Iterator[str]:
    if agreed:
        yield "a second model reads the same"
    if values["label_near"]:
        yield "a line near by has this label too"
    if values["text_near"]:
        yield "the text read is the label of a line near by"
    if values["swapped"]:
        yield "same characters in another order"
    if values["gain"] > 3:
        yield "the text read looks more like the other labels"
    if values["surprise_mean"] > 5:
        yield "a confusion that the model does not make elsewhere"
    if values["score_at_edits"] > 2.5:
        yield "read with confidence"


@dataclass(frozen=True, slots=True)
class Suspect:
    """A line whose label is probably wrong."""

    prediction: Prediction
    suspicion: Suspicion

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        p = self.prediction
        return {
            "file": p.file,
            "line": p.line,
            "image": p.image,
            "label": p.label,
            "text": p.text,
            "suspicion": round(self.suspicion.probability, 4),
            "reasons": list(self.suspicion.reasons),
        }


def observe_all(predictions: Iterable[Prediction]) -> Evidence:
    """The evidence of a whole set, for callers that hold it in memory."""
    evidence = Evidence()
    for p in predictions:
        label, text = folded_wide(p.label), folded_wide(p.text or "")
        evidence.observe_labels([label])
        evidence.count_characters(label)
        if p.text is not None and label != text:
            evidence.observe_edits(label, text, edits_of(label, text))
    return evidence


def find_suspects(
    predictions: Sequence[Prediction], *, second: Sequence[Prediction] | None = None, every: bool = False
) -> list[Suspect]:
    """Lines whose label is probably wrong, most suspicious first, then in the order given.

    ``second`` are another model's readings, joined by file and line. ``every`` keeps those that could be
    judged but are not suspect, too.
    """
    evidence = observe_all(predictions)
    others = {(p.file, p.line): folded_wide(p.text or "") for p in second or ()}
    found = []
    for index, p in enumerate(predictions):
        label, text = folded_wide(p.label), folded_wide(p.text or "")
        if label != text:
            verdict = judge(p, label, text, index, evidence, others.get((p.file, p.line)), every)
            if verdict is not None and (every or verdict.suspect):
                found.append(Suspect(p, verdict))
    return sorted(found, key=lambda suspect: -suspect.suspicion.log_odds)
