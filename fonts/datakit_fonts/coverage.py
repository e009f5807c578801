"""What a face can really draw: cmap, and not .notdef, and ink.

A cmap entry alone proves nothing (some fonts map to an empty or a box glyph), nor does ink (.notdef has ink).
Faces of the catalogue come with all of it known (:mod:`datakit_fonts.verdicts`); of others glyphs are looked
at one by one when first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from datakit.errors import InputError
from datakit_fonts.faces import BrokenFont, FontFace, outline_key
from datakit_fonts.glyphs import open_face
from datakit_fonts.shapes import loaded_has_area, outline_points
from datakit_fonts.verdicts import known_coverage


class GlyphShapes:
    """Which glyphs of an opened face have ink of their own; the answers may be shared by other faces."""

    def __init__(self, opened: Any, known: dict[int, str] | None = None) -> None:
        self._opened = opened
        self._known = {} if known is None else known
        self._notdef = outline_points(opened, 0)

    def kind(self, glyph_id: int) -> str:
        """``ink``, ``empty`` (an outline without ink, or that of .notdef), or ``none`` (no outline)."""
        known = self._known.get(glyph_id)
        if known is None:
            known = self._known[glyph_id] = self._look(glyph_id)
        return known

    def _look(self, glyph_id: int) -> str:
        points = outline_points(self._opened, glyph_id)
        if points is None:
            return "none"
        # Some fonts draw their "no such glyph" box again under other ids.
        return "ink" if loaded_has_area(self._opened) and points != self._notdef else "empty"

    def draws(self, code: int, glyph_id: int) -> bool:
        """Whether ``glyph_id``, which the cmap gives for ``code``, is a glyph; a space needs no ink."""
        if glyph_id == 0:
            return False
        kind = self.kind(glyph_id)
        return kind == "ink" or (code == 0x20 and kind == "empty")


def face_coverage(face: FontFace, known: dict[str, dict[int, str]]) -> list[int]:
    """Every code point that ``face`` covers, ascending.

    ``known`` is kept between the faces of a file: those that share outlines share the look at each glyph.

    Raises:
        InputError: FreeType cannot open the font.
    """
    opened = open_face(face)
    shapes = GlyphShapes(opened, known.setdefault(outline_key(face), {}))
    return sorted({code for code, glyph_id in opened.get_chars() if shapes.draws(code, glyph_id)})


class Coverage:
    """The characters that one face covers; opens the font when first asked for what is not known."""

    def __init__(self, face: FontFace) -> None:
        self.face = face
        self._all = known_coverage(face)
        self._known: dict[str, bool] = {}
        self._opened: Any = None
        self._shapes: GlyphShapes | None = None

    def covers(self, char: str) -> bool:
        """Whether ``char`` (one code point) has a glyph of its own with ink; a space needs a glyph without.

        Raises:
            InputError: FreeType cannot open the font.
        """
        if self._all is not None:
            code = ord(char)
            return code >> 3 < len(self._all) and bool(self._all[code >> 3] >> (code & 7) & 1)
        known = self._known.get(char)
        if known is None:
            known = self._known[char] = self._look(char)
        return known

    def missing(self, text: str) -> list[str]:
        """The characters of ``text`` that the face does not cover, each once, in order."""
        return [char for char in dict.fromkeys(text) if not self.covers(char)]

    def _look(self, char: str) -> bool:
        if self._shapes is None:
            self._opened = open_face(self.face)
            self._shapes = GlyphShapes(self._opened)
        return self._shapes.draws(ord(char), int(self._opened.get_char_index(ord(char))))


class CoverageIndex:
    """Coverage of many faces at once, as bit sets: bit k of ``mask(text)`` says that face k covers all of it.

    A face that FreeType cannot open is set aside in ``broken`` when first asked, and covers nothing.
    """

    def __init__(self, faces: Sequence[FontFace]) -> None:
        self.faces = tuple(faces)
        self.broken: list[BrokenFont] = []
        self._coverages: list[Coverage | None] = [Coverage(face) for face in faces]
        self._masks: dict[str, int] = {}

    def mask(self, text: Iterable[str]) -> int:
        """Faces that cover every character of ``text``, as a bit set (all of them for "")."""
        mask = (1 << len(self.faces)) - 1
        for char in text:
            known = self._masks.get(char)
            if known is None:
                known = self._masks[char] = self._char_mask(char)
            mask &= known
        return mask

    def covering(self, text: str) -> list[FontFace]:
        """The faces that cover every character of ``text``, in catalogue order."""
        mask = self.mask(text)
        return [face for bit, face in enumerate(self.faces) if mask >> bit & 1]

    def _char_mask(self, char: str) -> int:
        mask = 0
        for bit, coverage in enumerate(self._coverages):
            if coverage is not None and self._covers(bit, coverage, char):
                mask |= 1 << bit
        return mask

    def _covers(self, bit: int, coverage: Coverage, char: str) -> bool:
        try:
            return coverage.covers(char)
        except InputError as error:
            self.broken.append(BrokenFont(coverage.face.path, str(error)))
            self._coverages[bit] = None
            return False
