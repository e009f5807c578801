"""What the command line asks for, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from datakit.audit.inputs.source import LabelSource
from datakit.charset import Charset
from datakit.labels import Task

IMAGE_SHAPE = (3, 48, 320)
MAX_TEXT_LENGTH = 25


@dataclass(frozen=True, slots=True)
class Request:
    """Labels and options as given; None is an option that was not given.

    ``ratios`` has one number for all label files, one a label file, or none. ``config`` is a PaddleOCR YAML,
    ``overrides`` its ``-o Key.sub=value``.
    """

    labels: tuple[str, ...] = ()
    data_dir: Path | None = None
    task: Task | None = None
    ratios: tuple[float, ...] = ()
    config: Path | None = None
    overrides: tuple[str, ...] = ()
    dictionary: Path | None = None
    use_space_char: bool | None = None
    encoder: str | None = None
    max_text_length: int | None = None
    image_shape: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Trainer:
    """What the trainer is told about texts.

    ``charset`` None means that no dictionary is known. ``lower`` is PaddleOCR's lower case of texts where it
    has no dictionary. ``image_shape`` is (channels, height, width) px.
    """

    charset: Charset | None = None
    use_space_char: bool = True
    lower: bool = False
    encoder: str = "ctc"
    max_text_length: int = MAX_TEXT_LENGTH
    image_shape: tuple[int, int, int] = IMAGE_SHAPE


@dataclass(frozen=True, slots=True)
class Inputs:
    """The sources to audit, the trainer's options, ``Eval``'s sources of a YAML, and notes to print."""

    sources: tuple[LabelSource, ...]
    trainer: Trainer
    val: tuple[LabelSource, ...] = ()
    notes: tuple[str, ...] = ()
