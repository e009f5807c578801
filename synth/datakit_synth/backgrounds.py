"""The ground that a line stands on: plain, gradient, paper, photo-like fields, or crops of the user's photos.

Procedural grounds are cut from a few large textures made once a process from a fixed seed; what is cut,
and how it is coloured, comes from the sample's own generator.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from random import Random

import cv2
import numpy as np
import numpy.typing as npt

from datakit.effects import Image
from datakit.errors import InputError, UsageError
from datakit.images import read_bgr

_WIDTH, _HEIGHT = 1536, 512
_TEXTURES = 6
# A photo is kept at no more than this side: lines are 64 px high at most, and a worker keeps many photos.
PHOTO_SIDE = 800
PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"})


def _smooth_noise(
    random: np.random.Generator, cell: int, channels: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    rows, columns = _HEIGHT // cell + 2, _WIDTH // cell + 2
    coarse = random.random((rows, columns, channels), np.float32)
    fine = cv2.resize(coarse, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray(fine, np.float32).reshape(_HEIGHT, _WIDTH, channels)


@lru_cache(maxsize=_TEXTURES)
def _paper_texture(number: int) -> Image:
    """Grey paper around 128: fibres, blotches and a few folds; coloured when it is cut."""
    random = np.random.default_rng([1, number])
    grain = random.normal(0.0, 1.0, (_HEIGHT, _WIDTH)).astype(np.float32)
    fibres = np.asarray(cv2.GaussianBlur(grain, (0, 0), 2.0 + number % 3, sigmaY=0.7))
    level: npt.NDArray[np.float32] = (
        128 + 2.0 * grain + 14 * fibres + 14 * (_smooth_noise(random, 128, 1)[:, :, 0] - 0.5)
    )
    for _ in range(number % 3 * 2):
        x = int(random.integers(_WIDTH))
        fold = np.exp(-np.abs(np.arange(_WIDTH) - x) / 6.0) * random.uniform(-18, 18)
        level += fold.astype(np.float32)[None, :]
    return np.clip(level, 0, 255).astype(np.uint8)


@lru_cache(maxsize=_TEXTURES)
def _field_texture(number: int) -> Image:
    """Smooth colour fields at several scales, blurred shapes, grain and shadow: like a photo out of focus."""
    random = np.random.default_rng([2, number])
    level = np.zeros((_HEIGHT, _WIDTH, 3), np.float32)
    for cell, strength in ((256, 110.0), (64, 40.0), (16, 14.0)):
        shade, tint = _smooth_noise(random, cell, 1), _smooth_noise(random, cell, 3)
        # In place: an array of this size takes longer to make than to fill.
        tint *= 0.5
        tint += shade
        tint /= 1.5
        tint -= 0.5
        tint *= strength
        level += tint
    shapes = np.zeros((_HEIGHT, _WIDTH, 3), np.float32)
    for _ in range(40):
        x, y = int(random.integers(_WIDTH)), int(random.integers(_HEIGHT))
        size = (int(random.integers(20, 300)), int(random.integers(10, 160)))
        colour = [float(value) for value in random.uniform(-40, 40, 3)]
        cv2.ellipse(shapes, (x, y), size, float(random.uniform(0, 180)), 0, 360, colour, -1)
    level += np.asarray(cv2.GaussianBlur(shapes, (0, 0), 1.0 + 2.5 * (number % 3)))
    level += random.normal(0.0, 2.5, (_HEIGHT, _WIDTH, 1)).astype(np.float32)
    level += 128
    return np.clip(level, 0, 255, out=level).astype(np.uint8)


def _window(texture: Image, rng: Random, height: int, width: int) -> Image:
    """A piece of the texture at 0.5 to 1.5 times its scale, turned over at random."""
    scale = min(rng.uniform(0.5, 1.5), texture.shape[0] / height)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    columns = min(columns, texture.shape[1])
    y, x = rng.randint(0, texture.shape[0] - rows), rng.randint(0, texture.shape[1] - columns)
    piece = cv2.resize(
        texture[y : y + rows, x : x + columns], (width, height), interpolation=cv2.INTER_LINEAR
    )
    flip = rng.randrange(4)
    return np.asarray(piece if flip == 3 else cv2.flip(piece, flip - 1), np.uint8)


def _colour(rng: Random, low: int, high: int, tint: int) -> tuple[int, int, int]:
    level = rng.randint(low, high)
    blue, green, red = (max(0, min(255, level + rng.randint(-tint, tint))) for _ in range(3))
    return blue, green, red


def _any_colour(rng: Random) -> tuple[int, int, int]:
    """Mostly paper and screens (light), sometimes dark or coloured."""
    kind = rng.random()
    if kind < 0.6:
        return _colour(rng, 190, 250, 8)
    return _colour(rng, 10, 90, 20) if kind < 0.75 else _colour(rng, 60, 210, 60)


def _coloured(grey: Image, colour: tuple[int, int, int], contrast: float) -> Image:
    """Grey texture around 128 -> BGR around ``colour``."""
    steps = (np.arange(256, dtype=np.float32) - 128.0) * contrast
    tables = [np.clip(steps + level, 0, 255).astype(np.uint8) for level in colour]
    return np.asarray(cv2.merge([cv2.LUT(grey, table) for table in tables]), np.uint8)


def plain(rng: Random, height: int, width: int, photos: tuple[str, ...]) -> Image:
    """One colour."""
    return np.full((height, width, 3), _any_colour(rng), np.uint8)


def gradient(rng: Random, height: int, width: int, photos: tuple[str, ...]) -> Image:
    """One colour running into a like one, along the line or across it."""
    start = _any_colour(rng)
    end = tuple(max(0, min(255, level + rng.randint(-45, 45))) for level in start)
    corners = np.array(
        [[start, end], [start, end]] if rng.random() < 0.7 else [[start, start], [end, end]], np.uint8
    )
    return np.asarray(cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def paper(rng: Random, height: int, width: int, photos: tuple[str, ...]) -> Image:
    """Paper, white to brownish, with fibres, blotches and folds."""
    piece = _window(_paper_texture(rng.randrange(_TEXTURES)), rng, height, width)
    level = rng.randint(185, 248)
    warm = rng.randint(0, 26) if rng.random() < 0.5 else rng.randint(0, 6)
    return _coloured(piece, (max(0, level - warm), max(0, level - warm // 3), level), rng.uniform(0.5, 1.6))


def field(rng: Random, height: int, width: int, photos: tuple[str, ...]) -> Image:
    """Photo-like: colour fields, soft shapes, grain; brightness and contrast vary."""
    piece = _window(_field_texture(rng.randrange(_TEXTURES)), rng, height, width)
    levels = (np.arange(256) - 128.0) * rng.uniform(0.35, 1.0) + rng.choice((60, 110, 150, 185, 200))
    return np.asarray(cv2.LUT(piece, np.clip(levels, 0, 255).astype(np.uint8)), np.uint8)


@lru_cache(maxsize=128)
def load_photo(path: str) -> Image:
    """A user's photo, at most :data:`PHOTO_SIDE` px on its longer side.

    Raises:
        InputError: the file is no picture that datakit reads.
    """
    image = read_bgr(Path(path))
    scale = PHOTO_SIDE / max(image.shape[:2])
    if scale < 1.0:
        size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    return image


def photo(rng: Random, height: int, width: int, photos: tuple[str, ...]) -> Image:
    """A crop of one of the user's photos, enlarged where the photo is smaller than the line."""
    image = load_photo(photos[rng.randrange(len(photos))])
    rows = min(image.shape[0], round(height * rng.uniform(0.6, 1.6)) + 1)
    columns = min(image.shape[1], round(width * rng.uniform(0.6, 1.3)) + 1)
    y, x = rng.randint(0, image.shape[0] - rows), rng.randint(0, image.shape[1] - columns)
    piece = cv2.resize(image[y : y + rows, x : x + columns], (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.flip(piece, 1) if rng.random() < 0.5 else piece, np.uint8)


Ground = Callable[[Random, int, int, tuple[str, ...]], Image]
GROUNDS: dict[str, Ground] = {
    "plain": plain,
    "gradient": gradient,
    "paper": paper,
    "field": field,
    "photo": photo,
}
PROCEDURAL = ("plain", "gradient", "paper", "field")
_TEXTURED = {"paper": _paper_texture, "field": _field_texture}
# Cut from the user's own crops, see :mod:`datakit_synth.patches`.
OWN = "own"


def warm_grounds(kinds: tuple[str, ...]) -> None:
    """Make the textures of ``kinds`` now: they are half a second of a process's first lines."""
    for kind, texture in _TEXTURED.items():
        for number in range(_TEXTURES if kind in kinds else 0):
            texture(number)


def check_grounds(kinds: tuple[str, ...], photos: tuple[str, ...], *, own: bool = False) -> None:
    """Refuse what cannot be drawn; ``own``: whether there is a style, which kind ``own`` comes from.

    Raises:
        UsageError: an unknown kind, none at all, ``photo`` without photos, or ``own`` without a style.
    """
    known = ", ".join((*GROUNDS, OWN))
    if not kinds:
        raise UsageError(f"no background kind is chosen; there are {known}")
    for kind in kinds:
        if kind not in GROUNDS and kind != OWN:
            raise UsageError(f"there is no background kind {kind!r}; there are {known}")
    if OWN in kinds and not own:
        raise UsageError("background kind 'own' is cut from your crops: name them with --style-from")
    if "photo" in kinds and not photos:
        raise UsageError("background kind 'photo' needs photos: give a folder of them with --backgrounds")


def find_photos(folder: Path, limit: int = 120) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Up to ``limit`` readable photos spread evenly over the sorted ``folder``, and why others are not.

    Every one of them is decoded once here, so that a broken photo is named before anything is rendered.

    Raises:
        InputError: the folder is missing or holds no readable photo.
    """
    if not folder.is_dir():
        raise InputError("no such folder of backgrounds", file=folder)
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in PHOTO_SUFFIXES and p.is_file())
    chosen = found if len(found) <= limit else [found[k * len(found) // limit] for k in range(limit)]
    usable, broken = [], []
    for path in chosen:
        try:
            load_photo(str(path))
            usable.append(str(path))
        except InputError as error:
            broken.append(str(error))
    if not usable:
        reason = f"; {broken[0]}" if broken else ""
        raise InputError(f"holds no picture that can be a background{reason}", file=folder)
    return tuple(usable), tuple(broken)
