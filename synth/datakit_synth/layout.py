"""A text and a face become placed glyphs (HarfBuzz) and one mask of ink (FreeType)."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import uharfbuzz

from datakit.errors import InputError
from datakit_fonts import FontFace
from datakit_fonts.glyphs import Glyph, GlyphCache

Mask = npt.NDArray[np.uint8]

# A space is never narrower than this share of an em: some CJK and condensed fonts give it less than a
# wide kern.
MIN_SPACE = 0.28
# Every mask reaches at least from the baseline to this height, so that a line of dots keeps the size of dots.
X_HEIGHT = 0.55
PAD = 2
# A ligature cannot be spaced: it would stand closer than the letters around it.
_JOINED = {"liga": True, "clig": True}
_SPACED = {"liga": False, "clig": False}


class Part(NamedTuple):
    """From character ``start`` on, the line is set in another face."""

    start: int
    face: FontFace
    coords: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Style:
    """How a line is set: a face at design coordinates, pixels an em, extra letter spacing in ems.

    ``space`` widens every space by that factor. ``vertical`` writes from top to bottom and turns the column
    counter-clockwise, as PaddleOCR turns crops that are higher than 1.5 times their width: the first
    character stands left, lying on its left side. ``jitter`` lifts character i by ``jitter[i % n]`` ems.
    ``parts``: later parts of the line in other faces.
    """

    face: FontFace
    coords: tuple[float, ...]
    size: int
    spacing: float = 0.0
    space: float = 1.0
    vertical: bool = False
    jitter: tuple[float, ...] = ()
    parts: tuple[Part, ...] = ()


class Box(NamedTuple):
    """Where one glyph lies in the mask; ``cluster`` is the index of its first character in the text."""

    cluster: int
    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class LineMask:
    """HxW coverage of the ink, :data:`PAD` empty pixels around it; ``places``: see :attr:`boxes`.

    ``baseline`` is the row of the mask that the letters stand on, -1 where there is none (a column of text).
    """

    mask: Mask
    places: tuple[tuple[int, int, int, int, int], ...]
    baseline: int = -1

    @property
    def boxes(self) -> tuple[Box, ...]:
        """The box of every inked glyph, in drawing order."""
        return tuple(map(Box._make, self.places))


# Index of a glyph's first character, left and top in pixels against the line's start and baseline, the glyph.
Placed = tuple[int, int, int, Glyph]


@lru_cache(maxsize=128)
def _shaping_face(path: str, index: int) -> Any:
    return uharfbuzz.Face(uharfbuzz.Blob.from_file_path(path), index)


@lru_cache(maxsize=256)
def _shaping_font(face: FontFace, coords: tuple[float, ...]) -> tuple[Any, float]:
    """The font to shape with, and its units an em."""
    font = uharfbuzz.Font(_shaping_face(face.path, face.index))
    if coords:
        font.set_variations({axis.tag: value for axis, value in zip(face.axes, coords, strict=True)})
    return font, float(font.face.upem)


def _shaped(text: str, style: Style) -> tuple[Any, float]:
    """HarfBuzz's buffer of ``text``, and font units an em."""
    font, em = _shaping_font(style.face, style.coords)
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    if style.vertical:
        buffer.direction = "ttb"
    uharfbuzz.shape(font, buffer, _SPACED if style.spacing else _JOINED)
    return buffer, em


def _place(text: str, style: Style, cache: GlyphCache, pen: float = 0.0) -> tuple[list[Placed], float]:
    """Inked glyphs of one face from ``pen`` px on, and where the pen ends."""
    buffer, em = _shaped(text, style)
    size, vertical = style.size, style.vertical
    strike = cache.strike(style.face, style.coords, size)
    known = strike.known
    scale, spacing = size / em, style.spacing * size
    lifts = [lift * size for lift in style.jitter] or [0.0]
    placed: list[Placed] = []
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        cluster, number = info.cluster, info.codepoint
        glyph = known.get(number) or strike.glyph(number)
        x, y, advance, down = position.position
        if number == 0:
            raise InputError(f"{style.face.name} has no glyph for {text[cluster]!r} in {text!r}")
        if glyph.width:
            right, up = (x * scale, y * scale - pen) if vertical else (pen + x * scale, y * scale)
            up += lifts[cluster % len(lifts)]
            placed.append((cluster, round(right) + glyph.left, -round(up) - glyph.top, glyph))
        step = -down * scale if vertical else advance * scale
        if text[cluster] == " ":
            step = max(step, MIN_SPACE * size) * style.space
        if step:
            pen += step + spacing
    return placed, pen


