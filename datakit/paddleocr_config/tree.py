"""A PaddleOCR training configuration for recognition as frozen values.

Everything is in PaddleOCR's own units: warm-up and boundaries in epochs, sizes in px, ``image_shape`` as
channels, height, width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from datakit.paddleocr_config.notes import Note

Encoder = Literal["ctc", "sar", "nrtr", "multi"]
DatasetKind = Literal["simple", "lmdb", "multi-scale"]


@dataclass(frozen=True, slots=True)
class Part:
    """A backbone, neck, head, sampler or operator: its ``name`` and its ``parameters``."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dataset:
    """``Train.dataset`` or ``Eval.dataset`` with its loader.

    Paths start at the working folder. ``ratios`` has one number (0..) a label file; an LMDB has no label
    files. ``operators`` are the transforms in their order.
    """

    kind: DatasetKind
    data_dir: Path
    label_files: tuple[Path, ...]
    ratios: tuple[float, ...]
    operators: tuple[Part, ...]
    batch_size: int
    delimiter: str = "\t"
    sampler: Part | None = None

    def operator(self, name: str) -> Part | None:
        """The first operator of that name."""
        return next((part for part in self.operators if part.name == name), None)


@dataclass(frozen=True, slots=True)
class LearningRate:
    """``Optimizer.lr``.

    ``values`` has one rate, or one more than ``boundaries`` (in epochs) for Piecewise. ``extras`` are the
    further parameters of the schedule, such as ``step_size`` and ``gamma``.
    """

    name: str
    values: tuple[float, ...]
    boundaries: tuple[float, ...] = ()
    warmup_epochs: float = 0.0
    extras: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Optimizer:
    """``Optimizer``: ``regularizer`` is "L2", "L1" or "none" with its ``factor``."""

    name: str
    betas: tuple[float, float]
    learning_rate: LearningRate
    regularizer: str = "none"
    factor: float = 0.0


@dataclass(frozen=True, slots=True)
class Architecture:
    """``Architecture``, or one of the ``Models`` of a DistillationModel.

    ``models`` holds those by name (Student, Teacher), and is empty for a single model, which alone has
    parts. ``pretrained`` is a sub-model's own start weights.
    """

    algorithm: str
    backbone: Part | None = None
    neck: Part | None = None
    head: Part | None = None
    transform: Part | None = None
    models: Mapping[str, Architecture] = field(default_factory=dict)
    pretrained: str | None = None
    frozen: bool = False

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the heads: one, or those of a MultiHead."""
        if self.head is None:
            return ()
        if self.head.name != "MultiHead":
            return (self.head.name,)
        return tuple(name for entry in self.head.parameters.get("head_list", ()) for name in entry)


@dataclass(frozen=True, slots=True)
class PaddleConfig:
    """A whole configuration; ``document`` is the YAML as it was resolved (file and overrides).

    ``dict_path`` None means PaddleOCR's own 36 characters (digits and lower case). ``eval_batch_step`` is
    (first step, every so many). ``folder`` is where relative paths start: the working folder, as in
    PaddleOCR. ``own`` is the top-level ``Datakit:`` block.
    """

    path: Path
    folder: Path
    train: Dataset
    eval: Dataset | None
    encoder: Encoder
    dict_path: Path | None
    use_space_char: bool
    max_text_length: int
    image_shape: tuple[int, int, int]
    architecture: Architecture
    optimizer: Optimizer
    epochs: int
    eval_batch_step: tuple[int, int]
    save_dir: Path
    pretrained: str | None
    pretrained_of: Mapping[str, str]
    own: Mapping[str, Any]
    overridden: tuple[str, ...]
    notes: tuple[Note, ...]
    document: Mapping[str, Any] = field(compare=False)

    @property
    def train_lists(self) -> tuple[Path, ...]:
        """Label files of ``Train``."""
        return self.train.label_files

    @property
    def ratio_list(self) -> tuple[float, ...]:
        """One ratio a label file of ``Train``."""
        return self.train.ratios

    @property
    def data_dir(self) -> Path:
        """What the picture paths of ``Train`` start at."""
        return self.train.data_dir

    @property
    def eval_lists(self) -> tuple[Path, ...]:
        """Label files of ``Eval``; empty without that section."""
        return self.eval.label_files if self.eval else ()

    @property
    def eval_data_dir(self) -> Path | None:
        """What the picture paths of ``Eval`` start at."""
        return self.eval.data_dir if self.eval else None

    @property
    def batch_size(self) -> int:
        """Lines a step and card."""
        return self.train.batch_size

    @property
    def algorithm(self) -> str:
        """``Architecture.algorithm``."""
        return self.architecture.algorithm

    @property
    def augmentation(self) -> Part | None:
        """RecAug, with the names of its present parameters."""
        return self.train.operator("RecAug")

    @property
    def concatenation(self) -> Part | None:
        """RecConAug: lines put together, off for CTC as the guide says."""
        return self.train.operator("RecConAug")

    @property
    def sampler(self) -> Part | None:
        """``Train.sampler``."""
        return self.train.sampler
