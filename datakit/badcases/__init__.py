"""What a model reads wrong, why, and what to make next."""

from __future__ import annotations

from datakit.badcases.analysis import BadcaseReport, Failure, analyse
from datakit.badcases.characters import CharacterScore, Confusion
from datakit.badcases.kinds import KINDS, kind_of

__all__ = ["KINDS", "BadcaseReport", "CharacterScore", "Confusion", "Failure", "analyse", "kind_of"]
