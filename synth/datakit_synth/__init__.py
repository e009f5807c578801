"""Synthetic text lines: plan, layout, render, degrade, write.

``synthesize(request, out)`` draws a :class:`SynthRequest`; ``prepare`` plans it and draws nothing;
``merge_parts`` joins what several machines drew of one run.
"""

from __future__ import annotations

from datakit_synth.merge import Merged, merge_parts
from datakit_synth.plan import CharPlan, Plan, PlannedLine
from datakit_synth.prepare import Prepared, prepare
from datakit_synth.request import SynthRequest, targets_from_chars
from datakit_synth.run import Slice, SynthResult, synthesize

__all__ = [
    "CharPlan",
    "Merged",
    "Plan",
    "PlannedLine",
    "Prepared",
    "Slice",
    "SynthRequest",
    "SynthResult",
    "merge_parts",
    "prepare",
    "synthesize",
    "targets_from_chars",
]
