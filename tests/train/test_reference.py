"""The recognisers against PaddleOCR's own outputs, losses and gradients (tests/data/make_reference.py)."""

from __future__ import annotations

import json
import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datakit_train.architectures import build_network
from datakit_train.batches import Batch
from datakit_train.engine import ctc_loss
from datakit_train.framework import import_paddle

DATA = Path(__file__).parent.parent / "data"


@dataclass(frozen=True)
class Reference:
    key: str
    file: str
    architecture: str
    names: int


REFERENCES = (
    Reference("rec_v2_crnn", "reference_rec_v2", "ppocrv2_rec", 179),
    Reference("rec_v3_ctc", "reference_rec", "ppocrv3_rec", 196),
    Reference("rec_v4_ctc", "reference_rec_v4", "ppocrv4_rec", 884),
)


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


@dataclass(frozen=True)
class Case:
    network: Any
    facts: dict[str, Any]
    figures: dict[str, np.ndarray]
    pixels: np.ndarray
    names: int


@pytest.fixture(scope="module", params=REFERENCES, ids=lambda reference: reference.architecture)
def case(request: pytest.FixtureRequest) -> Case:
    reference: Reference = request.param
    facts = json.loads((DATA / f"{reference.file}.json").read_bytes())
    network = build_network({"name": reference.architecture}, 97)
    network.set_state_dict({name: rule(name, shape) for name, shape in facts["parameters"].items()})
    with np.load(DATA / f"{reference.file}.npz") as arrays:
        figures = dict(arrays)
    pixels = draw(f"{reference.key}/input").rand(*facts["input"]) * 2 - 1
    return Case(network, facts, figures, pixels.astype(np.float32), reference.names)


def relative(value: float, wanted: float) -> float:
    return abs(value - wanted) / abs(wanted)


def test_names_and_shapes_are_paddleocrs(case: Case) -> None:
    found = {name: list(value.shape) for name, value in case.network.state_dict().items()}
    assert found == case.facts["parameters"]
    assert len(found) == case.names


def test_eval_output(case: Case) -> None:
    paddle = import_paddle()
    case.network.eval()
    with paddle.no_grad():
        logits = case.network(paddle.to_tensor(case.pixels))
        softmax = paddle.nn.functional.softmax(logits, axis=-1).numpy()
    assert softmax.shape == case.figures["eval"].shape
    assert np.abs(softmax - case.figures["eval"]).max() <= 1e-4


def test_train_output_loss_and_gradient(case: Case) -> None:
    paddle = import_paddle()
    case.network.train()
    for layer in case.network.sublayers():
        if isinstance(layer, paddle.nn.Dropout):
            layer.eval()
        if hasattr(layer, "train_steps"):
            layer.train_steps = 40
    logits = case.network(paddle.to_tensor(case.pixels))
    assert tuple(logits.shape) == case.figures["train"].shape
    spread = np.abs(case.figures["train"]).max()
    assert np.abs(logits.numpy() - case.figures["train"]).max() / spread <= 1e-3

    lengths = np.array(case.facts["length"], np.int64)
    labels = np.array(case.facts["label"], np.int32)
    loss = ctc_loss(logits, Batch(case.pixels, labels, lengths, ()))
    assert relative(float(loss), case.facts["ctc_loss"]) <= 1e-3

    loss.backward()
    squares = [
        float((p.grad.numpy().astype(np.float64) ** 2).sum())
        for p in case.network.parameters()
        if not p.stop_gradient and p.grad is not None
    ]
    assert relative(math.sqrt(sum(squares)), case.facts["grad_norm"]) <= 1e-3
