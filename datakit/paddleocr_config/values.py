"""Single values out of the YAML, each with an error that names its dotted key."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datakit.errors import InputError


@dataclass(frozen=True, slots=True)
class Values:
    """One mapping of the document and where it stands."""

    found: Mapping[str, Any]
    where: str
    file: Path

    def fail(self, key: str, expected: str) -> InputError:
        """The error of a value that is not ``expected``."""
        return InputError(
            f"{self.dotted(key)} is {self.found.get(key)!r}, expected {expected}", file=self.file
        )

    def dotted(self, key: str) -> str:
        """``Global.epoch_num`` for ``epoch_num``."""
        return f"{self.where}.{key}" if self.where else key

    def inner(self, key: str) -> Values:
        """The mapping under ``key``; empty where there is nothing."""
        value = self.found.get(key)
        if value is not None and not isinstance(value, dict):
            raise self.fail(key, "keys and values")
        return Values(value or {}, self.dotted(key), self.file)

    def number(self, key: str, default: float | None = None, *, least: float = 0.0) -> float:
        """A finite number of at least ``least``."""
        value = self.found.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.fail(key, "a number")
        if not math.isfinite(value) or value < least:
            raise self.fail(key, f"a number of at least {least:g}")
        return float(value)

    def whole(self, key: str, default: int | None = None, *, least: int = 0) -> int:
        """A whole number of at least ``least``."""
        value = self.number(key, default, least=least)
        if value != int(value):
            raise self.fail(key, "a whole number")
        return int(value)

    def flag(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.found.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self.fail(key, "true or false")
        return value

    def text(self, key: str) -> str | None:
        """A string; None where there is nothing, or an empty one."""
        value = self.found.get(key)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise self.fail(key, "a text")
        return value

    def numbers(self, key: str, default: tuple[float, ...] = ()) -> tuple[float, ...]:
        """Numbers from a list, or a single one."""
        value = self.found.get(key)
        if value is None:
            return default
        listed = value if isinstance(value, list) else [value]
        for item in listed:
            if isinstance(item, bool) or not isinstance(item, (int, float)) or not math.isfinite(item):
                raise self.fail(key, "numbers")
        return tuple(float(item) for item in listed)

    def texts(self, key: str) -> tuple[str, ...]:
        """Strings from a list, or a single one."""
        value = self.found.get(key)
        listed = [] if value is None else value if isinstance(value, list) else [value]
        if not all(isinstance(item, str) and item for item in listed):
            raise self.fail(key, "one or more texts")
        return tuple(listed)
