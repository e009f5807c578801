"""Fonts: find them, know what they cover and under which licence; draw their glyphs.

``find_fonts`` builds the catalogue; :mod:`datakit_fonts.coverage` says what a face can draw;
:mod:`datakit_fonts.glyphs` rasterises with FreeType; :mod:`datakit_fonts.sheet` draws a contact sheet.
"""

from __future__ import annotations

from datakit_fonts.catalogue import Catalogue, find_fonts
from datakit_fonts.coverage import Coverage, CoverageIndex
from datakit_fonts.faces import Axis, BrokenFont, FontFace, font_sha256, read_faces

__all__ = [
    "Axis",
    "BrokenFont",
    "Catalogue",
    "Coverage",
    "CoverageIndex",
    "FontFace",
    "find_fonts",
    "font_sha256",
    "read_faces",
]
