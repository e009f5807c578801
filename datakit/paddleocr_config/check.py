"""Every key of a configuration against the tables: used, without effect, or unknown; all are said at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz, process

from datakit.errors import InputError
from datakit.paddleocr_config import keys
from datakit.paddleocr_config.keys import Table
from datakit.paddleocr_config.notes import Note

_ARCHITECTURE_PARTS = {"Backbone": keys.BACKBONES, "Neck": keys.NECKS, "Head": keys.HEADS}


class Check:
    """Collects what is wrong and what is worth a remark."""

    def __init__(self) -> None:
        self.wrong: list[str] = []
        self.notes: list[Note] = []

    def mapping(self, value: Any, key: str) -> Mapping[str, Any]:
        """``value`` as a mapping; nothing counts as an empty one."""
        if value is None:
            return {}
        if isinstance(value, dict):
            return value
        self.wrong.append(f"{key} is {value!r}, expected keys and values")
        return {}

    def keys(self, value: Any, table: Table, where: str) -> Mapping[str, Any]:
        """Check the keys of ``value``."""
        found = self.mapping(value, where or "the file")
        for key in found:
            dotted = f"{where}.{key}" if where else str(key)
            if key in table.idle:
                self.notes.append(Note("no-effect", dotted, "has no effect here"))
            elif key not in table.used and not table.open:
                self.wrong.append(f"unknown key {dotted}{nearest(str(key), table.known)}")
        return found


def nearest(name: str, known: Iterable[str]) -> str:
    """ ", did you mean 'x'?" or the list of what is known."""
    names = sorted(known)
    best = process.extractOne(name, names, scorer=fuzz.ratio, processor=str.lower, score_cutoff=60)
    if best is not None:
        return f", did you mean {best[0]!r}?"
    return f"; known are {', '.join(names)}" if len(names) <= 12 else ""


def check_keys(document: Any, file: Path) -> tuple[Note, ...]:
    """The remarks on ``document``.

    Raises:
        InputError: it is no configuration, or holds keys that PaddleOCR does not know; names all of them.
    """
    if not isinstance(document, dict):
        raise InputError("holds no configuration (keys Global, Architecture, Train ...)", file=file)
    check = Check()
    check.keys(document, keys.TOP, "")
    check.keys(document.get("Global"), keys.GLOBAL, "Global")
    check.keys(document.get("Datakit"), keys.DATAKIT, "Datakit")
    _optimizer(check, document.get("Optimizer"))
    _architecture(check, document.get("Architecture"), "Architecture")
    for section in ("Train", "Eval"):
        _section(check, document.get(section), section)
    if check.wrong:
        raise InputError("; ".join(check.wrong), file=file)
    return tuple(check.notes)


def _optimizer(check: Check, value: Any) -> None:
    found = check.keys(value, keys.OPTIMIZER, "Optimizer")
    check.keys(found.get("regularizer"), keys.REGULARIZER, "Optimizer.regularizer")
    rate = check.mapping(found.get("lr"), "Optimizer.lr")
    name = str(rate.get("name", "Const"))
    if name not in keys.LEARNING_RATES:
        check.wrong.append(f"unknown Optimizer.lr.name {name!r}{nearest(name, keys.LEARNING_RATES)}")
    else:
        check.keys(rate, keys.LEARNING_RATES[name], "Optimizer.lr")


def _architecture(check: Check, value: Any, where: str) -> None:
    found = check.keys(value, keys.ARCHITECTURE, where)
    for name, model in check.mapping(found.get("Models"), f"{where}.Models").items():
        _architecture(check, model, f"{where}.Models.{name}")
    for part, tables in _ARCHITECTURE_PARTS.items():
        parameters = check.mapping(found.get(part), f"{where}.{part}")
        table = tables.get(str(parameters.get("name")))
        if table is not None:
            check.keys(parameters, table, f"{where}.{part}")
    head = check.mapping(found.get("Head"), f"{where}.Head")
    if head.get("name") == "MultiHead":
        _head_list(check, head.get("head_list"), f"{where}.Head.head_list")


def _head_list(check: Check, value: Any, where: str) -> None:
    if not isinstance(value, list):
        check.wrong.append(f"{where} is {value!r}, expected a list of heads")
        return
    for entry in value:
        for name, parameters in check.mapping(entry, where).items():
            if name not in keys.SUB_HEADS:
                check.wrong.append(f"unknown head {where}.{name}{nearest(str(name), keys.SUB_HEADS)}")
                continue
            found = check.keys(parameters, keys.SUB_HEADS[name], f"{where}.{name}")
            if name == "CTCHead":
                check.keys(found.get("Neck"), keys.NECKS["SequenceEncoder"], f"{where}.{name}.Neck")
                check.keys(found.get("Head"), keys.HEADS["CTCHead"], f"{where}.{name}.Head")


def _section(check: Check, value: Any, where: str) -> None:
    found = check.keys(value, keys.SECTION, where)
    dataset = check.keys(found.get("dataset"), keys.DATASET, f"{where}.dataset")
    check.keys(found.get("loader"), keys.LOADER, f"{where}.loader")
    check.keys(found.get("sampler"), keys.SAMPLER, f"{where}.sampler")
    operators = dataset.get("transforms")
    where = f"{where}.dataset.transforms"
    if operators is not None and not isinstance(operators, list):
        check.wrong.append(f"{where} is {operators!r}, expected a list of operators")
        return
    for entry in operators or ():
        _operator(check, entry, where)


def _operator(check: Check, entry: Any, where: str) -> None:
    if not isinstance(entry, dict) or len(entry) != 1:
        check.wrong.append(f"{where} holds {entry!r}, expected one operator with its parameters")
        return
    (name, parameters), *_ = entry.items()
    if name in keys.OPERATORS:
        check.keys(parameters, keys.OPERATORS[name], f"{where}.{name}")
    elif name not in keys.OTHER_OPERATORS:
        known = keys.OTHER_OPERATORS | set(keys.OPERATORS)
        check.wrong.append(f"unknown operator {where}.{name}{nearest(str(name), known)}")
