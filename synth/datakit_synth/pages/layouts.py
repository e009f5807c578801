"""Where the lines of a page stand: slots and printed rules on a flat sheet, in px of that sheet."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

# Smaller writing would fall under DB's 8 px once a page is scaled to the training crop.
MIN_EM = 16.0
_SCATTER_TRIES = 6


@dataclass(frozen=True, slots=True)
class Slot:
    """Room for one line: its left end on the baseline, the px it may take, and px an em.

    ``align``: 0 left, 0.5 centred, 1 right. Slots of a ``block`` share font and ink. ``kind``: ``text`` (one
    text), ``fill`` (texts joined until the width is full) or ``number``. ``angle``: degrees, clockwise.
    """

    left: float
    baseline: float
    width: float
    em: float
    align: float = 0.0
    block: int = 0
    kind: str = "text"
    angle: float = 0.0


@dataclass(frozen=True, slots=True)
class Rule:
    """A printed line from (x0, y0) to (x1, y1)."""

    x0: float
    y0: float
    x1: float
    y1: float


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a layout makes of ``lines`` wanted lines: room for about as many, in reading order."""

    slots: tuple[Slot, ...]
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """``aspects``: least and largest height of the sheet in widths, None for that of the picture."""

    lay: Callable[[Random, float, float, int], Sheet]
    aspects: tuple[float, float] | None


def _pitch(rng: Random, room: float, rows: int, largest: float) -> tuple[float, float]:
    """Px from baseline to baseline, and px an em, for ``rows`` rows in ``room`` px."""
    leading = rng.uniform(1.4, 1.75)
    pitch = max(MIN_EM * leading, min(room / max(1, rows), largest))
    return pitch, pitch / leading


