"""What a model read of the audited lines: labels that are probably wrong, and the rules of the labels."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from datakit.audit.check import Check
from datakit.label_rules import RuleShares, folded_wide, rule_shares
from datakit.records import Prediction
from datakit.report.text import shorten, visible
from datakit.suspects import Evidence, Suspect, edits_of, judge


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings of a set: ``lines`` of them, what parts them from the labels of each file, and the labels
    that are probably wrong, most suspicious first.
    """

    lines: int = 0
    unread: int = 0
    shares: Mapping[str, RuleShares] = field(default_factory=dict)
    suspects: tuple[Suspect, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``: counts, and the rules of each file."""
        return {
            "lines": self.lines,
            "unread": self.unread,
            "suspects": len(self.suspects),
            "rules": {file: share.to_dict() for file, share in self.shares.items()},
        }


def weigh(predictions: Iterable[Prediction]) -> Readings:
    """Weigh the readings of one model, in the order of the labels.

    Read once: what is kept are the lines whose text differs from the label under every rule, and 8 bytes for
    every other.
    """
    evidence = Evidence()
    differing: list[tuple[int, Prediction, str, str]] = []
    shares: dict[str, RuleShares] = {}
    observed = _observed(predictions, evidence, differing)
    for file, of_file in itertools.groupby(observed, key=lambda prediction: prediction.file):
        shares[file] = rule_shares(of_file)
    return Readings(
        sum(share.lines for share in shares.values()),
        sum(share.unreadable for share in shares.values()),
        shares,
        tuple(_suspects(differing, evidence)),
    )


def _observed(
    predictions: Iterable[Prediction], evidence: Evidence, differing: list[tuple[int, Prediction, str, str]]
) -> Iterator[Prediction]:
    for index, prediction in enumerate(predictions):
        label, text = folded_wide(prediction.label), folded_wide(prediction.text or "")
        evidence.observe_labels([label])
        evidence.count_characters(label)
        if prediction.text is not None and label != text:
            evidence.observe_edits(label, text, edits_of(label, text))
            differing.append((index, prediction, label, text))
        yield prediction


def _suspects(differing: list[tuple[int, Prediction, str, str]], evidence: Evidence) -> list[Suspect]:
    found = []
    for index, prediction, label, text in differing:
        verdict = judge(prediction, label, text, index, evidence)
        if verdict is not None and verdict.suspect:
            found.append(Suspect(prediction, verdict))
    return sorted(found, key=lambda suspect: -suspect.suspicion.log_odds)


def label_suspect(suspect: Suspect) -> Iterator[str]:
    """What the line is labelled, what is read, and why that weighs."""
    p = suspect.prediction
    reasons = f": {'; '.join(suspect.suspicion.reasons)}" if suspect.suspicion.reasons else ""
    yield (
        f"labelled '{visible(shorten(p.label))}', read '{visible(shorten(p.text or ''))}' "
        f"(score {p.score:.2f}, wrong with {suspect.suspicion.probability:.0%}){reasons}"
    )


READING_CHECKS: dict[str, Check[Suspect]] = {
    "label-suspect": Check(
        label_suspect,
        "warning",
        "Does the label say what a model reads?",
        "A model that is good elsewhere reads something else here with confidence: the label may be wrong, "
        "and training on it teaches the error. Weighed from the scores, from the confusions that the model "
        "makes elsewhere, and from what the other labels look like.",
        "look at the picture, and correct the label if it is wrong",
    ),
}
