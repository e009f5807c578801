"""Synthetic text lines: plan, layout, render, degrade, write.

``synthesize(request, out)`` draws a :class:`SynthRequest`; ``prepare`` plans it and draws nothing.
"""

from __future__ import annotations

from datakit_synth.plan import CharPlan, Plan, PlannedLine
from datakit_synth.request import SynthRequest, targets_from_chars
from datakit_synth.run import Prepared, Slice, SynthResult, prepare, synthesize

__all__ = [
    "CharPlan",
    "Plan",
    "PlannedLine",
    "Prepared",
    "Slice",
    "SynthRequest",
    "SynthResult",
    "prepare",
    "synthesize",
    "targets_from_chars",
]