def columns(rng: Random, width: float, height: float, lines: int) -> Sheet:
    """A page of running text in one to three columns, with or without a title."""
    margin = width * rng.uniform(0.05, 0.1)
    number = min(rng.choice((1, 1, 2, 2, 3)), max(1, int((width - 2 * margin) // (14 * MIN_EM))))
    slots: list[Slot] = []
    top = height * rng.uniform(0.04, 0.08)
    if rng.random() < 0.6 and lines > 3:
        em = max(1.5 * MIN_EM, min(height / 16, width / 14))
        slots.append(Slot(margin, top + em, width - 2 * margin, em, rng.choice((0.0, 0.5))))
        top += 1.9 * em
    rows = math.ceil(max(1, lines - len(slots)) / number)
    bottom = height * 0.96
    pitch, em = _pitch(rng, (bottom - top) / 1.12, rows, height / 18)
    gutter = 1.5 * em
    across = (width - 2 * margin - (number - 1) * gutter) / number
    block = 1
    for column in range(number):
        y, left, rest = top + em, margin + column * (across + gutter), 0
        for row in range(rows):
            if y > bottom:
                break
            if rest == 0:
                block, rest = block + 1, rng.randint(3, 8)
                y += 0.6 * pitch if row else 0.0
            rest -= 1
            share = rng.uniform(0.3, 0.9) if rest == 0 else 1.0
            slots.append(Slot(left, y, across * share, em, 0.0, block, "fill"))
            y += pitch
    return Sheet(tuple(slot for slot in slots if slot.baseline <= bottom))


def receipt(rng: Random, width: float, height: float, lines: int) -> Sheet:
    """A heading, rows of an item and its sum, printed rules, a total, a closing line."""
    margin = width * rng.uniform(0.05, 0.09)
    inner, heads, ends = width - 2 * margin, rng.randint(1, 3), rng.randint(1, 2)
    items = max(1, (lines - heads - ends - 2) // 2)
    rows = heads + items + 1 + ends
    top, bottom = height * rng.uniform(0.03, 0.07), height * 0.97
    pitch, em = _pitch(rng, (bottom - top) / 1.15, rows, width / 11)
    slots: list[Slot] = []
    rules: list[Rule] = []
    y = top + em
    for row in range(rows):
        if y > bottom:
            break
        item = heads <= row < heads + items
        if row in (heads, heads + items, heads + items + 1):
            rules.append(Rule(margin, y - 0.95 * em, margin + inner, y - 0.95 * em))
            y += 0.35 * pitch
        if item or row == heads + items:
            block = 2 if item else 3
            slots.append(Slot(margin, y, inner * 0.62, em, 0.0, block))
            slots.append(Slot(margin + inner * 0.68, y, inner * 0.32, em, 1.0, block, "number"))
        else:
            slots.append(Slot(margin, y, inner, em, 0.5, 1 if row else 0))
        y += pitch
    return Sheet(tuple(slot for slot in slots if slot.baseline <= bottom), tuple(rules))


def form(rng: Random, width: float, height: float, lines: int) -> Sheet:
    """A title and a table of names and entries, with cells ruled or entries underlined."""
    margin, pairs = width * rng.uniform(0.05, 0.09), rng.choice((1, 1, 2)) if width > 40 * MIN_EM else 1
    inner = width - 2 * margin
    rows = math.ceil(max(1, lines - 1) / (2 * pairs))
    title = max(1.5 * MIN_EM, min(height / 14, width / 14))
    slots = [Slot(margin, height * 0.04 + title, inner, title, 0.5)]
    top, bottom = height * 0.04 + 1.8 * title, height * 0.97
    cell = max(1.7 * MIN_EM, min((bottom - top) / rows, height / 10))
    em = max(MIN_EM, min(cell / rng.uniform(1.7, 2.3), height / 24))
    rows = max(1, min(rows, int((bottom - top) // cell)))
    across, share, ruled = inner / pairs, rng.uniform(0.3, 0.42), rng.random() < 0.75
    for row in range(rows):
        y = top + row * cell + (cell + 0.7 * em) / 2
        for pair in range(pairs):
            left = margin + pair * across
            slots.append(Slot(left + 0.4 * em, y, across * share - 0.8 * em, em, 0.0, 1))
            kind = "number" if rng.random() < 0.3 else "text"
            entry = Slot(
                left + across * share + 0.4 * em, y, across * (1 - share) - 0.8 * em, em, 0.0, 2, kind
            )
            slots.append(entry)
    lefts = [margin + pair * across for pair in range(pairs)]
    foot = top + rows * cell
    if not ruled:
        lines_under = [
            Rule(
                left + across * share,
                top + (row + 1) * cell - 2,
                left + across - 0.3 * em,
                top + (row + 1) * cell - 2,
            )
            for left in lefts
            for row in range(rows)
        ]
        return Sheet(tuple(slots), tuple(lines_under))
    grid = [Rule(margin, top + row * cell, margin + inner, top + row * cell) for row in range(rows + 1)]
    stems = [margin, margin + inner, *lefts[1:], *(left + across * share for left in lefts)]
    return Sheet(tuple(slots), (*grid, *(Rule(x, top, x, foot) for x in stems)))


def scattered(rng: Random, width: float, height: float, lines: int) -> Sheet:
    """Signs and captions of all sizes, each at its own angle, as on photographs; more slots than lines."""
    largest = max(MIN_EM * 1.5, min(width, height) / 9)
    slots = []
    for block in range(lines * _SCATTER_TRIES):
        em = math.exp(rng.uniform(math.log(MIN_EM), math.log(largest)))
        across = min(0.9 * width, em * rng.uniform(3.0, 14.0))
        left, baseline = rng.uniform(0, width - across), rng.uniform(1.2 * em, height - 0.4 * em)
        angle = rng.gauss(0.0, 3.0) if rng.random() < 0.8 else rng.uniform(-25.0, 25.0)
        slots.append(Slot(left, baseline, across, em, 0.0, block, "text", round(angle, 2)))
    return Sheet(tuple(slots))


LAYOUTS: dict[str, Layout] = {
    "columns": Layout(columns, (1.2, 1.45)),
    "receipt": Layout(receipt, (1.5, 2.8)),
    "form": Layout(form, (0.65, 1.42)),
    "scattered": Layout(scattered, None),
}
