"""When the rounds are over before all are done."""

from __future__ import annotations

from collections.abc import Sequence

from datakit.loop.plan import LoopPlan
from datakit.loop.summary import RoundSummary


def reason_to_stop(plan: LoopPlan, rows: Sequence[RoundSummary], spent: float) -> str | None:
    """A sentence if no further round shall begin, else None.

    ``rows`` are those so far, the base first; ``spent`` are the seconds of all starts. The domain's accuracy
    is that on ``val``: the test sets decide nothing.
    """
    last = rows[-1]
    if plan.target_accuracy is not None and last.val is not None and last.val >= plan.target_accuracy:
        return f"target: {last.val:.4f} folded on val, {plan.target_accuracy:g} was asked for"
    if plan.patience is not None:
        without = 0
        for row in rows[1:]:
            without = 0 if row.promoted else without + 1
        if without >= plan.patience:
            return f"patience: {without} rounds in a row without a gain"
    if plan.budget_minutes is not None:
        return _over_budget(plan.budget_minutes, rows, spent)
    return None


def _over_budget(minutes: float, rows: Sequence[RoundSummary], spent: float) -> str | None:
    """Also when a round as long as the longest so far would not fit."""
    longest = max((row.seconds for row in rows[1:]), default=0.0)
    if spent + longest <= 60 * minutes and spent < 60 * minutes:
        return None
    more = f", and a round took up to {longest / 60:.1f}" if longest else ""
    return f"budget: {spent / 60:.1f} of {minutes:g} minutes are spent{more}"
