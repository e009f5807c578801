"""One line of text becomes one picture, as a function of (job, text, generator) and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from random import Random
from typing import Any

import cv2
import numpy as np

from datakit.effects import Image, apply_effects, sample_preset
from datakit.errors import InputError
from datakit_fonts import CoverageIndex, FontFace
from datakit_fonts.glyphs import GlyphCache
from datakit_synth import backgrounds, geometry, ink, legibility, likeness, looks, paint, segments
from datakit_synth.char_crops import CropBook
from datakit_synth.handwriting import Handwriter
from datakit_synth.join_plan import JoinBook
from datakit_synth.layout import LineMask, Mask, Part, Style, draw_line
from datakit_synth.style import Manner, StyleProfile

SIZES = (28, 40, 56)
_WEIGHTS = (300.0, 400.0, 550.0, 700.0)
_WIDTHS = (80.0, 100.0)
Step = tuple[str, dict[str, Any]]
# Settings of a line, of which the one most like the real crop is taken.
TRIES = 3
# Faces drawn at most until one leans as the crop does.
_FACES = 5
JPEG_QUALITY = {"clean": (95, 95)}
_JPEG_QUALITY = (70, 95)


@dataclass(frozen=True, slots=True)
class RenderJob:
    """What every picture of a run shares; picklable, so that a worker can be given it.

    ``heights`` are the smallest and the largest height of a picture in pixels, both included. ``looks``: of
    :data:`datakit_synth.looks.LOOKS`, () for those of the presets. ``style``: how somebody's real lines look,
    in place of the job's own heights, margins, inks and JPEG qualities; background ``own`` is cut from them.
    ``source``: pictures of characters or of lines that lines are made of, in place of fonts.
    """

    seed: int
    faces: tuple[FontFace, ...]
    backgrounds: tuple[str, ...] = backgrounds.PROCEDURAL
    photos: tuple[str, ...] = ()
    presets: tuple[str, ...] = ("photo",)
    heights: tuple[int, int] = (32, 64)
    looks: tuple[str, ...] = ()
    style: StyleProfile | None = None
    source: CropBook | JoinBook | None = None


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


@dataclass(frozen=True, slots=True)
class _Set:
    """A line as it was set: what is kept of it in the parameters, its own mask, and its drawing."""

    params: dict[str, Any]
    line: LineMask
    drawing: paint.Drawing


class Renderer:
    """Draws lines for a job; keeps fonts, glyphs and textures between them."""

    def __init__(self, job: RenderJob) -> None:
        backgrounds.check_grounds(job.backgrounds, job.photos, own=job.style is not None)
        looks.check_looks(job.looks)
        self.job = job
        self.cache = GlyphCache()
        self._index = CoverageIndex(job.faces)
        self._groups: dict[int, list[list[FontFace]]] = {}
        self._hand = Handwriter(job.source, job.faces) if isinstance(job.source, CropBook) else None

    def render(self, text: str, rng: Random) -> Rendered:
        """Draw ``text``.

        Raises:
            InputError: no face of the job covers ``text``.
        """
        job = self.job
        preset = rng.choice(job.presets)
        manner = None if job.style is None else job.style.draw(text, rng)
        height = rng.randint(*job.heights) if manner is None else manner.height
        bend = geometry.BENDS.get(preset, geometry.BENDS["scan"])
        where = geometry.sample_geometry(rng, bend, height)
        if manner is not None:
            where = manner.placed(where)
        look, details = looks.draw_look(job.looks, preset, text, rng)
        where["slant"] = details.get("slant", where["slant"])
        done = self._set(text, _size_for(geometry.content_height(where)), look, details, manner, rng)
        if manner is not None:
            where["stretch"] = manner.stretch(done.line.mask.shape, text)
        placing = geometry.placing(done.drawing.ink.shape, where)
        mask = placing.warp(done.drawing.ink)
        kind = rng.choice(job.backgrounds)
        ground = _ground(kind, manner, mask, job.photos, rng)
        wish = paint.wished_ink(look, details)
        if manner is None:
            ground, colour, measured = ink.choose_ink(ground, mask, rng, wish)
        else:
            ground, colour, measured = manner.inked(ground, mask, wish)
        strength = round(rng.uniform(0.85, 1.0), 3) if preset != "clean" else 1.0
        drawn = _painted(ground, mask, colour, strength, look, details, done.drawing, placing)
        steps = sample_preset(preset, rng)
        image, kept, edges = _degraded(drawn, mask, steps)
        plain = not edges.legible
        if plain:
            # The look itself cost the line its contrast: ink on its plain ground has it by construction.
            image, kept = ink.blend(ground, mask, colour), []
            edges = legibility.measure(image, mask)
        touch: dict[str, Any] = {}
        if manner is None:
            quality = rng.randint(*JPEG_QUALITY.get(preset, _JPEG_QUALITY))
        else:
            quality = manner.quality
            image, touch, edges = likeness.likened(image, mask, manner, measured, rng)
        params = {
            **done.params,
            "preset": preset,
            "look": look,
            "look_params": details,
            "background": kind,
            "geometry": where,
            "colour": measured,
            "strength": strength,
            "effects": kept,
            "likeness": touch,
            "redrawn": plain or len(kept) < len(steps) or bool(touch.get("milder")),
            "look_dropped": plain and look != looks.NONE,
            "contrast": edges.mean,
            "worst": edges.worst,
        }
        return Rendered(image, quality, params, mask, done.line)

    def _set(
        self,
        text: str,
        size: int,
        look: str,
        details: Mapping[str, Any],
        manner: Manner | None,
        rng: Random,
    ) -> _Set:
        if self._hand is not None:
            line, crops = self._hand.write(text, size, rng)
            return _Set({**_plain_params("", size), "crops": crops}, line, paint.Drawing(line.mask))
        if look == "seven-segment":
            line, unlit = segments.seven_segments(text, size, details["thickness"], details["ghost"])
            return _Set(_plain_params(look, size), line, paint.ghosted(line.mask, unlit))
        if look == "dot-matrix":
            line = segments.dot_matrix(text, size, details["radius"], details["square"])
            return _Set(_plain_params(look, size), line, paint.Drawing(line.mask))
        italic = None if manner is None else manner.italic
        times = 1 if manner is None else TRIES
        tried = [self._set_type(text, size, look, details, italic, rng) for _ in range(times)]
        style, line = tried[0]
        if manner is not None:
            style, line = min(tried, key=lambda one: manner.unlike(one[1], text))
        params = {
            "font": style.face.name,
            "coords": list(style.coords),
            "size": style.size,
            "spacing": style.spacing,
        }
        if style.parts:
            params["parts"] = [[part.start, part.face.name, list(part.coords)] for part in style.parts]
        return _Set(params, line, paint.shape(line.mask, look, details))

    def _set_type(
        self,
        text: str,
        size: int,
        look: str,
        details: Mapping[str, Any],
        italic: bool | None,
        rng: Random,
    ) -> tuple[Style, LineMask]:
        groups = self._covering(text)
        face = rng.choice(rng.choice(groups))
        for _ in range(0 if italic is None else _FACES):
            if is_italic(face) is italic:
                break
            face = rng.choice(rng.choice(groups))
        spacing = round(rng.uniform(0.01, 0.1), 3) if rng.random() < 0.2 else 0.0
        style = Style(
            face,
            rng.choice(instances(face)),
            size,
            details.get("spacing", spacing),
            details.get("space", 1.0),
            look == "vertical",
            tuple(details.get("lifts", ())),
            _parts(text, groups, details) if look == "mixed-fonts" else (),
        )
        try:
            return style, draw_line(text, style, self.cache)
        except InputError:
            # The font says that it covers the text and cannot set it all the same: take the first that can.
            for other in (face for group in groups for face in group):
                spare = replace(style, face=other, coords=instances(other)[0], parts=())
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


def is_italic(face: FontFace) -> bool:
    """Whether the name of the face's style says so."""
    return "talic" in face.style or "blique" in face.style


