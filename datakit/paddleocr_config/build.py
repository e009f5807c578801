"""From the checked document to the frozen tree."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from datakit.errors import InputError
from datakit.paddleocr_config import keys
from datakit.paddleocr_config.data import read_section
from datakit.paddleocr_config.notes import Note
from datakit.paddleocr_config.tree import (
    Architecture,
    Dataset,
    Encoder,
    LearningRate,
    Optimizer,
    PaddleConfig,
    Part,
)
from datakit.paddleocr_config.values import Values

# PaddleOCR's recognisers are made for this; used where no operator says otherwise.
_DEFAULT_SHAPE = (3, 48, 320)


def build(
    document: Mapping[str, Any],
    path: Path,
    folder: Path,
    overridden: tuple[str, ...],
    notes: tuple[Note, ...],
) -> PaddleConfig:
    """The tree of a document whose keys were checked.

    Raises:
        InputError: a value that makes no sense, or a configuration that is not for recognition.
    """
    top = Values(document, "", path)
    known = top.inner("Global")
    architecture = _architecture(top.inner("Architecture"))
    kind = top.inner("Architecture").text("model_type")
    if kind not in (None, "rec"):
        raise InputError(f"Architecture.model_type is {kind!r}; this is not a recogniser", file=path)
    said = list(notes)
    train = read_section(top.inner("Train"), folder, said)
    if train is None:
        raise InputError("holds no Train.dataset", file=path)
    evaluation = read_section(top.inner("Eval"), folder, said)
    characters = known.text("character_dict_path")
    return PaddleConfig(
        path=path,
        folder=folder,
        train=train,
        eval=evaluation,
        encoder=_encoder(train, path),
        dict_path=None if characters is None else folder / characters,
        use_space_char=known.flag("use_space_char", False),
        max_text_length=known.whole("max_text_length", 25, least=1),
        image_shape=_image_shape(known, train, evaluation, said),
        architecture=architecture,
        optimizer=_optimizer(top.inner("Optimizer"), said),
        epochs=known.whole("epoch_num", least=1),
        eval_batch_step=_eval_batch_step(known),
        save_dir=folder / (known.text("save_model_dir") or "output"),
        pretrained=known.text("pretrained_model"),
        pretrained_of={name: m.pretrained for name, m in architecture.models.items() if m.pretrained},
        own=copy.deepcopy(dict(top.inner("Datakit").found)),
        overridden=overridden,
        notes=tuple(said),
        document=document,
    )


def _encoder(train: Dataset, path: Path) -> Encoder:
    names = [part.name for part in train.operators if part.name.endswith("LabelEncode")]
    for name in names:
        if name in keys.ENCODERS:
            return cast(Encoder, keys.ENCODERS[name])
    found = names[0] if names else "none"
    raise InputError(
        f"Train.dataset.transforms: the label encoder is {found}; datakit knows {', '.join(keys.ENCODERS)}",
        file=path,
    )


def _image_shape(
    known: Values, train: Dataset, evaluation: Dataset | None, notes: list[Note]
) -> tuple[int, int, int]:
    """Channels, height, width: RecResizeImg of training, else of evaluation, else d2s_train_image_shape."""
    for section, dataset in (("Train", train), ("Eval", evaluation)):
        resize = dataset.operator("RecResizeImg") if dataset else None
        if resize is not None:
            where = f"{section}.dataset.transforms.RecResizeImg"
            return _shape(Values(resize.parameters, where, known.file), "image_shape")
    if known.found.get("d2s_train_image_shape") is not None:
        return _shape(known, "d2s_train_image_shape")
    notes.append(
        Note("odd", "Train.dataset.transforms", f"names no image_shape; {list(_DEFAULT_SHAPE)} is used")
    )
    return _DEFAULT_SHAPE


def _shape(values: Values, key: str) -> tuple[int, int, int]:
    sides = values.numbers(key)
    if len(sides) != 3 or any(side != int(side) for side in sides) or sides[0] not in (1, 3) or sides[1] < 8:
        raise values.fail(key, "channels, height and width, such as [3, 48, 320]")
    channels, height, width = (int(side) for side in sides)
    if width < 8 and width != -1:
        raise values.fail(key, "a width of at least 8 px")
    return channels, height, width if width > 0 else _DEFAULT_SHAPE[2]


def _eval_batch_step(known: Values) -> tuple[int, int]:
    """(first step, every so many); a single number starts at 0, none is PaddleOCR's usual [0, 2000]."""
    steps = known.numbers("eval_batch_step", (0.0, 2000.0))
    if len(steps) == 1:
        steps = (0.0, steps[0])
    if len(steps) != 2 or steps[0] < 0 or steps[1] < 1 or any(step != int(step) for step in steps):
        raise known.fail("eval_batch_step", "[first step, every so many]")
    return int(steps[0]), int(steps[1])


