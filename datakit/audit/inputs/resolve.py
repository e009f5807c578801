"""Bring command line and PaddleOCR YAML together; what the command line says wins, and that is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar, cast

from datakit.audit.inputs.files import sources_of
from datakit.audit.inputs.request import IMAGE_SHAPE, MAX_TEXT_LENGTH, Inputs, Request, Trainer
from datakit.audit.inputs.source import ROLES, LabelSource, Role
from datakit.charset import load_charset
from datakit.encoders import NO_DICTIONARY
from datakit.errors import UsageError
from datakit.labels import STDIN
from datakit.mix.sources import checked_ratio
from datakit.paddleocr_config import PaddleConfig, describe_notes, load_config
from datakit.paddleocr_config.tree import Dataset

_Value = TypeVar("_Value")


def resolve(request: Request) -> Inputs:
    """Sources and the trainer's options of a request.

    Raises:
        UsageError: neither labels nor a configuration, stdin twice, ``-o`` without ``-c``, ratios that do not
            fit the labels; an unknown key of the YAML.
        InputError: a label file, a dictionary or the YAML is missing or broken.
        MissingExtraError: an LMDB set without the package lmdb.
    """
    if request.overrides and request.config is None:
        raise UsageError("-o changes a key of the YAML: name it with -c")
    config = load_config(request.config, request.overrides) if request.config else None
    notes: list[str] = []
    trainer = _trainer(request, config, notes)
    sources = _sources(request, config, notes)
    val = _named(request.val, request)
    if not val and config is not None and config.eval is not None:
        val = _dataset(config.eval, (), None)
    reference = _named(request.reference, request)
    sources = _with_roles(sources, request)
    told = (note for source in (*sources, *val, *reference) for note in source.notes)
    return Inputs(sources, trainer, val, reference, (*notes, *dict.fromkeys(told)))


def _named(paths: Sequence[str], request: Request) -> tuple[LabelSource, ...]:
    """The sources of a flag that names more label files."""
    if STDIN in paths:
        raise UsageError("- (stdin) is for the label file that is audited")
    return tuple(
        source for path in paths for source in sources_of(path, data_dir=request.data_dir, task=request.task)
    )


def _with_roles(sources: tuple[LabelSource, ...], request: Request) -> tuple[LabelSource, ...]:
    """Every source with what it is in the mix: one role for all label files, or one each."""
    wrong = [role for role in request.roles if role not in ROLES]
    if wrong:
        raise UsageError(f"--role {wrong[0]!r} is not known; known are {', '.join(ROLES)}")
    if not request.roles:
        return sources
    files = list(dict.fromkeys(source.file for source in sources))
    roles = request.roles * len(files) if len(request.roles) == 1 else request.roles
    if len(roles) != len(files):
        raise UsageError(f"{len(roles)} roles for {len(files)} label files: give one each, or one for all")
    by_file = dict(zip(files, roles, strict=True))
    return tuple(replace(source, role=cast("Role", by_file[source.file])) for source in sources)


def _sources(request: Request, config: PaddleConfig | None, notes: list[str]) -> tuple[LabelSource, ...]:
    if not request.labels:
        if config is None:
            raise UsageError("no label file given, and no configuration that names one (-c rec.yml)")
        return _dataset(config.train, request.ratios, request.data_dir)
    if request.labels.count(STDIN) > 1:
        raise UsageError("- (stdin) can be read once")
    if config is not None:
        notes.append(f"label files of the command line, not those of {config.path}")
    ratios = _ratios(request.ratios, len(request.labels))
    return tuple(
        source
        for path, ratio in zip(request.labels, ratios, strict=True)
        for source in sources_of(path, data_dir=_root(path, request, config), task=request.task, ratio=ratio)
    )


def _root(path: str, request: Request, config: PaddleConfig | None) -> Path | None:
    """``data_dir`` of a label file: the flag, else the YAML's if the YAML names the file, else its own."""
    if request.data_dir is not None or config is None:
        return request.data_dir
    for dataset in (config.train, config.eval):
        if dataset is not None and Path(path).absolute() in {file.absolute() for file in dataset.label_files}:
            return dataset.data_dir
    return None


def _dataset(dataset: Dataset, ratios: Sequence[float], data_dir: Path | None) -> tuple[LabelSource, ...]:
    """The sources of a YAML's Train or Eval."""
    if dataset.delimiter != "\t":
        raise UsageError(f"delimiter {dataset.delimiter!r}: label files are read with a tab only")
    root = data_dir or dataset.data_dir
    if dataset.kind == "lmdb":
        return sources_of(str(root), task="rec", ratio=_ratios(ratios, 1)[0])
    shares = _ratios(ratios, len(dataset.label_files)) if ratios else dataset.ratios
    return tuple(
        source
        for file, ratio in zip(dataset.label_files, shares, strict=True)
        for source in sources_of(str(file), data_dir=root, task="rec", ratio=ratio)
    )


def _ratios(given: Sequence[float], count: int) -> tuple[float, ...]:
    checked = tuple(checked_ratio(ratio) for ratio in given)
    if len(checked) <= 1:
        return (checked or (1.0,)) * count
    if len(checked) != count:
        raise UsageError(f"{len(checked)} ratios for {count} label files: give one each, or one for all")
    return checked


def _trainer(request: Request, config: PaddleConfig | None, notes: list[str]) -> Trainer:
    """The trainer's options; ``notes`` learns where the command line overrules the YAML."""
    if config is None:
        space = request.use_space_char is not False
        return Trainer(
            load_charset(request.dictionary, space) if request.dictionary else None,
            space,
            False,
            request.encoder or "ctc",
            MAX_TEXT_LENGTH if request.max_text_length is None else request.max_text_length,
            request.image_shape or IMAGE_SHAPE,
        )
    notes.extend(f"{config.path}: {line}" for line in describe_notes(config.notes))

    def chosen(flag: str, given: _Value | None, configured: _Value) -> _Value:
        if given is not None and given != configured:
            told, found = _shown(given), _shown(configured)
            notes.append(f"{flag} {told} of the command line, not {found} of {config.path}")
        return configured if given is None else given

    space = chosen("--use-space-char", request.use_space_char, config.use_space_char)
    path = chosen("--dict", request.dictionary, config.dict_path)
    if path is None:
        notes.append("no character_dict_path: PaddleOCR trains 0-9 and a-z, in lower case")
    return Trainer(
        NO_DICTIONARY if path is None else load_charset(path, space),
        space and path is not None,
        path is None,
        chosen("--encoder", request.encoder, str(config.encoder)),
        chosen("--max-text-length", request.max_text_length, config.max_text_length),
        chosen("--image-shape", request.image_shape, config.image_shape),
    )


def _shown(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
