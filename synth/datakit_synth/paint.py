"""Looks at work: a line's mask bent or framed before it is placed, ink and ground painted after.

What belongs to a line beside its ink (underline, frame, unlit segments) lies in a second mask of the same
size, so that it moves with the line and never counts as ink.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from datakit.effects import Image
from datakit.effects.printing import blotch_mask
from datakit_synth.ink import Colour, blend, luma
from datakit_synth.layout import Mask

Params = Mapping[str, Any]
_GHOST = 0.1
STAMP_INKS: dict[str, Colour] = {"red": (50, 40, 200), "blue": (170, 60, 30), "violet": (140, 30, 120)}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A line before it is placed: its ink, and what stands beside it (or None) at ``strength``."""

    ink: Mask
    beside: Mask | None = None
    strength: float = 1.0


def shape(mask: Mask, look: str, params: Params) -> Drawing:
    """The line's mask as ``look`` wants it."""
    if look == "curved":
        return Drawing(_curved(mask, params["depth"], params["turns"]))
    if look == "underline":
        return _underlined(mask, params["gap"], params["width"])
    if look == "stamp" and params["frame"]:
        return _framed(mask, params["gap"], params["width"])
    return Drawing(mask)


def ghosted(mask: Mask, unlit: Mask | None) -> Drawing:
    """Lit segments over the unlit ones, which still show a little."""
    return Drawing(mask, unlit, _GHOST)


def _curved(mask: Mask, depth: float, turns: float) -> Mask:
    """Columns shifted along a sine: half a turn is an arc. ``depth`` in heights, less for short lines."""
    height, width = mask.shape
    # The steepest place stays under 14 degrees, so that letters keep their shape.
    reach = min(abs(depth) * height, 0.25 * width / (math.pi * turns) / 2)
    ramp = np.sin(np.linspace(0.0, 2 * math.pi * turns, width)) * math.copysign(reach, depth)
    shift = (ramp - ramp.min()).astype(np.float32)
    rows = np.arange(height + math.ceil(float(shift.max())), dtype=np.float32)
    down = rows[:, None] - shift[None, :]
    across = np.broadcast_to(np.arange(width, dtype=np.float32), down.shape)
    return np.asarray(cv2.remap(mask, np.ascontiguousarray(across), down, cv2.INTER_LINEAR), np.uint8)


def _underlined(mask: Mask, gap: float, width: float) -> Drawing:
    height, thick = mask.shape[0], max(1, round(width * mask.shape[0]))
    low = height + max(2, round(gap * height))
    ink = cv2.copyMakeBorder(mask, 0, low + thick + 2 - height, 0, 0, cv2.BORDER_CONSTANT, value=0)
    rule = np.zeros_like(ink)
    rule[low : low + thick] = 255
    return Drawing(np.asarray(ink, np.uint8), rule)


def _framed(mask: Mask, gap: float, width: float) -> Drawing:
    thick = max(1, round(width * mask.shape[0]))
    room = round(gap * mask.shape[0]) + thick + 2
    ink = cv2.copyMakeBorder(mask, room, room, room, room, cv2.BORDER_CONSTANT, value=0)
    frame = np.zeros_like(ink)
    corner = (ink.shape[1] - 2 - thick, ink.shape[0] - 2 - thick)
    cv2.rectangle(frame, (2 + thick // 2, 2 + thick // 2), corner, 255, thick)
    return Drawing(np.asarray(ink, np.uint8), frame)


def wished_ink(look: str, params: Params) -> Colour | None:
    """The ink that a look asks for."""
    return STAMP_INKS[params["hue"]] if look == "stamp" else None


def worn(mask: Mask, look: str, params: Params) -> Mask:
    """The placed ink with the gaps that a stamp leaves."""
    if look != "stamp":
        return mask
    gaps = blotch_mask(mask.shape[0], mask.shape[1], params["worn"])
    return np.asarray(cv2.multiply(mask, cv2.bitwise_not(gaps), scale=1 / 255), np.uint8)


def under(ground: Image, mask: Mask, colour: Colour, look: str, params: Params) -> Image:
    """The ground with what ``look`` puts under the ink."""
    if look == "table":
        return _table(ground, mask, colour, params)
    if look == "outline":
        # The halo is as far from the ink as paper from print; soft at its edge.
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * params["reach"] + 1,) * 2)
        level = 255 - params["level"] if luma(colour) < 128 else params["level"]
        return blend(ground, np.asarray(cv2.dilate(mask, kernel), np.uint8), (level, level, level))
    if look == "shadow":
        moved = _moved(mask, *params["offset"])
        soft = np.asarray(cv2.GaussianBlur(moved, (0, 0), params["blur"]), np.uint8)
        # Dark ink on a dark shadow would drown: its shadow stays weak.
        return blend(ground, soft, (0, 0, 0), params["depth"] * (0.5 if luma(colour) < 128 else 1.0))
    if look == "emboss":
        light, dark = ((-1, -1), (1, 1)) if params["raised"] else ((1, 1), (-1, -1))
        lit = blend(ground, _moved(mask, *light), (255, 255, 255), params["depth"])
        return blend(lit, _moved(mask, *dark), (0, 0, 0), params["depth"])
    return ground


def _moved(mask: Mask, right: int, down: int) -> Mask:
    """The mask shifted by whole pixels; what leaves the picture is lost."""
    matrix = np.array([[1, 0, right], [0, 1, down]], np.float32)
    return np.asarray(
        cv2.warpAffine(mask, matrix, (mask.shape[1], mask.shape[0]), flags=cv2.INTER_NEAREST), np.uint8
    )


def _table(ground: Image, mask: Mask, colour: Colour, params: Params) -> Image:
    """Rules of a table from edge to edge of the picture, in its margins: never through the text."""
    left, top, _, height = cv2.boundingRect(mask)
    rows = mask.shape[0]
    gap = max(2, round(0.04 * rows))
    rules = np.zeros_like(mask)
    rooms = {
        "top": top - gap,
        "bottom": rows - top - height - gap,
        "left": left - max(gap, round(0.15 * rows)),
    }
    for side, place in zip(("top", "bottom", "left"), params["at"], strict=True):
        room = rooms[side]
        if side not in params["sides"] or room < 1:
            continue
        at = min(room - 1, int(place * room))
        if side == "left":
            rules[:, at] = 255
        else:
            rules[at if side == "top" else rows - 1 - at] = 255
    return blend(ground, rules, colour, params["level"])
