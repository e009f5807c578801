"""A model on disk: ``model.safetensors`` and ``model.json`` in one folder, written as a unit.

``model.json`` says what the tensors are: architecture, dictionary, sha256 of the tensors, source and licence,
and a *probe*: what the model answers to a fixed input. Shapes cannot tell a wrong pooling kernel; the probe
does, at load.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datakit.errors import MissingExtraError
from datakit.files import atomic_write
from datakit_train.weights.pdparams import WeightsError

Array = npt.NDArray[Any]

DESCRIPTION = "model.json"
SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class StoredModel:
    """A model read from disk or about to be written.

    ``architecture`` is what builds the network (name and arguments); ``characters`` the dictionary with the
    space, if the model has one, and without the blank; ``probe`` the model's answer to the fixed input (see
    :mod:`datakit_train.recognizer`), empty for a model that cannot be built here.
    """

    tensors: Mapping[str, Array]
    architecture: Mapping[str, Any]
    characters: tuple[str, ...]
    source: str
    licence: str
    probe: tuple[float, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


def safetensors_numpy() -> Any:
    """The numpy side of the safetensors library.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import safetensors.numpy
    except ImportError as error:
        raise MissingExtraError("safetensors", "train") from error
    return safetensors.numpy


def read_tensors(raw: bytes, path: Path) -> dict[str, Array]:
    """The tensors of a safetensors file whose content is ``raw``; ``path`` is for the message.

    Raises:
        WeightsError: it is not one, or holds numbers that numpy does not have.
    """
    library = safetensors_numpy()
    from safetensors import SafetensorError

    try:
        return dict(library.load(raw))
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"is not a readable safetensors file ({error})", file=path) from error


def save_model(folder: Path, model: StoredModel) -> None:
    """Write ``model`` to ``folder``; the description goes last, so that one without the other is never read.

    The tensors file carries the sha256 of its content in its name inside the description: a torn pair is
    detected.
    """
    raw = safetensors_numpy().save(
        {name: np.asarray(array, order="C") for name, array in model.tensors.items()}
    )
    digest = hashlib.sha256(raw).hexdigest()
    name = f"model-{digest[:12]}.safetensors"
    description = {
        "schema_version": SCHEMA_VERSION,
        "tensors": name,
        "sha256": digest,
        "architecture": dict(model.architecture),
        "characters": list(model.characters),
        "source": model.source,
        "licence": model.licence,
        "probe": [round(value, 6) for value in model.probe],
        **dict(model.extra),
    }
    atomic_write(folder / name, raw)
    atomic_write(folder / DESCRIPTION, json.dumps(description, ensure_ascii=False, indent=1) + "\n")
    for old in folder.glob("model-*.safetensors"):
        if old.name != name:
            old.unlink(missing_ok=True)


def read_description(folder: Path) -> dict[str, Any]:
    """The content of ``model.json``.

    Raises:
        WeightsError: it is missing, no JSON or of another schema.
    """
    path = folder / DESCRIPTION
    try:
        description = json.loads(path.read_bytes())
    except OSError as error:
        raise WeightsError(f"cannot be read ({error.strerror})", file=path) from error
    except ValueError as error:
        raise WeightsError(f"is not valid JSON ({error})", file=path) from error
    if not isinstance(description, dict) or description.get("schema_version") != SCHEMA_VERSION:
        raise WeightsError(f"is not a model description of schema {SCHEMA_VERSION}", file=path)
    return description


_KNOWN = {
    "schema_version", "tensors", "sha256", "architecture", "characters", "source", "licence", "probe",
}  # fmt: skip


def load_model(folder: Path) -> StoredModel:
    """Read what :func:`save_model` wrote, checking the sha256.

    Raises:
        WeightsError: a file is missing or the tensors are not those that the description names.
    """
    description = read_description(folder)
    name = str(description.get("tensors"))
    path = folder / Path(name).name
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"cannot be read ({error.strerror})", file=path) from error
    if hashlib.sha256(raw).hexdigest() != description.get("sha256"):
        raise WeightsError(
            "does not have the sha256 that model.json states; pull or train it again", file=path
        )
    try:
        return StoredModel(
            tensors=read_tensors(raw, path),
            architecture=dict(description["architecture"]),
            characters=tuple(str(char) for char in description["characters"]),
            source=str(description["source"]),
            licence=str(description["licence"]),
            probe=tuple(float(value) for value in description["probe"]),
            extra={key: value for key, value in description.items() if key not in _KNOWN},
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WeightsError(f"is not a model description ({error!r})", file=folder / DESCRIPTION) from error
