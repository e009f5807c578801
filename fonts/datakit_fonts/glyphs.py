"""FreeType at work: open a face at an instance of its axes, rasterise glyphs unhinted, keep them.

A glyph's bitmap depends on (face, axes, size, glyph) alone, never on what was drawn before, so that caches
change the speed of a run and not its bytes.
"""

from __future__ import annotations

import ctypes
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import freetype
import numpy as np
import numpy.typing as npt

from datakit.errors import InputError
from datakit_fonts.faces import FontFace, outline_key

Mask = npt.NDArray[np.uint8]
K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# Bitmap strikes and colour layers have no outline to rasterise at our size: such glyphs count as missing.
_LOAD = freetype.FT_LOAD_NO_HINTING | freetype.FT_LOAD_NO_BITMAP
_RENDER = _LOAD | freetype.FT_LOAD_RENDER


@dataclass(frozen=True, slots=True)
class Glyph:
    """A glyph's ink as HxW uint8; ``left`` and ``top`` place it against pen and baseline, in pixels.

    ``width`` and ``height`` are the bitmap's, kept beside it: a line asks for them glyph by glyph.
    """

    bitmap: Mask
    left: int
    top: int
    width: int
    height: int


class LruCache(Generic[K, V]):
    """The newest ``limit`` values; the oldest one goes first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._values: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K) -> V | None:
        """The value, which becomes the newest, or None."""
        value = self._values.get(key)
        if value is not None:
            self._values.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> V:
        """Keep and return ``value``."""
        self._values[key] = value
        if len(self._values) > self._limit:
            self._values.popitem(last=False)
        return value


def open_face(face: FontFace, coords: tuple[float, ...] = ()) -> Any:
    """A FreeType face at design coordinates ``coords`` (one per axis, () for the default).

    Raises:
        InputError: FreeType cannot open the file.
    """
    try:
        opened = freetype.Face(face.path, face.index)
        if coords:
            opened.set_var_design_coords(coords)
    except (freetype.FT_Exception, OSError) as error:
        raise InputError(f"FreeType cannot open face {face.index} ({error})", file=face.path) from error
    return opened


class Strike:
    """The glyphs of one face at one instance and size; ``known`` holds those that were drawn so far."""

    def __init__(self, cache: GlyphCache, face: FontFace, coords: tuple[float, ...], size: int) -> None:
        self._cache, self._face, self._coords, self._size = cache, face, coords, size
        self.known: dict[int, Glyph] = {}

    def glyph(self, glyph_id: int) -> Glyph:
        """The glyph by its number in the font.

        Raises:
            InputError: the font's outline of that glyph is damaged.
        """
        known = self.known.get(glyph_id)
        if known is None:
            known = self.known[glyph_id] = self._rasterise(glyph_id)
            self._cache.count_one()
        return known

    def __len__(self) -> int:
        return len(self.known)

    def _rasterise(self, glyph_id: int) -> Glyph:
        opened = self._cache.opened(self._face, self._coords)
        try:
            opened.set_pixel_sizes(0, self._size)
            opened.load_glyph(glyph_id, _RENDER)
        except freetype.FT_Exception as error:
            raise InputError(f"glyph {glyph_id} cannot be drawn ({error})", file=self._face.path) from error
        return _copy(opened._FT_Face.contents.glyph.contents)


class GlyphCache:
    """Bitmaps of glyphs by (outlines, axes, size), then glyph number; about ``limit`` of them are kept.

    A line asks for its strike once, so that a glyph costs one lookup by its number. Faces of a collection
    that share their outlines share strikes. When there are too many glyphs, the oldest strikes go.
    """

    def __init__(self, limit: int = 40_000, faces: int = 256) -> None:
        self._limit, self._held = limit, 0
        self._strikes: OrderedDict[tuple[str, tuple[float, ...], int], Strike] = OrderedDict()
        self._faces: LruCache[tuple[FontFace, tuple[float, ...]], Any] = LruCache(faces)

    def strike(self, face: FontFace, coords: tuple[float, ...], size: int) -> Strike:
        """The glyphs of ``face`` at ``size`` pixels an em."""
        key = (outline_key(face), coords, size)
        strike = self._strikes.get(key)
        if strike is None:
            strike = self._strikes[key] = Strike(self, face, coords, size)
        else:
            self._strikes.move_to_end(key)
        while self._held > self._limit and len(self._strikes) > 1:
            _, oldest = self._strikes.popitem(last=False)
            self._held -= len(oldest)
        return strike

    def glyph(self, face: FontFace, coords: tuple[float, ...], size: int, glyph_id: int) -> Glyph:
        """One glyph; see :meth:`strike`."""
        return self.strike(face, coords, size).glyph(glyph_id)

    def count_one(self) -> None:
        """A strike has drawn one more glyph."""
        self._held += 1

    def opened(self, face: FontFace, coords: tuple[float, ...]) -> Any:
        """The FreeType face of ``face`` at ``coords``."""
        return self._faces.get((face, coords)) or self._faces.put((face, coords), open_face(face, coords))


def _copy(slot: Any) -> Glyph:
    """The glyph in FreeType's own slot, whose fields cost a fraction of those of freetype-py's wrappers."""
    bitmap = slot.bitmap
    rows, width, pitch = bitmap.rows, bitmap.width, bitmap.pitch
    if rows == 0 or width == 0:
        return Glyph(np.zeros((0, 0), np.uint8), 0, 0, 0, 0)
    raw = ctypes.string_at(bitmap.buffer, rows * pitch)
    pixels = np.frombuffer(raw, np.uint8).reshape(rows, pitch)[:, :width]
    return Glyph(np.ascontiguousarray(pixels), slot.bitmap_left, slot.bitmap_top, width, rows)


def outline_of(opened: Any, glyph_id: int) -> tuple[tuple[int, int], ...] | None:
    """Points of a glyph's outline in font units; None when it cannot be loaded or has no outline at all."""
    try:
        opened.load_glyph(glyph_id, _LOAD | freetype.FT_LOAD_NO_SCALE)
    except freetype.FT_Exception:
        return None
    if opened.glyph.format != freetype.FT_GLYPH_FORMAT_OUTLINE:
        return None
    return tuple(opened.glyph.outline.points)
