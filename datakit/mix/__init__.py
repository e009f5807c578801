"""The training set of an epoch: which label files, and how much of each.

A ratio is the share of a source's lines that one epoch draws; above 1 it repeats: 2.3 draws every line
twice and three tenths of them once more. :func:`epoch_draws` is exact, so that what is printed is what is
trained.
"""

from __future__ import annotations

from datakit.mix.characters import CharacterDraws
from datakit.mix.draws import draws_of, epoch_draws, split_ratio
from datakit.mix.lift import Lift, write_lifted
from datakit.mix.paddle import PaddleLists, paddleocr_lists, write_paddleocr_lists
from datakit.mix.plan import RULES, Part, Plan, make_plan, plan_mix
from datakit.mix.sources import KINDS, Kind, Mix, Source, load_mix, write_mix

__all__ = [
    "KINDS",
    "RULES",
    "CharacterDraws",
    "Kind",
    "Lift",
    "Mix",
    "PaddleLists",
    "Part",
    "Plan",
    "Source",
    "draws_of",
    "epoch_draws",
    "load_mix",
    "make_plan",
    "paddleocr_lists",
    "plan_mix",
    "split_ratio",
    "write_lifted",
    "write_mix",
    "write_paddleocr_lists",
]
