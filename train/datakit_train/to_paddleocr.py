"""A run as a configuration that PaddleOCR's own trainer reads unchanged: ``config.yml`` and what it names.

``paddleocr/`` beside it holds the start weights (``start.pdparams``), the dictionary, and label files
where the run's own do not fit PaddleOCR (several folders, or a ratio above 1). Paths are absolute, since
PaddleOCR starts relative ones at its working folder.
"""

from __future__ import annotations

import copy
import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from datakit.charset import SPACE, Charset, write_charset
from datakit.files import atomic_write
from datakit.line_sets import data_dir_of, is_packed
from datakit.lmdb_set import is_lmdb
from datakit.mix import Mix, Part, write_paddleocr_lists
from datakit.paddleocr_config import PaddleConfig, dump_config
from datakit_train.architectures import family_of
from datakit_train.framework import import_paddle
from datakit_train.run import Run
from datakit_train.schedules import Schedule
from datakit_train.settings import Settings, epoch_steps
from datakit_train.weights.store import StoredModel

CONFIG = "config.yml"
_KEYS = {"KeepKeys": {"keep_keys": ["image", "label", "length"]}}
_DECODE = {"DecodeImage": {"img_mode": "BGR", "channel_first": False}}


def architecture_section(architecture: Mapping[str, Any]) -> dict[str, Any]:
    """PaddleOCR's ``Architecture`` of one of ours."""
    enhanced = {"name": "MobileNetV1Enhance", "scale": architecture.get("scale", 0.5)}
    if architecture["name"] == "ppocrv2_rec":
        size = architecture.get("hidden_size", 64)
        neck = {"name": "SequenceEncoder", "encoder_type": "rnn", "hidden_size": size}
        head = {"name": "CTCHead", "mid_channels": architecture.get("mid_channels", 96), "fc_decay": 2e-05}
        return _section("CRNN", enhanced, neck, head)
    head = {"name": "CTCHead", "fc_decay": 1e-05}
    neck = {"name": "SequenceEncoder", "encoder_type": "svtr", "dims": 64, "depth": 2, "hidden_dims": 120}
    if architecture["name"] == "ppocrv3_rec":
        pool = list(architecture.get("last_pool_kernel_size", (2, 2)))
        backbone = {
            **enhanced,
            "last_conv_stride": [1, 2],
            "last_pool_type": "avg",
            "last_pool_kernel_size": pool,
        }
        return _section("SVTR", backbone, {**neck, "use_guide": False}, head)
    backbone = {"name": "PPLCNetV3", "scale": architecture.get("scale", 0.95)}
    neck |= {"dims": architecture.get("dims", 120), "kernel_size": [1, 3], "use_guide": False}
    return _section("SVTR", backbone, neck, head)


def _section(
    algorithm: str, backbone: dict[str, Any], neck: dict[str, Any], head: dict[str, Any]
) -> dict[str, Any]:
    named = {"Transform": None, "Backbone": backbone, "Neck": neck, "Head": head}
    return {"model_type": "rec", "algorithm": algorithm, **named}


def _template(architecture: Mapping[str, Any], *, gpu: bool) -> dict[str, Any]:
    """What a run without a recipe starts from; values are filled in by :func:`resolved`."""
    names = {"debug": False, "use_gpu": gpu, "log_smooth_window": 20, "print_batch_step": 10}
    saving = {"save_epoch_step": 1, "cal_metric_during_train": True, "checkpoints": None}
    rest = {"save_inference_dir": None, "use_visualdl": False, "infer_mode": False, "distributed": False}
    encode: list[dict[str, Any]] = [
        _DECODE,
        {"RecAug": None},
        {"CTCLabelEncode": None},
        {"RecResizeImg": {}},
        _KEYS,
    ]
    loader = {"shuffle": True, "drop_last": False, "num_workers": 2}
    evaluation = [op for op in encode if "RecAug" not in op]
    return {
        "Global": {**names, **saving, **rest},
        "Optimizer": {"name": "Adam"},
        "Architecture": architecture_section(architecture),
        "Loss": {"name": "CTCLoss"},
        "PostProcess": {"name": "CTCLabelDecode"},
        "Metric": {"name": "RecMetric", "main_indicator": "acc", "ignore_space": True},
        "Train": {
            "dataset": {"name": "SimpleDataSet", "transforms": copy.deepcopy(encode)},
            "loader": dict(loader),
        },
        "Eval": {
            "dataset": {"name": "SimpleDataSet", "transforms": copy.deepcopy(evaluation)},
            "loader": {**loader, "shuffle": False},
        },
    }


def rate_section(schedule: Schedule, per_epoch: int) -> dict[str, Any]:
    """``Optimizer.lr`` of a schedule; epochs may be fractions, which PaddleOCR multiplies out."""
    warmup = {"warmup_epoch": _epochs(schedule.warmup_steps, per_epoch)}
    if schedule.name == "piecewise":
        boundaries = [_epochs(step, per_epoch) for step in schedule.boundaries]
        return {"name": "Piecewise", "decay_epochs": boundaries, "values": list(schedule.values), **warmup}
    if schedule.name == "linear":
        shape = {"end_lr": schedule.end, "power": schedule.power}
        return {"name": "Linear", "learning_rate": schedule.rate, **shape, **warmup}
    name = {"cosine": "Cosine", "constant": "Const"}[schedule.name]
    return {"name": name, "learning_rate": schedule.rate, **warmup}


def _epochs(steps: int, per_epoch: int) -> float | int:
    whole, rest = divmod(steps, per_epoch)
    return whole if rest == 0 else round(steps / per_epoch, 6)


