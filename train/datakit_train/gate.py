"""Which of several candidates to keep: the best on the domain among those that have not forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from datakit.intervals import Interval, bootstrap_ratio
from datakit.metrics import Score

# The larger of half a point and two lines: below that a guard set cannot tell.
MAX_FORGET = 0.005
FORGET_LINES = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """Weights under trial: a name, their score on the domain, and on every guard set.

    ``right`` says of every line of every set (the domain is "") whether its folded text was read; it is
    not there for scores that come from a file.
    """

    name: str
    domain: Score
    guards: Mapping[str, Score]
    right: Mapping[str, tuple[bool, ...]] = field(default_factory=dict, compare=False, repr=False)


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


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a set: lines that are read now and were not, and the other way round.

    ``gain`` is their difference as a share of the lines, with its 95 % interval by the paired bootstrap.
    """

    won: int
    lost: int
    lines: int
    gain: Interval

    def describe(self) -> str:
        """``+5 of 300 (12 won, 7 lost): +1.7 points, 95 % -1.0 to +4.3``."""
        value, low, high = (
            f"{100 * share:+.1f}" for share in (self.gain.value, self.gain.low, self.gain.high)
        )
        count = f"{self.won - self.lost:+d} of {self.lines} ({self.won} won, {self.lost} lost)"
        return f"{count}: {value} points, 95 % {low} to {high}"


def changes(base: Candidate, candidate: Candidate) -> dict[str, Change]:
    """The change of every set whose lines both know; the domain is ""."""
    return {
        name: _change(before, candidate.right[name])
        for name, before in base.right.items()
        if name in candidate.right
    }


def _change(before: Sequence[bool], after: Sequence[bool]) -> Change:
    pairs = list(zip(before, after, strict=True))
    won, lost = pairs.count((False, True)), pairs.count((True, False))
    cells = [(1.0, 1.0, won), (-1.0, 1.0, lost), (0.0, 1.0, len(pairs) - won - lost)]
    return Change(won, lost, len(pairs), bootstrap_ratio(cells))


def _rank(candidate: Candidate) -> tuple[int, float]:
    return candidate.domain.exact_folded, -candidate.domain.cer


def best_passing(
    base: Candidate, candidates: Sequence[Candidate], max_forget: float = MAX_FORGET
) -> Candidate:
    """The best candidate by folded exact lines on the domain, then CER, that beats ``base`` and passes every
    guard.

    ``base`` itself where none does.
    """
    return max(_passing(base, candidates, max_forget), key=_rank, default=base)


def choose(base: Candidate, candidates: Sequence[Candidate], max_forget: float = MAX_FORGET) -> Candidate:
    """Of the candidates that the domain cannot tell from the best passing one, the one that reads most of
    domain and guards; ``base`` where none passes.

    It cannot where they differ by no more than the larger of half a point and two lines. Then a point of the
    domain counts as one of the guards' mean.
    """
    best = best_passing(base, candidates, max_forget)
    if best is base:
        return base
    least = best.domain.exact_folded - allowed_loss(best.domain.lines)
    near = [c for c in _passing(base, candidates, max_forget) if c.domain.exact_folded >= least]
    return max(near, key=lambda candidate: (_read(candidate), _rank(candidate)))


def _passing(base: Candidate, candidates: Sequence[Candidate], max_forget: float) -> list[Candidate]:
    return [c for c in candidates if not forgotten(base, c, max_forget) and _rank(c) > _rank(base)]


def _read(candidate: Candidate) -> float:
    """Folded accuracy of the domain and the mean of the guards', added up."""
    shares = [score.exact_folded / score.lines for score in candidate.guards.values() if score.lines]
    domain = candidate.domain
    return domain.exact_folded / max(1, domain.lines) + (sum(shares) / len(shares) if shares else 0.0)
