"""A sheet of faces: one row each, its name and a sample text; a box stands for every character it lacks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from datakit.errors import InputError
from datakit.files import atomic_write
from datakit_fonts.coverage import Coverage
from datakit_fonts.faces import FontFace
from datakit_fonts.glyphs import GlyphCache, Mask, open_face

_ROW, _SIZE, _NAME_WIDTH = 56, 32, 420


def write_font_sheet(path: Path, faces: Sequence[FontFace], text: str) -> None:
    """Write the sheet as PNG, at most 2,000 px wide.

    Raises:
        OutputError: it cannot be written.
    """
    rows = [_row(face, text) for face in faces]
    _, data = cv2.imencode(".png", np.vstack(rows))
    atomic_write(path, np.asarray(data).tobytes())


def _row(face: FontFace, text: str) -> Mask:
    row = np.full((_ROW, min(2000, _NAME_WIDTH + len(text) * (_SIZE + 8))), 255, np.uint8)
    label = face.name.encode("ascii", "replace").decode()[:44]
    cv2.putText(row, label, (8, 36), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 90, 1, cv2.LINE_AA)
    try:
        _draw(row, face, text)
    except InputError as error:
        cv2.putText(
            row, str(error)[-60:], (_NAME_WIDTH, 36), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 0, 1, cv2.LINE_AA
        )
    return row


def _coords(face: FontFace) -> tuple[float, ...]:
    """Regular weight: the default of a variable font can be its hairline."""
    return tuple(min(a.maximum, max(a.minimum, 400.0 if a.tag == "wght" else a.default)) for a in face.axes)


def _draw(row: Mask, face: FontFace, text: str) -> None:
    coverage, cache, opened = Coverage(face), GlyphCache(), open_face(face, _coords(face))
    opened.set_pixel_sizes(0, _SIZE)
    pen, baseline = _NAME_WIDTH, 40
    for char in text:
        if pen > row.shape[1] - _SIZE - 8:
            return
        if char == " " or not coverage.covers(char):
            if char != " ":
                cv2.rectangle(row, (pen + 2, 12), (pen + _SIZE // 2, baseline), 170, 1)
            pen += _SIZE // 2 + 4
            continue
        glyph_id = int(opened.get_char_index(ord(char)))
        glyph = cache.glyph(face, _coords(face), _SIZE, glyph_id)
        _paste(row, glyph.bitmap, pen + max(0, glyph.left), baseline - glyph.top)
        pen += max(0, glyph.left) + glyph.bitmap.shape[1] + 3


def _paste(row: Mask, bitmap: Mask, left: int, top: int) -> None:
    top = max(0, top)
    region = row[top : top + bitmap.shape[0], left : left + bitmap.shape[1]]
    np.minimum(region, 255 - bitmap[: region.shape[0], : region.shape[1]], out=region)
