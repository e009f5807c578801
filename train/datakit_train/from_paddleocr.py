"""From a PaddleOCR recipe to a run: data, start weights, dictionary, settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datakit.errors import InputError, UsageError
from datakit.lmdb_set import find_lmdb_sets
from datakit.mix import Mix, Part, Source
from datakit.models import MODELS
from datakit.paddleocr_config import Architecture, Dataset, LearningRate, PaddleConfig
from datakit_train.architectures import family_of
from datakit_train.prepare import NewDictionary
from datakit_train.settings import Curve

# RecAug's probabilities and ours.
_CHANCES = {
    "tia_prob": "warp",
    "crop_prob": "crop",
    "blur_prob": "blur",
    "jitter_prob": "jitter",
    "noise_prob": "noise",
    "hsv_aug_prob": "light",
}
_AUGMENTERS = {"RecAug", "BaseDataAugmentation", "SVTRRecAug", "ABINetRecAug", "ParseQRecAug", "RandAugment"}
_SCHEDULES = {"Const": "constant", "Cosine": "cosine", "Linear": "linear", "Piecewise": "piecewise"}
_STEPPED = {"Step", "MultiStepDecay"}
# The dictionary that every published Chinese model was trained with, and that lies in PaddleOCR's own tree.
_STOCK_DICTIONARY = "ppocr_keys_v1.txt"
_START = {"ppocrv3_rec": "ppocrv3-rec", "ppocrv4_rec": "ppocrv4-rec", "ppocrv2_rec": "ppocrv2-rec"}


def architecture_of(architecture: Architecture) -> dict[str, Any]:
    """Our architecture of a single CTC model of a recipe.

    Raises:
        UsageError: it is none that datakit trains; says what it is.
    """
    backbone, neck = architecture.backbone, architecture.neck
    kind = str(neck.parameters.get("encoder_type")) if neck else "none"
    name = backbone.name if backbone else "none"
    found: Mapping[str, Any] = backbone.parameters if backbone else {}
    inner: Mapping[str, Any] = neck.parameters if neck else {}
    if architecture.transform is None and (name, kind) == ("MobileNetV1Enhance", "svtr"):
        pool = list(found.get("last_pool_kernel_size") or (2, 2))
        return {"name": "ppocrv3_rec", "scale": float(found.get("scale", 0.5)), "last_pool_kernel_size": pool}
    if architecture.transform is None and (name, kind) == ("MobileNetV1Enhance", "rnn"):
        head: Mapping[str, Any] = architecture.head.parameters if architecture.head else {}
        sizes = {"hidden_size": inner.get("hidden_size", 48), "mid_channels": head.get("mid_channels")}
        return {"name": "ppocrv2_rec", "scale": float(found.get("scale", 0.5)), **sizes}
    if architecture.transform is None and (name, kind) == ("PPLCNetV3", "svtr"):
        dims = int(inner.get("dims", 64))
        return {"name": "ppocrv4_rec", "scale": float(found.get("scale", 1.0)), "dims": dims}
    raise UsageError(
        f"Architecture {architecture.algorithm} with backbone {name} and neck {kind} cannot be trained here; "
        "MobileNetV1Enhance (PP-OCRv2, v3) and PPLCNetV3 (PP-OCRv4) can"
    )


def check_base(config: PaddleConfig, architecture: Mapping[str, Any]) -> None:
    """Check that the start weights are of the recipe's network.

    Raises:
        UsageError: they are of another one; says in what.
    """
    wanted = architecture_of(config.architecture)
    height = family_of(architecture).height
    if config.image_shape[1] != height:
        raise UsageError(
            f"{config.path}: image_shape {list(config.image_shape)}: the model is {height} px high"
        )
    for key, value in wanted.items():
        given = architecture.get(key, value)
        if list(given) != list(value) if isinstance(value, (list, tuple)) else given != value:
            raise UsageError(
                f"{config.path}: the recipe's {key} is {value}, that of the start weights {given}; they are "
                "different networks"
            )


def mix_of(config: PaddleConfig) -> Mix:
    """``Train``'s label files with their ratios, or the LMDB sets under its folder.

    Raises:
        UsageError: a delimiter that is no tab.
        InputError: an LMDBDataSet whose folder holds none.
    """
    for section, dataset in (("Train", config.train), ("Eval", config.eval)):
        if dataset is not None and dataset.delimiter != "\t":
            raise UsageError(f"{config.path}: {section}.dataset.delimiter {dataset.delimiter!r} is no tab")
    if config.train.kind == "lmdb":
        return Mix(tuple(Source(found, found, "domain", 1.0) for found in _lmdb_sets(config.train, config)))
    pairs = zip(config.train_lists, config.ratio_list, strict=True)
    return Mix(tuple(Source(file, config.data_dir, "domain", ratio) for file, ratio in pairs))


def _lmdb_sets(dataset: Dataset, config: PaddleConfig) -> list[Path]:
    """Every LMDB set under ``data_dir``, as PaddleOCR's LMDBDataSet finds them."""
    found = find_lmdb_sets(dataset.data_dir)
    if not found:
        raise InputError(f"{dataset.data_dir} holds no LMDB set (data.mdb)", file=config.path)
    return found


