"""The neck of PP-OCRv2: a bidirectional LSTM of two layers."""

from __future__ import annotations

from typing import Any

from paddle import nn


class RNNEncoder(nn.Layer):  # type: ignore[misc]
    """N x T x C in, N x T x 2 ``hidden_size`` out.

    Paddle lists every LSTM parameter twice (``lstm.weight_ih_l0`` and ``lstm.0.cell_fw.weight_ih``): two
    names of one tensor, both in PaddleOCR's files.
    """

    def __init__(self, inputs: int, hidden_size: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(inputs, hidden_size, num_layers=2, direction="bidirectional")

    def forward(self, x: Any) -> Any:
        """The outputs of every step."""
        return self.lstm(x)[0]


class RNNNeck(nn.Layer):  # type: ignore[misc]
    """The map turned into a sequence, and the LSTM: N x C x 1 x T in, N x T x 2 ``hidden_size`` out."""

    def __init__(self, inputs: int, *, hidden_size: int = 64) -> None:
        super().__init__()
        self.encoder = RNNEncoder(inputs, hidden_size)

    def forward(self, x: Any) -> Any:
        """Height has to be 1 here."""
        return self.encoder(x.squeeze(2).transpose([0, 2, 1]))
