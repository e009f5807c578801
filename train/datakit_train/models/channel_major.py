"""Layers on maps with the channels outermost and the rows innermost: channel, picture, column, row ("CNWH").

A 1 x 1 convolution is then one product of two matrices for the whole batch, and a depthwise one a product a
channel (:mod:`datakit_train.models.banded`). Weights are those of the layers as they are; results agree with
the layers' own to rounding, and so do gradients.
"""

from __future__ import annotations

from typing import Any

import paddle
import paddle.nn.functional as F
from paddle import nn
from paddle.autograd import PyLayer

from datakit_train.models.banded import Plan, depthwise

# Columns of a map that one matrix takes: measured best of 2, 4, 8, 16 for every layer of PP-OCRv3.
BLOCK = 4
# A map is halved in width twice in the backbone, and what is left has to be whole blocks.
WIDTH_MULTIPLE = 4 * BLOCK


class _Hardswish(PyLayer):  # type: ignore[misc]
    """Paddle's own gradient takes a number at a time; these whole-array steps take half as long."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return F.hardswish(x)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        (x,) = ctx.saved_tensor()
        bent = paddle.scale(x, bias=3.0).clip_(0.0, 6.0)
        # Above 0 where x is between -3 and 3: there the slope is (bent + x) / 6, elsewhere bent / 6.
        slope = paddle.scale(bent, -1.0, 6.0).multiply_(bent).sign()
        return slope.multiply_(x).add_(bent).multiply_(grad).scale_(1 / 6)


def fits(x: Any, norm: nn.BatchNorm2D) -> bool:
    """Whether a batch N x 3 x H x W can go this way.

    The numbers have to be single precision on the CPU, and nothing is being traced into an inference model.
    """
    return bool(
        paddle.in_dynamic_mode()
        and x.place.is_cpu_place()
        and x.dtype == paddle.float32
        and norm.weight.dtype == paddle.float32
        and x.shape[3] % WIDTH_MULTIPLE == 0
    )


def enter(x: Any) -> Any:
    """N x C x H x W in, C x N x W x H out."""
    return x.transpose([1, 0, 3, 2])


def leave(x: Any) -> Any:
    """C x N x W x H in, N x C x H x W out."""
    return x.transpose([1, 0, 3, 2])


def normalise(x: Any, norm: nn.BatchNorm2D) -> Any:
    """BatchNorm, its statistics fixed or those of the batch, of any shape that begins with the channels."""
    return norm(x.reshape([1, x.shape[0], -1, 1])).reshape(x.shape)


def hardswish(x: Any) -> Any:
    """``x * relu6(x + 3) / 6``."""
    return _Hardswish.apply(x) if paddle.is_grad_enabled() else F.hardswish(x)


def pointwise(x: Any, conv: nn.Conv2D) -> Any:
    """A 1 x 1 convolution without bias."""
    outputs, inputs = conv.weight.shape[:2]
    product = conv.weight.reshape([outputs, inputs]).matmul(x.reshape([inputs, -1]))
    return product.reshape([outputs, *x.shape[1:]])


def depthwise_conv(x: Any, conv: nn.Conv2D, stride: int | tuple[int, int]) -> Any:
    """A depthwise convolution without bias, padded by half its kernel."""
    down, across = (stride, stride) if isinstance(stride, int) else stride
    plan = Plan(conv.weight.shape[2], down, across, height=x.shape[3], block=BLOCK)
    return depthwise(x, conv.weight, plan)


def squeeze_excite(x: Any, squeeze: nn.Conv2D, excite: nn.Conv2D) -> Any:
    """Channel attention of two 1 x 1 convolutions with bias."""
    channels, count = x.shape[:2]
    means = x.reshape([channels, count, -1]).mean(axis=2)
    inner = F.relu(_dense(means, squeeze))
    weights = F.hardsigmoid(_dense(inner, excite))
    return x * weights.reshape([channels, count, 1, 1])


def _dense(x: Any, conv: nn.Conv2D) -> Any:
    outputs, inputs = conv.weight.shape[:2]
    return conv.weight.reshape([outputs, inputs]).matmul(x) + conv.bias.reshape([outputs, 1])
