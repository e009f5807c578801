"""What a face can really draw: cmap, and not .notdef, and ink.

A cmap entry alone proves nothing (some fonts map to an empty or a box glyph), nor does ink (.notdef has ink).
Glyphs are looked at one by one when first asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from datakit.errors import InputError
from datakit_fonts.catalogue import BrokenFont
from datakit_fonts.faces import FontFace
from datakit_fonts.glyphs import open_face, outline_of

Outline = tuple[tuple[int, int], ...]


class Coverage:
    """The characters that one face covers; opens the font when first asked."""

    def __init__(self, face: FontFace) -> None:
        self.face = face
        self._known: dict[str, bool] = {}
        self._opened: Any = None
        self._notdef: Outline | None = None

    def covers(self, char: str) -> bool:
        """Whether ``char`` (one code point) has a glyph of its own with ink; a space needs a glyph without.

        Raises:
            InputError: FreeType cannot open the font.
        """
        known = self._known.get(char)
        if known is None:
            known = self._known[char] = self._look(char)
        return known

    def missing(self, text: str) -> list[str]:
        """The characters of ``text`` that the face does not cover, each once, in order."""
        return [char for char in dict.fromkeys(text) if not self.covers(char)]

    def _look(self, char: str) -> bool:
        if self._opened is None:
            self._opened = open_face(self.face)
            self._notdef = outline_of(self._opened, 0)
        glyph_id = int(self._opened.get_char_index(ord(char)))
        if glyph_id == 0:
            return False
        outline = outline_of(self._opened, glyph_id)
        if outline is None:
            return False
        if char == " ":
            return True
        # Some fonts draw their "no such glyph" box again under other ids.
        return _has_area(outline) and outline != self._notdef


def _has_area(outline: Outline) -> bool:
    if len(outline) < 3:
        return False
    xs, ys = zip(*outline, strict=True)
    return bool(max(xs) > min(xs) and max(ys) > min(ys))


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
