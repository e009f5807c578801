"""Clean ground cut from a user's own crops: the text is painted over, and what still shows it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from random import Random

import cv2
import numpy as np

from datakit.effects import Image
from datakit_synth import legibility
from datakit_synth.crops import Marks, noise
from datakit_synth.ink import Colour
from datakit_synth.layout import Mask

# Px: what is kept of a crop, so that a profile stays small.
MOST_ROWS, MOST_COLUMNS = 96, 480
# Share of a crop that must be free of ink, for its ground to be known at all.
MIN_FREE = 0.12
# Grey levels that may be left at the edges of the painted-over text, over the line and in its worst stretch.
MAX_LEFT, MAX_WORST = 3.0, 9.0
# A pixel stands out of its neighbourhood like a stroke by so many sigmas of the noise, and by so many grey
# levels at least: to be painted over, and to be counted as left over; the share that may be left.
_SIGMAS, _FAINT, _LEFT, _MAX_LEFT_SHARE = 4.0, 9.0, 12.0, 0.005
# Crops lower than this have strokes of a pixel or two, whose rim is hidden already.
_LOW = 32
_PAINT_RADIUS = 3
_NOISE_SEED = 20260727
_QUALITY = 95
REFUSALS = ("little paper is free", "ink shows through", "other strokes are left")


@dataclass(frozen=True, slots=True)
class Patch:
    """A piece of ground without ink: JPEG bytes, its mean colour, and the sigma of its noise."""

    data: bytes
    colour: Colour
    noise: float
    height: int


def cut_patch(image: Image, marks: Marks) -> Patch | str:
    """The ground of a crop, or why it is refused (one of :data:`REFUSALS`)."""
    hidden = _hidden(image, marks)
    if float((hidden == 0).mean()) < MIN_FREE:
        return REFUSALS[0]
    sigma = _paper_noise(image, marks)
    ground = _levelled(cv2.inpaint(image, hidden, _PAINT_RADIUS, cv2.INPAINT_TELEA), hidden, sigma)
    edges = legibility.measure(ground, marks.core)
    if edges.mean > MAX_LEFT or edges.worst > MAX_WORST:
        return REFUSALS[1]
    limit = max(_LEFT, _SIGMAS * sigma)
    if float(_standing_out(ground, limit).mean()) > 255 * _MAX_LEFT_SHARE:
        return REFUSALS[2]
    return _packed(ground)


def _levelled(ground: Image, hidden: Mask, sigma: float) -> Image:
    """The ground without what a coarse JPEG leaves of a text: coloured halos, and paint without noise.

    Either would show the letters' outlines, faintly, and a recogniser reads faint things.
    """
    luma, red, blue = cv2.split(cv2.cvtColor(ground, cv2.COLOR_BGR2YCrCb))
    wide = max(1.0, ground.shape[0] / 8)
    red, blue = (cv2.GaussianBlur(channel, (0, 0), wide) for channel in (red, blue))
    spread = np.random.default_rng(_NOISE_SEED).normal(0.0, max(0.3, sigma), luma.shape)
    noisy = np.clip(np.rint(luma + spread), 0, 255).astype(np.uint8)
    luma = np.where(hidden > 0, noisy, luma)
    return np.asarray(cv2.cvtColor(cv2.merge([luma, red, blue]), cv2.COLOR_YCrCb2BGR), np.uint8)


def _hidden(image: Image, marks: Marks) -> Mask:
    """What is painted over: the text with its rim, and strokes too faint for the threshold."""
    limit = max(_FAINT, _SIGMAS * _paper_noise(image, marks))
    strays = cv2.bitwise_and(_standing_out(image, limit), cv2.bitwise_not(marks.reach))
    wide = np.ones((3, 3), np.uint8)
    hidden = cv2.bitwise_or(marks.reach, cv2.dilate(strays, wide))
    return np.asarray(hidden if image.shape[0] < _LOW else cv2.dilate(hidden, wide), np.uint8)


def _paper_noise(image: Image, marks: Marks) -> float:
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    return noise(grey, cv2.bitwise_not(marks.reach))


def _standing_out(image: Image, limit: float) -> Mask:
    """Pixels that differ by more than ``limit`` grey levels from their neighbourhood, as strokes do."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    around = cv2.medianBlur(grey, 2 * (max(3, grey.shape[0] // 2) // 2) + 3)
    far = cv2.absdiff(cv2.GaussianBlur(grey, (3, 3), 0.7), around) > limit
    return np.asarray(far.astype(np.uint8) * 255, np.uint8)


def _packed(ground: Image) -> Patch:
    piece = ground[:MOST_ROWS, :MOST_COLUMNS]
    grey = np.asarray(cv2.cvtColor(piece, cv2.COLOR_BGR2GRAY), np.uint8)
    _, data = cv2.imencode(".jpg", piece, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    blue, green, red = (round(level) for level in cv2.mean(piece)[:3])
    whole: Mask = np.ones_like(grey)
    return Patch(np.asarray(data).tobytes(), (blue, green, red), round(noise(grey, whole), 2), piece.shape[0])


@lru_cache(maxsize=512)
def _opened(data: bytes) -> Image:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def lay(patch: Patch, rng: Random, height: int, width: int, colour: Colour) -> Image:
    """A ground of ``height`` x ``width`` from the patch, mirrored where it is too small, moved to ``colour``.

    Its pixels stay as large as they are, so that noise and texture keep their grain, unless it is less than
    half as high as the ground.
    """
    image = _opened(patch.data)
    if 2 * image.shape[0] < height:
        image = np.asarray(cv2.resize(image, (image.shape[1] * height // image.shape[0], height)), np.uint8)
    piece = _cut(_cut(image, rng, height, 0), rng, width, 1)
    piece = np.ascontiguousarray(piece[::-1] if rng.random() < 0.5 else piece)
    return _shifted(np.asarray(piece, np.uint8), patch.colour, colour)


def moved_to(ground: Image, colour: Colour) -> Image:
    """Any ground with its mean colour moved to ``colour``."""
    blue, green, red = (round(level) for level in cv2.mean(ground)[:3])
    return _shifted(ground, (blue, green, red), colour)


def _shifted(ground: Image, have: Colour, want: Colour) -> Image:
    moves = [new - old for new, old in zip(want, have, strict=True)]
    if not any(moves):
        return ground
    levels = np.clip(np.arange(256)[:, None] + np.array(moves)[None, :], 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(ground, levels[:, None, :]), np.uint8)


def _cut(image: Image, rng: Random, want: int, axis: int) -> Image:
    """``want`` rows (``axis`` 0) or columns from a drawn start, to and fro where there are too few."""
    have = image.shape[axis]
    if want <= have:
        start = rng.randint(0, have - want)
        return image[start : start + want] if axis == 0 else image[:, start : start + want]
    run = (np.arange(want) + rng.randrange(have)) % (2 * have)
    return np.asarray(image.take(np.where(run < have, run, 2 * have - 1 - run), axis), np.uint8)
