"""One face of a font file: what it is, where it lies, under which licence.

Read with fontTools from the tables that say so; nothing is rasterised here. A file that fontTools cannot
read is an error that names the file.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from fontTools.ttLib import TTFont, TTLibError

from datakit.errors import InputError

SUFFIXES = frozenset({".ttf", ".otf", ".ttc", ".otc"})
UNKNOWN_LICENCE = "unknown"

# Name table text -> SPDX id, for the licences that fonts really carry; the first match wins.
_LICENCES = (
    ("open font license", "OFL-1.1"),
    ("apache license", "Apache-2.0"),
    ("ubuntu font", "UFL-1.0"),
    ("bitstream vera", "Bitstream-Vera"),
    ("dejavu", "Bitstream-Vera"),
    ("gnu general public", "GPL"),
)


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a variable font, in the font's own design units."""

    tag: str
    minimum: float
    default: float
    maximum: float


@dataclass(frozen=True, slots=True)
class BrokenFont:
    """A font file that cannot be used, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class FontFace:
    """A face that can be opened: ``index`` is its place in a collection (0 for a single font).

    ``weight`` is OS/2 usWeightClass (400 regular, 700 bold); ``source`` says who offers it: a package's name,
    ``system`` or ``path``.
    """

    path: str
    index: int
    family: str
    style: str
    weight: int
    axes: tuple[Axis, ...]
    licence: str
    source: str

    @property
    def name(self) -> str:
        """Family and style, for people."""
        return f"{self.family} {self.style}".strip()


# What fontTools raises on damaged tables, beside its own TTLibError; all of them mean "not a usable font".
_DAMAGE = (
    struct.error,
    ValueError,
    KeyError,
    IndexError,
    AssertionError,
    EOFError,
    TypeError,
    AttributeError,
)


def collection_size(path: Path) -> int:
    """Number of faces in a font file: more than 1 only in a collection (``ttcf`` header).

    Raises:
        InputError: the file cannot be read or announces an impossible number of faces.
    """
    try:
        with path.open("rb") as stream:
            head = stream.read(12)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=path) from error
    if head[:4] != b"ttcf":
        return 1
    count = int.from_bytes(head[8:12], "big")
    if not 1 <= count <= 256:
        raise InputError(f"announces {count} faces: not a font collection", file=path)
    return count


def read_faces(path: Path, *, source: str = "path", licence: str = "") -> list[FontFace]:
    """Every face of a font file; ``licence`` (package metadata) is used before the name table's own words.

    Raises:
        InputError: the file is missing or no font that fontTools can read.
    """
    return [_read_face(path, index, source, licence) for index in range(collection_size(path))]


def _read_face(path: Path, index: int, source: str, licence: str) -> FontFace:
    try:
        with TTFont(path, fontNumber=index, lazy=True) as font:
            names = font["name"]
            return FontFace(
                path=str(path),
                index=index,
                family=_name(names, 16) or _name(names, 1) or path.stem,
                style=_name(names, 17) or _name(names, 2) or "Regular",
                weight=int(font["OS/2"].usWeightClass) if "OS/2" in font else 400,
                axes=_axes(font),
                licence=licence or _licence(_name(names, 13), _name(names, 14)),
                source=source,
            )
    except (TTLibError, OSError, *_DAMAGE) as error:
        raise InputError(f"is not a usable font (face {index}: {error!r})", file=path) from error


def _name(names: Any, number: int) -> str:
    text = names.getDebugName(number)
    return "" if text is None else str(text).strip()


def _axes(font: Any) -> tuple[Axis, ...]:
    if "fvar" not in font:
        return ()
    return tuple(Axis(a.axisTag, a.minValue, a.defaultValue, a.maxValue) for a in font["fvar"].axes)


def _licence(text: str, url: str) -> str:
    words = f"{text} {url}".casefold()
    for mark, identifier in _LICENCES:
        if mark in words or (identifier == "OFL-1.1" and "openfontlicense" in words.replace("-", "")):
            return identifier
    if "/ofl" in words:
        return "OFL-1.1"
    return (text or url)[:80] or UNKNOWN_LICENCE


_OUTLINES = (b"glyf", b"CFF ", b"CFF2")
_MOST_TABLES = 512


@lru_cache(maxsize=4096)
def outline_key(face: FontFace) -> str:
    """Names the outlines of a face: faces of a collection that share their glyph table share the key.

    The regional faces of a CJK collection differ in their character maps and point to the same outlines.
    A file whose table directory cannot be read keeps its faces apart.
    """
    apart = f"{face.path}#{face.index}"
    if face.index == 0 and not face.path.lower().endswith(("ttc", "otc")):
        return apart
    try:
        with Path(face.path).open("rb") as stream:
            stream.seek(12 + 4 * face.index)
            stream.seek(int.from_bytes(stream.read(4), "big") + 4)
            count = int.from_bytes(stream.read(2), "big")
            stream.seek(6, 1)
            directory = stream.read(16 * min(count, _MOST_TABLES))
    except OSError:
        return apart
    records = (directory[k : k + 16] for k in range(0, len(directory), 16))
    places = [record[8:16].hex() for record in records if record[:4] in _OUTLINES]
    return f"{face.path}@{'+'.join(places)}" if places else apart


@lru_cache(maxsize=4096)
def font_sha256(path: str) -> str:
    """sha256 of a font file, remembered for the life of the process."""
    with Path(path).open("rb") as stream:
        digest = hashlib.sha256()
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
