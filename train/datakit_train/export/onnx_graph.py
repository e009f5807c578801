"""Writes trained tensors into the ONNX file that the weights came from.

The graph, its input and output names and every constant that is no parameter stay; only the classifier may
have another size. (paddle2onnx fails on the programs of Paddle 3.)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from datakit.errors import InputError
from datakit.files import atomic_write
from datakit.models import MODELS, model_folder
from datakit_train.architectures import family_of
from datakit_train.export.inference import dictionary_entries
from datakit_train.recognizer import Recognizer
from datakit_train.weights.convert import construction_order
from datakit_train.weights.onnx import is_parameter, load_onnx, pair, read_onnx_dictionary
from datakit_train.weights.pdparams import WeightsError
from datakit_train.weights.reparameterise import inference_state

SOURCE = "source.onnx"
# Architecture -> the pulled model whose file is its graph.
TEMPLATES = {"ppocrv3_rec": "ppocrv3-rec", "ppocrv4_rec": "ppocrv4-rec"}


def find_template(recognizer: Recognizer, given: Path | None = None) -> Path:
    """The ONNX file to write into: ``given``, else the one that ``models pull`` kept.

    Raises:
        WeightsError: there is none for this architecture, or it is not pulled.
    """
    if given is not None:
        return given
    name = TEMPLATES.get(str(recognizer.architecture.get("name")))
    if name is None or name not in MODELS:
        raise WeightsError(
            f"no ONNX file is known for {recognizer.architecture.get('name')}; give one with "
            "--onnx-template, or leave onnx out of --formats"
        )
    path = model_folder(name) / SOURCE
    if not path.exists():
        raise WeightsError(
            f"the graph to write into is not here; get it with: datakit models pull {name} --force", file=path
        )
    return path


def check_entries(recognizer: Recognizer) -> tuple[str, ...]:
    """The entries as the metadata holds them, one a line.

    Raises:
        InputError: an entry that clients would split: they read the metadata with ``str.splitlines``.
    """
    entries = dictionary_entries(recognizer)
    for number, entry in enumerate(entries, start=1):
        if entry.splitlines() != [entry]:
            raise InputError(
                f"entry {number} of the dictionary, {entry!r}, cannot stand in the metadata of an ONNX file: "
                "clients read it line by line"
            )
    return entries


def make_onnx(recognizer: Recognizer, template: Path) -> bytes:
    """The recogniser as an ONNX file.

    Raises:
        WeightsError: the template is another network: a tensor is missing, or one that is not the
            classifier's has another shape.
        InputError: the dictionary cannot stand in the metadata.
    """
    entries = check_entries(recognizer)
    model = load_onnx(template)
    _write_tensors(model, recognizer, template)
    held = len(read_onnx_dictionary(template)) + 2
    _set_classes(model, held, recognizer.charset.num_classes)
    _set_metadata(model, "character", "\n".join(entries))
    made: bytes = model.SerializeToString()
    return made


def write_onnx(path: Path, recognizer: Recognizer, template: Path) -> Path:
    """Write the recogniser as ``path``.

    Raises:
        DatakitError: as :func:`make_onnx`.
    """
    atomic_write(path, make_onnx(recognizer, template))
    return path


def _write_tensors(model: Any, recognizer: Recognizer, template: Path) -> None:
    from onnx import numpy_helper

    nodes = {node.output[0]: node for node in model.graph.node if is_parameter(node)}
    state = inference_state(recognizer.network)
    own_names = pair(nodes, construction_order(recognizer.network))
    if missing := sorted(set(state) - set(own_names.values())):
        raise WeightsError(f"has no place for {missing[0]} and {len(missing) - 1} more", file=template)
    classifier = family_of(recognizer.architecture).classifier
    for name, own in own_names.items():
        tensor = nodes[name].attribute[0].t
        array = np.ascontiguousarray(state[own])
        if tuple(tensor.dims) != array.shape and not own.startswith(f"{classifier}."):
            raise WeightsError(f"{own} has shape {array.shape}, here {tuple(tensor.dims)}", file=template)
        tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def _set_classes(model: Any, held: int, classes: int) -> None:
    """The last dimension of what the graph says of its outputs."""
    for value in (*model.graph.output, *model.graph.value_info):
        dims = value.type.tensor_type.shape.dim
        if dims and dims[-1].dim_value == held:
            dims[-1].dim_value = classes


def _set_metadata(model: Any, key: str, value: str) -> None:
    for entry in model.metadata_props:
        if entry.key == key:
            entry.value = value
            return
    entry = model.metadata_props.add()
    entry.key, entry.value = key, value
