"""MobileNetV1Enhance, the backbone of the PP-OCRv2 and PP-OCRv3 recognisers.

Source: PP-OCRv3 (arXiv 2206.03001) and the ``Architecture`` block of its configuration.
"""

from __future__ import annotations

from typing import Any

import paddle.nn.functional as F
from paddle import nn

from datakit_train.models import channel_major as cm

# (output channels at scale 1, stride, kernel of the depthwise convolution, squeeze and excitation)
_BLOCKS: tuple[tuple[int, int | tuple[int, int], int, bool], ...] = (
    (64, 1, 3, False),
    (128, 1, 3, False),
    (128, 1, 3, False),
    (256, (2, 1), 3, False),
    (256, 1, 3, False),
    (512, (2, 1), 3, False),
    *((512, 1, 5, False),) * 5,
    (1024, (2, 1), 5, True),
)
_STEM_CHANNELS = 32
_LAST_CHANNELS = 1024


class ConvBN(nn.Layer):  # type: ignore[misc]
    """Convolution without bias, BatchNorm, hard-swish."""

    def __init__(self, inputs: int, outputs: int, kernel: int, *, stride: Any = 1, groups: int = 1) -> None:
        super().__init__()
        self.stride = stride
        self._conv = nn.Conv2D(
            inputs, outputs, kernel, stride=stride, padding=kernel // 2, groups=groups, bias_attr=False
        )
        self._batch_norm = nn.BatchNorm2D(outputs)

    def forward(self, x: Any) -> Any:
        """N x C x H x W in and out."""
        return F.hardswish(self._batch_norm(self._conv(x)))

    def depthwise(self, x: Any) -> Any:
        """The same of a depthwise layer, C x N x W x H in and out."""
        return cm.hardswish(cm.normalise(cm.depthwise_conv(x, self._conv, self.stride), self._batch_norm))

    def pointwise(self, x: Any) -> Any:
        """The same of a 1 x 1 layer, C x N x W x H in and out."""
        return cm.hardswish(cm.normalise(cm.pointwise(x, self._conv), self._batch_norm))

    def fits(self, x: Any) -> bool:
        """Whether a batch of pictures can be computed channel by channel."""
        return cm.fits(x, self._batch_norm)


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


class SeparableBlock(nn.Layer):  # type: ignore[misc]
    """Depthwise convolution, optional channel attention, pointwise convolution."""

    def __init__(self, inputs: int, outputs: int, *, stride: Any, kernel: int, attention: bool) -> None:
        super().__init__()
        self._depthwise_conv = ConvBN(inputs, inputs, kernel, stride=stride, groups=inputs)
        self._se = SqueezeExcite(inputs) if attention else None
        self._pointwise_conv = ConvBN(inputs, outputs, 1)

    def forward(self, x: Any) -> Any:
        """N x C x H x W in, channels and height as the block says out."""
        x = self._depthwise_conv(x)
        if self._se is not None:
            x = self._se(x)
        return self._pointwise_conv(x)

    def channel_major(self, x: Any) -> Any:
        """C x N x W x H in and out."""
        x = self._depthwise_conv.depthwise(x)
        if self._se is not None:
            x = cm.squeeze_excite(x, self._se.conv1, self._se.conv2)
        return self._pointwise_conv.pointwise(x)


class MobileNetV1Enhance(nn.Layer):  # type: ignore[misc]
    """3 x 48 x W in, C x 1 x W/8 out (C = 512 at scale 0.5); as in PP-OCRv2 3 x 32 x W in, C x 1 x W/4 out.

    ``last_pool_kernel_size`` has to be [2, 2] for the published PP-OCRv3 weights. PaddleOCR's newer default
    [3, 2] gives the same shapes and other values, so nothing but the output tells; see
    :func:`datakit_train.recognizer.check_architecture`.
    """

    def __init__(
        self,
        *,
        scale: float = 0.5,
        last_conv_stride: int | tuple[int, int] = (1, 2),
        last_pool_type: str = "avg",
        last_pool_kernel_size: tuple[int, int] = (2, 2),
    ) -> None:
        super().__init__()
        # Off: Paddle's own kernels layer by layer, which is what tests compare with.
        self.fast = True
        channels = int(_STEM_CHANNELS * scale)
        self.conv1 = ConvBN(3, channels, 3, stride=2)
        blocks = []
        for width, stride, kernel, attention in (*_BLOCKS, (_LAST_CHANNELS, last_conv_stride, 5, True)):
            outputs = int(width * scale)
            block = SeparableBlock(channels, outputs, stride=stride, kernel=kernel, attention=attention)
            blocks.append(block)
            channels = outputs
        self.block_list = nn.Sequential(*blocks)
        # As in PaddleOCR, max pooling (PP-OCRv2) is 2 x 2 whatever the kernel size says.
        self.pool: nn.Layer = (
            nn.AvgPool2D(last_pool_kernel_size, stride=last_pool_kernel_size)
            if last_pool_type == "avg"
            else nn.MaxPool2D(2, stride=2)
        )
        self.out_channels = channels

    def forward(self, x: Any) -> Any:
        """N x 3 x H x W in, N x C x 1 x T out."""
        if self.fast and self.conv1.fits(x):
            return self._channel_major(x)
        return self.pool(self.block_list(self.conv1(x)))

    def _channel_major(self, x: Any) -> Any:
        x = cm.enter(self.conv1(x))
        for block in self.block_list:
            x = block.channel_major(x)
        return cm.leave(self._pooled(x))

    def _pooled(self, x: Any) -> Any:
        """The last pooling with columns and rows swapped."""
        if isinstance(self.pool, nn.MaxPool2D):
            return F.max_pool2d(x, 2, stride=2)
        down, across = self.pool.ksize
        return F.avg_pool2d(x, (across, down), stride=(across, down))
