"""Degradations of a picture, and the augmentation of recognition lines in training.

An effect samples its parameters from a ``random.Random`` into a plain dict, then applies them: the same dict
gives the same pixels, so that any picture can be explained and drawn again. Images are HxWx3 uint8 BGR; no
effect changes their size. No global random state is read or written.
"""

from __future__ import annotations

from datakit.effects.albument import build_albumentation
from datakit.effects.base import Effect, Image, Params
from datakit.effects.presets import (
    EFFECTS,
    PRESETS,
    apply_effects,
    apply_preset,
    check_preset,
    sample_preset,
    warm_preset,
)
from datakit.effects.training import LINE_CHANCE, LINE_EFFECTS, augment_line

__all__ = [
    "EFFECTS",
    "LINE_CHANCE",
    "LINE_EFFECTS",
    "PRESETS",
    "Effect",
    "Image",
    "Params",
    "apply_effects",
    "apply_preset",
    "augment_line",
    "build_albumentation",
    "check_preset",
    "sample_preset",
    "warm_preset",
]
