"""YAML of a stranger as plain values: no tags, no alias bombs, and ``1e-3`` is a number.

PyYAML's own resolver (YAML 1.1) wants a dot and a signed exponent in a float and reads ``1e-3`` as text.
Before anything is built the events are counted: size, depth, aliases and what these expand to.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from datakit.errors import InputError, UsageError

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
MAX_ALIASES = 500
MAX_VALUES = 20_000

_PLAIN_TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "seq", "map")}
_EXPONENT = re.compile(r"^[-+]?[0-9][0-9_]*(?:\.[0-9_]*)?[eE][-+]?[0-9]+$")


class _Loader(yaml.SafeLoader):
    """SafeLoader whose floats may be written ``1e-3``, and whose mappings may not name a key twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _value in node.value:
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("-+0123456789"))


def parse_yaml(text: str | bytes, file: Path) -> Any:
    """The document as dicts, lists and scalars that share nothing, aliases expanded.

    Raises:
        InputError: not YAML, or it holds a tag, an alias to its own parent, a key twice in a mapping, or
        more than the limits of this module; names the line.
    """
    if len(text) > MAX_BYTES:
        raise InputError(f"holds {len(text)} bytes; a configuration has at most {MAX_BYTES}", file=file)
    try:
        _check_events(text)
        return _apart(yaml.load(text, _Loader))  # noqa: S506 (a SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise InputError(
            f"is not valid YAML ({' '.join(filter(None, (error.context, error.problem)))})",
            file=file,
            line=mark.line + 1 if mark else None,
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"is not valid YAML ({' '.join(str(error).split())})", file=file) from error
    except (ValueError, OverflowError) as error:
        raise InputError(f"holds a value that is none ({error})", file=file) from error


def parse_value(text: str, where: str) -> Any:
    """One YAML value, as ``-o Key=value`` gives it.

    Raises:
        UsageError: as :func:`parse_yaml`; ``where`` names the option.
    """
    try:
        return parse_yaml(text, Path("value"))
    except InputError as error:
        raise UsageError(f"{where}: {str(error).removeprefix('value:')}") from error


class _RefusedError(yaml.MarkedYAMLError):
    """Valid YAML that no configuration needs."""


def _fail(message: str, event: yaml.Event) -> _RefusedError:
    mark: Any = event.start_mark
    return _RefusedError(problem=message, problem_mark=mark)


class _Counter:
    """Values of every open collection, and of every finished anchor."""

    def __init__(self) -> None:
        self.open: list[tuple[str | None, int]] = [(None, 0)]
        self.sizes: dict[str, int] = {}
        self.aliases = 0

    def add(self, count: int, event: yaml.Event) -> None:
        anchor, before = self.open[-1]
        self.open[-1] = (anchor, before + count)
        if sum(size for _, size in self.open) > MAX_VALUES:
            raise _fail(f"expands to more than {MAX_VALUES} values", event)

    def alias(self, event: yaml.AliasEvent) -> None:
        self.aliases += 1
        if self.aliases > MAX_ALIASES:
            raise _fail(f"has more than {MAX_ALIASES} aliases", event)
        if any(anchor == event.anchor for anchor, _ in self.open):
            raise _fail(f"alias {event.anchor!r} holds itself", event)
        self.add(self.sizes.get(event.anchor or "", 1), event)

    def start(self, event: yaml.CollectionStartEvent) -> None:
        if len(self.open) > MAX_DEPTH:
            raise _fail(f"is nested more than {MAX_DEPTH} deep", event)
        self.open.append((event.anchor, 1))

    def end(self, event: yaml.Event) -> None:
        anchor, size = self.open.pop()
        if anchor is not None:
            self.sizes[anchor] = size
        self.add(size, event)


def _check_events(text: str | bytes) -> None:
    counter = _Counter()
    for event in yaml.parse(text, yaml.SafeLoader):
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in _PLAIN_TAGS and tag != "!":
            raise _fail(f"tag {tag!r} is not allowed", event)
        if isinstance(event, yaml.AliasEvent):
            counter.alias(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            counter.start(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            counter.end(event)
        elif isinstance(event, yaml.ScalarEvent):
            counter.add(1, event)


def _apart(value: Any) -> Any:
    """A copy in which what was aliased is there as often as it is named."""
    if isinstance(value, dict):
        return {key: _apart(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_apart(item) for item in value]
    return value
