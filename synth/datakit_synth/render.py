"""One line of text becomes one picture, as a function of (job, text, generator) and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

import cv2
import numpy as np

from datakit.effects import Image, apply_preset
from datakit.errors import InputError
from datakit_fonts import CoverageIndex, FontFace
from datakit_fonts.glyphs import GlyphCache
from datakit_synth import backgrounds, geometry, ink
from datakit_synth.layout import LineMask, Mask, Style, draw_line

SIZES = (28, 40, 56)
_WEIGHTS = (300.0, 400.0, 550.0, 700.0)
_WIDTHS = (80.0, 100.0)
JPEG_QUALITY = {"clean": (95, 95)}
_JPEG_QUALITY = (70, 95)


@dataclass(frozen=True, slots=True)
class RenderJob:
    """What every picture of a run shares; picklable, so that a worker can be given it.

    ``heights`` are the smallest and the largest height of a picture in pixels, both included.
    """

    seed: int
    faces: tuple[FontFace, ...]
    backgrounds: tuple[str, ...] = backgrounds.PROCEDURAL
    photos: tuple[str, ...] = ()
    presets: tuple[str, ...] = ("photo",)
    heights: tuple[int, int] = (32, 64)


@dataclass(frozen=True, slots=True)
class Rendered:
    """The picture, its JPEG quality, what was drawn, and the mask of the ink in the picture."""

    image: Image
    quality: int
    params: dict[str, Any]
    mask: Mask
    line: LineMask


def sample_rng(seed: int, index: int) -> Random:
    """The generator of sample ``index``: depends on nothing but the two numbers."""
    return Random((seed << 40) | index)


@lru_cache(maxsize=1024)
def instances(face: FontFace) -> tuple[tuple[float, ...], ...]:
    """Design coordinates that lines of ``face`` are set at: some weights and widths, the rest at default."""
    points: list[tuple[float, ...]] = [()]
    for axis in face.axes:
        wanted = _WEIGHTS if axis.tag == "wght" else _WIDTHS if axis.tag == "wdth" else (axis.default,)
        values = sorted({min(axis.maximum, max(axis.minimum, value)) for value in wanted})
        points = [(*point, value) for point in points for value in values]
    return tuple(points)


def _group(face: FontFace) -> str:
    """Faces that share a group share one draw: five regions of one CJK file count as one family."""
    return face.path if face.index or face.path.lower().endswith(("ttc", "otc")) else face.family


class Renderer:
    """Draws lines for a job; keeps fonts, glyphs and textures between them."""

    def __init__(self, job: RenderJob) -> None:
        backgrounds.check_grounds(job.backgrounds, job.photos)
        self.job = job
        self.cache = GlyphCache()
        self._index = CoverageIndex(job.faces)
        self._groups: dict[int, list[list[FontFace]]] = {}

    def render(self, text: str, rng: Random) -> Rendered:
        """Draw ``text``.

        Raises:
            InputError: no face of the job covers ``text``.
        """
        preset = rng.choice(self.job.presets)
        bend = geometry.BENDS.get(preset, geometry.BENDS["scan"])
        placing = geometry.sample_geometry(rng, bend, rng.randint(*self.job.heights))
        style, line = self._set(text, _size_for(geometry.content_height(placing)), rng)
        mask = geometry.place(line.mask, placing)
        kind = rng.choice(self.job.backgrounds)
        ground = backgrounds.GROUNDS[kind](rng, mask.shape[0], mask.shape[1], self.job.photos)
        ground, colour, measured = ink.choose_ink(ground, mask, rng)
        strength = round(rng.uniform(0.85, 1.0), 3) if preset != "clean" else 1.0
        drawn = ink.blend(ground, mask, colour, strength)
        image, steps = apply_preset(drawn, preset, rng)
        final = ink.measured_contrast(image, mask)
        redrawn = bool(steps) and final < ink.MIN_FINAL_CONTRAST
        if redrawn:
            # Effects that together drown the text are dropped; the ink on its ground is legible by
            # construction.
            image, steps, final = drawn, [], ink.measured_contrast(drawn, mask)
        params = {
            "font": style.face.name,
            "coords": list(style.coords),
            "size": style.size,
            "spacing": style.spacing,
            "preset": preset,
            "background": kind,
            "geometry": placing,
            "colour": measured,
            "strength": strength,
            "effects": steps,
            "redrawn": redrawn,
            "contrast": round(final, 1),
        }
        return Rendered(image, rng.randint(*JPEG_QUALITY.get(preset, _JPEG_QUALITY)), params, mask, line)

    def _set(self, text: str, size: int, rng: Random) -> tuple[Style, LineMask]:
        groups = self._covering(text)
        face = rng.choice(rng.choice(groups))
        spacing = round(rng.uniform(0.01, 0.1), 3) if rng.random() < 0.2 else 0.0
        style = Style(face, rng.choice(instances(face)), size, spacing)
        try:
            return style, draw_line(text, style, self.cache)
        except InputError:
            # The font says that it covers the text and cannot set it all the same: take the first that can.
            for other in (face for group in groups for face in group):
                spare = Style(other, instances(other)[0], size, spacing)
                try:
                    return spare, draw_line(text, spare, self.cache)
                except InputError:
                    continue
            raise

    def _covering(self, text: str) -> list[list[FontFace]]:
        mask = self._index.mask(text)
        if mask not in self._groups:
            groups: dict[str, list[FontFace]] = {}
            for bit, face in enumerate(self.job.faces):
                if mask >> bit & 1:
                    groups.setdefault(_group(face), []).append(face)
            self._groups[mask] = list(groups.values())
        if not self._groups[mask]:
            raise InputError(f"no font covers {text!r}")
        return self._groups[mask]


def _size_for(content: int) -> int:
    """The smallest raster size that need not be enlarged much for a text ``content`` pixels high."""
    return next((size for size in SIZES if size >= content), SIZES[-1])


def encode(rendered: Rendered) -> bytes:
    """The picture as JPEG bytes."""
    done, data = cv2.imencode(".jpg", rendered.image, [cv2.IMWRITE_JPEG_QUALITY, rendered.quality])
    if not done:
        raise InputError(f"a picture of {rendered.image.shape} cannot be written as JPEG")
    return np.asarray(data).tobytes()