def _ground(kind: str, manner: Manner | None, mask: Mask, photos: tuple[str, ...], rng: Random) -> Image:
    """A ground for ``mask``, of the manner's paper where there is one."""
    height, width = mask.shape
    if manner is not None and kind == backgrounds.OWN:
        return manner.ground(rng, height, width)
    ground = backgrounds.GROUNDS[kind](rng, height, width, photos)
    return ground if manner is None else manner.tinted(ground)


def _plain_params(look: str, size: int) -> dict[str, Any]:
    """The parameters of a line that no font has set."""
    return {"font": look, "coords": [], "size": size, "spacing": 0.0}


def _parts(text: str, groups: list[list[FontFace]], details: Mapping[str, Any]) -> tuple[Part, ...]:
    """Later parts of a line in other faces, which all cover the whole text; they begin at words or Han."""
    rng = Random(details["draw"])
    places = [
        at for at in range(1, len(text)) if text[at - 1] == " " or min(text[at - 1 : at + 1]) >= "\u2e80"
    ]
    starts = sorted(rng.sample(places, min(len(places), details["parts"] - 1)))
    parts = []
    for start in starts:
        face = rng.choice(rng.choice(groups))
        parts.append(Part(start, face, rng.choice(instances(face))))
    return tuple(parts)


def _painted(
    ground: Image,
    mask: Mask,
    colour: ink.Colour,
    strength: float,
    look: str,
    details: Mapping[str, Any],
    drawing: paint.Drawing,
    placing: geometry.Placing,
) -> Image:
    """Ground, what the look lays under the ink, what stands beside it, and the ink."""
    if look == looks.NONE:
        return ink.blend(ground, mask, colour, strength)
    ground = paint.under(ground, mask, colour, look, details)
    if drawing.beside is not None:
        ground = ink.blend(ground, placing.warp(drawing.beside), colour, drawing.strength)
    return ink.blend(ground, paint.worn(mask, look, details), colour, strength)


def _degraded(drawn: Image, mask: Mask, steps: list[Step]) -> tuple[Image, list[Step], legibility.Edges]:
    """The picture with ``steps``, or as many of them as leave the line legible, and its edges."""
    image = apply_effects(drawn, steps)
    edges = legibility.measure(image, mask)
    if edges.legible or not steps:
        return image, steps, edges
    for kept in legibility.milder(steps):
        image = apply_effects(drawn, kept)
        edges = legibility.measure(image, mask)
        if edges.legible:
            break
    return image, kept, edges


def _size_for(content: int) -> int:
    """The smallest raster size that need not be enlarged much for a text ``content`` pixels high."""
    return next((size for size in SIZES if size >= content), SIZES[-1])


def encode(rendered: Rendered) -> bytes:
    """The picture as JPEG bytes."""
    done, data = cv2.imencode(".jpg", rendered.image, [cv2.IMWRITE_JPEG_QUALITY, rendered.quality])
    if not done:
        raise InputError(f"a picture of {rendered.image.shape} cannot be written as JPEG")
    return np.asarray(data).tobytes()
