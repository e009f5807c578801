"""The recognisers of PP-OCRv2, v3 and v4 with their CTC head; GTC's branch is left out, as the guide says."""

from __future__ import annotations

from typing import Any

from paddle import nn

from datakit_train.models.lcnet import PPLCNetV3
from datakit_train.models.mobilenet import MobileNetV1Enhance
from datakit_train.models.rnn import RNNNeck
from datakit_train.models.svtr import SVTRNeck


class CTCHead(nn.Layer):  # type: ignore[misc]
    """One linear layer: N x T x D in, N x T x classes out; class 0 is the CTC blank."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x: Any) -> Any:
        """Logits, not probabilities."""
        return self.fc(x)


class WideCTCHead(nn.Layer):  # type: ignore[misc]
    """Two linear layers with nothing between them (``mid_channels`` of PP-OCRv2): a factorised classifier."""

    def __init__(self, inputs: int, classes: int, mid_channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(inputs, mid_channels)
        self.fc2 = nn.Linear(mid_channels, classes)

    def forward(self, x: Any) -> Any:
        """Logits, not probabilities."""
        return self.fc2(self.fc1(x))


class CTCRecognizer(nn.Layer):  # type: ignore[misc]
    """N x 3 x ``height`` x W in, logits N x T x classes out."""

    def __init__(self, backbone: nn.Layer, neck: nn.Layer, head: nn.Layer, *, height: int = 48) -> None:
        super().__init__()
        self.height = height
        self.backbone = backbone
        self.neck = neck
        self.head = head

    def forward(self, x: Any) -> Any:
        """Logits; apply softmax for probabilities."""
        return self.head(self.neck(self.backbone(x)))


def ppocrv2_rec(
    classes: int, *, scale: float = 0.5, hidden_size: int = 64, mid_channels: int = 96
) -> CTCRecognizer:
    """The PP-OCRv2 recogniser (input 32 px high, a time step every 4 px), freshly initialised."""
    backbone = MobileNetV1Enhance(scale=scale, last_conv_stride=1, last_pool_type="max")
    neck = RNNNeck(backbone.out_channels, hidden_size=hidden_size)
    return CTCRecognizer(backbone, neck, WideCTCHead(2 * hidden_size, classes, mid_channels), height=32)


def ppocrv3_rec(
    classes: int, *, scale: float = 0.5, last_pool_kernel_size: tuple[int, int] = (2, 2)
) -> CTCRecognizer:
    """The PP-OCRv3 recogniser for ``classes`` classes (characters + blank), freshly initialised."""
    backbone = MobileNetV1Enhance(scale=scale, last_pool_kernel_size=last_pool_kernel_size)
    return CTCRecognizer(backbone, SVTRNeck(backbone.out_channels), CTCHead(64, classes))


def ppocrv4_rec(classes: int, *, scale: float = 0.95, dims: int = 120) -> CTCRecognizer:
    """The PP-OCRv4 recogniser in its training form, freshly initialised; the classifier takes ``dims``."""
    backbone = PPLCNetV3(scale=scale)
    neck: Any = SVTRNeck(backbone.out_channels, dims=dims, kernel=(1, 3))
    return CTCRecognizer(backbone, neck, CTCHead(dims, classes))