def val_of(config: PaddleConfig) -> Part:
    """``Eval``'s label file or LMDB set.

    Raises:
        UsageError: none, or several.
    """
    if config.eval is not None and config.eval.kind == "lmdb":
        sets = _lmdb_sets(config.eval, config)
        if len(sets) == 1:
            return Part(sets[0], sets[0])
        raise UsageError(f"{config.path}: Eval.dataset.data_dir holds {len(sets)} LMDB sets; use --val")
    if len(config.eval_lists) != 1:
        raise UsageError(
            f"{config.path}: Eval.dataset.label_file_list has {len(config.eval_lists)} files; give the one "
            "that judges with --val, and what must not be forgotten with --guard"
        )
    return Part(config.eval_lists[0], config.eval_data_dir)


def dictionary_of(config: PaddleConfig, mode: str) -> tuple[NewDictionary | None, str]:
    """The recipe's dictionary, and a remark ("" for none); None: the model's own stays.

    Raises:
        InputError: it is not there; says where it was looked up.
    """
    path = config.dict_path
    if path is None:
        return None, "Global.character_dict_path is empty: the model's own dictionary stays"
    if path.exists():
        return NewDictionary(path, mode, config.use_space_char), ""
    if path.name == _STOCK_DICTIONARY:
        return None, f"{path} is not there: the model's own dictionary stays"
    raise InputError(
        f"Global.character_dict_path: {path} is not there (relative paths start at the working folder, "
        f"{config.folder})",
        file=config.path,
    )


def start_of(config: PaddleConfig) -> tuple[str | Path, str]:
    """Name or path of the start weights, and a remark: a model, a folder of one, or a ``.pdparams`` file.

    Raises:
        UsageError: none is named and none is known for this network, or what is named is not there.
    """
    named = config.pretrained
    if named is None:
        name = _START[architecture_of(config.architecture)["name"]]
        if name not in MODELS:
            raise UsageError(f"{config.path}: Global.pretrained_model is empty, and no {name} can be pulled")
        return name, f"Global.pretrained_model is empty: training starts from {name}"
    if named in MODELS:
        return named, ""
    path = config.folder / named
    for candidate in (path, Path(f"{path}.pdparams")):
        if candidate.is_file() or (candidate / "model.json").exists():
            return candidate, ""
    raise UsageError(
        f"Global.pretrained_model: {named} is no model ({', '.join(sorted(MODELS))}), and {path}.pdparams is "
        f"not there (relative paths start at the working folder, {config.folder})"
    )


