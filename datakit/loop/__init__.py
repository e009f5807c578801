"""Rounds of predict, badcases, synth, mix and finetune, one folder a round, stop and resume anywhere."""

from __future__ import annotations

from datakit.loop.plan import LoopPlan, load_plan
from datakit.loop.run import LoopResult, run_loop

__all__ = ["LoopPlan", "LoopResult", "load_plan", "run_loop"]
