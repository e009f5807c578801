"""Shapes of glyphs, straight from FreeType's structures: fast enough to look at every glyph of a CJK font."""

from __future__ import annotations

import ctypes
from typing import Any

import freetype
from freetype.raw import FT_BBox, FT_Load_Glyph, FT_Outline_Get_CBox, FT_Vector

_LOAD = freetype.FT_LOAD_NO_HINTING | freetype.FT_LOAD_NO_BITMAP | freetype.FT_LOAD_NO_SCALE


def outline_points(opened: Any, glyph_id: int) -> bytes | None:
    """The points of a glyph in font units, as FreeType's bytes; None where it has no outline.

    A glyph that cannot be loaded, or is a bitmap or a colour layer, has none.
    """
    raw = opened._FT_Face
    if FT_Load_Glyph(raw, glyph_id, _LOAD):
        return None
    slot = raw.contents.glyph.contents
    if slot.format != freetype.FT_GLYPH_FORMAT_OUTLINE:
        return None
    outline = slot.outline
    if outline.n_points <= 0:
        return b""
    return ctypes.string_at(outline.points, outline.n_points * ctypes.sizeof(FT_Vector))


def loaded_has_area(opened: Any) -> bool:
    """Whether the glyph loaded last has three points or more that do not lie on one upright or level line."""
    outline = opened._FT_Face.contents.glyph.contents.outline
    if outline.n_points < 3:
        return False
    box = FT_BBox()
    FT_Outline_Get_CBox(ctypes.byref(outline), ctypes.byref(box))
    return bool(box.xMax > box.xMin and box.yMax > box.yMin)
