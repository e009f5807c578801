"""PPLCNetV3, the backbone of the PP-OCRv4 recogniser, in its training form.

Every convolution is a sum of branches (learnable re-parameterisation) with a learnable affine map behind it.
Source: RepVGG (arXiv 2101.03697), LCNet (arXiv 2109.15099), PP-OCRv4's configuration.
"""

from __future__ import annotations

from typing import Any

import paddle
import paddle.nn.functional as F
from paddle import nn

Stride = int | tuple[int, int]

# Stage -> blocks of (kernel, output channels at scale 1, stride, squeeze and excitation).
_STAGES: dict[str, tuple[tuple[int, int, Stride, bool], ...]] = {
    "blocks2": ((3, 32, 1, False),),
    "blocks3": ((3, 64, 1, False), (3, 64, 1, False)),
    "blocks4": ((3, 128, (2, 1), False), (3, 128, 1, False)),
    "blocks5": ((3, 256, (1, 2), False), *((5, 256, 1, False),) * 4),
    "blocks6": ((5, 512, (2, 1), True), (5, 512, 1, True), (5, 512, (2, 1), False), (5, 512, 1, False)),
}
_STEM_CHANNELS = 16
_DIVISOR = 16
BRANCHES = 4


def scaled(channels: int, scale: float) -> int:
    """``channels * scale`` rounded to a multiple of 16, never down by more than a tenth."""
    wanted = channels * scale
    rounded = max(_DIVISOR, int(wanted + _DIVISOR / 2) // _DIVISOR * _DIVISOR)
    return rounded + _DIVISOR if rounded < 0.9 * wanted else rounded


class LearnableAffine(nn.Layer):  # type: ignore[misc]
    """``scale * x + bias`` with one number each."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = self.create_parameter([1], default_initializer=nn.initializer.Constant(1.0))
        self.bias = self.create_parameter([1], default_initializer=nn.initializer.Constant(0.0))

    def forward(self, x: Any) -> Any:
        """Any shape."""
        return self.scale * x + self.bias


class Activation(nn.Layer):  # type: ignore[misc]
    """Hard-swish and an affine map."""

    def __init__(self) -> None:
        super().__init__()
        self.lab = LearnableAffine()

    def forward(self, x: Any) -> Any:
        """Any shape."""
        return self.lab(F.hardswish(x))


class ConvBN(nn.Layer):  # type: ignore[misc]
    """Convolution without bias, BatchNorm."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: Stride, groups: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2D(
            inputs, outputs, kernel, stride=stride, padding=(kernel - 1) // 2, groups=groups, bias_attr=False
        )
        self.bn = nn.BatchNorm2D(outputs)

    def forward(self, x: Any) -> Any:
        """N x C x H x W in and out."""
        return self.bn(self.conv(x))


class RepLayer(nn.Layer):  # type: ignore[misc]
    """A sum of four k x k branches, a 1 x 1 branch (k > 1) and the identity (where shapes allow).

    With BatchNorm's statistics fixed the sum is one convolution of the branches' summed weights, in training
    too: gradients go on through the sum. An inference model holds that convolution alone; see
    :mod:`datakit_train.weights.reparameterise`.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: Stride = 1, groups: int = 1) -> None:
        super().__init__()
        # The sum as one convolution, in an inference model.
        self.fused: nn.Layer | None = None
        # Off: every branch by itself, which is what tests compare with.
        self.fast = True
        self._shape = {"stride": stride, "padding": (kernel - 1) // 2, "groups": groups}
        self.identity = nn.BatchNorm2D(inputs) if inputs == outputs and stride == 1 else None
        self.conv_kxk = nn.LayerList(
            [ConvBN(inputs, outputs, kernel, stride, groups) for _ in range(BRANCHES)]
        )
        self.conv_1x1 = ConvBN(inputs, outputs, 1, stride, groups) if kernel > 1 else None
        self.lab = LearnableAffine()
        self.act = Activation()

    def forward(self, x: Any) -> Any:
        """N x C x H x W in and out."""
        if self.fused is not None:
            return self.act(self.lab(self.fused(x)))
        if self.fast and paddle.in_dynamic_mode() and not self.conv_kxk[0].bn.training:
            return self.act(self.lab(self._summed(x)))
        # Written out: Paddle's translator of an inference model fails on generators.
        total = self.conv_kxk[0](x)
        for number in range(1, BRANCHES):
            total = total + self.conv_kxk[number](x)
        if self.conv_1x1 is not None:
            total = total + self.conv_1x1(x)
        if self.identity is not None:
            total = total + self.identity(x)
        return self.act(self.lab(total))

    def _summed(self, x: Any) -> Any:
        """All branches as one convolution; BatchNorm's statistics as they stand."""
        kernel = self.conv_kxk[0].conv.weight.shape[2]
        weight, bias = paddle.zeros([]), paddle.zeros([])
        for branch in self.conv_kxk:
            scale, shift = _scale_and_shift(branch.bn)
            weight, bias = weight + branch.conv.weight * scale, bias + shift
        if self.conv_1x1 is not None:
            scale, shift = _scale_and_shift(self.conv_1x1.bn)
            weight, bias = weight + _centred(self.conv_1x1.conv.weight * scale, kernel), bias + shift
        if self.identity is not None:
            scale, shift = _scale_and_shift(self.identity)
            outputs, inputs = self.conv_kxk[0].conv.weight.shape[:2]
            # Depthwise: every channel is its own; pointwise: the channel of the same number.
            same = paddle.ones([outputs, 1]) if inputs == 1 else paddle.eye(outputs)
            one = same.reshape([outputs, inputs, 1, 1])
            weight, bias = weight + _centred(one * scale, kernel), bias + shift
        return F.conv2d(x, weight, bias, **self._shape)


