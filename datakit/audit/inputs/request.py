"""What the command line asks for, and what becomes of it."""

from __future__ import annotations

import shlex
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

    ``ratios`` and ``roles`` have one entry for all label files, one a label file, or none; ``val`` and
    ``reference`` name more label files, ``predictions`` what a model read of these. ``config`` is a PaddleOCR
    YAML, ``overrides`` its ``-o Key.sub=value``.
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
    roles: tuple[str, ...] = ()
    val: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    predictions: tuple[Path, ...] = ()
    new_dictionary: bool = False

    def command(self) -> str:
        """The audit as typed, without what it writes."""
        options = {
            "-c": self.config,
            "--dict": self.dictionary,
            "--data-dir": self.data_dir,
            "--task": self.task,
            "--encoder": self.encoder,
            "--max-text-length": self.max_text_length,
            "--image-shape": ",".join(map(str, self.image_shape)) if self.image_shape else None,
        }
        named = [word for flag, value in options.items() if value is not None for word in (flag, str(value))]
        repeated = {
            "-o": self.overrides,
            "--ratio": self.ratios,
            "--role": self.roles,
            "--val": self.val,
            "--reference": self.reference,
            "--predictions": self.predictions,
        }
        named += [word for flag, values in repeated.items() for v in values for word in (flag, str(v))]
        space = {True: ["--use-space-char"], False: ["--no-use-space-char"], None: []}[self.use_space_char]
        new = ["--new-dict"] if self.new_dictionary else []
        return shlex.join(["datakit", "audit", *self.labels, *named, *space, *new])


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
    """The sources to audit, the trainer's options, the validation set (``Eval``'s sources of a YAML where
    none is named), the reference set, and notes to print.
    """

    sources: tuple[LabelSource, ...]
    trainer: Trainer
    val: tuple[LabelSource, ...] = ()
    reference: tuple[LabelSource, ...] = ()
    notes: tuple[str, ...] = ()
