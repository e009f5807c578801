"""Maps parameter names of PaddleOCR's training checkpoints to those of the CTC-only recogniser.

A distillation checkpoint prefixes every name with its sub-model; a GTC checkpoint keeps the CTC branch under
``head.ctc_encoder`` and ``head.ctc_head``. PaddleOCR itself only warns about the difference and starts neck
and head at random.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from datakit_train.weights.pdparams import WeightsError

T = TypeVar("T")

# In order of preference when none is asked for.
SUBMODEL_PREFIXES: tuple[str, ...] = ("Student.", "student_model.", "Student2.", "Teacher.", "teacher_model.")

_CTC_BRANCH: tuple[tuple[str, str], ...] = (
    ("head.ctc_encoder.", "neck."),
    ("head.ctc_head.", "head."),
)
# GTC's attention branch: not part of the CTC model.
_GTC_ONLY: tuple[str, ...] = ("head.sar_head.", "head.gtc_head.", "head.before_gtc.")


def submodel_prefix(name: str) -> str:
    """The prefix of a sub-model as the user calls it: ``Student2`` -> ``Student2.``.

    Raises:
        WeightsError: not a name that PaddleOCR's distillation gives.
    """
    prefix = f"{name.removesuffix('.')}."
    if prefix not in SUBMODEL_PREFIXES:
        known = ", ".join(known.removesuffix(".") for known in SUBMODEL_PREFIXES)
        raise WeightsError(f"--from {name!r} is not one of {known}")
    return prefix


def is_gtc_only(name: str) -> bool:
    """Whether a tensor belongs to GTC's attention branch, which the CTC model does without."""
    return name.startswith(_GTC_ONLY)


def strip_submodel(tensors: Mapping[str, T], prefix: str | None = None) -> dict[str, T]:
    """Only the tensors of one sub-model, without its prefix; all of them where no name has a prefix.

    Raises:
        WeightsError: ``prefix`` is given and no name begins with it.
    """
    if prefix and not any(name.startswith(prefix) for name in tensors):
        raise WeightsError(f"no tensor is called {prefix}...; there are, for instance: {sorted(tensors)[:3]}")
    for candidate in (prefix,) if prefix else SUBMODEL_PREFIXES:
        chosen = {n[len(candidate) :]: t for n, t in tensors.items() if n.startswith(candidate)}
        if chosen:
            return chosen
    return dict(tensors)


def map_ctc_names(tensors: Mapping[str, T]) -> dict[str, T]:
    """``tensors`` under the names of the CTC-only recogniser; GTC's attention branch is left out."""
    mapped: dict[str, T] = {}
    for name, tensor in tensors.items():
        if name.startswith(_GTC_ONLY):
            continue
        branch = next(((old, new) for old, new in _CTC_BRANCH if name.startswith(old)), ("", ""))
        mapped[branch[1] + name.removeprefix(branch[0])] = tensor
    return mapped
