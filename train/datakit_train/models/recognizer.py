"""The PP-OCRv3 recogniser with its CTC head; GTC (the SAR branch) is left out, as the guide says."""

from __future__ import annotations

from typing import Any

from paddle import nn

from datakit_train.models.mobilenet import MobileNetV1Enhance
from datakit_train.models.svtr import SVTRNeck


class CTCHead(nn.Layer):  # type: ignore[misc]
    """One linear layer: N x T x D in, N x T x classes out; class 0 is the CTC blank."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(inputs, classes)

    def forward(self, x: Any) -> Any:
        """Logits, not probabilities."""
        return self.fc(x)


class CTCRecognizer(nn.Layer):  # type: ignore[misc]
    """N x 3 x 48 x W in, logits N x W/8 x classes out."""

    def __init__(self, backbone: nn.Layer, neck: nn.Layer, head: nn.Layer) -> None:
        super().__init__()
        self.backbone = backbone
        self.neck = neck
        self.head = head

    def forward(self, x: Any) -> Any:
        """Logits; apply softmax for probabilities."""
        return self.head(self.neck(self.backbone(x)))


def ppocrv3_rec(
    classes: int, *, scale: float = 0.5, last_pool_kernel_size: tuple[int, int] = (2, 2)
) -> CTCRecognizer:
    """The PP-OCRv3 recogniser for ``classes`` classes (characters + blank), freshly initialised."""
    backbone = MobileNetV1Enhance(scale=scale, last_pool_kernel_size=last_pool_kernel_size)
    return CTCRecognizer(backbone, SVTRNeck(backbone.out_channels), CTCHead(64, classes))
