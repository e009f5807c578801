"""The two forms of PP-OCRv4's backbone: branches that train, and one convolution in inference files.

Source: RepVGG (arXiv 2101.03697). In evaluation mode every branch is linear, so their sum is one convolution
with a bias. The way back is not unique: the convolution becomes the first branch and the others start at
nothing, which computes the same and trains.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from datakit_train.framework import import_paddle

Array = npt.NDArray[np.float32]

_EPSILON = 1e-5
_BATCH_NORM = ("weight", "bias", "_mean", "_variance")


def rep_layers(network: Any) -> dict[str, Any]:
    """Prefix -> layer of every layer with branches, in order of construction; empty for PP-OCRv2 and v3."""
    import_paddle()
    from datakit_train.models.lcnet import RepLayer

    return {name: layer for name, layer in network.named_sublayers() if isinstance(layer, RepLayer)}


def inference_state(network: Any) -> dict[str, Array]:
    """The tensors as an inference file holds them: branches fused to ``PREFIX.weight`` and ``.bias``.

    Affine maps keep their names; a network without branches keeps all of them.
    """
    state = {name: np.array(value.numpy(), np.float32) for name, value in network.state_dict().items()}
    for prefix, layer in rep_layers(network).items():
        own = {name: state.pop(name) for name in list(state) if name.startswith(f"{prefix}.")}
        weight, bias = _fuse(prefix, own, layer)
        state |= {f"{prefix}.weight": weight, f"{prefix}.bias": bias}
        state |= {name: array for name, array in own.items() if ".lab." in name}
    return state


def fuse_branches(network: Any) -> None:
    """Replace the branches of ``network`` by their sums, for inference only; others stay as they are."""
    import_paddle()
    from paddle import nn

    state = inference_state(network)
    for prefix, layer in rep_layers(network).items():
        first = layer.conv_kxk[0].conv
        inputs = first.weight.shape[1] * first._groups
        layer.fused = nn.Conv2D(
            inputs,
            first.weight.shape[0],
            first._kernel_size,
            stride=first._stride,
            padding=first._padding,
            groups=first._groups,
        )
        layer.fused.weight.set_value(state[f"{prefix}.weight"])
        layer.fused.bias.set_value(state[f"{prefix}.bias"])
        layer.conv_kxk, layer.conv_1x1, layer.identity = nn.LayerList(), None, None


def _scale_shift(prefix: str, tensors: Mapping[str, Array]) -> tuple[Array, Array]:
    """A BatchNorm as factor and summand a channel."""
    weight, bias, mean, variance = (tensors[f"{prefix}.{slot}"].astype(np.float64) for slot in _BATCH_NORM)
    factor = weight / np.sqrt(variance + _EPSILON)
    return factor.astype(np.float32), (bias - mean * factor).astype(np.float32)


def _fuse(prefix: str, tensors: Mapping[str, Array], layer: Any) -> tuple[Array, Array]:
    shape = tuple(layer.conv_kxk[0].conv.weight.shape)
    weight, bias = np.zeros(shape, np.float64), np.zeros(shape[0], np.float64)
    middle = shape[2] // 2
    branches = [f"{prefix}.conv_kxk.{number}" for number in range(len(layer.conv_kxk))]
    if layer.conv_1x1 is not None:
        branches.append(f"{prefix}.conv_1x1")
    for branch in branches:
        factor, shift = _scale_shift(f"{branch}.bn", tensors)
        kernel = tensors[f"{branch}.conv.weight"] * factor[:, None, None, None]
        if kernel.shape == shape:
            weight += kernel
        else:
            weight[:, :, middle, middle] += kernel[:, :, 0, 0]
        bias += shift
    if layer.identity is not None:
        factor, shift = _scale_shift(f"{prefix}.identity", tensors)
        for channel in range(shape[0]):
            # In a depthwise convolution every output has one input, its own.
            weight[channel, channel % shape[1], middle, middle] += factor[channel]
        bias += shift
    return weight.astype(np.float32), bias.astype(np.float32)


def training_state(network: Any, inference: Mapping[str, Array]) -> dict[str, Array]:
    """Tensors for ``network`` that compute what those of an inference file compute.

    Names that neither form has are left out.
    """
    state = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    tensors = {name: array for name, array in inference.items() if name in state}
    for prefix in rep_layers(network):
        for name, shape in state.items():
            if not name.startswith(f"{prefix}.") or ".lab." in name:
                continue
            slot = name.rpartition(".")[2]
            neutral = 1.0 if slot == "_variance" or (slot == "weight" and ".bn." in name) else 0.0
            tensors[name] = np.full(shape, neutral, np.float32)
        if f"{prefix}.weight" not in inference or f"{prefix}.bias" not in inference:
            continue
        first = f"{prefix}.conv_kxk.0"
        tensors[f"{first}.conv.weight"] = inference[f"{prefix}.weight"]
        # Undoes the epsilon that BatchNorm adds to a variance of 1.
        tensors[f"{first}.bn.weight"] = np.full_like(inference[f"{prefix}.bias"], np.sqrt(1 + _EPSILON))
        tensors[f"{first}.bn.bias"] = inference[f"{prefix}.bias"]
    return tensors
