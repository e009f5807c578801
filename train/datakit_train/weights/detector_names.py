"""Parameter names and shapes of the PP-OCRv3 detector (student), in PaddleOCR's order of construction.

MobileNetV3 large at scale 0.5 without attention, RSEFPN with 96 channels, DB head. Enough to give the
tensors of the ONNX file PaddleOCR's names; the network itself comes with detection training.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# (stage, block, input, expanded, output channels, depthwise kernel)
_BLOCKS: tuple[tuple[int, int, int, int, int, int], ...] = (
    (0, 0, 8, 8, 8, 3), (0, 1, 8, 32, 16, 3), (0, 2, 16, 40, 16, 3),
    (1, 0, 16, 40, 24, 5), (1, 1, 24, 64, 24, 5), (1, 2, 24, 64, 24, 5),
    (2, 0, 24, 120, 40, 3), (2, 1, 40, 104, 40, 3), (2, 2, 40, 96, 40, 3), (2, 3, 40, 96, 40, 3),
    (2, 4, 40, 240, 56, 3), (2, 5, 56, 336, 56, 3),
    (3, 0, 56, 336, 80, 5), (3, 1, 80, 480, 80, 5), (3, 2, 80, 480, 80, 5),
)  # fmt: skip
_STEM = 8
_LAST = 480
_STAGE_OUTPUTS = (16, 24, 56, _LAST)
_NECK = 96
_HEAD = 24


@dataclass(slots=True)
class LayerTable:
    """``layers``: kind of layer as the ONNX names call it -> prefixes in order; ``shapes`` by name."""

    layers: dict[str, list[str]] = field(
        default_factory=lambda: {"conv2d": [], "batch_norm": [], "conv2d_transpose": []}
    )
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def conv(self, prefix: str, outputs: int, inputs: int, kernel: int, *, bias: bool = False) -> None:
        """Add a convolution; ``inputs`` per group."""
        self.layers["conv2d"].append(prefix)
        self.shapes[f"{prefix}.weight"] = (outputs, inputs, kernel, kernel)
        if bias:
            self.shapes[f"{prefix}.bias"] = (outputs,)

    def norm(self, prefix: str, channels: int) -> None:
        """Add a BatchNorm."""
        self.layers["batch_norm"].append(prefix)
        for slot in ("weight", "bias", "_mean", "_variance"):
            self.shapes[f"{prefix}.{slot}"] = (channels,)

    def transpose(self, prefix: str, inputs: int, outputs: int) -> None:
        """Add a transposed convolution, 2 x 2, with bias."""
        self.layers["conv2d_transpose"].append(prefix)
        self.shapes[f"{prefix}.weight"] = (inputs, outputs, 2, 2)
        self.shapes[f"{prefix}.bias"] = (outputs,)


def _backbone(table: LayerTable) -> None:
    def conv_bn(prefix: str, outputs: int, inputs: int, kernel: int) -> None:
        table.conv(f"{prefix}.conv", outputs, inputs, kernel)
        table.norm(f"{prefix}.bn", outputs)

    conv_bn("backbone.conv", _STEM, 3, 3)
    for stage, block, inputs, expanded, outputs, kernel in _BLOCKS:
        prefix = f"backbone.stage{stage}.{block}"
        conv_bn(f"{prefix}.expand_conv", expanded, inputs, 1)
        conv_bn(f"{prefix}.bottleneck_conv", expanded, 1, kernel)
        conv_bn(f"{prefix}.linear_conv", outputs, expanded, 1)
    conv_bn("backbone.stage3.3", _LAST, _BLOCKS[-1][4], 1)


def _attention_conv(table: LayerTable, prefix: str, outputs: int, inputs: int, kernel: int) -> None:
    table.conv(f"{prefix}.in_conv", outputs, inputs, kernel)
    table.conv(f"{prefix}.se_block.conv1", outputs // 4, outputs, 1, bias=True)
    table.conv(f"{prefix}.se_block.conv2", outputs, outputs // 4, 1, bias=True)


def detector_table() -> LayerTable:
    """The detector without its threshold branch, which inference files do not hold."""
    table = LayerTable()
    _backbone(table)
    for number, channels in enumerate(_STAGE_OUTPUTS):
        _attention_conv(table, f"neck.ins_conv.{number}", _NECK, channels, 1)
        _attention_conv(table, f"neck.inp_conv.{number}", _NECK // 4, _NECK, 3)
    table.conv("head.binarize.conv1", _HEAD, _NECK, 3)
    table.norm("head.binarize.conv_bn1", _HEAD)
    table.transpose("head.binarize.conv2", _HEAD, _HEAD)
    table.norm("head.binarize.conv_bn2", _HEAD)
    table.transpose("head.binarize.conv3", _HEAD, 1)
    return table
