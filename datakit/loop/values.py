"""Values of loop.yaml, checked at the door.

A word where a number belongs is said before the first step, not after an hour of them. YAML 1.1 reads
``1e-4`` as a word: what looks like a number is taken as one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, get_args

from datakit.badcases.restore import Restored
from datakit.errors import InputError

# Returns the value; a ValueError's text says what it should have been.
Check = Callable[[Any], Any]


def whole(minimum: int) -> Check:
    """A whole number of at least ``minimum``."""

    def check(value: Any) -> Any:
        if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
            raise ValueError(f"a whole number of at least {minimum}")
        return value

    return check


def number(minimum: float, maximum: float = math.inf) -> Check:
    """A finite number from ``minimum`` to ``maximum``, also where YAML made a word of it."""

    def check(value: Any) -> Any:
        wanted = f"a number of at least {minimum:g}" + (
            f", at most {maximum:g}" if maximum < math.inf else ""
        )
        try:
            found = float(value) if isinstance(value, str) else value
        except ValueError as error:
            raise ValueError(wanted) from error
        if not isinstance(found, int | float) or isinstance(found, bool) or not math.isfinite(found):
            raise ValueError(wanted)
        if not minimum <= found <= maximum:
            raise ValueError(wanted)
        return found

    return check


def one_of(*names: str) -> Check:
    """One of ``names``."""

    def check(value: Any) -> Any:
        if value not in names:
            raise ValueError(f"one of {', '.join(names)}")
        return value

    return check


def list_of(entry: Check, what: str) -> Check:
    """A list whose entries all pass; ``what`` names them."""

    def check(value: Any) -> Any:
        if not isinstance(value, list):
            raise ValueError(f"a list of {what}")
        return [entry(item) for item in value]

    return check


def word(value: Any) -> Any:
    """Text."""
    if not isinstance(value, str) or not value:
        raise ValueError("text")
    return value


def or_nothing(check: Check) -> Check:
    """Also ``null``, which means the default."""
    return lambda value: None if value is None else check(value)


_SHARES = list_of(number(0, 1), "numbers from 0 to 1")
_WORDS = or_nothing(list_of(word, "texts"))

FINETUNE: Mapping[str, Check] = {
    "steps": or_nothing(whole(1)),
    "epochs": whole(1),
    "batch_size": whole(1),
    "learning_rate": or_nothing(number(1e-12)),
    "schedule": one_of("cosine", "piecewise"),
    "warmup_steps": or_nothing(whole(0)),
    "freeze": one_of("none", "backbone"),
    "shares": _SHARES,
    "layer_decay": number(0, 1),
    "distill": number(0),
    "distill_on": or_nothing(word),
    "max_text_length": whole(1),
    "max_width": whole(32),
    "max_forget": number(0, 1),
    "max_bad": number(0, 1),
    "save_every": whole(1),
}

SYNTH: Mapping[str, Check] = {
    "per_char": whole(1),
    "max_targets": whole(0),
    "corpus": _WORDS,
    "templates": _WORDS,
    "fonts": _WORDS,
    "photos": or_nothing(word),
    "presets": _WORDS,
    "backgrounds": _WORDS,
    "workers": whole(1),
}

STOPS: Mapping[str, Check] = {
    "patience": or_nothing(whole(1)),
    "budget_minutes": or_nothing(number(0)),
    "target_accuracy": or_nothing(number(0, 1)),
    "floor": whole(0),
    "restore": list_of(one_of(*get_args(Restored)), ", ".join(get_args(Restored))),
    "new_characters": whole(0),
    "leave_one_out": whole(0),
}


def check_values(
    given: Mapping[str, Any], checks: Mapping[str, Check], where: str, file: Any
) -> dict[str, Any]:
    """``given`` with every value checked; its keys are known already.

    Raises:
        InputError: values that make no sense, all of them named.
    """
    checked: dict[str, Any] = {}
    wrong = []
    for key, value in given.items():
        try:
            checked[key] = checks[key](value)
        except ValueError as error:
            wrong.append(f"{where}{key} {value!r} is not {error}")
    if wrong:
        raise InputError("; ".join(wrong), file=file)
    return checked
