"""PaddleOCR's training YAML for recognition: read, overridden, checked, turned into the CTC one, written.

``load_config`` gives a frozen :class:`PaddleConfig`. Keys are of three kinds: used, known to PaddleOCR and
without effect here (a note each), and unknown (an error that names the nearest). Nothing is printed here.
"""

from __future__ import annotations

from datakit.paddleocr_config.data import require_files
from datakit.paddleocr_config.load import config_of, load_config
from datakit.paddleocr_config.notes import Note, describe_notes
from datakit.paddleocr_config.output import diff_configs, dump_config
from datakit.paddleocr_config.to_ctc import CtcRecipe, to_ctc
from datakit.paddleocr_config.tree import (
    Architecture,
    Dataset,
    LearningRate,
    Optimizer,
    PaddleConfig,
    Part,
)

__all__ = [
    "Architecture",
    "CtcRecipe",
    "Dataset",
    "LearningRate",
    "Note",
    "Optimizer",
    "PaddleConfig",
    "Part",
    "config_of",
    "describe_notes",
    "diff_configs",
    "dump_config",
    "load_config",
    "require_files",
    "to_ctc",
]
