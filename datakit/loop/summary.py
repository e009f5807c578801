"""The rows of the loop's table, as records and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class RoundSummary:
    """One row of the table.

    ``scores`` by set name; ``promoted`` says whether the round's model is the start of the next one; ``val``
    is the folded accuracy of the kept model on the validation set (None: not measured); ``steps`` are the
    seconds of each step over all starts, ``seconds`` their sum; ``refused`` says why candidates were not
    taken.
    """

    number: int
    promoted: bool
    candidate: str
    targets: tuple[str, ...]
    scores: Mapping[str, Mapping[str, Any]]
    seconds: float
    model: str
    val: float | None = None
    steps: Mapping[str, float] = field(default_factory=dict)
    refused: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """For round.json, loop.json and ``--json``."""
        return {
            "round": self.number,
            "promoted": self.promoted,
            "candidate": self.candidate,
            "refused": list(self.refused),
            "targets": list(self.targets),
            "val": self.val,
            "scores": dict(self.scores),
            "seconds": self.seconds,
            "steps": dict(self.steps),
            "model": self.model,
        }


def summary_from(document: Mapping[str, Any]) -> RoundSummary:
    """The row that :meth:`RoundSummary.to_dict` wrote."""
    return RoundSummary(
        number=int(document["round"]),
        promoted=bool(document["promoted"]),
        candidate=str(document["candidate"]),
        targets=tuple(document["targets"]),
        scores=document["scores"],
        seconds=float(document["seconds"]),
        model=str(document["model"]),
        val=document["val"],
        steps=document["steps"],
        refused=tuple(document["refused"]),
    )


@dataclass(frozen=True, slots=True)
class LoopResult:
    """All rounds, the base as round 0; ``stopped`` says why there are fewer than asked for, if so."""

    rounds: tuple[RoundSummary, ...]
    model: str
    out: Path
    stopped: str | None = None

    @property
    def improved(self) -> bool:
        """Whether any round was promoted."""
        return any(row.promoted for row in self.rounds[1:])

    def to_dict(self) -> dict[str, Any]:
        """For loop.json and ``--json``."""
        return {
            "schema_version": 1,
            "model": self.model,
            "stopped": self.stopped,
            "rounds": [row.to_dict() for row in self.rounds],
        }