def _place_parts(text: str, style: Style, cache: GlyphCache) -> list[Placed]:
    """Like :func:`_place` for a line whose parts stand in different faces."""
    starts = (Part(0, style.face, style.coords), *style.parts)
    ends = [part.start for part in style.parts] + [len(text)]
    line: list[Placed] = []
    pen = 0.0
    for (start, face, coords), end in zip(starts, ends, strict=True):
        part = replace(style, face=face, coords=coords, parts=())
        placed, pen = _place(text[start:end], part, cache, pen)
        line += [(cluster + start, left, top, glyph) for cluster, left, top, glyph in placed]
    return line


def draw_line(text: str, style: Style, cache: GlyphCache) -> LineMask:
    """Set ``text`` in ``style``; overlapping glyphs keep the stronger ink.

    Raises:
        InputError: the face lacks a glyph, one of its characters leaves no ink, or its outlines are damaged.
    """
    placed = _place_parts(text, style, cache) if style.parts else _place(text, style, cache)[0]
    _require_ink(text, style, placed)
    line = _joined(placed, 0 if style.vertical else -round(X_HEIGHT * style.size))
    return _turned(line) if style.vertical else line


def _joined(placed: list[Placed], top: int) -> LineMask:
    """One mask of the glyphs; it reaches from ``top`` to the baseline at least."""
    x0 = min([left for _, left, _, _ in placed]) - PAD
    x1 = max([left + glyph.width for _, left, _, glyph in placed]) + PAD
    y0 = min([top, *[y for _, _, y, _ in placed]]) - PAD
    y1 = max([0, *[y + glyph.height for _, _, y, glyph in placed]]) + PAD
    mask = np.zeros((y1 - y0, x1 - x0), np.uint8)
    places = []
    reached = 0
    for cluster, x, y, glyph in placed:
        left, upper = x - x0, y - y0
        right, lower = left + glyph.width, upper + glyph.height
        if left >= reached:
            mask[upper:lower, left:right] = glyph.bitmap
            reached = right
        else:
            region = mask[upper:lower, left:right]
            np.maximum(region, glyph.bitmap, out=region)
            reached = max(reached, right)
        places.append((cluster, left, upper, right, lower))
    return LineMask(mask, tuple(places), -y0)


def _turned(line: LineMask) -> LineMask:
    """The line turned by 90 degrees counter-clockwise."""
    width = line.mask.shape[1]
    places = [(at, top, width - right, bottom, width - left) for at, left, top, right, bottom in line.places]
    return LineMask(np.ascontiguousarray(np.rot90(line.mask)), tuple(places))


def _base(text: str, index: int) -> int:
    """The place of the character that a mark stands on, marks upon marks too; else of the one before."""
    base = index - 1
    while base > 0 and unicodedata.combining(text[index]) and unicodedata.combining(text[base]):
        base -= 1
    return base


def _require_ink(text: str, style: Style, placed: list[Placed]) -> None:
    """A character shares its cluster with those before it only when they were joined into one glyph."""
    clusters = {cluster for cluster, _, _, _ in placed}
    if len(clusters) == len(text) - text.count(" "):
        return
    if not clusters:
        raise InputError(f"{style.face.name} leaves no ink for {text!r}")
    joined = max(clusters)
    for index, char in enumerate(text):
        shaped = index in clusters or (index < joined and not char.isspace() and index > 0)
        if char != " " and not shaped and _base(text, index) not in clusters:
            raise InputError(f"{style.face.name} leaves no ink for {char!r} in {text!r}")
