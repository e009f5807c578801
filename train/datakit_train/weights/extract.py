"""Takes one sub-model out of a distillation checkpoint, as a CTC model that trains, reads and exports."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from datakit.charset import Charset, load_charset
from datakit.files import FolderLock, Manifest, write_manifest
from datakit_train.framework import require_train_extra
from datakit_train.weights.convert import recognizer_from_pdparams
from datakit_train.weights.names import (
    SUBMODEL_PREFIXES,
    is_gtc_only,
    map_ctc_names,
    strip_submodel,
    submodel_prefix,
)
from datakit_train.weights.pdparams import read_pdparams
from datakit_train.weights.store import load_model, save_model


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was taken.

    ``submodel`` is "" for a checkpoint without sub-models; ``missing`` started at random, ``left_over`` has
    no place in the CTC model, ``gtc`` (the attention branch) is left out on purpose; ``others`` counts the
    tensors of the other sub-models.
    """

    folder: Path
    submodel: str
    tensors: int
    missing: tuple[str, ...]
    left_over: tuple[str, ...]
    gtc: tuple[str, ...]
    others: int


def extract(
    checkpoint: Path,
    out: Path,
    *,
    dictionary: Path | Charset,
    submodel: str | None = None,
    allow_partial: bool = False,
) -> Extraction:
    """Write the sub-model ``submodel`` of a ``.pdparams`` file to ``out`` as a model folder.

    Args:
        checkpoint: PaddleOCR's training checkpoint: distillation, GTC, or a plain one.
        out: folder of the model.
        dictionary: of the checkpoint, which holds none.
        submodel: ``Student``, ``Student2``, ``Teacher``, ``student_model`` or ``teacher_model``; default: the
            first that is there, in the order of ``SUBMODEL_PREFIXES``.
        allow_partial: start what the checkpoint lacks at random.

    Raises:
        WeightsError: no such sub-model, refused content, or names that do not cover the network.
    """
    require_train_extra()
    prefix = submodel_prefix(submodel) if submodel else None
    held = read_pdparams(checkpoint)
    used = prefix or next((p for p in SUBMODEL_PREFIXES if any(n.startswith(p) for n in held)), "")
    charset = dictionary if isinstance(dictionary, Charset) else load_charset(dictionary)
    model = recognizer_from_pdparams(checkpoint, charset, submodel=prefix, allow_partial=allow_partial)
    own = strip_submodel(held, prefix)
    found = map_ctc_names(own)
    inputs = [checkpoint] if isinstance(dictionary, Charset) else [checkpoint, dictionary]
    arguments = {"checkpoint": checkpoint, "from": used.removesuffix(".")}
    with FolderLock(out):
        save_model(out, replace(model, extra={"task": "rec", "extracted": used.removesuffix(".")}))
        stored = load_model(out)
        manifest = Manifest.begin("models extract", arguments, inputs=inputs)
        write_manifest(out, manifest.ended("done", {"tensors": len(stored.tensors)}))
    return Extraction(
        folder=out,
        submodel=used.removesuffix("."),
        tensors=len(stored.tensors),
        missing=tuple(name for name in stored.tensors if name not in found),
        left_over=tuple(name for name in found if name not in stored.tensors),
        gtc=tuple(name for name in own if is_gtc_only(name)),
        others=len(held) - len(own),
    )
