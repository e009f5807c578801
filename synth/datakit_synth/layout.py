"""A text and a face become placed glyphs (HarfBuzz) and one mask of ink (FreeType)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import uharfbuzz

from datakit.errors import InputError
from datakit_fonts import FontFace
from datakit_fonts.glyphs import GlyphCache

Mask = npt.NDArray[np.uint8]

# A space is never narrower than this share of an em: some CJK and condensed fonts give it less than a
# wide kern.
MIN_SPACE = 0.28
# Every mask reaches at least from the baseline to this height, so that a line of dots keeps the size of dots.
X_HEIGHT = 0.55
PAD = 2


@dataclass(frozen=True, slots=True)
class Style:
    """How a line is set: a face at design coordinates, pixels an em, extra letter spacing in ems."""

    face: FontFace
    coords: tuple[float, ...]
    size: int
    spacing: float = 0.0


class Box(NamedTuple):
    """Where one glyph lies in the mask; ``cluster`` is the index of its first character in the text."""

    cluster: int
    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class LineMask:
    """HxW coverage of the ink, :data:`PAD` empty pixels around it, and the box of every inked glyph."""

    mask: Mask
    boxes: tuple[Box, ...]


class _Placed(NamedTuple):
    glyph_id: int
    cluster: int
    x: float
    y: float


@lru_cache(maxsize=128)
def _shaping_face(path: str, index: int) -> Any:
    return uharfbuzz.Face(uharfbuzz.Blob.from_file_path(path), index)


@lru_cache(maxsize=256)
def _shaping_font(face: FontFace, coords: tuple[float, ...]) -> Any:
    font = uharfbuzz.Font(_shaping_face(face.path, face.index))
    if coords:
        font.set_variations({axis.tag: value for axis, value in zip(face.axes, coords, strict=True)})
    return font


def _shape(text: str, style: Style) -> list[_Placed]:
    """Glyphs with their pen positions in ems, x to the right and y up."""
    font = _shaping_font(style.face, style.coords)
    buffer = uharfbuzz.Buffer()
    buffer.add_str(text)
    buffer.guess_segment_properties()
    # A ligature cannot be spaced: it would stand closer than the letters around it.
    uharfbuzz.shape(font, buffer, {"liga": style.spacing == 0.0, "clig": style.spacing == 0.0})
    em = float(font.face.upem)
    placed, pen = [], 0.0
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        if info.codepoint == 0:
            raise InputError(f"{style.face.name} has no glyph for {text[info.cluster]!r} in {text!r}")
        x, y = pen + position.x_offset / em, position.y_offset / em
        placed.append(_Placed(info.codepoint, info.cluster, x, y))
        advance = position.x_advance / em
        if text[info.cluster] == " ":
            advance = max(advance, MIN_SPACE)
        pen += advance + (style.spacing if position.x_advance else 0.0)
    return placed


def draw_line(text: str, style: Style, cache: GlyphCache) -> LineMask:
    """Set ``text`` in ``style``; overlapping glyphs keep the stronger ink.

    Raises:
        InputError: the face lacks a glyph, one of its characters leaves no ink, or its outlines are damaged.
    """
    inked = []
    strike, size = cache.strike(style.face, style.coords, style.size), style.size
    for glyph_id, cluster, x, y in _shape(text, style):
        drawn = strike.glyph(glyph_id)
        if drawn.bitmap.size:
            inked.append((cluster, round(x * size) + drawn.left, -round(y * size) - drawn.top, drawn.bitmap))
    _require_ink(text, style, {cluster for cluster, *_ in inked})
    x0 = min(left for _, left, _, _ in inked)
    x1 = max(left + bitmap.shape[1] for _, left, _, bitmap in inked)
    y0 = min(-round(X_HEIGHT * style.size), *(top for _, _, top, _ in inked))
    y1 = max(0, *(top + bitmap.shape[0] for _, _, top, bitmap in inked))
    mask = np.zeros((y1 - y0 + 2 * PAD, x1 - x0 + 2 * PAD), np.uint8)
    boxes = []
    for cluster, x, y, bitmap in inked:
        left, top = x - x0 + PAD, y - y0 + PAD
        bottom, right = top + bitmap.shape[0], left + bitmap.shape[1]
        region = mask[top:bottom, left:right]
        np.maximum(region, bitmap, out=region)
        boxes.append(Box(cluster, left, top, right, bottom))
    return LineMask(mask, tuple(boxes))


def _require_ink(text: str, style: Style, clusters: set[int]) -> None:
    """A character shares its cluster with those before it only when they were joined into one glyph."""
    if not clusters:
        raise InputError(f"{style.face.name} leaves no ink for {text!r}")
    joined = max(clusters)
    for index, char in enumerate(text):
        shaped = index in clusters or (index < joined and not char.isspace() and index > 0)
        if char != " " and not shaped and index - 1 not in clusters:
            raise InputError(f"{style.face.name} leaves no ink for {char!r} in {text!r}")
