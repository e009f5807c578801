"""``-o Global.epoch_num=10 Train.loader.batch_size_per_card=64``: values over those of the file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from datakit.errors import UsageError
from datakit.paddleocr_config.document import parse_value


def apply_overrides(document: dict[str, Any], overrides: Iterable[str]) -> tuple[str, ...]:
    """Set every ``Key.sub=value`` in ``document``; returns the dotted keys.

    A number steps into a list (``Train.dataset.label_file_list.0=a.txt``), and into a list of operators so
    does its name (``Train.dataset.transforms.RecAug.tia_prob=0.1``). Whether a key exists is checked with
    the whole configuration. A string may hold several, parted by spaces, as PaddleOCR's ``-o`` takes them.

    Raises:
        UsageError: no ``=``, a value that is no safe YAML, or a way through something that holds no keys.
    """
    keys = []
    for override in _split(overrides):
        key, equals, text = override.partition("=")
        if not equals or not key:
            raise UsageError(f"-o {override!r} is not of the form Key.sub=value")
        _put(document, key.split("."), parse_value(text, f"-o {key}"), key)
        keys.append(key)
    return tuple(keys)


def _split(overrides: Iterable[str]) -> Iterable[str]:
    for text in overrides:
        words = text.split()
        # "A.b=1 C.d=2" is two; "A.b=[1, 2]" is one.
        whole = len(words) < 2 or not all("=" in word and "." in word.partition("=")[0] for word in words)
        yield from [text.strip()] if whole else words


def _put(document: dict[str, Any], path: list[str], value: Any, key: str) -> None:
    holder: Any = document
    for name in path[:-1]:
        holder = _step(holder, name, key)
    last = path[-1]
    if isinstance(holder, dict):
        holder[last] = value
    elif isinstance(holder, list) and last.isdecimal() and int(last) < len(holder):
        holder[int(last)] = value
    elif (operator := _operator(holder, last)) is not None:
        operator[last] = value
    else:
        raise UsageError(f"-o {key}: there is nothing called {last!r}")


def _step(holder: Any, name: str, key: str) -> Any:
    """What ``holder`` has under ``name``; an empty place becomes a mapping."""
    if isinstance(holder, dict):
        if holder.get(name) is None:
            holder[name] = {}
        return holder[name]
    if isinstance(holder, list) and name.isdecimal() and int(name) < len(holder):
        return holder[int(name)]
    operator = _operator(holder, name)
    if operator is None:
        raise UsageError(f"-o {key}: there is nothing called {name!r} to go through")
    return _step(operator, name, key)


def _operator(holder: Any, name: str) -> dict[str, Any] | None:
    """The entry ``{name: parameters}`` of a list of operators."""
    entries = holder if isinstance(holder, list) else []
    return next((entry for entry in entries if isinstance(entry, dict) and name in entry), None)
