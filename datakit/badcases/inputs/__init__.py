"""Predictions of datakit, PaddleOCR and RapidOCR, and tables; joined with labels where they hold none."""

from __future__ import annotations

from datakit.badcases.inputs.join import Unmatched, join_labels
from datakit.badcases.inputs.pairs import paired
from datakit.badcases.inputs.sources import read_any

__all__ = ["Unmatched", "join_labels", "paired", "read_any"]