def settings_of(config: PaddleConfig) -> tuple[dict[str, Any], list[str]]:
    """Values for :class:`datakit_train.settings.Settings` by name, and remarks.

    Raises:
        UsageError: a schedule or regularizer that datakit does not have, or an odd value of ``Datakit:``.
    """
    optimizer, remarks = config.optimizer, []
    if optimizer.regularizer == "L1":
        raise UsageError(f"{config.path}: Optimizer.regularizer.name L1: only L2 is known here")
    if optimizer.name != "Adam":
        remarks.append(f"Optimizer.name is {optimizer.name}; Adam is used")
    first, every = config.eval_batch_step
    schedule, curve = _curve(optimizer.learning_rate, config)
    found = {part.name for part in config.train.operators} & _AUGMENTERS
    if found - {"RecAug"}:
        remarks.append(f"{', '.join(sorted(found - {'RecAug'}))}: RecAug's effects are used instead")
    chances = dict(config.augmentation.parameters) if config.augmentation else {}
    if chances.pop("reverse_prob", 0):
        remarks.append("RecAug.reverse_prob has no effect here: colours are not reversed")
    return {
        "epochs": config.epochs,
        "batch_size": config.batch_size,
        "learning_rate": optimizer.learning_rate.values[0],
        "schedule": schedule,
        "curve": curve,
        "betas": optimizer.betas,
        "weight_decay": optimizer.factor if optimizer.regularizer == "L2" else 0.0,
        "augment": bool(found),
        "chances": {_CHANCES[name]: float(chance) for name, chance in chances.items()},
        "max_text_length": config.max_text_length,
        "max_width": config.image_shape[2],
        "evaluate_from": first,
        "evaluate_every": every,
        **_own(config),
    }, remarks


def _curve(rate: LearningRate, config: PaddleConfig) -> tuple[str, Curve]:
    """Name of our schedule and its shape in epochs."""
    if rate.name in _STEPPED:
        gamma = rate.extras.get("gamma", 0.1)
        size = rate.extras.get("step_size", 0.0)
        if rate.name == "Step" and size <= 0:
            raise UsageError(f"{config.path}: Optimizer.lr.step_size {size:g} is not above 0")
        every = [size * n for n in range(1, config.epochs) if size * n < config.epochs] if size else []
        boundaries = rate.boundaries or tuple(every)
        values = tuple(rate.values[0] * gamma**n for n in range(len(boundaries) + 1))
        return "piecewise", Curve(values, boundaries, rate.warmup_epochs)
    if rate.name not in _SCHEDULES:
        known = ", ".join(sorted({*_SCHEDULES, *_STEPPED}))
        raise UsageError(f"{config.path}: Optimizer.lr.name {rate.name} is not known here; {known} are")
    extras = {key.removesuffix("_lr"): value for key, value in rate.extras.items()}
    return _SCHEDULES[rate.name], Curve(rate.values, rate.boundaries, rate.warmup_epochs, **extras)


def _own(config: PaddleConfig) -> dict[str, Any]:
    """The ``Datakit:`` block as settings; ``guard`` is not one of them."""
    own = {key: value for key, value in config.own.items() if key != "guard" and value is not None}
    settings: dict[str, Any] = {}
    if "batch_norm" in own:
        if own["batch_norm"] not in ("fixed", "moving"):
            raise UsageError(f"Datakit.batch_norm {own['batch_norm']!r} is neither fixed nor moving")
        settings["fixed_batch_norm"] = own.pop("batch_norm") == "fixed"
    if "average" in own:
        shares = own.pop("average")
        listed = shares if isinstance(shares, list) else [shares]
        settings["shares"] = tuple(_number("average", share) for share in listed if share)
    for name, kind in (("max_forget", float), ("patience", int), ("evaluate_every", int), ("seed", int)):
        if name in own:
            settings[name] = kind(_number(name, own[name]))
    for name in ("layer_decay", "distill"):
        if name in own:
            settings[name] = _number(name, own[name])
    if "distill_on" in own:
        settings["distill_on"] = str(config.folder / str(own["distill_on"]))
    for name in ("freeze", "amp"):
        if name in own:
            # YAML reads a bare off as false.
            settings[name] = "off" if own[name] is False else str(own[name])
    return settings


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise UsageError(f"Datakit.{name} {value!r} is no number")
    return float(value)


def guards_of(config: PaddleConfig) -> tuple[Part, ...]:
    """Label files of ``Datakit.guard``, each with its own folder."""
    given = config.own.get("guard") or []
    listed = given if isinstance(given, list) else [given]
    return tuple(Part(config.folder / str(file)) for file in listed)
