"""GTC and distillation recipes as the CTC one that the fine-tuning guide wants.

The guide: GTC's second branch overfits on little data, so take MultiHead, its losses and encoders out and
train CTC alone, without RecConAug. A DistillationModel becomes its Student.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from datakit.errors import UsageError
from datakit.paddleocr_config.load import config_of
from datakit.paddleocr_config.notes import Note
from datakit.paddleocr_config.output import diff_configs
from datakit.paddleocr_config.tree import PaddleConfig

_CTC_KEYS = ["image", "label", "length"]
_POOL = [2, 2]
_LABEL_ENCODERS = ("MultiLabelEncode", "SARLabelEncode", "NRTRLabelEncode")


@dataclass(frozen=True, slots=True)
class CtcRecipe:
    """``config`` trains CTC alone; ``diff`` is what was changed for that ("" for nothing)."""

    config: PaddleConfig
    diff: str


def to_ctc(config: PaddleConfig, *, submodel: str | None = None) -> CtcRecipe:
    """The CTC recipe of ``config``; what was changed is in its notes (code "changed") and in the diff.

    ``submodel`` is the one of a DistillationModel to train: Student where there is one.

    Raises:
        UsageError: there is no such sub-model, or no CTC head to train.
    """
    document = copy.deepcopy(dict(config.document))
    notes: list[Note] = []
    if config.architecture.models:
        _lift(document, config, submodel, notes)
    elif submodel is not None:
        raise UsageError(f"{config.path} holds one model, not a DistillationModel with a {submodel}")
    if document["Architecture"].get("Head", {}).get("name") == "MultiHead":
        _ctc_head(document, notes)
    if document["Architecture"].get("Head", {}).get("name") != "CTCHead":
        head = document["Architecture"].get("Head", {}).get("name")
        raise UsageError(f"{config.path}: Architecture.Head is {head}; only a CTC head can be trained")
    _losses(document, notes)
    for section in ("Train", "Eval"):
        _operators(document, section, notes)
    _last_pool(document, notes)
    trained = config_of(document, path=config.path, folder=config.folder, overridden=config.overridden)
    said = tuple(dict.fromkeys((*config.notes, *notes)))
    diff = diff_configs(config.document, document, config.path.name)
    return CtcRecipe(replace(trained, notes=said), diff)


def _say(notes: list[Note], key: str, message: str) -> None:
    notes.append(Note("changed", key, message))


def _lift(document: dict[str, Any], config: PaddleConfig, submodel: str | None, notes: list[Note]) -> None:
    """One of the Models becomes the Architecture."""
    models = document["Architecture"]["Models"]
    name = submodel or ("Student" if "Student" in models else next(iter(models)))
    if name not in models:
        raise UsageError(f"{config.path} has no sub-model {name!r}; there are {', '.join(models)}")
    chosen = dict(models[name])
    pretrained = chosen.pop("pretrained", None)
    frozen = chosen.pop("freeze_params", False)
    chosen.pop("return_all_feats", None)
    document["Architecture"] = {"model_type": "rec", **chosen}
    others = ", ".join(other for other in models if other != name)
    _say(notes, "Architecture.Models", f"{name} is trained alone, without {others or 'others'}")
    if frozen:
        _say(notes, f"Architecture.Models.{name}.freeze_params", "it is the model that trains: not frozen")
    if pretrained and not document["Global"].get("pretrained_model"):
        document["Global"]["pretrained_model"] = pretrained
        _say(notes, f"Architecture.Models.{name}.pretrained", "is Global.pretrained_model of a single model")
    document["PostProcess"] = {"name": "CTCLabelDecode"}
    metric = document.get("Metric") or {}
    kept = {key: metric[key] for key in ("main_indicator", "ignore_space", "is_filter") if key in metric}
    document["Metric"] = {"name": "RecMetric", **kept}


def _ctc_head(document: dict[str, Any], notes: list[Note]) -> None:
    """The CTC branch of a MultiHead becomes neck and head."""
    architecture = document["Architecture"]
    branches = {
        name: value for entry in architecture["Head"].get("head_list", ()) for name, value in entry.items()
    }
    if "CTCHead" not in branches:
        raise UsageError(f"Architecture.Head.head_list holds {', '.join(branches)} and no CTCHead")
    branch = branches["CTCHead"] or {}
    neck = dict(branch.get("Neck") or {})
    kind = neck.pop("name", "reshape")
    if "use_guide" in neck:
        neck["use_guide"] = False
    architecture["Neck"] = {"name": "SequenceEncoder", "encoder_type": kind, **neck}
    # Neck before Head, as every recipe has it.
    architecture.pop("Head")
    architecture["Head"] = {"name": "CTCHead", **(branch.get("Head") or {})}
    if architecture.get("algorithm") == "SVTR_LCNet":
        architecture["algorithm"] = "SVTR"
        _say(
            notes,
            "Architecture.algorithm",
            "SVTR, as in the guide; PaddleOCR's tools/export_model.py gives SVTR a fixed width, "
            "datakit's export does not",
        )
    gone = ", ".join(name for name in branches if name != "CTCHead")
    _say(notes, "Architecture.Head", f"GTC is taken out as the guide says: CTC stays, {gone} goes")


def _losses(document: dict[str, Any], notes: list[Note]) -> None:
    loss = document.get("Loss") or {}
    if loss.get("name") != "CTCLoss":
        document["Loss"] = {"name": "CTCLoss"}
        _say(notes, "Loss", f"CTCLoss instead of {loss.get('name')}")
    if (document.get("PostProcess") or {}).get("name") != "CTCLabelDecode":
        document["PostProcess"] = {"name": "CTCLabelDecode"}


def _operators(document: dict[str, Any], section: str, notes: list[Note]) -> None:
    dataset: Mapping[str, Any] = (document.get(section) or {}).get("dataset") or {}
    operators = dataset.get("transforms")
    if not operators:
        return
    where = f"{section}.dataset.transforms"
    kept: list[dict[str, Any]] = []
    for entry in operators:
        (name, parameters), *_ = entry.items()
        if name == "RecConAug":
            _say(notes, f"{where}.RecConAug", "taken out, as the guide says for CTC")
        elif name in _LABEL_ENCODERS:
            kept.append({"CTCLabelEncode": None})
            _say(notes, f"{where}.{name}", "CTCLabelEncode instead: its limit keeps longer labels")
        elif name == "KeepKeys" and (parameters or {}).get("keep_keys") != _CTC_KEYS:
            kept.append({"KeepKeys": {"keep_keys": list(_CTC_KEYS)}})
        else:
            kept.append(entry)
    document[section]["dataset"]["transforms"] = kept
    if len(kept) < len(operators):
        # Where RecConAug's further lines enter.
        document[section]["dataset"].pop("ext_op_transform_idx", None)


def _last_pool(document: dict[str, Any], notes: list[Note]) -> None:
    """The guide's snippet leaves out a key without which newer PaddleOCR builds another network.

    Shapes match either way, answers do not. Only the average pool asks for it.
    """
    backbone = document["Architecture"].get("Backbone") or {}
    averaged = backbone.get("name") == "MobileNetV1Enhance" and backbone.get("last_pool_type") == "avg"
    if not averaged:
        return
    size = backbone.get("last_pool_kernel_size")
    if size is None:
        backbone["last_pool_kernel_size"] = list(_POOL)
        _say(
            notes,
            "Architecture.Backbone.last_pool_kernel_size",
            "is missing, as in the guide's snippet; newer PaddleOCR then takes [3, 2], for which the "
            "published weights were not trained: set to [2, 2]",
        )
    elif list(size) != _POOL:
        notes.append(
            Note(
                "odd",
                "Architecture.Backbone.last_pool_kernel_size",
                f"{size}: the published PP-OCRv3 weights were trained with [2, 2]",
            )
        )
