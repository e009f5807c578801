"""Training state on disk: ``latest`` to go on from, ``best`` to use.

``latest.json`` is a pointer that is replaced once a whole step folder is written: whatever kills the process,
it names a folder that loads. Both are written beside and renamed (:mod:`datakit.files`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datakit.files import atomic_write
from datakit_train.weights.pdparams import WeightsError
from datakit_train.weights.store import StoredModel, load_model, read_tensors, safetensors_numpy, save_model

POINTER = "latest.json"
_OPTIMIZER = "optimizer.safetensors"
_STATE = "state.json"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What resuming needs: weights, optimizer moments (by parameter name), and the loop's own state."""

    model: StoredModel
    optimizer: Mapping[str, npt.NDArray[Any]]
    state: Mapping[str, Any]


def save_latest(folder: Path, step: int, checkpoint: Checkpoint) -> None:
    """Write a step folder, point ``latest.json`` at it, then remove the older ones."""
    target = folder / f"step-{step:06d}"
    if _pointed_at(folder) == target.name:
        # The same step once more: what the pointer names stays until the pointer has moved.
        target = target.with_name(f"{target.name}-again")
    if target.exists():
        shutil.rmtree(target)
    save_model(target, checkpoint.model)
    moments = {name: np.asarray(array, order="C") for name, array in checkpoint.optimizer.items()}
    raw = safetensors_numpy().save(moments)
    atomic_write(target / _OPTIMIZER, raw)
    state = {**dict(checkpoint.state), "optimizer_sha256": hashlib.sha256(raw).hexdigest()}
    atomic_write(target / _STATE, json.dumps(state, ensure_ascii=False) + "\n")
    atomic_write(folder / POINTER, json.dumps({"folder": target.name, "step": step}) + "\n")
    for old in folder.glob("step-*"):
        if old != target:
            shutil.rmtree(old, ignore_errors=True)


def _pointed_at(folder: Path) -> str:
    """The name of the step folder that the pointer names; "" without a readable pointer."""
    try:
        return Path(str(json.loads((folder / POINTER).read_bytes())["folder"])).name
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def has_latest(folder: Path) -> bool:
    """Whether there is something to go on from."""
    return (folder / POINTER).exists()


def load_latest(folder: Path) -> Checkpoint:
    """Read what :func:`save_latest` wrote last.

    Raises:
        WeightsError: a file is missing or is not what it was when it was written.
    """
    pointer = folder / POINTER
    target = folder / (_pointed_at(folder) or "step-unknown")
    try:
        state = json.loads((target / _STATE).read_bytes())
        raw = (target / _OPTIMIZER).read_bytes()
    except (OSError, ValueError) as error:
        raise WeightsError(f"names a checkpoint that cannot be read ({error})", file=pointer) from error
    if not isinstance(state, dict) or hashlib.sha256(raw).hexdigest() != state.get("optimizer_sha256"):
        raise WeightsError("is not what was written", file=target / _OPTIMIZER)
    return Checkpoint(load_model(target), read_tensors(raw, target / _OPTIMIZER), state)
