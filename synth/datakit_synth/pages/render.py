"""One page: ground, sheet, rules, lines, damage, effects; a function of (job, index) and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random

import cv2
import numpy as np

from datakit.effects import Image, apply_effects, sample_preset
from datakit.errors import InputError
from datakit.labels import DetBox
from datakit_fonts import CoverageIndex, FontFace
from datakit_fonts.glyphs import GlyphCache
from datakit_synth import ink, legibility
from datakit_synth.pages.damage import DAMAGES
from datakit_synth.pages.layouts import LAYOUTS, Rule
from datakit_synth.pages.place import GAP, PlacedLine, Placer
from datakit_synth.pages.plane import Plane, lay_ground, sample_plane
from datakit_synth.pages.quads import Points, apart_from_all, grown, project
from datakit_synth.pages.texts import TextPool
from datakit_synth.render import Step, sample_rng

IGNORED = "###"
JPEG_QUALITY = (80, 95)
_PLATE_ROOM = 0.25
_PLATE_CHANCE = 0.15
_TRIES = 8


@dataclass(frozen=True, slots=True)
class PageJob:
    """What every page of a run shares; picklable. See :class:`datakit_synth.pages.request.PageRequest`."""

    seed: int
    size: tuple[int, int]
    lines: tuple[int, int]
    texts: tuple[str, ...]
    faces: tuple[FontFace, ...]
    backgrounds: tuple[str, ...]
    photos: tuple[str, ...]
    presets: tuple[str, ...]
    layouts: tuple[str, ...]
    illegible: float


@dataclass(frozen=True, slots=True)
class Page:
    """A page: picture, JPEG quality, boxes, the lines as they were placed, and what is counted of it.

    ``boxes[k]`` is that of ``lines[k]``; ``reasons[k]`` is "" for a line to be read, the damage done on
    purpose, or ``effects`` where those of the preset left it illegible. ``milder``: effects were left out.
    """

    image: Image
    quality: int
    boxes: tuple[DetBox, ...]
    lines: tuple[PlacedLine, ...]
    reasons: tuple[str, ...]
    layout: str
    preset: str
    background: str
    milder: bool

    def counts(self) -> dict[str, Counter[str]]:
        """By name: fonts of lines, layout, preset, background, boxes by fate."""
        return {
            "boxes": Counter("text" if not reason else f"### {reason}" for reason in self.reasons),
            "layouts": Counter([self.layout]),
            "presets": Counter([self.preset]),
            "backgrounds": Counter([self.background]),
            "fonts": Counter(line.face.name for line in self.lines),
        }


class PageRenderer:
    """Draws pages for a job; keeps fonts and glyphs between them."""

    def __init__(self, job: PageJob) -> None:
        self.job = job
        pool = TextPool(job.texts, CoverageIndex(job.faces))
        self._placer = Placer(pool, GlyphCache(), job.size)

    def render(self, index: int) -> Page:
        """Page ``index``.

        Raises:
            InputError: not one line could be placed in several tries.
        """
        rng = sample_rng(self.job.seed, index)
        for _ in range(_TRIES):
            layout, preset = rng.choice(self.job.layouts), rng.choice(self.job.presets)
            plane = sample_plane(rng, LAYOUTS[layout], preset, self.job.size)
            wanted = rng.randint(*self.job.lines)
            sheet = LAYOUTS[layout].lay(rng, plane.width, plane.height, wanted)
            lines = self._placer.fill(rng, sheet.slots, plane, wanted)
            if lines:
                return self._painted(rng, layout, preset, plane, sheet.rules, lines)
        raise InputError(f"page {index}: no line fits; a larger --size, other texts or fonts")

    def _painted(
        self,
        rng: Random,
        layout: str,
        preset: str,
        plane: Plane,
        rules: tuple[Rule, ...],
        lines: list[PlacedLine],
    ) -> Page:
        job = self.job
        image, background = lay_ground(rng, plane, job.size, job.backgrounds, job.photos)
        _draw_rules(image, plane, rules, rng)
        # Its fraction is drawn, so that the share holds over many pages whatever their number of lines.
        damaged = int(len(lines) * job.illegible + rng.random())
        spoiled = {
            number: rng.choice(list(DAMAGES)) for number in sorted(rng.sample(range(len(lines)), damaged))
        }
        _Painter(image, lines, rng).paint(spoiled, layout)
        steps = sample_preset(preset, rng)
        image, lost, kept = _degraded(image, lines, spoiled, steps)
        reasons = tuple(
            spoiled.get(number, "effects" if number in lost else "") for number in range(len(lines))
        )
        boxes = tuple(
            DetBox(IGNORED if reason else line.text, tuple((float(x), float(y)) for x, y in line.quad))
            for line, reason in zip(lines, reasons, strict=True)
        )
        quality = rng.randint(*JPEG_QUALITY)
        milder = len(kept) < len(steps)
        return Page(image, quality, boxes, tuple(lines), reasons, layout, preset, background, milder)


class _Painter:
    """Puts the ink of ``lines`` on ``image``, which is changed."""

    def __init__(self, image: Image, lines: list[PlacedLine], rng: Random) -> None:
        self.image, self.lines, self.rng = image, lines, rng
        self.inks: dict[int, ink.Colour] = {}

    def paint(self, spoiled: dict[int, str], layout: str) -> None:
        """All lines, those in ``spoiled`` with their damage."""
        for number, line in enumerate(self.lines):
            patch = _patch(self.image, line)
            _, colour, measured = self._ink(patch, line)
            scattered = layout == "scattered"
            if measured["flattened"] < 1.0 or (scattered and self.rng.random() < _PLATE_CHANCE):
                self._plate(number, line)
                patch = _patch(self.image, line)
                flat, colour, measured = self._ink(patch, line)
                if measured["flattened"] < 1.0:
                    # No room for a plate: the ground itself gives way, under the line alone.
                    patch[...] = flat
            self.inks[line.slot.block] = colour
            drawn = ink.blend(patch, line.mask, colour, round(self.rng.uniform(0.85, 1.0), 3))
            damage = spoiled.get(number)
            if damage is not None:
                drawn = DAMAGES[damage](patch.copy(), drawn, line.mask, line.em, self.rng)
            patch[...] = drawn

    def _ink(self, patch: Image, line: PlacedLine) -> tuple[Image, ink.Colour, dict[str, float]]:
        return ink.choose_ink(patch, line.mask, self.rng, self.inks.get(line.slot.block))

    def _plate(self, number: int, line: PlacedLine) -> None:
        """A plain plate under the line, unless it would reach another line."""
        room = grown(line.points(), max(3.0, _PLATE_ROOM * line.em))
        others = [other.points() for at, other in enumerate(self.lines) if at != number]
        if not apart_from_all(room, others, GAP):
            return
        mean = float(_patch(self.image, line).mean())
        level = self.rng.randint(200, 250) if mean > 100 else self.rng.randint(8, 50)
        colour = [max(0, min(255, level + self.rng.randint(-18, 18))) for _ in range(3)]
        _fill(self.image, room, colour)


def _fill(image: Image, outline: Points, colour: list[int]) -> None:
    cv2.fillConvexPoly(image, np.rint(outline).astype(np.int32), colour, cv2.LINE_AA)


def _patch(image: Image, line: PlacedLine) -> Image:
    """The part of the picture that the line's mask covers; a view."""
    x, y = line.origin
    height, width = line.mask.shape
    return image[y : y + height, x : x + width]


