"""The SVTR neck of PP-OCRv3 and PP-OCRv4: two global-mixing attention blocks between convolutions.

Source: SVTR (arXiv 2205.00159) as used by PP-OCRv3 (arXiv 2206.03001), without the guide of GTC.
"""

from __future__ import annotations

from typing import Any

import paddle
import paddle.nn.functional as F
from paddle import nn

_HEADS = 8
_DROPOUT = 0.1


class ConvBNSwish(nn.Layer):  # type: ignore[misc]
    """Convolution without bias, BatchNorm, swish."""

    def __init__(self, inputs: int, outputs: int, kernel: tuple[int, int] = (1, 1)) -> None:
        super().__init__()
        padding = [kernel[0] // 2, kernel[1] // 2]
        self.conv = nn.Conv2D(inputs, outputs, kernel, padding=padding, bias_attr=False)
        self.norm = nn.BatchNorm2D(outputs)

    def forward(self, x: Any) -> Any:
        """N x C x H x W in and out."""
        return F.swish(self.norm(self.conv(x)))


class Attention(nn.Layer):  # type: ignore[misc]
    """Multi-head self-attention over all positions of the line."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.scale = (dim // _HEADS) ** -0.5
        self.qkv = nn.Linear(dim, dim * 3)
        self.attn_drop = nn.Dropout(_DROPOUT)
        self.proj = nn.Linear(dim, dim)
        self.proj_drop = nn.Dropout(_DROPOUT)

    def forward(self, x: Any) -> Any:
        """N x T x D in and out."""
        _, steps, dim = x.shape
        qkv = self.qkv(x).reshape([0, steps, 3, _HEADS, dim // _HEADS]).transpose([2, 0, 3, 1, 4])
        weights = F.softmax((qkv[0] * self.scale).matmul(qkv[1].transpose([0, 1, 3, 2])), axis=-1)
        mixed = self.attn_drop(weights).matmul(qkv[2]).transpose([0, 2, 1, 3]).reshape([0, steps, dim])
        return self.proj_drop(self.proj(mixed))


class FeedForward(nn.Layer):  # type: ignore[misc]
    """Two linear layers with swish between them, twice as wide inside."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, dim * 2)
        self.fc2 = nn.Linear(dim * 2, dim)
        self.drop = nn.Dropout(_DROPOUT)

    def forward(self, x: Any) -> Any:
        """N x T x D in and out."""
        return self.drop(self.fc2(self.drop(F.swish(self.fc1(x)))))


class MixingBlock(nn.Layer):  # type: ignore[misc]
    """Attention and feed-forward, each normalised first and with a residual around it (pre-norm)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, epsilon=1e-5)
        self.mixer = Attention(dim)
        self.mlp = FeedForward(dim)
        self.norm2 = nn.LayerNorm(dim, epsilon=1e-5)

    def forward(self, x: Any) -> Any:
        """N x T x D in and out."""
        x = x + self.mixer(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class SVTREncoder(nn.Layer):  # type: ignore[misc]
    """N x C x H x W in, N x ``dims`` x H x W out."""

    def __init__(
        self, inputs: int, *, dims: int, depth: int, hidden_dims: int, kernel: tuple[int, int]
    ) -> None:
        super().__init__()
        self.conv1 = ConvBNSwish(inputs, inputs // 8, kernel)
        self.conv2 = ConvBNSwish(inputs // 8, hidden_dims)
        self.svtr_block = nn.LayerList([MixingBlock(hidden_dims) for _ in range(depth)])
        self.norm = nn.LayerNorm(hidden_dims, epsilon=1e-6)
        self.conv3 = ConvBNSwish(hidden_dims, inputs)
        self.conv4 = ConvBNSwish(inputs * 2, inputs // 8, kernel)
        self.conv1x1 = ConvBNSwish(inputs // 8, dims)

    def forward(self, x: Any) -> Any:
        """Mix all positions, then join with the input by channel."""
        mixed = self.conv2(self.conv1(x))
        _, channels, height, width = mixed.shape
        mixed = mixed.flatten(2).transpose([0, 2, 1])
        for block in self.svtr_block:
            mixed = block(mixed)
        mixed = self.norm(mixed).reshape([0, height, width, channels]).transpose([0, 3, 1, 2])
        return self.conv1x1(self.conv4(paddle.concat([x, self.conv3(mixed)], axis=1)))


class SVTRNeck(nn.Layer):  # type: ignore[misc]
    """The encoder, and the map turned into a sequence: N x C x 1 x T in, N x T x ``dims`` out."""

    def __init__(
        self,
        inputs: int,
        *,
        dims: int = 64,
        depth: int = 2,
        hidden_dims: int = 120,
        kernel: tuple[int, int] = (3, 3),
    ) -> None:
        super().__init__()
        self.encoder = SVTREncoder(inputs, dims=dims, depth=depth, hidden_dims=hidden_dims, kernel=kernel)

    def forward(self, x: Any) -> Any:
        """Height has to be 1 here."""
        return self.encoder(x).squeeze(2).transpose([0, 2, 1])
