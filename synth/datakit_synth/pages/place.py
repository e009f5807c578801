"""Lines set into the slots of a sheet: text, face, place of the ink in the picture; never one on another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np

from datakit.errors import InputError
from datakit_fonts import FontFace
from datakit_fonts.glyphs import GlyphCache
from datakit_synth.geometry import Placing
from datakit_synth.layout import LineMask, Mask, Style, draw_line
from datakit_synth.pages.layouts import MIN_EM, Slot
from datakit_synth.pages.plane import Plane
from datakit_synth.pages.quads import (
    Matrix,
    Points,
    Quad,
    apart_from_all,
    corners,
    grown,
    ink_bounds,
    ink_quad,
    project,
)
from datakit_synth.pages.texts import TextPool
from datakit_synth.render import instances

# Raster sizes in px an em: a line is shrunk to its size, and never enlarged by much.
SIZES = (20, 28, 40, 56, 80, 112, 160)
_BLOCK_TRIES = 12
_TEXT_TRIES = 3
# Least room in px between two outlines, and round plates.
GAP = 2.0
# A text a little too wide for its slot is set smaller by at most this.
_LEAST_SHRINK = 0.88


@dataclass(frozen=True, slots=True)
class Block:
    """Lines set in one face."""

    face: FontFace
    coords: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PlacedLine:
    """One line in its picture.

    ``mask`` is the ink in the patch of the picture whose top left pixel is ``origin``; ``quad`` its outline
    in whole px, clockwise from the top left of the text; ``em`` px an em in the picture.
    """

    text: str
    face: FontFace
    slot: Slot
    mask: Mask
    origin: tuple[int, int]
    quad: Quad
    em: float

    def points(self) -> Points:
        """The outline as floats, 4x2."""
        return np.array(self.quad, np.float64)


class Placer:
    """Fills slots of a page of ``size`` (width, height) px."""

    def __init__(self, pool: TextPool, cache: GlyphCache, size: tuple[int, int]) -> None:
        self.pool, self.cache, self.size = pool, cache, size

    def fill(self, rng: Random, slots: Sequence[Slot], plane: Plane, lines: int) -> list[PlacedLine]:
        """At most ``lines`` lines in the order of ``slots``; a slot whose line would not fit stays empty."""
        blocks: dict[int, Block | None] = {}
        placed: list[PlacedLine] = []
        taken: list[Points] = []
        for slot in slots:
            if len(placed) >= lines:
                break
            if slot.block not in blocks:
                blocks[slot.block] = self._block(rng)
            block = blocks[slot.block]
            line = None if block is None else self._line(rng, slot, block, plane, taken)
            if line is not None:
                placed.append(line)
                taken.append(line.points())
        return placed

    def _block(self, rng: Random) -> Block | None:
        for _ in range(_BLOCK_TRIES):
            faces = self.pool.faces(self.pool.texts[rng.randrange(len(self.pool.texts))])
            if faces:
                # Families first, as lines are drawn: one with many faces is not taken more often.
                families = sorted({face.family for face in faces})
                family = rng.choice(families)
                face = rng.choice([face for face in faces if face.family == family])
                return Block(face, rng.choice(instances(face)))
        return None

    def _line(
        self, rng: Random, slot: Slot, block: Block, plane: Plane, taken: list[Points]
    ) -> PlacedLine | None:
        for attempt in range(_TEXT_TRIES):
            text = self.pool.draw(rng, block.face, slot.kind, slot.width / slot.em * (1 - 0.2 * attempt))
            if not text:
                return None
            size = next((size for size in SIZES if size >= slot.em), SIZES[-1])
            try:
                line = draw_line(text, Style(block.face, block.coords, size), self.cache)
            except InputError:
                # The font says that it covers the text and cannot set it all the same.
                continue
            matrix = _in_sheet(line, slot, size)
            if matrix is None:
                continue
            placed = self._placed(text, block.face, slot, line, plane.matrix @ matrix)
            if placed is None or not apart_from_all(placed.points(), taken, GAP):
                return None
            return placed
        return None

    def _placed(
        self, text: str, face: FontFace, slot: Slot, line: LineMask, matrix: Matrix
    ) -> PlacedLine | None:
        outline = project(matrix, corners(ink_bounds(line.mask)))
        room = grown(outline, 4.0)
        low = np.floor(room.min(axis=0)).astype(int)
        high = np.ceil(room.max(axis=0)).astype(int)
        if (low < 0).any() or (high >= self.size).any():
            return None
        shift = np.array([[1, 0, -low[0]], [0, 1, -low[1]], [0, 0, 1]], np.float64)
        scale = _scale(outline, line)
        extent = (int(high[0] - low[0]) + 1, int(high[1] - low[1]) + 1)
        mask = Placing(shift @ matrix, extent, scale).warp(line.mask)
        origin = (int(low[0]), int(low[1]))
        quad = ink_quad(outline, mask, origin, self.size)
        if quad is None:
            return None
        size = next((size for size in SIZES if size >= slot.em), SIZES[-1])
        return PlacedLine(text, face, slot, mask, origin, quad, size * scale)


def _scale(outline: Points, line: LineMask) -> float:
    """Px in the picture a px of the mask, across the line."""
    _, top, _, bottom = ink_bounds(line.mask)
    side = float(np.linalg.norm(outline[3] - outline[0]) + np.linalg.norm(outline[2] - outline[1])) / 2
    return side / max(1.0, bottom - top)


def _in_sheet(line: LineMask, slot: Slot, size: int) -> Matrix | None:
    """Takes the mask's px to those of the sheet; None when the text is too wide for the slot."""
    left, _, right, _ = ink_bounds(line.mask)
    scale = slot.em / size
    if (right - left) * scale > slot.width:
        scale = slot.width / (right - left)
        if scale * size < max(MIN_EM - 1e-6, _LEAST_SHRINK * slot.em):
            return None
    free = slot.width - (right - left) * scale
    turn = math.radians(slot.angle)
    cos, sin = math.cos(turn) * scale, math.sin(turn) * scale
    x, y = slot.left + free * slot.align, slot.baseline
    # Turned round the left end of the baseline.
    ahead = np.array([[cos, -sin, x], [sin, cos, y], [0, 0, 1]], np.float64)
    return np.asarray(ahead @ np.array([[1, 0, -left], [0, 1, -line.baseline], [0, 0, 1]], np.float64))
