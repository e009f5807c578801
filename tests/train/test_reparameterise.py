"""PP-OCRv4's two forms: branches fused compute the same, and a fused file becomes branches that do."""

from __future__ import annotations

import math
import zlib
from typing import Any

import numpy as np
import pytest

from datakit_train.architectures import build_network, infer_architecture
from datakit_train.export.inference import write_inference
from datakit_train.framework import import_paddle
from datakit_train.recognizer import Recognizer, load_tensors
from datakit_train.weights.convert import construction_order
from datakit_train.weights.onnx import pair
from datakit_train.weights.reparameterise import fuse_branches, inference_state, rep_layers, training_state

SMALL = {"name": "ppocrv4_rec", "scale": 0.25, "dims": 24}


def rule(name: str, shape: list[int]) -> np.ndarray:
    noise = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape).astype(np.float32)
    if len(shape) >= 2:
        return (noise * np.sqrt(2 / (math.prod(shape[1:]) if len(shape) == 4 else shape[0]))).astype(
            np.float32
        )
    if name.endswith("_variance"):
        return 1 + np.float32(0.2) * abs(noise)
    return (1 if name.endswith("weight") else 0) + np.float32(0.1) * noise


@pytest.fixture
def network() -> Any:
    built = build_network(SMALL, 9)
    built.set_state_dict({name: rule(name, list(v.shape)) for name, v in built.state_dict().items()})
    built.eval()
    return built


def answer(network: Any) -> np.ndarray:
    paddle = import_paddle()
    pixels = np.random.RandomState(3).rand(2, 3, 48, 96).astype(np.float32) * 2 - 1
    with paddle.no_grad():
        return np.asarray(network(paddle.to_tensor(pixels)).numpy())


def relative(found: np.ndarray, wanted: np.ndarray) -> float:
    return float(np.abs(found - wanted).max() / np.abs(wanted).max())


def test_fused_branches_compute_the_same(network: Any) -> None:
    before = answer(network)
    names = len(network.state_dict())
    fuse_branches(network)
    assert (names, len(network.state_dict())) == (892, 234)
    assert relative(answer(network), before) <= 1e-5


def test_an_inference_file_becomes_branches_that_compute_the_same(network: Any) -> None:
    held = inference_state(network)
    other = build_network(SMALL, 9)
    tensors = training_state(other, held)
    assert load_tensors(other, tensors) == ()
    other.eval()
    assert relative(answer(other), answer(network)) <= 1e-5
    again = inference_state(other)
    assert set(again) == set(held)
    assert max(relative(again[name], array) for name, array in held.items()) <= 1e-6
    # The other branches start at nothing and are not stuck there: their normalisation lets gradients through.
    prefix = "backbone.blocks3.1.dw_conv"
    assert not tensors[f"{prefix}.conv_kxk.2.conv.weight"].any()
    assert tensors[f"{prefix}.conv_kxk.2.bn.weight"].tolist() == [1.0] * 16
    assert not tensors[f"{prefix}.identity.weight"].any()


def test_every_tensor_of_the_file_has_a_place(network: Any) -> None:
    """Names as paddle2onnx leaves them: fused convolutions are numbered after all others."""
    order = construction_order(network)
    assert len(rep_layers(network)) == 28
    names = [f"conv2d_{number}.w_0" for number in range(len(order["conv2d"]))]
    names += [f"mobile_one_block_{number}.w_{slot}" for number in range(28) for slot in (0, 1)]
    names += [f"whswish_b_{number + 1}.w_0" for number in range(28)]
    paired = pair(names, order)
    assert paired["conv2d_0.w_0"] == "backbone.conv1.conv.weight"
    assert paired["conv2d_10.w_0"] == "backbone.blocks2.0.dw_conv.weight"
    assert paired["mobile_one_block_1.w_1"] == "backbone.blocks2.0.pw_conv.lab.bias"
    assert paired["whswish_b_28.w_0"] == "backbone.blocks6.3.pw_conv.act.lab.scale"
    assert set(paired.values()) <= set(inference_state(network))


def test_the_inference_model_is_fused(network: Any, tmp_path: Any) -> None:
    from datakit.charset import Charset

    write_inference(tmp_path, Recognizer(network, Charset(tuple("abcdefgh")), SMALL, "", ""))
    layer = import_paddle().jit.load(str(tmp_path / "inference"))
    assert len(layer.state_dict()) == 234
    wanted = (
        import_paddle().nn.functional.softmax(import_paddle().to_tensor(answer(network)), axis=-1).numpy()
    )
    assert relative(answer(layer), wanted) <= 1e-5
    assert len(rep_layers(network)["backbone.blocks2.0.dw_conv"].conv_kxk) == 4


def test_architectures_are_inferred(network: Any) -> None:
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    assert infer_architecture(shapes)["dims"] == 24
    for architecture in (
        {"name": "ppocrv2_rec", "scale": 0.125, "hidden_size": 8, "mid_channels": 12},
        {"name": "ppocrv3_rec", "scale": 0.25, "last_pool_kernel_size": [2, 2]},
        {"name": "ppocrv4_rec", "scale": 0.95, "dims": 120},
    ):
        built = build_network(architecture, 9)
        found = infer_architecture({name: tuple(value.shape) for name, value in built.state_dict().items()})
        assert found == architecture
