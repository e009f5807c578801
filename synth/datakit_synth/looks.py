"""Looks of a line: how its letters are set, shaped and painted beyond font, colour and effects.

A line has one look or none. A look samples its parameters into a plain dict, which is kept in the picture's
parameters, and fits some texts only: what it cannot show truly it never gets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from datakit.errors import UsageError
from datakit_synth.segments import DOTS, SEGMENT_SIGNS

Params = dict[str, Any]
NONE = "none"


@dataclass(frozen=True, slots=True)
class Look:
    """``fits(text)``: whether the look can show it truly; ``sample(rng)``: its parameters."""

    fits: Callable[[str], bool]
    sample: Callable[[Random], Params]


def _always(text: str) -> bool:
    return True


def _is_cjk(char: str) -> bool:
    """Han, kana without the sound mark (it is drawn otherwise when written downwards), Hangul."""
    code = ord(char)
    return (
        0x4E00 <= code <= 0x9FFF
        or 0x3400 <= code <= 0x4DBF
        or 0x3041 <= code <= 0x3096
        or 0x30A1 <= code <= 0x30FA
        or 0xAC00 <= code <= 0xD7A3
    )


def _fits_vertical(text: str) -> bool:
    # Han one is a level stroke: lying on its side it is a bar, and alone nobody could tell.
    return len(text) >= 2 and all(map(_is_cjk, text)) and set(text) != {"一"}


def _fits_wide_spaces(text: str) -> bool:
    """Two spaces in the label must look like two: such lines keep their own widths."""
    return " " in text.strip() and "  " not in text


def _fits_parts(text: str) -> bool:
    return len(text) >= 4


def _fits_rules(text: str) -> bool:
    """Not for signs that a rule beside them could be taken for, or turn into another."""
    if len(text) < 3:
        return all(char.isalnum() and char not in "一二三" for char in text)
    return not any(char in "_|＿｜│─" for char in text)


def _fits_segments(text: str) -> bool:
    return set(text) <= SEGMENT_SIGNS and any(map(str.isdigit, text)) and "  " not in text


def _fits_dots(text: str) -> bool:
    return text.strip() != "" and set(text) <= DOTS.keys()


def _part(rng: Random, low: float, high: float) -> float:
    return round(rng.uniform(low, high), 3)


def _sign(rng: Random) -> int:
    return 1 if rng.random() < 0.5 else -1


_SIDES = (["top"], ["bottom"], ["left"], ["top", "bottom"], ["bottom", "left"], ["top", "bottom", "left"])

LOOKS: dict[str, Look] = {
    "spaced": Look(_always, lambda rng: {"spacing": _part(rng, 0.1, 0.35)}),
    "wide-spaces": Look(_fits_wide_spaces, lambda rng: {"space": _part(rng, 1.4, 3.2)}),
    "vertical": Look(_fits_vertical, lambda rng: {"spacing": _part(rng, 0.0, 0.12)}),
    "jitter": Look(_always, lambda rng: {"lifts": [_part(rng, -0.05, 0.05) for _ in range(7)]}),
    "mixed-fonts": Look(_fits_parts, lambda rng: {"parts": rng.randint(2, 3), "draw": rng.getrandbits(30)}),
    "italic": Look(_always, lambda rng: {"slant": _part(rng, 0.14, 0.3)}),
    "curved": Look(
        _always,
        lambda rng: {"depth": _sign(rng) * _part(rng, 0.12, 0.45), "turns": rng.choice((0.5, 0.5, 1.0))},
    ),
    "underline": Look(
        _fits_rules, lambda rng: {"gap": _part(rng, 0.05, 0.14), "width": _part(rng, 0.03, 0.07)}
    ),
    "table": Look(
        _fits_rules,
        lambda rng: {
            "sides": rng.choice(_SIDES),
            "level": _part(rng, 0.35, 0.85),
            "at": [_part(rng, 0.0, 1.0) for _ in range(3)],
        },
    ),
    "outline": Look(_always, lambda rng: {"reach": rng.choice((1, 1, 2)), "level": rng.randint(0, 50)}),
    "shadow": Look(
        _always,
        lambda rng: {
            "offset": [_sign(rng) * rng.randint(1, 3), rng.randint(1, 3)],
            "blur": _part(rng, 0.4, 1.6),
            "depth": _part(rng, 0.25, 0.6),
        },
    ),
    "emboss": Look(_always, lambda rng: {"raised": rng.random() < 0.6, "depth": _part(rng, 0.25, 0.6)}),
    "stamp": Look(
        _fits_rules,
        lambda rng: {
            "hue": rng.choice(("red", "red", "blue", "violet")),
            "frame": rng.random() < 0.6,
            "gap": _part(rng, 0.2, 0.4),
            "width": _part(rng, 0.04, 0.08),
            "worn": {
                "grain": rng.choice((3, 5)),
                "area": _part(rng, 0.1, 0.35),
                "share": _part(rng, 0.2, 0.55),
                "x": rng.randrange(1 << 16),
                "y": rng.randrange(1 << 16),
            },
        },
    ),
    "seven-segment": Look(
        _fits_segments,
        lambda rng: {
            "thickness": _part(rng, 0.11, 0.17),
            "ghost": rng.random() < 0.4,
            "slant": _part(rng, 0.0, 0.14),
        },
    ),
    "dot-matrix": Look(
        _fits_dots, lambda rng: {"radius": _part(rng, 0.36, 0.5), "square": rng.random() < 0.3}
    ),
}

# Preset -> (look, share of the lines), for ``looks=()``. Those without an entry have none.
PRESET_LOOKS: dict[str, tuple[tuple[str, float], ...]] = {
    "scan": (
        ("spaced", 0.02),
        ("wide-spaces", 0.03),
        ("jitter", 0.02),
        ("mixed-fonts", 0.03),
        ("italic", 0.03),
        ("underline", 0.03),
        ("table", 0.05),
        ("stamp", 0.01),
    ),
    "photo": (
        ("spaced", 0.03),
        ("wide-spaces", 0.02),
        ("vertical", 0.01),
        ("mixed-fonts", 0.03),
        ("curved", 0.03),
        ("underline", 0.01),
        ("table", 0.02),
        ("outline", 0.03),
        ("shadow", 0.04),
        ("emboss", 0.02),
    ),
    "thermal": (
        ("wide-spaces", 0.06),
        ("jitter", 0.02),
        ("underline", 0.02),
        ("table", 0.02),
        ("dot-matrix", 0.03),
    ),
    "screen": (
        ("spaced", 0.02),
        ("mixed-fonts", 0.03),
        ("table", 0.03),
        ("outline", 0.04),
        ("shadow", 0.05),
    ),
    "lcd": (("seven-segment", 0.6), ("dot-matrix", 0.2)),
    "plate": (("spaced", 0.2), ("emboss", 0.3), ("shadow", 0.05)),
}


def check_looks(names: tuple[str, ...]) -> tuple[str, ...]:
    """``names`` itself.

    Raises:
        UsageError: there is no such look.
    """
    for name in names:
        if name not in LOOKS and name != NONE:
            raise UsageError(f"there is no look {name!r}; there are {', '.join((NONE, *LOOKS))}")
    return names


def draw_look(names: tuple[str, ...], preset: str, text: str, rng: Random) -> tuple[str, Params]:
    """The look of a line and its parameters; ``("none", {})`` for most.

    With ``names`` every line gets one of those that fit it, in equal shares (``none`` among them stands for a
    plain line); without, the preset's looks with their shares.
    """
    if names:
        fitting = [name for name in names if name == NONE or LOOKS[name].fits(text)]
        name = rng.choice(fitting) if fitting else NONE
    else:
        name = _by_share(PRESET_LOOKS.get(preset, ()), rng.random())
        if name != NONE and not LOOKS[name].fits(text):
            name = NONE
    return (name, {}) if name == NONE else (name, LOOKS[name].sample(rng))


def _by_share(shares: tuple[tuple[str, float], ...], point: float) -> str:
    for name, share in shares:
        point -= share
        if point < 0:
            return name
    return NONE
