"""``Train`` and ``Eval``: label files with their ratios, operators, batch size."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, cast

from datakit.errors import InputError
from datakit.paddleocr_config import keys
from datakit.paddleocr_config.check import nearest
from datakit.paddleocr_config.notes import Note
from datakit.paddleocr_config.tree import Dataset, DatasetKind, PaddleConfig, Part
from datakit.paddleocr_config.values import Values

# What RecAug applied with one probability before PaddleOCR 2.6.
_OLD_EFFECTS = ("crop_prob", "reverse_prob", "noise_prob", "jitter_prob", "blur_prob", "hsv_aug_prob")
_OLD_PROBABILITY = 0.4


def read_section(values: Values, folder: Path, notes: list[Note]) -> Dataset | None:
    """The dataset of ``Train`` or ``Eval``; None where the section has none.

    Raises:
        InputError: a kind that is not for recognition, ratios that do not fit, or an odd value.
    """
    inner = values.inner("dataset")
    if not inner.found:
        return None
    name = inner.text("name") or "SimpleDataSet"
    if name not in keys.DATASETS:
        hint = nearest(name, keys.DATASETS)
        raise InputError(f"{inner.dotted('name')} is {name!r}{hint}", file=values.file)
    kind = cast(DatasetKind, keys.DATASETS[name])
    data_dir = inner.text("data_dir")
    if data_dir is None:
        raise inner.fail("data_dir", "a folder")
    files = inner.texts("label_file_list")
    if kind == "lmdb":
        files = ()
    elif not files:
        raise inner.fail("label_file_list", "label files")
    sampler = values.inner("sampler")
    return Dataset(
        kind=kind,
        data_dir=folder / data_dir,
        label_files=tuple(folder / file for file in files),
        ratios=_ratios(inner, len(files), notes),
        operators=_operators(inner, notes),
        batch_size=_batch_size(values, notes),
        delimiter=inner.text("delimiter") or "\t",
        sampler=Part(sampler.text("name") or "", dict(sampler.found)) if sampler.found else None,
    )


def _batch_size(values: Values, notes: list[Note]) -> int:
    size = values.inner("loader").whole("batch_size_per_card", 1, least=1)
    sampler = values.inner("sampler")
    if sampler.found.get("first_bs") is not None and sampler.whole("first_bs", least=1) != size:
        notes.append(
            Note(
                "odd",
                sampler.dotted("first_bs"),
                f"{sampler.whole('first_bs')} is what PaddleOCR would use; here it is the loader's {size}",
            )
        )
    return size


def _ratios(values: Values, files: int, notes: list[Note]) -> tuple[float, ...]:
    ratios = values.numbers("ratio_list", (1.0,) * files)
    if not isinstance(values.found.get("ratio_list"), list):
        ratios = ratios[:1] * files
    if len(ratios) != files and files:
        raise values.fail("ratio_list", f"{files} ratios, one a label file")
    if any(ratio < 0 for ratio in ratios):
        raise values.fail("ratio_list", "ratios from 0")
    if any(ratio > 1 for ratio in ratios):
        key = values.dotted("ratio_list")
        notes.append(Note("odd", key, "a ratio above 1 repeats lines here; PaddleOCR's loader fails on it"))
    return ratios


def _operators(values: Values, notes: list[Note]) -> tuple[Part, ...]:
    operators = []
    for entry in values.found.get("transforms") or ():
        (name, parameters), *_ = entry.items()
        where = f"{values.dotted('transforms')}.{name}"
        found = Values(parameters or {}, where, values.file)
        operators.append(Part(name, _rec_aug(found, notes) if name == "RecAug" else dict(found.found)))
    return tuple(operators)


def _rec_aug(values: Values, notes: list[Note]) -> Mapping[str, Any]:
    """RecAug's probabilities under their present names.

    Before 2.6 there were ``use_tia`` and one ``aug_prob`` for everything; newer code takes both without a
    word and ignores them.
    """
    old = {"use_tia", "aug_prob"} & set(values.found)
    if not old:
        return {key: values.number(key) for key in values.found}
    probability = values.number("aug_prob", _OLD_PROBABILITY)
    warp = probability if values.flag("use_tia", True) else 0.0
    new = {"tia_prob": warp, **dict.fromkeys(_OLD_EFFECTS, probability)}
    new.update({key: values.number(key) for key in values.found if key not in old})
    notes += [
        Note(
            "old-key",
            values.dotted(key),
            f"PaddleOCR ignores it since 2.6; read as tia_prob {warp:g}, all else {probability:g}",
        )
        for key in sorted(old)
    ]
    return new


def require_files(config: PaddleConfig, sections: Collection[str] = ("Train", "Eval", "Global")) -> None:
    """Check that the label files, folders and the dictionary (``Global``) of ``sections`` are there.

    Raises:
        InputError: names every one that is missing, and the folder in which relative paths were looked up.
    """
    wanted = [("Train.dataset.data_dir", config.train.data_dir)]
    wanted += [("Train.dataset.label_file_list", file) for file in config.train_lists]
    if config.eval is not None:
        wanted.append(("Eval.dataset.data_dir", config.eval.data_dir))
        wanted += [("Eval.dataset.label_file_list", file) for file in config.eval_lists]
    if config.dict_path is not None:
        wanted.append(("Global.character_dict_path", config.dict_path))
    missing = [
        f"{key}: {path}" for key, path in wanted if key.partition(".")[0] in sections and not path.exists()
    ]
    if missing:
        raise InputError(
            f"{'; '.join(missing)} not there (relative paths start at the working folder, as in PaddleOCR: "
            f"{config.folder})",
            file=config.path,
        )
