"""Predictions in, report out: one pass that sums, one over the failures that names them."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from datakit.badcases.alignment import folded_text
from datakit.badcases.characters import CharacterScore, ClusterScore, Confusion
from datakit.badcases.compare import Comparison
from datakit.badcases.inputs.pairs import paired
from datakit.badcases.kinds import KINDS, RARE_LINES, TRAINABLE, Kind, Setting, name_failure
from datakit.badcases.measures import Measures
from datakit.badcases.pictures import MOST_PICTURES, Measure
from datakit.badcases.rules import RuleFinding
from datakit.badcases.slices import Places, Slice
from datakit.badcases.spool import Failed, Spool
from datakit.badcases.tally import Tally
from datakit.badcases.targets import choose_targets, length_shortfall, rule_text, space_shortfall
from datakit.charset import Charset
from datakit.errors import UsageError
from datakit.label_rules import folded_wide
from datakit.metrics import Score
from datakit.records import SCHEMA_VERSION, Prediction, Targets
from datakit.suspects import LEAST_SCORE, Evidence, Suspicion, judge

# Failures of one kind in the JSON report; badcases.jsonl holds all.
CAP = 1000
# Rows of the tables of confusions and characters in the JSON report.
MOST_ROWS = 5000
# Reasons are kept for this many suspects; the odds for all.
MOST_SUSPECTS = 10_000


@dataclass(frozen=True, slots=True)
class Failure:
    """A line that was not read exactly as labelled; ``suspicion`` (0..1) where its label could be judged."""

    kind: Kind
    prediction: Prediction
    suspicion: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        p = self.prediction
        return {
            "kind": self.kind,
            "file": p.file,
            "line": p.line,
            "image": p.image,
            "label": p.label,
            "text": p.text,
            "error": p.error,
            "score": round(p.score, 6),
            "suspicion": None if self.suspicion is None else round(self.suspicion, 4),
        }


@dataclass(frozen=True, slots=True)
class SuspectLine:
    """A failure whose label is probably wrong, with the reasons."""

    failure: Failure
    reasons: tuple[str, ...]


class Failures:
    """All failures in the order of the predictions, read from disk each time they are iterated."""

    def __init__(self, spool: Spool, kinds: list[Kind], odds: array[float]) -> None:
        self._spool, self._kinds, self._odds = spool, kinds, odds

    def __len__(self) -> int:
        return len(self._kinds)

    def __iter__(self) -> Iterator[Failure]:
        for failed, kind, odds in zip(self._spool, self._kinds, self._odds, strict=True):
            yield Failure(kind, failed.prediction, None if math.isnan(odds) else odds)


@dataclass(frozen=True, slots=True)
class BadcaseReport:
    """What a model reads wrong.

    ``kinds`` counts failures by kind (right + all kinds = lines). ``failures`` stand in the order of the
    predictions; ``confusions`` ignore spaces, case and width, ``confusions_as_labelled`` do not; both are
    over the lines that could be read. ``missing`` counts the lines with each character that the dictionary
    lacks. ``rule`` says in words how the counts of ``targets`` came about, ``notes`` what a reader should
    know. ``suspects`` are ranked.
    """

    score: Score
    measures: Measures
    kinds: dict[Kind, int]
    failures: Failures
    characters: tuple[CharacterScore, ...]
    clusters: tuple[ClusterScore, ...]
    confusions: tuple[Confusion, ...]
    confusions_as_labelled: tuple[Confusion, ...]
    missing: dict[str, int]
    slices: tuple[Slice, ...]
    places: Places
    pages: tuple[Slice, ...]
    rules: tuple[RuleFinding, ...]
    suspects: tuple[SuspectLine, ...]
    targets: Targets
    rule: str
    notes: tuple[str, ...] = ()
    comparison: Comparison | None = None

    def trainable(self) -> Iterator[Failure]:
        """The failures that are worth training on, see :data:`datakit.badcases.kinds.TRAINABLE`."""
        return (failure for failure in self.failures if failure.kind in TRAINABLE)

    def to_dict(self) -> dict[str, Any]:
        """The document of ``--json`` and report.json; at most 1,000 failures of a kind."""
        shown: Counter[str] = Counter()
        listed = []
        for failure in self.failures:
            shown[failure.kind] += 1
            if shown[failure.kind] <= CAP:
                listed.append(failure.to_dict())
        return {
            "schema_version": SCHEMA_VERSION,
            "totals": self.score.to_dict(),
            "measures": self.measures.to_dict(),
            "kinds": self.kinds,
            "failures": listed,
            "truncated": any(count > CAP for count in shown.values()),
            "characters": [asdict(character) for character in self.characters[:MOST_ROWS]],
            "clusters": [asdict(cluster) for cluster in self.clusters[:MOST_ROWS]],
            "confusions": [_confusion(confusion) for confusion in self.confusions[:MOST_ROWS]],
            "confusions_as_labelled": [_confusion(c) for c in self.confusions_as_labelled[:MOST_ROWS]],
            "missing_from_dictionary": self.missing,
            "slices": [part.to_dict() for part in self.slices],
            "places": self.places.to_dict(),
            "worst_pages": [page.to_dict() for page in self.pages],
            "labelling_rules": [finding.to_dict() for finding in self.rules],
            "suspects": [{**s.failure.to_dict(), "reasons": list(s.reasons)} for s in self.suspects[:CAP]],
            "targets": [asdict(target) for target in self.targets.targets],
            "length_shortfall": self.targets.length_shortfall,
            "space_shortfall": self.targets.space_shortfall,
            "rule": self.rule,
            "notes": list(self.notes),
            "comparison": None if self.comparison is None else self.comparison.to_dict(),
        }


def _confusion(confusion: Confusion) -> dict[str, Any]:
    return {**asdict(confusion), "rate": confusion.rate.to_dict()}


@dataclass(slots=True)
class _Named:
    """The second pass over the failures."""

    kinds: list[Kind] = field(default_factory=list)
    odds: array[float] = field(default_factory=lambda: array("f"))
    suspects: list[SuspectLine] = field(default_factory=list)

    def add(self, prediction: Prediction, kind: Kind, suspicion: Suspicion | None) -> None:
        self.kinds.append(kind)
        value = float("nan") if suspicion is None else suspicion.probability
        self.odds.append(value)
        if kind == "label-suspect" and suspicion is not None and len(self.suspects) < MOST_SUSPECTS:
            self.suspects.append(SuspectLine(Failure(kind, prediction, value), suspicion.reasons))


def _name_failures(tally: Tally, setting: Setting) -> _Named:
    named = _Named()
    _set_occurrences(tally)
    for failed in tally.spool:
        suspicion = _judged(failed, tally.labels)
        suspect = suspicion is not None and suspicion.suspect
        named.add(failed.prediction, name_failure(failed, setting, suspect), suspicion)
    named.suspects.sort(key=lambda s: -(s.failure.suspicion or 0.0))
    return named


def _set_occurrences(tally: Tally) -> None:
    """Folded characters of all labels, from the counts as labelled: no second count a line."""
    labels = tally.labels
    for char, count in tally.counts.right.items():
        for unit in folded_wide(char):
            labels.occurrences[unit] += count
            labels.characters += count


def _judged(failed: Failed, labels: Evidence) -> Suspicion | None:
    if failed.agreed or failed.prediction.score < LEAST_SCORE or failed.label == failed.text:
        return None
    second = None if failed.second is None else folded_text(failed.second)
    return judge(failed.prediction, failed.label, failed.text, failed.place, labels, second)


def analyse(
    predictions: Iterable[Prediction],
    *,
    charset: Charset | None = None,
    train_lines: Counter[str] | None = None,
    per_char: int = 300,
    max_targets: int = 50,
    max_text_length: int = 25,
    measure: Measure | None = None,
    second: Iterable[Prediction] | None = None,
    comparison: Comparison | None = None,
    seed: int = 0,
) -> BadcaseReport:
    """Align every prediction with its label, name what failed, and derive the targets of the next synth.

    ``train_lines`` counts, for each character, the training lines that contain it. ``per_char`` is the
    number of lines a character should have, ``max_text_length`` the limit of contexts in code points.
    ``measure`` looks at pictures (without it nothing is said of them), ``second`` are another model's
    readings of the same lines, ``comparison`` goes into the report as it is, ``seed`` is the bootstrap's. The
    result is a function of the predictions and their order. Memory does not grow with the lines but for 13
    bytes each; failures are kept in a temporary file.

    Raises:
        UsageError: ``per_char`` or ``max_text_length`` below 1, ``max_targets`` below 0.
    """
    if per_char < 1 or max_text_length < 1 or max_targets < 0:
        raise UsageError("per_char and max_text_length start at 1, max_targets at 0")
    tally = Tally(charset, max_text_length, measure)
    if second is None:
        for prediction in predictions:
            tally.add(prediction)
    else:
        for prediction, other in paired(predictions, second):
            tally.add(prediction, None if other is None else other.text)
    tally.flush()
    scores = tally.counts.scores(train_lines)
    rare = min(per_char, RARE_LINES)
    limits = tally.pictures.limits()
    marks = next((f.main for f in tally.rule_findings() if f.rule == "marks" and f.systematic), "")
    named = _name_failures(tally, Setting(charset, train_lines, rare, max_text_length, limits, marks))
    return _report(tally, named, scores, per_char, max_targets, train_lines is not None, comparison, seed)


def _report(
    tally: Tally,
    named: _Named,
    scores: tuple[CharacterScore, ...],
    per_char: int,
    max_targets: int,
    trained: bool,
    comparison: Comparison | None,
    seed: int,
) -> BadcaseReport:
    by_kind, score = Counter(named.kinds), tally.metric.score()
    missing, slices, rules = tally.missing(), tally.slices.slices(), tally.rule_findings()
    chosen = choose_targets(
        scores, tally.evidence, per_char=per_char, max_targets=max_targets, missing=missing.keys()
    )
    return BadcaseReport(
        score=score,
        measures=tally.metric.measures(seed),
        kinds={kind: by_kind[kind] for kind in KINDS},
        failures=Failures(tally.spool, named.kinds, named.odds),
        characters=scores,
        clusters=tally.counts.cluster_scores(),
        confusions=tally.counts.confusions(folded=True),
        confusions_as_labelled=tally.counts.confusions(folded=False),
        missing=missing,
        slices=(*slices, *tally.pictures.slices()),
        places=tally.slices.places_table(
            score.characters, tally.metric.longer_than(0), tally.metric.longer_than(1)
        ),
        pages=tally.slices.worst_pages(),
        rules=rules,
        suspects=tuple(named.suspects),
        targets=Targets(
            chosen.targets,
            length_shortfall(slices, per_char) if max_targets else {},
            space_shortfall(rules, tally.spaced, tally.space_differs, per_char) if max_targets else 0,
        ),
        rule=rule_text(per_char, max_targets, trained),
        notes=tuple(_notes(tally)),
        comparison=comparison,
    )


def _notes(tally: Tally) -> Iterator[str]:
    if tally.seen.twice:
        yield f"{tally.seen.twice} lines are predicted more than once and counted as often"
    for finding in tally.rule_findings():
        if finding.systematic:
            yield finding.sentence()
    if unseen := tally.pictures.unseen:
        yield (
            f"{unseen:,} of {min(tally.pictures.asked, MOST_PICTURES):,} pictures could not be looked at "
            f"(the first: {tally.pictures.first_unseen}); nothing is said of them. --data-dir names their "
            "folder"
        )
    if tally.measure is not None and tally.pictures.asked > MOST_PICTURES:
        yield (
            f"pictures of the first {MOST_PICTURES:,} lines were measured, of {tally.pictures.asked:,}: no "
            "later line is called poor, cut, turned or squeezed for its picture"
        )