def _draw_rules(image: Image, plane: Plane, rules: tuple[Rule, ...], rng: Random) -> None:
    if not rules:
        return
    level = 0 if float(image.mean()) > 110 else 255
    share, thick = rng.uniform(0.35, 0.8), rng.choice((1, 1, 2))
    cover = np.zeros(image.shape[:2], np.uint8)
    for rule in rules:
        (x0, y0), (x1, y1) = np.rint(
            project(plane.matrix, np.array([[rule.x0, rule.y0], [rule.x1, rule.y1]], np.float64))
        ).astype(int)
        cv2.line(cover, (int(x0), int(y0)), (int(x1), int(y1)), 255, thick, cv2.LINE_AA)
    image[...] = ink.blend(image, cover, (level, level, level), share)


def _degraded(
    drawn: Image, lines: list[PlacedLine], spoiled: dict[int, str], steps: list[Step]
) -> tuple[Image, set[int], list[Step]]:
    """The picture with ``steps`` or milder ones, which lines cannot be read in it, and the steps."""
    tried = []
    for kept in (steps, *(legibility.milder(steps) if steps else ())):
        image = apply_effects(drawn, kept)
        lost = {
            number
            for number, line in enumerate(lines)
            if number not in spoiled and not legibility.measure(_patch(image, line), line.mask).legible
        }
        tried.append((image, lost, kept))
        if not lost:
            break
    return min(tried, key=lambda one: len(one[1]))
