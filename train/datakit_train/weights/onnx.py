"""Takes Paddle's parameters back out of the ONNX files that RapidOCR ships.

paddle2onnx left every tensor of these files as a Constant node under Paddle's own name (``conv2d_57.w_0``),
BatchNorm not folded. The numbers in the names grow in the order in which the layers were built, so that
sorting by kind of layer and number, and the model's own parameters likewise, pairs them one to one; shapes
are compared.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datakit.errors import MissingExtraError
from datakit_train.weights.pdparams import WeightsError

Array = npt.NDArray[np.float32]

_NAME = re.compile(r"(?P<kind>[a-z0-9_]*[a-z])_(?P<number>\d+)\.(?P<slot>[wb]_\d)")
# Slot of a Paddle layer -> last part of the state-dict name, by kind of layer.
_BATCH_NORM_SLOTS = {"w_0": "weight", "b_0": "bias", "w_1": "_mean", "w_2": "_variance"}
_PLAIN_SLOTS = {"w_0": "weight", "b_0": "bias"}
# The learnable affine maps of PP-OCRv4: behind a convolution, and behind its activation.
_AFFINE_SLOTS = {"w_0": "scale", "w_1": "bias"}
_AFFINE_KINDS = frozenset({"mobile_one_block", "whswish_b"})


def load_onnx(path: Path) -> Any:
    """The file as onnx reads it; no tensor that lies in another file is followed.

    Raises:
        MissingExtraError: onnx is not installed.
        WeightsError: the file is missing or not ONNX.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError("onnx", "train") from error
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    try:
        # Tensors that lie in other files would be read from wherever the file says.
        return onnx.load(str(path), load_external_data=False)
    except (DecodeError, OSError) as error:
        raise WeightsError(f"is not a readable ONNX file ({error})", file=path) from error


def read_onnx_tensors(path: Path) -> dict[str, Array]:
    """Every named parameter tensor of the file: Paddle's name -> float32 array."""
    tensors: dict[str, Array] = {}
    for node in load_onnx(path).graph.node:
        if is_parameter(node):
            tensors[node.output[0]] = _constant(node, path)
    if not tensors:
        raise WeightsError(
            "holds no tensor under Paddle's names; only unfolded paddle2onnx files work", file=path
        )
    return tensors


def _constant(node: Any, path: Path) -> Array:
    from onnx import numpy_helper

    try:
        return np.asarray(numpy_helper.to_array(node.attribute[0].t), dtype=np.float32)
    except (ValueError, TypeError, IndexError, KeyError) as error:
        raise WeightsError(f"tensor {node.output[0]} cannot be read ({error})", file=path) from error


def read_onnx_dictionary(path: Path) -> tuple[str, ...]:
    """The characters in the metadata entry ``character``, without blank and space; empty if there is none."""
    for entry in load_onnx(path).metadata_props:
        if entry.key == "character":
            return tuple(entry.value.split("\n"))
    return ()


def is_parameter(node: Any) -> bool:
    """Whether a node of a paddle2onnx file holds a parameter under Paddle's name."""
    return bool(node.op_type == "Constant" and node.output and _NAME.fullmatch(node.output[0]))


def _layer_key(name: str) -> tuple[str, int]:
    match = _NAME.fullmatch(name)
    if match is None:  # read_onnx_tensors kept matching names only
        raise WeightsError(f"tensor {name!r} is not named as Paddle names its layers")
    return match["kind"], int(match["number"])


def group_by_layer(names: Iterable[str]) -> dict[str, list[tuple[str, ...]]]:
    """Kind of layer -> its layers in order of construction, each the names of its tensors."""
    layers: dict[tuple[str, int], list[str]] = defaultdict(list)
    for name in names:
        layers[_layer_key(name)].append(name)
    grouped: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for kind, number in sorted(layers):
        grouped[kind].append(tuple(sorted(layers[kind, number])))
    return dict(grouped)


def _slots(kind: str) -> dict[str, str]:
    if kind in _AFFINE_KINDS:
        return _AFFINE_SLOTS
    return _BATCH_NORM_SLOTS if kind.startswith("batch_norm") else _PLAIN_SLOTS


def pair(names: Iterable[str], layers: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The model's own name of every tensor of a file.

    Args:
        names: as in the file: Paddle's.
        layers: kind of layer as in the ONNX names -> prefixes of the model's layers in order of construction.

    Raises:
        WeightsError: the counts do not agree, or a tensor has no place in its layer.
    """
    paired: dict[str, str] = {}
    for kind, found in group_by_layer(names).items():
        prefixes = layers.get(kind, ())
        if len(prefixes) != len(found):
            raise WeightsError(
                f"the file holds {len(found)} layers of kind {kind}, the model {len(prefixes)}"
            )
        slots = _slots(kind)
        for prefix, held in zip(prefixes, found, strict=True):
            for name in held:
                slot = slots.get(name.rpartition(".")[2])
                if slot is None:
                    raise WeightsError(f"tensor {name} has no place in a layer of kind {kind}")
                paired[name] = f"{prefix}.{slot}"
    return paired


def assign(
    tensors: Mapping[str, Array], layers: Mapping[str, Sequence[str]], shapes: Mapping[str, Sequence[int]]
) -> dict[str, Array]:
    """Rename ``tensors`` to the model's own names.

    Args:
        tensors: as :func:`read_onnx_tensors` gives them.
        layers: see :func:`pair`.
        shapes: shape of every parameter of the model.

    Raises:
        WeightsError: the counts or a shape do not agree; nothing is guessed.
    """
    assigned = {own: tensors[name] for name, own in pair(tensors, layers).items()}
    for name, array in assigned.items():
        if tuple(array.shape) != tuple(shapes.get(name, ())):
            raise WeightsError(f"{name} has shape {tuple(array.shape)}, the model wants {shapes.get(name)}")
    return assigned
