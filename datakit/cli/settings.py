"""``-c FILE``: the options of a command from a YAML file; what stands on the command line wins over it."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import typer

from datakit.errors import InputError

# Options of one command that have no place in its file.
_NOT_IN_FILE = frozenset({"help", "config"})
# Texts that may name a file or folder, or something else: a family of fonts, say.
_PERHAPS_PATHS = frozenset({"fonts"})
_WORDS: dict[type, str] = {bool: "true or false", int: "a whole number", float: "a number"}
_TEXT = "a text; put it in quotes"


def use_settings(context: typer.Context, file: Path | None) -> Path | None:
    """Callback of an eager option: every key of ``file`` becomes the default of the option it names.

    Keys are the options without their dashes (``per-char`` or ``per_char``). Options that may be repeated
    take a list or one value. Paths are relative to the folder of the file.

    Raises:
        InputError: no YAML mapping, an unknown key (names the closest), a value of the wrong kind.
    """
    if file is None or context.resilient_parsing:
        return file
    options = _options(context.command)
    kinds = get_type_hints(inspect.unwrap(context.command.callback)) if context.command.callback else {}
    defaults = dict(context.default_map or {})
    for key, value in _read(file).items():
        name = str(key).replace("_", "-")
        if name not in options:
            close = difflib.get_close_matches(name, options, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(options)}"
            raise InputError(f"unknown key {key!r}, {hint}", file=file)
        if value is not None:
            defaults[options[name]] = _value(_Kind.of(kinds[options[name]]), name, value, file)
    context.default_map = defaults
    return file


@dataclass(frozen=True, slots=True)
class _Kind:
    """What an option takes, by its annotation: Typer's own classes change between versions."""

    repeated: bool
    type: type

    @classmethod
    def of(cls, hint: Any) -> _Kind:
        inner = [part for part in get_args(hint) if part is not type(None)]
        if get_origin(hint) is list:
            return cls(True, inner[0])
        return cls(False, inner[0] if inner else hint)


def _options(command: Any) -> dict[str, str]:
    """Names on the command line, without dashes, to the parameters that they set."""
    found = {}
    for option in command.params:
        names = [opt.removeprefix("--") for opt in option.opts if opt.startswith("--")]
        found.update({name: option.name for name in names if name not in _NOT_IN_FILE})
    return found


def _read(file: Path) -> Mapping[Any, Any]:
    import yaml

    try:
        document = yaml.safe_load(file.read_bytes())
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=file) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = None if mark is None else mark.line + 1
        raise InputError(f"is no YAML ({getattr(error, 'problem', error)})", file=file, line=line) from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise InputError("holds no mapping of option to value", file=file)
    return document


def _value(kind: _Kind, name: str, value: Any, file: Path) -> Any:
    if isinstance(value, dict):
        # Such as length-shares: {1-4: 0.3, 5-25: 0.7}
        value = ",".join(f"{key}:{share}" for key, share in value.items())
    if not kind.repeated:
        return _one(kind.type, name, value, file)
    return [_one(kind.type, name, item, file) for item in (value if isinstance(value, list) else [value])]


def _one(kind: type, name: str, value: Any, file: Path) -> Any:
    wanted = {bool: (bool,), int: (int,), float: (int, float)}.get(kind, (str,))
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        raise InputError(f"{name}: {value!r} is not {_WORDS.get(kind, _TEXT)}", file=file)
    if isinstance(value, str):
        beside = file.parent / value
        if kind is Path or (name in _PERHAPS_PATHS and beside.exists()):
            return str(beside)
    return value