def _part(values: Values, key: str) -> Part | None:
    inner = values.inner(key)
    name = inner.text("name")
    if name is None:
        if inner.found:
            raise inner.fail("name", "the name of the " + key.lower())
        return None
    return Part(name, {key: value for key, value in inner.found.items() if key != "name"})


def _architecture(values: Values) -> Architecture:
    models = values.inner("Models")
    inner = {name: _architecture(models.inner(name)) for name in models.found}
    algorithm = values.text("algorithm")
    if algorithm is None:
        raise values.fail("algorithm", "a name such as SVTR_LCNet or CRNN")
    return Architecture(
        algorithm=algorithm,
        backbone=_part(values, "Backbone"),
        neck=_part(values, "Neck"),
        head=_part(values, "Head"),
        transform=_part(values, "Transform"),
        models=inner,
        pretrained=values.text("pretrained"),
        frozen=values.flag("freeze_params", False),
    )


def _optimizer(values: Values, notes: list[Note]) -> Optimizer:
    regularizer = values.inner("regularizer")
    kind = (regularizer.text("name") or "none").removesuffix("Decay")
    if kind not in ("L1", "L2", "none"):
        raise regularizer.fail("name", "L1 or L2")
    return Optimizer(
        name=values.text("name") or "Adam",
        betas=(values.number("beta1", 0.9), values.number("beta2", 0.999)),
        learning_rate=_learning_rate(values.inner("lr"), notes),
        regularizer=kind,
        factor=regularizer.number("factor", 0.0),
    )


def _learning_rate(values: Values, notes: list[Note]) -> LearningRate:
    name = values.text("name") or "Const"
    used = keys.LEARNING_RATES[name].used - {"name", "learning_rate", "max_lr", "warmup_epoch"}
    warmup = values.number("warmup_epoch", 0.0)
    if name == "Piecewise":
        return _piecewise(values, warmup, notes)
    rate = values.number("max_lr" if name == "OneCycle" else "learning_rate")
    boundaries = values.numbers("milestones") if name == "MultiStepDecay" else ()
    extras = {key: values.number(key) for key in used - {"milestones"} if values.found.get(key) is not None}
    return LearningRate(name, (rate,), boundaries, warmup, extras)


def _piecewise(values: Values, warmup: float, notes: list[Note]) -> LearningRate:
    """PaddlePaddle wants one value more than boundaries; the guide's recipe has two and two, and fails."""
    boundaries, rates = values.numbers("decay_epochs"), values.numbers("values")
    if not rates or any(rate < 0 for rate in rates):
        raise values.fail("values", "learning rates")
    if list(boundaries) != sorted(boundaries):
        raise values.fail("decay_epochs", "epochs in rising order")
    if len(boundaries) == len(rates):
        kept = boundaries[: len(rates) - 1]
        shown = ", ".join(f"{epoch:g}" for epoch in kept)
        notes.append(
            Note(
                "changed",
                values.dotted("decay_epochs"),
                f"{len(rates)} values have {len(kept)} boundaries between them, {len(boundaries)} are given "
                f"(PaddleOCR stops with ValueError); [{shown}] is used",
            )
        )
        boundaries = kept
    if len(rates) != len(boundaries) + 1:
        raise values.fail("values", f"{len(boundaries) + 1} rates for {len(boundaries)} boundaries")
    return LearningRate("Piecewise", rates, boundaries, warmup)
