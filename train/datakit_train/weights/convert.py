"""Turns weights files (ONNX from RapidOCR, ``.pdparams`` from PaddleOCR) into stored models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from datakit.charset import SPACE, Charset
from datakit.models import ModelSpec
from datakit_train.architectures import PPOCRV3_REC, PPOCRV4_REC, build_network, family_of, infer_architecture
from datakit_train.framework import import_paddle
from datakit_train.recognizer import (
    check_architecture,
    load_tensors,
    measure_probe,
    probe_input,
)
from datakit_train.weights.detector_names import detector_table
from datakit_train.weights.names import map_ctc_names, strip_submodel
from datakit_train.weights.onnx import assign, read_onnx_dictionary, read_onnx_tensors
from datakit_train.weights.pdparams import WeightsError, read_pdparams
from datakit_train.weights.reparameterise import inference_state, rep_layers, training_state
from datakit_train.weights.store import StoredModel

# What the published weights answer to the probe (the largest logit of each time step, two digits), measured
# once the softmax agreed with onnxruntime to 1e-5. A conversion that pairs tensors wrongly cannot get these.
PUBLISHED_PROBES: dict[str, tuple[float, ...]] = {
    "ppocrv3-rec": (
        9.86, 9.31, 4.32, 8.06, 9.08, 9.61, 7.76, 5.55, 7.17, 3.44, 4.18, 6.88, 6.13, 2.57, 5.92, 8.49, 7.65,
        4.6, 7.18, 8.48, 5.97, 4.45, 7.8, 7.1, 4.21, 4.08, 7.12, 6.69, 4.04, 3.75, 6.69, 5.75, -0.27, 6.22,
        7.11, 5.63, 3.8, 8.38, 9.8, 10.99,
    ),
    "ppocrv4-rec": (
        12.6, 15.48, 4.41, 16.55, 13.43, 10.04, 15.42, 5.62, 17.25, 6.78, 13.3, 15.78, 15.96,
        3.63, 12.36, 13.89, 14.8, 0.59, 9.82, 13.2, 14.91, 5.21, 13.85, 15.54, 6.38, 13.3, 14.08,
        13.76, 4.42, 13.36, 16.51, 14.56, 1.29, 11.82, 12.06, 15.32, 2.08, 13.02, 8.17, 8.73,
    ),
}  # fmt: skip
PUBLISHED_ARCHITECTURES: dict[str, dict[str, Any]] = {"ppocrv3-rec": PPOCRV3_REC, "ppocrv4-rec": PPOCRV4_REC}
_PROBE_TEXT = "0123456789"
_POOLS = ((2, 2), (3, 2))


def construction_order(network: Any) -> dict[str, list[str]]:
    """Prefixes of the network's layers in order of construction, by kind as the ONNX names call it.

    PaddleOCR builds the backbone of PP-OCRv3 with ``nn.BatchNorm`` and the neck with ``nn.BatchNorm2D``: two
    kinds there. The fused convolutions of PP-OCRv4 are made after the whole network.
    """
    import_paddle()
    from paddle import nn

    branched = list(rep_layers(network))
    inside = tuple(f"{prefix}." for prefix in branched)

    def of(kind: type) -> list[str]:
        named = (name for name, layer in network.named_sublayers() if isinstance(layer, kind))
        return [name for name in named if not name.startswith(inside)]

    norms = of(nn.BatchNorm2D)
    own_kind = [] if branched else [name for name in norms if name.startswith("backbone.")]
    return {
        "conv2d": of(nn.Conv2D) + branched,
        "linear": of(nn.Linear),
        "layer_norm": of(nn.LayerNorm),
        "batch_norm": own_kind,
        "batch_norm2d": [name for name in norms if name not in own_kind],
        "mobile_one_block": [f"{prefix}.lab" for prefix in branched],
        "whswish_b": [f"{prefix}.act.lab" for prefix in branched],
    }


def recognizer_from_onnx(path: Path, spec: ModelSpec, source: str) -> StoredModel:
    """Convert a PP-OCRv3 or v4 recogniser in ONNX; checked tensor by tensor and by its probe.

    Raises:
        WeightsError: not that model.
    """
    characters = read_onnx_dictionary(path)
    if not characters:
        raise WeightsError("carries no dictionary (metadata entry 'character')", file=path)
    characters = (*characters, SPACE)
    architecture = PUBLISHED_ARCHITECTURES.get(spec.name, PPOCRV3_REC)
    network = build_network(architecture, len(characters) + 1)
    shapes = {name: array.shape for name, array in inference_state(network).items()}
    held = assign(read_onnx_tensors(path), construction_order(network), shapes)
    tensors = training_state(network, held)
    load_tensors(network, tensors)
    check_architecture(network, PUBLISHED_PROBES.get(spec.name, ()))
    return StoredModel(tensors, architecture, characters, source, spec.licence, measure_probe(network))


def detector_from_onnx(path: Path, spec: ModelSpec, source: str) -> StoredModel:
    """Convert the PP-OCRv3 detector; its threshold branch is not in the file and has to start fresh.

    The network comes with detection training: until then nothing builds the architecture that is stored.

    Raises:
        WeightsError: not that model.
    """
    table = detector_table()
    tensors = assign(read_onnx_tensors(path), table.layers, table.shapes)
    if missing := sorted(set(table.shapes) - set(tensors)):
        raise WeightsError(f"holds no {missing[0]} and {len(missing) - 1} more", file=path)
    return StoredModel(tensors, {"name": "ppocrv3_det"}, (), source, spec.licence)


def _read_probe(network: Any, charset: Charset) -> str:
    paddle = import_paddle()
    network.eval()
    with paddle.no_grad():
        best = network(paddle.to_tensor(probe_input(network.height))).argmax(axis=-1).numpy()[0]
    collapsed = [int(b) for b, before in zip(best, [0, *best[:-1]], strict=True) if b not in (0, before)]
    return charset.decode(collapsed)


def check_pool(tensors: Mapping[str, Any], charset: Charset, architecture: Mapping[str, Any]) -> None:
    """Find a wrong ``last_pool_kernel_size`` by reading plain digits with both values.

    For weights that carry no probe. Says nothing where neither value reads the digits, for instance for a
    model without digits in its dictionary.

    Raises:
        WeightsError: the other value reads the digits and the given one does not.
    """
    given = tuple(architecture.get("last_pool_kernel_size", (2, 2)))
    read: dict[tuple[int, ...], str] = {}
    for pool in {given, *_POOLS}:
        network = build_network({**architecture, "last_pool_kernel_size": list(pool)}, charset.num_classes)
        load_tensors(network, tensors, allow_partial=True)
        read[pool] = _read_probe(network, charset)
    if read[given] == _PROBE_TEXT:
        return
    for pool, text in read.items():
        if text == _PROBE_TEXT:
            raise WeightsError(
                f"last_pool_kernel_size {list(given)} reads plain digits as {read[given]!r}, {list(pool)} "
                f"reads {text!r}: set Architecture.Backbone.last_pool_kernel_size: {list(pool)}"
            )


def recognizer_from_pdparams(
    path: Path,
    charset: Charset,
    *,
    architecture: Mapping[str, Any] | None = None,
    submodel: str | None = None,
    allow_partial: bool = False,
    licence: str = "unknown",
) -> StoredModel:
    """Convert a checkpoint of PaddleOCR's own training: plain, GTC or distillation.

    Args:
        path: the ``.pdparams`` file.
        charset: its dictionary, which the file does not hold.
        architecture: of the network; default: by the names and shapes of the tensors.
        submodel: prefix of a distillation's sub-model (``Student2.``); default: the first of
            :data:`datakit_train.weights.names.SUBMODEL_PREFIXES` that is there.
        allow_partial: start what the file lacks at random.
        licence: of the weights.

    Raises:
        WeightsError: refused content, names that do not cover the network, other shapes, a dictionary of
            another size, or a ``last_pool_kernel_size`` that the weights were not trained with.
    """
    tensors = map_ctc_names(strip_submodel(read_pdparams(path), submodel))
    if architecture is None:
        architecture = infer_architecture({name: tuple(array.shape) for name, array in tensors.items()})
    bias = tensors.get(f"{family_of(architecture).classifier}.bias")
    if bias is not None and bias.size != charset.num_classes:
        raise WeightsError(
            f"has {bias.size} classes, the dictionary {charset.num_classes} (entries, space and blank)",
            file=path,
        )
    network = build_network(architecture, charset.num_classes)
    load_tensors(network, tensors, allow_partial=allow_partial)
    if "last_pool_kernel_size" in family_of(architecture).settings:
        check_pool(tensors, charset, architecture)
    state = {name: np.array(value.numpy()) for name, value in network.state_dict().items()}
    return StoredModel(state, architecture, charset.chars, str(path), licence, measure_probe(network))
