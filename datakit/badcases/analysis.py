"""Predictions in, report out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from datakit.badcases.characters import CharacterCounts, CharacterScore, Confusion, confusions
from datakit.badcases.kinds import KINDS, Kind, kind_of
from datakit.badcases.targets import Evidence, choose_targets, rule_text
from datakit.charset import Charset
from datakit.errors import UsageError
from datakit.metrics import RecMetric, Score
from datakit.records import SCHEMA_VERSION, Prediction, Targets

# Failures of one kind in the JSON report; badcases.jsonl holds all.
CAP = 1000


@dataclass(frozen=True, slots=True)
class Failure:
    """A line that was not read exactly as labelled."""

    kind: Kind
    prediction: Prediction

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
        }


@dataclass(frozen=True, slots=True)
class BadcaseReport:
    """What a model reads wrong.

    ``kinds`` counts failures by kind (right + all kinds = lines). ``failures`` stand in the order of the
    predictions; ``confusions`` ignore spaces and case, ``confusions_as_labelled`` do not; both are over the
    lines that could be read. ``missing`` counts the lines with each character that the dictionary lacks.
    ``rule`` says in words how the counts of ``targets`` came about, ``notes`` what a reader should know.
    """

    score: Score
    kinds: dict[Kind, int]
    failures: tuple[Failure, ...]
    characters: tuple[CharacterScore, ...]
    confusions: tuple[Confusion, ...]
    confusions_as_labelled: tuple[Confusion, ...]
    missing: dict[str, int]
    targets: Targets
    rule: str
    notes: tuple[str, ...] = ()

    @property
    def misread(self) -> tuple[Failure, ...]:
        """The failures that are worth training on."""
        return tuple(failure for failure in self.failures if failure.kind == "misread")

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
            "kinds": self.kinds,
            "failures": listed,
            "truncated": any(count > CAP for count in shown.values()),
            "characters": [asdict(character) for character in self.characters],
            "confusions": [asdict(confusion) for confusion in self.confusions],
            "confusions_as_labelled": [asdict(confusion) for confusion in self.confusions_as_labelled],
            "missing_from_dictionary": self.missing,
            "targets": [asdict(target) for target in self.targets.targets],
            "rule": self.rule,
            "notes": list(self.notes),
        }


def analyse(
    predictions: Iterable[Prediction],
    *,
    charset: Charset | None = None,
    train_lines: Counter[str] | None = None,
    per_char: int = 300,
    max_targets: int = 50,
    max_text_length: int = 25,
) -> BadcaseReport:
    """Align every prediction with its label and derive the targets of the next synth.

    ``train_lines`` counts, for each character, the training lines that contain it. ``per_char`` is the
    number of lines a character should have, ``max_text_length`` the limit of contexts in code points. The
    result is a function of the predictions and their order.

    Raises:
        UsageError: ``per_char`` or ``max_text_length`` below 1, ``max_targets`` below 0.
    """
    if per_char < 1 or max_text_length < 1 or max_targets < 0:
        raise UsageError("per_char and max_text_length start at 1, max_targets at 0")
    metric, counts, evidence = RecMetric(), CharacterCounts(), Evidence()
    failures: list[Failure] = []
    missing: Counter[str] = Counter()
    seen: Counter[tuple[str, int]] = Counter()
    for prediction in predictions:
        metric.update(prediction.label, prediction.text)
        seen[prediction.file, prediction.line] += 1
        if charset is not None:
            missing.update(charset.missing(prediction.label))
        kind = kind_of(prediction, charset)
        if kind is not None:
            failures.append(Failure(kind, prediction))
        if prediction.text is not None:
            failed = counts.update(prediction.label, prediction.text)
            evidence.update(prediction.label, failed, max_text_length)
    scores = counts.scores(train_lines)
    by_kind = Counter(failure.kind for failure in failures)
    twice = sum(count > 1 for count in seen.values())
    return BadcaseReport(
        score=metric.summary(),
        kinds={kind: by_kind[kind] for kind in KINDS},
        failures=tuple(failures),
        characters=scores,
        confusions=confusions(counts.folded),
        confusions_as_labelled=confusions(counts.as_labelled),
        missing=dict(sorted(missing.items(), key=lambda item: (-item[1], item[0]))),
        targets=choose_targets(
            scores, evidence, per_char=per_char, max_targets=max_targets, missing=missing.keys()
        ),
        rule=rule_text(per_char, max_targets, train_lines is not None),
        notes=(f"{twice} lines are predicted more than once and counted as often",) if twice else (),
    )
