"""Descriptions of the models that datakit can fetch: no weights, no framework.

A description holds what is needed to find, check and name a model: where its weights come from, their sha256
(pinned), the shape of its input and the licence.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from datakit.errors import UsageError

_APACHE = "Apache-2.0, PaddlePaddle authors (PaddleOCR)"


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A file inside a wheel on the package index."""

    requirement: str
    member: str
    sha256: str


@dataclass(frozen=True, slots=True)
class TarSource:
    """A file inside an official archive; its sha256 is not published, so the user has to state one."""

    url: str
    member: str


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model.

    ``height`` is the input height in px (0: any), ``stride`` the px of width that a CTC time step covers.
    """

    name: str
    task: Literal["rec", "det"]
    title: str
    wheel: WheelSource
    tar: TarSource
    licence: str
    height: int = 0
    stride: int = 0
    encoder: str = ""


_WHEEL = "rapidocr-onnxruntime==1.2.13"
_TARS = "https://paddleocr.bj.bcebos.com/PP-OCRv3/chinese"

MODELS: dict[str, ModelSpec] = {
    "ppocrv3-rec": ModelSpec(
        name="ppocrv3-rec",
        task="rec",
        title="PP-OCRv3 recogniser, Chinese and English, CTC branch",
        wheel=WheelSource(
            _WHEEL,
            "rapidocr_onnxruntime/models/ch_PP-OCRv3_rec_infer.onnx",
            "897a3ededb38fee0dae2c1ccee38241f37df202c9509e3abca02e9217c5ee615",
        ),
        tar=TarSource(f"{_TARS}/ch_PP-OCRv3_rec_train.tar", "ch_PP-OCRv3_rec_train/best_accuracy.pdparams"),
        licence=_APACHE,
        height=48,
        stride=8,
        encoder="ctc",
    ),
    "ppocrv4-rec": ModelSpec(
        name="ppocrv4-rec",
        task="rec",
        title="PP-OCRv4 recogniser, Chinese and English, CTC branch",
        wheel=WheelSource(
            "rapidocr-onnxruntime==1.4.4",
            "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
            "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b",
        ),
        tar=TarSource(
            "https://paddleocr.bj.bcebos.com/PP-OCRv4/chinese/ch_PP-OCRv4_rec_train.tar",
            "ch_PP-OCRv4_rec_train/student.pdparams",
        ),
        licence=_APACHE,
        height=48,
        stride=8,
        encoder="ctc",
    ),
    "ppocrv3-det": ModelSpec(
        name="ppocrv3-det",
        task="det",
        title="PP-OCRv3 detector (student), Chinese and English",
        wheel=WheelSource(
            _WHEEL,
            "rapidocr_onnxruntime/models/ch_PP-OCRv3_det_infer.onnx",
            "3439588c030faea393a54515f51e983d8e155b19a2e8aba7891934c1cf0de526",
        ),
        tar=TarSource(
            f"{_TARS}/ch_PP-OCRv3_det_distill_train.tar", "ch_PP-OCRv3_det_distill_train/student.pdparams"
        ),
        licence=_APACHE,
    ),
}


def get_spec(name: str) -> ModelSpec:
    """The description of ``name``.

    Raises:
        UsageError: no such model; the message lists those there are.
    """
    if name not in MODELS:
        raise UsageError(f"no model is called {name!r}; there are: {', '.join(sorted(MODELS))}")
    return MODELS[name]


def cache_folder() -> Path:
    """Where pulled weights live.

    ``$DATAKIT_CACHE``, else ``$XDG_CACHE_HOME/datakit``, else ``~/.cache/datakit``.
    """
    if custom := os.environ.get("DATAKIT_CACHE"):
        return Path(custom)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "datakit"


def model_folder(name: str) -> Path:
    """The folder that ``models pull`` fills for ``name``; it may not exist yet."""
    return cache_folder() / "models" / get_spec(name).name
