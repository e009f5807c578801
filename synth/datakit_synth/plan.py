"""The plan: which lines are drawn, so that every character asked for stands in as many lines as asked.

Corpus lines that hold the character come first, then the contexts of the targets, then corpus words joined to
lines, then strings composed round it. Nothing is rendered here; the same request and seed give the same plan.
"""

from __future__ import annotations

from random import Random

from datakit_synth.ledger import PlannedLine
from datakit_synth.planned import CharPlan, Plan, ShortfallPlan
from datakit_synth.planner import Planner
from datakit_synth.request import SynthRequest
from datakit_synth.texts import Rules

__all__ = ["CharPlan", "Plan", "PlannedLine", "ShortfallPlan", "make_plan"]


def make_plan(request: SynthRequest, rules: Rules, seed: int) -> Plan:
    """Plan a run; ``rules`` know the fonts, the dictionary and the longest line.

    Raises:
        UsageError: an unknown template; fewer lines asked in all than the characters need, or more than
            the sources can give without repeating themselves too often.
        InputError: a corpus or label file that cannot be read or holds no usable line.
    """
    return Planner(request.check(), rules, Random(f"plan:{seed}")).plan()
