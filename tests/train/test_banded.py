"""Depthwise convolutions as banded matrices, and the network that runs on them, against Paddle's kernels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datakit_train.batches import Batch
from datakit_train.engine import Engine, ctc_loss
from datakit_train.framework import import_paddle
from datakit_train.host import keep_memory, tell_mkl
from datakit_train.recognizer import assemble
from datakit_train.weights.store import load_model

paddle = import_paddle()

from datakit_train.models import channel_major as cm  # noqa: E402 - Paddle is imported with its threads first
from datakit_train.models.banded import Plan, depthwise, kept_matrices  # noqa: E402
from datakit_train.models.lcnet import RepLayer  # noqa: E402
from datakit_train.models.mobilenet import MobileNetV1Enhance  # noqa: E402

# Kernel, stride (down, across), height: every depthwise layer of PP-OCRv2 and v3, and odd ones.
LAYERS = [
    (3, (1, 1), 24), (3, (2, 1), 24), (3, (2, 1), 12), (5, (1, 1), 6), (5, (2, 1), 6), (5, (1, 2), 3),
    (5, (1, 1), 2), (3, (2, 2), 7), (3, (1, 1), 1),
]  # fmt: skip


def relative(ours: Any, wanted: Any) -> float:
    ours, wanted = np.asarray(ours), np.asarray(wanted)
    return float(np.abs(ours - wanted).max() / np.abs(wanted).max())


def tensor(rng: np.random.Generator, *shape: int) -> Any:
    value = paddle.to_tensor(rng.standard_normal(shape).astype(np.float32))
    value.stop_gradient = False
    return value


@pytest.mark.parametrize(("kernel", "stride", "height"), LAYERS)
def test_a_layer_and_its_gradients(kernel: int, stride: tuple[int, int], height: int) -> None:
    rng = np.random.default_rng(kernel + height)
    weight = tensor(rng, 6, 1, kernel, kernel)
    x = tensor(rng, 3, 6, height, 24)
    wanted = paddle.nn.functional.conv2d(x, weight, stride=stride, padding=kernel // 2, groups=6)
    slope = tensor(rng, *wanted.shape)
    wanted.backward(slope)
    x_slope, weight_slope = x.grad.numpy(), weight.grad.numpy()
    weight.clear_grad()
    turned = cm.enter(x).detach()
    turned.stop_gradient = False
    found = depthwise(turned, weight, Plan(kernel, *stride, height, 4))
    found.backward(cm.enter(slope))
    assert relative(cm.leave(found), wanted) < 1e-5
    assert relative(cm.leave(turned.grad), x_slope) < 1e-5
    assert relative(weight.grad, weight_slope) < 1e-5


def test_a_line_does_not_depend_on_its_neighbours() -> None:
    rng = np.random.default_rng(0)
    weight, x = tensor(rng, 4, 1, 5, 5), tensor(rng, 4, 3, 16, 6)
    plan = Plan(5, 1, 1, 6, 4)
    alone = depthwise(x[:, 1:2], weight, plan)
    assert relative(depthwise(x, weight, plan)[:, 1:2], alone) < 1e-6


def test_frozen_inputs_and_weights_get_no_gradient() -> None:
    rng = np.random.default_rng(0)
    plan = Plan(3, 1, 1, 4, 4)
    x, weight = tensor(rng, 4, 1, 8, 4), tensor(rng, 4, 1, 3, 3)
    x.stop_gradient = True
    depthwise(x, weight, plan).sum().backward()
    assert x.grad is None
    assert weight.grad is not None
    x.stop_gradient, weight.stop_gradient = False, True
    weight.clear_grad()
    depthwise(x, weight, plan).sum().backward()
    assert x.grad is not None
    assert weight.grad is None or not weight.grad.numpy().any()


def test_hardswish_has_paddles_slope_at_its_corners_too() -> None:
    x = paddle.to_tensor(np.float32([-9, -3, -2.9, -1.5, 0, 1, 2.9, 3, 9]))
    x.stop_gradient = False
    slopes = []
    for function in (cm.hardswish, paddle.nn.functional.hardswish):
        x.clear_grad()
        y = function(x)
        y.backward(paddle.full_like(y, 2.0))
        slopes.append((y.numpy(), x.grad.numpy()))
    np.testing.assert_allclose(slopes[0], slopes[1], rtol=1e-6, atol=1e-6)


def test_kept_matrices_are_those_of_the_weight() -> None:
    rng = np.random.default_rng(0)
    plan = Plan(3, 1, 1, 4, 4)
    x, one, other = tensor(rng, 4, 1, 8, 4), tensor(rng, 4, 1, 3, 3), tensor(rng, 4, 1, 3, 3)
    with paddle.no_grad(), kept_matrices():
        first = [depthwise(x, weight, plan).numpy() for weight in (one, other)]
        again = [depthwise(x, weight, plan).numpy() for weight in (one, other)]
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(*first)


def slopes_of(network: Any) -> dict[str, Any]:
    """The gradient of every parameter that trains; each of them has one."""
    return {name: p.grad.numpy() for name, p in network.named_parameters() if not p.stop_gradient}


def _backbones() -> list[Any]:
    """PP-OCRv3's and PP-OCRv2's at a quarter of their width, so filled that every layer is heard."""
    paddle.seed(0)
    built = [
        MobileNetV1Enhance(scale=0.125),
        MobileNetV1Enhance(scale=0.125, last_pool_kernel_size=(3, 2)),
        MobileNetV1Enhance(scale=0.125, last_conv_stride=1, last_pool_type="max"),
    ]
    rng = np.random.default_rng(0)
    for backbone in built:
        for layer in backbone.sublayers():
            if isinstance(layer, paddle.nn.Conv2D):
                shape = layer.weight.shape
                drawn = rng.standard_normal(shape) * (2 / np.prod(shape[1:])) ** 0.5
                layer.weight.set_value(drawn.astype(np.float32))
            if isinstance(layer, paddle.nn.BatchNorm2D):
                size = layer._mean.shape
                layer._mean.set_value(rng.uniform(-0.2, 0.2, size).astype(np.float32))
                layer._variance.set_value(rng.uniform(0.5, 1.5, size).astype(np.float32))
                layer.bias.set_value(rng.uniform(-1, 1, size).astype(np.float32))
        backbone.eval()
    return built


def _statistics(backbone: Any) -> list[Any]:
    layers = [layer for layer in backbone.sublayers() if isinstance(layer, paddle.nn.BatchNorm2D)]
    return [value.numpy().copy() for layer in layers for value in (layer._mean, layer._variance)]


@pytest.mark.parametrize("moving", [False, True])
@pytest.mark.parametrize(("number", "height"), [(0, 48), (1, 48), (2, 32)])
def test_the_backbone_and_every_gradient(number: int, height: int, moving: bool) -> None:
    backbone = _backbones()[number]
    before = _statistics(backbone)
    x = paddle.to_tensor(np.random.default_rng(1).uniform(-1, 1, (3, 3, height, 96)).astype(np.float32))
    outputs, gradients, statistics = [], [], []
    for fast in (False, True):
        backbone = _backbones()[number]
        backbone.fast = fast
        if moving:
            backbone.train()
        y = backbone(x)
        y.backward(tensor(np.random.default_rng(2), *y.shape))
        outputs.append(y.numpy())
        gradients.append(slopes_of(backbone))
        statistics.append(_statistics(backbone))
    assert outputs[0].shape == outputs[1].shape
    for one, other, old in zip(*statistics, before, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
        assert np.array_equal(one, old) is not moving
    assert relative(outputs[1], outputs[0]) < 1e-5
    assert gradients[0].keys() == gradients[1].keys()
    for name, wanted in gradients[0].items():
        # Rounding of the whole depth is in it; a layer by itself agrees to 1e-5 above.
        assert relative(gradients[1][name], wanted) < 1e-4, name


def test_what_does_not_fit_goes_layer_by_layer(tiny_model: Path) -> None:
    backbone = assemble(load_model(tiny_model)).network.backbone
    narrow, wide = (paddle.zeros([1, 3, 48, width]) for width in (100, 96))
    assert not backbone.conv1.fits(narrow)
    assert backbone.conv1.fits(wide)
    assert not backbone.conv1.fits(wide.astype("float64"))


def test_a_training_step_both_ways(tiny_model: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (4, 3, 48, 96)).astype(np.float32)
    batch = Batch(images, rng.integers(1, 13, (4, 3)).astype(np.int32), np.full(4, 3, np.int64), ())
    network = assemble(load_model(tiny_model)).network
    engine = Engine(network, seed=0)
    losses, gradients = [], []
    for fast in (False, True):
        network.backbone.fast = fast
        engine.train_mode()
        paddle.seed(0)
        loss = ctc_loss(network(paddle.to_tensor(batch.images)), batch)
        loss.backward()
        losses.append(float(loss))
        gradients.append(slopes_of(network))
        network.clear_gradients()
    assert losses[1] == pytest.approx(losses[0], rel=1e-6)
    largest = max(np.abs(value).max() for value in gradients[0].values())
    worst = max(np.abs(gradients[1][name] - value).max() for name, value in gradients[0].items())
    assert worst / largest < 1e-5


@pytest.mark.parametrize(
    ("inputs", "outputs", "kernel", "stride", "groups"),
    [(6, 6, 3, 1, 6), (6, 6, 5, (2, 1), 6), (6, 6, 1, 1, 1), (6, 10, 1, 1, 1)],
)
def test_branches_with_fixed_statistics_are_one_convolution(
    inputs: int, outputs: int, kernel: int, stride: int | tuple[int, int], groups: int
) -> None:
    paddle.seed(0)
    rng = np.random.default_rng(0)
    layer = RepLayer(inputs, outputs, kernel, stride, groups)
    for part in layer.sublayers():
        if isinstance(part, paddle.nn.BatchNorm2D):
            for value, low in (
                (part._mean, -0.5),
                (part._variance, 0.5),
                (part.weight, 0.5),
                (part.bias, -1),
            ):
                value.set_value(rng.uniform(low, low + 1, value.shape).astype(np.float32))
    layer.eval()
    picture = rng.standard_normal((2, inputs, 8, 12)).astype(np.float32)
    outputs_, slopes = [], []
    for fast in (False, True):
        layer.fast = fast
        x = paddle.to_tensor(picture)
        x.stop_gradient = False
        y = layer(x)
        y.backward(tensor(np.random.default_rng(2), *y.shape))
        outputs_.append(y.numpy())
        slopes.append({"x": x.grad.numpy(), **slopes_of(layer)})
        layer.clear_gradients()
    assert relative(outputs_[1], outputs_[0]) < 1e-5
    assert slopes[0].keys() == slopes[1].keys()
    for name, wanted in slopes[0].items():
        assert relative(slopes[1][name], wanted) < 1e-5, name


AMD = "vendor_id\t: AuthenticAMD\nflags\t\t: fpu avx2 fma\n"
INTEL = "vendor_id\t: GenuineIntel\nflags\t\t: fpu avx2 fma\n"


@pytest.mark.parametrize(
    ("cpuinfo", "given", "wanted"),
    [
        (AMD, {}, {"MKL_DEBUG_CPU_TYPE": "5"}),
        (AMD, {"MKL_DEBUG_CPU_TYPE": "7"}, {"MKL_DEBUG_CPU_TYPE": "7"}),
        (AMD.replace("avx2", "avx"), {}, {}),
        (INTEL, {}, {}),
        ("Hardware : BCM2711\n", {}, {}),
    ],
)
def test_mkl_is_told_the_processor(
    tmp_path: Path, cpuinfo: str, given: dict[str, str], wanted: dict[str, str]
) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(cpuinfo)
    environment = dict(given)
    tell_mkl(environment, file)
    assert environment == wanted
    assert not tell_mkl({}, tmp_path / "missing")


def test_a_users_malloc_settings_stay() -> None:
    assert not keep_memory({"MALLOC_TRIM_THRESHOLD_": "1"})
