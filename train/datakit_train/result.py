"""What a fine-tuning run came to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datakit.metrics import Score
from datakit_train.gate import Candidate, Change, changes

_COUNTS = ("lines", "exact", "exact_folded", "edits", "characters", "unreadable")


@dataclass(frozen=True, slots=True)
class Result:
    """What came out: the base, every candidate, the one that was kept, and whether it beats the base."""

    base: Candidate
    candidates: tuple[Candidate, ...]
    chosen: Candidate
    model: Path
    steps: int
    seconds: float
    trained_lines: int
    dropped_lines: int
    refused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def changes(self) -> dict[str, dict[str, Change]]:
        """By candidate and set, against the base; of candidates that were scored by this process."""
        found = {candidate.name: changes(self.base, candidate) for candidate in self.candidates}
        return {name: sets for name, sets in found.items() if sets}

    @property
    def improved(self) -> bool:
        """Whether a candidate passed the gate."""
        return self.chosen.name != self.base.name

    def to_dict(self) -> dict[str, Any]:
        """For result.json and ``--json``."""
        return {
            "schema_version": 1,
            "improved": self.improved,
            "chosen": self.chosen.name,
            "base": candidate_dict(self.base),
            "candidates": [candidate_dict(candidate) for candidate in self.candidates],
            "changes": {
                name: {known: change_dict(change) for known, change in sets.items()}
                for name, sets in self.changes.items()
            },
            "refused": {name: list(reasons) for name, reasons in self.refused.items()},
            "model": str(self.model),
            "steps": self.steps,
            "seconds": round(self.seconds, 1),
            "trained_lines": self.trained_lines,
            "dropped_lines": self.dropped_lines,
        }


def candidate_dict(candidate: Candidate) -> dict[str, Any]:
    """A candidate as JSON."""
    return {
        "name": candidate.name,
        "domain": candidate.domain.to_dict(),
        "guards": {name: score.to_dict() for name, score in candidate.guards.items()},
    }


def change_dict(change: Change) -> dict[str, Any]:
    """A change as JSON."""
    return {"won": change.won, "lost": change.lost, "lines": change.lines, "gain": change.gain.to_dict()}


def candidate_of(record: Mapping[str, Any]) -> Candidate:
    """What :func:`candidate_dict` was made from."""
    guards = {name: _score(counts) for name, counts in record["guards"].items()}
    return Candidate(str(record["name"]), _score(record["domain"]), guards)


def _score(counts: Mapping[str, Any]) -> Score:
    return Score(**{name: int(counts[name]) for name in _COUNTS})


def describe(candidate: Candidate) -> str:
    """One line: name, folded accuracy on the domain and every guard set."""
    parts = [
        f"domain {candidate.domain.accuracy_folded:.4f} folded ({candidate.domain.accuracy:.4f} as labelled)"
    ]
    parts += [f"{name} {score.accuracy_folded:.4f}" for name, score in candidate.guards.items()]
    return f"{candidate.name}: " + ", ".join(parts)