def resolved(
    document: dict[str, Any], settings: Settings, schedule: Schedule, per_epoch: int, height: int
) -> dict[str, Any]:
    """``document`` with what the run really does; files are put in by :func:`write_recipe`."""
    every = settings.evaluate_every or per_epoch
    document["Global"] |= {
        "epoch_num": max(1, math.ceil(schedule.steps / per_epoch)),
        "eval_batch_step": [settings.evaluate_from, every],
        "max_text_length": settings.max_text_length,
    }
    document["Optimizer"] |= {
        "beta1": settings.betas[0],
        "beta2": settings.betas[1],
        "lr": rate_section(schedule, per_epoch),
        "regularizer": {"name": "L2", "factor": settings.weight_decay},
    }
    for section in ("Train", "Eval"):
        loader = document[section].setdefault("loader", {})
        loader["batch_size_per_card"] = settings.batch_size
        for operator in document[section]["dataset"]["transforms"]:
            if "RecResizeImg" in operator:
                operator["RecResizeImg"] = {
                    **(operator["RecResizeImg"] or {}), "image_shape": [3, height, settings.max_width]
                }  # fmt: skip
    document["Datakit"] = {
        "freeze": settings.freeze,
        "batch_norm": "fixed" if settings.fixed_batch_norm else "moving",
        "average": list(settings.shares),
        "layer_decay": settings.layer_decay,
        "distill": settings.distill,
        "distill_on": settings.distill_on,
        "amp": settings.amp,
        "max_forget": settings.max_forget,
        "seed": settings.seed,
    }
    return document


def write_recipe(run: Run, val: Part, config: PaddleConfig | None) -> Path:
    """Write ``config.yml`` into the run's folder; keys of ``config`` that the run does not touch stay.

    Raises:
        InputError: a label file cannot be read.
        OutputError: a file cannot be written.
    """
    paddle = import_paddle()
    own = copy.deepcopy(dict(config.document)) if config else None
    template = _template(run.base.architecture, gpu=bool(paddle.is_compiled_with_cuda()))
    document = {"Eval": template["Eval"], **own} if own else template
    per_epoch = epoch_steps(run.samples, run.settings)
    height = family_of(run.base.architecture).height
    document = resolved(document, run.settings, run.schedule, per_epoch, height)
    folder = (run.out / "paddleocr").absolute()
    document["Global"] |= {
        "save_model_dir": str(folder / "output"),
        "pretrained_model": str(_start_weights(run.base, folder)),
        **_dictionary(run.base, folder),
    }
    document["Train"]["dataset"] |= _train_files(run.samples.mix, folder, allow_outside=run.allow_outside)
    document["Eval"]["dataset"] |= _one_set(val.label_file, val.data_dir or data_dir_of(val.label_file))
    for path in (*(source.label_file for source in run.samples.mix.sources), val.label_file):
        if is_packed(path) and not _readable_alone(run.samples.mix, path, val.label_file):
            run.say(f"{CONFIG}: PaddleOCR cannot read {path} as the run does; unpack it first")
    path = run.out / CONFIG
    atomic_write(path, dump_config(document))
    return path


def _start_weights(base: StoredModel, folder: Path) -> Path:
    """The base as ``.pdparams``; PaddleOCR wants the path without the suffix."""
    paddle = import_paddle()
    stream = io.BytesIO()
    paddle.save({name: paddle.to_tensor(array) for name, array in base.tensors.items()}, stream)
    atomic_write(folder / "start.pdparams", stream.getvalue())
    return folder / "start"


def _dictionary(base: StoredModel, folder: Path) -> dict[str, Any]:
    spaced = base.characters[-1:] == (SPACE,)
    path = folder / "dict.txt"
    write_charset(path, Charset(base.characters), use_space_char=spaced)
    return {"character_dict_path": str(path), "use_space_char": spaced}


def _one_set(path: Path, data_dir: Path) -> dict[str, Any]:
    """The keys of one set; of an LMDB its folder alone."""
    if is_lmdb(path):
        return {"name": "LMDBDataSet", "data_dir": str(path.absolute()), "label_file_list": None}
    named = {"data_dir": str(data_dir.absolute()), "label_file_list": [str(path.absolute())]}
    return {"name": "SimpleDataSet", **named}


def _readable_alone(mix: Mix, path: Path, val: Path) -> bool:
    """Whether PaddleOCR trains (or scores) a packed set as this run does: one LMDB, every line once."""
    alone = path == val or (len(mix.sources) == 1 and mix.sources[0].ratio == 1)
    return is_lmdb(path) and alone


def _train_files(mix: Mix, folder: Path, *, allow_outside: bool) -> dict[str, Any]:
    """Label files as they are where PaddleOCR can use them, else rewritten to one folder."""
    if any(is_packed(source.label_file) for source in mix.sources):
        named = [_one_set(source.label_file, source.data_dir) for source in mix.sources]
        files = [file for one in named for file in one["label_file_list"] or ()]
        return named[0] if len(named) == 1 else {**named[0], "label_file_list": files}
    folders = {source.data_dir.absolute() for source in mix.sources}
    if len(folders) == 1 and all(source.ratio <= 1 for source in mix.sources):
        files = [str(source.label_file.absolute()) for source in mix.sources]
        ratios = [source.ratio for source in mix.sources]
        return {"data_dir": str(folders.pop()), "label_file_list": files, "ratio_list": ratios}
    lists = write_paddleocr_lists(mix, folder, allow_outside=allow_outside)
    return {
        "data_dir": str(lists.data_dir),
        "label_file_list": list(lists.label_file_list),
        "ratio_list": list(lists.ratio_list),
    }
