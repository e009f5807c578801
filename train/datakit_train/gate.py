"""Which of several candidates to keep: the best on the domain among those that have not forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from datakit.metrics import Score

# The larger of half a point and two lines: below that a guard set cannot tell.
MAX_FORGET = 0.005
FORGET_LINES = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """Weights under trial: a name, their score on the domain, and on every guard set."""

    name: str
    domain: Score
    guards: Mapping[str, Score]


def allowed_loss(lines: int, max_forget: float = MAX_FORGET) -> float:
    """How many folded-exact lines a guard set of ``lines`` may lose."""
    return max(max_forget * lines, FORGET_LINES)


def forgotten(base: Candidate, candidate: Candidate, max_forget: float = MAX_FORGET) -> tuple[str, ...]:
    """One sentence for every guard set on which ``candidate`` lost more than is allowed."""
    reasons = []
    for name, before in base.guards.items():
        lost = before.exact_folded - candidate.guards[name].exact_folded
        if lost > allowed_loss(before.lines, max_forget):
            allowed = allowed_loss(before.lines, max_forget)
            reasons.append(f"{name}: {lost} of {before.lines} lines lost, {allowed:.1f} allowed")
    return tuple(reasons)


def _rank(candidate: Candidate) -> tuple[int, float]:
    return candidate.domain.exact_folded, -candidate.domain.cer


def choose(base: Candidate, candidates: Sequence[Candidate], max_forget: float = MAX_FORGET) -> Candidate:
    """The best candidate by folded exact lines on the domain, then CER, that beats ``base`` and passes every
    guard.

    ``base`` itself where none does.
    """
    passing = [c for c in candidates if not forgotten(base, c, max_forget) and _rank(c) > _rank(base)]
    return max(passing, key=_rank, default=base)
