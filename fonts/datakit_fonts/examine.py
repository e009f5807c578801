"""A look at one font file, whole: tables against their checksums, faces, coverage, a trial of the rasteriser.

Meant for a child process (:mod:`datakit_fonts.sandbox`), which a hostile file may end, and nothing else.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import freetype
import numpy as np
import uharfbuzz as hb
from fontTools.ttLib import TTFont

from datakit.errors import InputError
from datakit_fonts.coverage import face_coverage
from datakit_fonts.faces import FontFace, read_faces
from datakit_fonts.glyphs import open_face

CPU_SECONDS = 30
MEMORY_BYTES = 3 << 30
TRIAL_GLYPHS = 600
TRIAL_SIZE = 40
_SHAPED_AT_ONCE = 200
# What decides which shape a character gets: damage here would make labels false.
_CHECKED = (
    "CFF ",
    "CFF2",
    "cmap",
    "fvar",
    "glyf",
    "GPOS",
    "GSUB",
    "gvar",
    "head",
    "hhea",
    "hmtx",
    "loca",
    "maxp",
)
_RENDER = freetype.FT_LOAD_RENDER | freetype.FT_LOAD_NO_HINTING | freetype.FT_LOAD_NO_BITMAP


def serve() -> None:
    """Examine the paths that come as JSON strings, a line each, on stdin; answer each with a line of JSON."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    answers = sys.stdout
    answers.write("ready\n")
    answers.flush()
    for line in sys.stdin:
        path = json.loads(line)
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(used.ru_utime + used.ru_stime) + 1 + CPU_SECONDS
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, resource.getrlimit(resource.RLIMIT_CPU)[1]))
        answers.write(json.dumps(examine(Path(path))) + "\n")
        answers.flush()


def examine(path: Path) -> dict[str, Any]:
    """``{"reason": "", "faces": [...]}``, or why the file is no font to use.

    A face is the fields of :class:`FontFace` without path, source and licence of the offer, and ``codes``,
    the code points that it covers.
    """
    try:
        faces = read_faces(path)
        known: dict[str, dict[int, str]] = {}
        sound: set[tuple[int, int]] = set()
        described = []
        for face in faces:
            _require_checksums(face, sound)
            codes = face_coverage(face, known)
            _try(face, codes)
            described.append({**asdict(face), "codes": codes})
    except InputError as error:
        return {"reason": str(error).removeprefix(f"{path}: "), "faces": []}
    except Exception as error:  # noqa: BLE001 - a damaged file may raise anything in fontTools
        return {"reason": f"is not a usable font ({error!r:.200})", "faces": []}
    return {"reason": "", "faces": described}


def _require_checksums(face: FontFace, sound: set[tuple[int, int]]) -> None:
    """A table that is not what its checksum says is damaged, though it may still draw something.

    ``sound`` collects places in the file: faces of a collection share tables.
    """
    with TTFont(face.path, fontNumber=face.index, lazy=True) as font:
        reader = font.reader
        for tag, entry in reader.tables.items():
            place = (entry.offset, entry.length)
            if tag not in _CHECKED or not hasattr(entry, "checkSum") or place in sound:
                continue
            data = entry.loadData(reader.file)
            if _checksum(data[:8] + b"\0\0\0\0" + data[12:] if tag == "head" else data) != entry.checkSum:
                raise InputError(
                    f"is damaged: table {tag.strip()} does not match its checksum (if the font was edited by "
                    "hand and is whole, a font tool such as ttx of fonttools writes it anew)",
                    file=face.path,
                )
            sound.add(place)


def _checksum(data: bytes) -> int:
    """The sum of a table's big-endian 32-bit words, modulo 2^32."""
    words = np.frombuffer(data + b"\0" * (-len(data) % 4), ">u4")
    return int(words.sum(dtype=np.uint64)) & 0xFFFFFFFF


def _try(face: FontFace, codes: Sequence[int]) -> None:
    """Shape everything once and rasterise a part of it, at the default and at both ends of every axis."""
    chosen = codes[:: max(1, len(codes) // TRIAL_GLYPHS)]
    _shape(face, codes)
    ends = [tuple(axis.minimum for axis in face.axes), tuple(axis.maximum for axis in face.axes)]
    for coords in ((), *(ends if face.axes else ())):
        opened = open_face(face, coords)
        opened.set_pixel_sizes(0, TRIAL_SIZE)
        for code in chosen if not coords else chosen[::10]:
            try:
                opened.load_glyph(opened.get_char_index(code), _RENDER)
            except freetype.FT_Exception as error:
                raise InputError(f"cannot draw U+{code:04X} ({error})", file=face.path) from error


def _shape(face: FontFace, codes: Sequence[int]) -> None:
    """Shape all characters; HarfBuzz must find the glyphs that FreeType finds.

    Of a damaged character map one of the two may refuse what the other takes.
    """
    font = hb.Font(hb.Face(hb.Blob.from_file_path(face.path), face.index))
    opened = open_face(face)
    for code in codes:
        if font.get_nominal_glyph(code) != opened.get_char_index(code):
            raise InputError(
                f"has a damaged character map: FreeType and HarfBuzz find different glyphs for U+{code:04X}",
                file=face.path,
            )
    for start in range(0, len(codes), _SHAPED_AT_ONCE):
        buffer = hb.Buffer()
        buffer.add_codepoints(list(codes[start : start + _SHAPED_AT_ONCE]))
        buffer.guess_segment_properties()
        hb.shape(font, buffer)