def _scale_and_shift(norm: nn.BatchNorm2D) -> tuple[Any, Any]:
    """BatchNorm with fixed statistics as ``scale * x + shift``; scale outputs x 1 x 1 x 1, shift flat."""
    scale = norm.weight / paddle.sqrt(norm._variance + norm._epsilon)
    return scale.reshape([-1, 1, 1, 1]), norm.bias - norm._mean * scale


def _centred(weight: Any, kernel: int) -> Any:
    """A 1 x 1 kernel in the middle of a ``kernel`` x ``kernel`` one of zeros."""
    side = (kernel - 1) // 2
    return F.pad(weight, [side] * 4) if side else weight


class SqueezeExcite(nn.Layer):  # type: ignore[misc]
    """Channel attention with a bottleneck of a quarter of the channels."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2D(channels, channels // 4, 1)
        self.conv2 = nn.Conv2D(channels // 4, channels, 1)

    def forward(self, x: Any) -> Any:
        """N x C x H x W in and out."""
        weights = F.relu(self.conv1(F.adaptive_avg_pool2d(x, 1)))
        return x * F.hardsigmoid(self.conv2(weights))


class Block(nn.Layer):  # type: ignore[misc]
    """Depthwise layer, optional channel attention, pointwise layer."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: Stride, attention: bool) -> None:
        super().__init__()
        self.dw_conv = RepLayer(inputs, inputs, kernel, stride, groups=inputs)
        self.se = SqueezeExcite(inputs) if attention else None
        self.pw_conv = RepLayer(inputs, outputs, 1)

    def forward(self, x: Any) -> Any:
        """N x C x H x W in, channels and size as the block says out."""
        x = self.dw_conv(x)
        if self.se is not None:
            x = self.se(x)
        return self.pw_conv(x)


class PPLCNetV3(nn.Layer):  # type: ignore[misc]
    """3 x 48 x W in, C x 1 x W/8 out (C = 480 at scale 0.95).

    PaddleOCR pools to 40 steps while it trains, whatever the width: the same as here at 320 px, and time
    steps of another size than in evaluation at any other. Here both pool alike; ``train_steps = 40`` is
    PaddleOCR's way.
    """

    def __init__(self, *, scale: float = 0.95) -> None:
        super().__init__()
        self.train_steps: int | None = None
        channels = scaled(_STEM_CHANNELS, scale)
        self.conv1 = ConvBN(3, channels, 3, 2)
        for name, rows in _STAGES.items():
            blocks = []
            for kernel, width, stride, attention in rows:
                outputs = scaled(width, scale)
                blocks.append(Block(channels, outputs, kernel, stride, attention))
                channels = outputs
            setattr(self, name, nn.Sequential(*blocks))
        self.out_channels = channels

    def forward(self, x: Any) -> Any:
        """N x 3 x 48 x W in, N x C x 1 x T out."""
        x = self.conv1(x)
        for name in _STAGES:
            x = getattr(self, name)(x)
        if self.training and self.train_steps is not None:
            return F.adaptive_avg_pool2d(x, [1, self.train_steps])
        return F.avg_pool2d(x, [3, 2])
