"""The recogniser against PaddleOCR's own outputs, loss and gradients (tests/data/make_reference.py)."""

from __future__ import annotations

import json
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datakit_train.batches import Batch
from datakit_train.engine import ctc_loss
from datakit_train.framework import import_paddle
from datakit_train.recognizer import build_network

DATA = Path(__file__).parent.parent / "data"
FACTS = json.loads((DATA / "reference_rec.json").read_bytes())


def draw(key: str) -> np.random.RandomState:
    return np.random.RandomState(zlib.crc32(key.encode()))


def rule(name: str, shape: list[int]) -> np.ndarray:
    """The value of a parameter by the rule of the reference's README."""
    noise = draw(name).standard_normal(shape).astype(np.float32)
    if len(shape) >= 2:
        fan = math.prod(shape[1:]) if len(shape) == 4 else shape[0]
        return (noise * np.sqrt(2 / fan)).astype(np.float32)
    if name.endswith("_variance"):
        return 1 + np.float32(0.2) * abs(noise)
    if name.endswith("weight"):
        return 1 + np.float32(0.1) * noise
    return np.float32(0.1) * noise


@pytest.fixture
def network() -> Any:
    built = build_network({"name": "ppocrv3_rec"}, 97)
    built.set_state_dict({name: rule(name, shape) for name, shape in FACTS["parameters"].items()})
    return built


@pytest.fixture(scope="module")
def figures() -> dict[str, np.ndarray]:
    with np.load(DATA / "reference_rec.npz") as arrays:
        return dict(arrays)


def given_input() -> Any:
    pixels = draw("rec_v3_ctc/input").rand(*FACTS["input"]) * 2 - 1
    return import_paddle().to_tensor(pixels.astype(np.float32))


def relative(value: float, wanted: float) -> float:
    return abs(value - wanted) / abs(wanted)


def test_names_and_shapes_are_paddleocrs(network: Any) -> None:
    found = {name: list(value.shape) for name, value in network.state_dict().items()}
    assert found == FACTS["parameters"]
    assert len(found) == 196


def test_eval_output(network: Any, figures: dict[str, np.ndarray]) -> None:
    paddle = import_paddle()
    network.eval()
    with paddle.no_grad():
        softmax = paddle.nn.functional.softmax(network(given_input()), axis=-1).numpy()
    assert np.abs(softmax - figures["eval"]).max() <= 1e-4


def test_train_output_loss_and_gradient(network: Any, figures: dict[str, np.ndarray]) -> None:
    paddle = import_paddle()
    network.train()
    for layer in network.sublayers():
        if isinstance(layer, paddle.nn.Dropout):
            layer.eval()
    logits = network(given_input())
    spread = np.abs(figures["train"]).max()
    assert np.abs(logits.numpy() - figures["train"]).max() / spread <= 1e-3

    lengths = np.array(FACTS["length"], np.int64)
    labels = np.array(FACTS["label"], np.int32)
    loss = ctc_loss(logits, Batch(np.zeros((2, 3, 48, 160), np.float32), labels, lengths, ()))
    assert relative(float(loss), FACTS["ctc_loss"]) <= 1e-3

    loss.backward()
    trained = [p for p in network.parameters() if not p.stop_gradient]
    squares = [float((p.grad.numpy().astype(np.float64) ** 2).sum()) for p in trained]
    assert relative(math.sqrt(sum(squares)), FACTS["grad_norm"]) <= 1e-3
