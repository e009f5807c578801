"""Writes a Paddle inference model with ``inference.yml``, as PaddleOCR 3.x reads it."""

from __future__ import annotations

import contextlib
import io
import warnings
from pathlib import Path
from typing import Any

import yaml

from datakit.charset import SPACE
from datakit.errors import OutputError
from datakit.files import atomic_write
from datakit_train.architectures import build_network
from datakit_train.framework import import_paddle
from datakit_train.recognizer import Recognizer
from datakit_train.weights.reparameterise import fuse_branches

STEM = "inference"
# PaddleOCR 3.x goes by these names; it knows none of PP-OCRv2.
MODEL_NAMES = {"ppocrv3_rec": "PP-OCRv3_mobile_rec", "ppocrv4_rec": "PP-OCRv4_mobile_rec"}
_DEFAULT_WIDTH = 320


def dictionary_entries(recognizer: Recognizer) -> tuple[str, ...]:
    """The dictionary without the space at its end, which every client adds by itself."""
    chars = recognizer.charset.chars
    return chars[:-1] if chars[-1:] == (SPACE,) else chars


def inference_yml(recognizer: Recognizer) -> str:
    """The text of ``inference.yml``: name, resize, dictionary."""
    shape = [3, recognizer.height, _DEFAULT_WIDTH]
    name = str(recognizer.architecture.get("name"))
    document: dict[str, Any] = {
        "Global": {"model_name": MODEL_NAMES.get(name, name)},
        "PreProcess": {
            "transform_ops": [
                {"DecodeImage": {"channel_first": False, "img_mode": "BGR"}},
                {"RecResizeImg": {"image_shape": shape}},
            ]
        },
        "PostProcess": {"name": "CTCLabelDecode", "character_dict": list(dictionary_entries(recognizer))},
    }
    return str(yaml.safe_dump(document, allow_unicode=True, sort_keys=False))


def softmax_network(network: Any) -> Any:
    """``network`` with probabilities as output, which is what inference models give."""
    paddle = import_paddle()

    class Probabilities(paddle.nn.Layer):  # type: ignore[misc,name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def forward(self, x: Any) -> Any:
            return paddle.nn.functional.softmax(self.network(x), axis=-1)

    layer = Probabilities()
    layer.eval()
    return layer


def write_inference(folder: Path, recognizer: Recognizer) -> Path:
    """Write ``inference.json`` (Paddle 2: ``.pdmodel``), ``.pdiparams`` and ``.yml`` into ``folder``.

    Input N x 3 x height x W with N and W open, output N x T x classes, probabilities.

    Raises:
        OutputError: Paddle cannot write there.
    """
    paddle = import_paddle()
    network = build_network(recognizer.architecture, recognizer.charset.num_classes)
    network.set_state_dict(recognizer.network.state_dict())
    network.eval()
    fuse_branches(network)
    folder.mkdir(parents=True, exist_ok=True)
    spec = paddle.static.InputSpec([None, 3, recognizer.height, None], "float32", name="x")
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            paddle.jit.save(softmax_network(network), str(folder / STEM), input_spec=[spec])
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{folder}: Paddle cannot write the inference model ({error})") from error
    atomic_write(folder / f"{STEM}.yml", inference_yml(recognizer))
    return folder
