"""The contact sheet: pictures of a run with their labels set in a plain font beneath, for human eyes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from datakit.effects import Image
from datakit.errors import InputError
from datakit.files import atomic_write
from datakit_fonts import CoverageIndex, FontFace
from datakit_fonts.glyphs import GlyphCache
from datakit_synth.layout import Style, draw_line

_CELL = (420, 96)
_PICTURE_HEIGHT = 60
_LABEL_SIZE = 20


def spread(count: int, wanted: int) -> list[int]:
    """At most ``wanted`` of the indices below ``count``, evenly spread."""
    return [k * count // wanted for k in range(wanted)] if count > wanted else list(range(count))


def write_sheet(
    path: Path, entries: Sequence[tuple[Image, str]], faces: Sequence[FontFace], *, columns: int = 4
) -> None:
    """Write ``entries`` (picture, label) as a PNG grid; a label that no face covers is left out.

    Raises:
        OutputError: the sheet cannot be written.
    """
    index, cache = CoverageIndex(faces), GlyphCache()
    cells = [_cell(picture, text, index, cache) for picture, text in entries]
    blank = np.full((_CELL[1], _CELL[0], 3), 225, np.uint8)
    cells += [blank] * (-len(cells) % columns)
    rows = [np.hstack(cells[start : start + columns]) for start in range(0, len(cells), columns)]
    _, data = cv2.imencode(".png", np.vstack(rows) if rows else blank)
    atomic_write(path, np.asarray(data).tobytes())


def _cell(picture: Image, text: str, index: CoverageIndex, cache: GlyphCache) -> Image:
    cell = np.full((_CELL[1], _CELL[0], 3), 225, np.uint8)
    scale = min(1.0, (_CELL[0] - 8) / picture.shape[1], _PICTURE_HEIGHT / picture.shape[0])
    size = (max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale)))
    shown = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    cell[4 : 4 + size[1], 4 : 4 + size[0]] = shown
    label = _label(text, index, cache)[: _CELL[1] - 68, : _CELL[0] - 8]
    cell[66 : 66 + label.shape[0], 4 : 4 + label.shape[1]] = label
    return cell


def _label(text: str, index: CoverageIndex, cache: GlyphCache) -> Image:
    upright = [
        face for face in index.covering(text) if "talic" not in face.style and "blique" not in face.style
    ]
    for face in upright or index.covering(text):
        coords = tuple(
            min(a.maximum, max(a.minimum, 400.0 if a.tag == "wght" else a.default)) for a in face.axes
        )
        try:
            mask = draw_line(text, Style(face, coords, _LABEL_SIZE), cache).mask
        except InputError:
            continue
        return np.asarray(
            cv2.cvtColor(225 - (mask // 255 * 225 + mask % 255 // 2), cv2.COLOR_GRAY2BGR), np.uint8
        )
    return np.zeros((1, 1, 3), np.uint8)
