"""Two real crops of one set side by side: a line with a space that nobody had to render (the FAQ's way)."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from datakit.effects import Image
from datakit.images import read_bgr

# A picture lower than this is enlarged when the other one allows it.
MIN_HEIGHT = 32
JPEG_QUALITY = 95
_STRIP = 0.25
_MOST_NOISE = 10.0
_Floats = npt.NDArray[np.float64]


class Joined(NamedTuple):
    """The picture, and the px of the gap between the two."""

    image: Image
    gap: int


def join_height(first: int, second: int) -> int:
    """The height at which two pictures are joined: the lower one's, but 32 px where the other has as many."""
    return max(min(first, second), min(MIN_HEIGHT, max(first, second)))


def join_files(first: Path, second: Path, rng: Random) -> Joined:
    """The pictures of two files side by side, see :func:`join_pictures`.

    Raises:
        InputError: one of them cannot be read.
    """
    pictures = [np.asarray(read_bgr(path), np.uint8) for path in (first, second)]
    return join_pictures(pictures[0], pictures[1], rng)


def join_pictures(first: Image, second: Image, rng: Random) -> Joined:
    """``first``, a gap, ``second``, at one height.

    The gap is 0.25 to 0.6 heights wide: it runs from the ground at the right edge of the first to that at
    the left edge of the second, row by row, with as much noise as they have. No pixel of the two is
    painted over.
    """
    height = join_height(first.shape[0], second.shape[0])
    left, right = _scaled(first, height), _scaled(second, height)
    gap = max(3, round(height * rng.uniform(0.25, 0.6)))
    strip = max(2, round(_STRIP * height))
    start, noise_left = edge_ground(left, slice(-strip, None))
    end, noise_right = edge_ground(right, slice(0, strip))
    share = (np.arange(gap) + 0.5) / gap
    share = (share * share * (3 - 2 * share))[None, :, None]
    filled = start[:, None, :] * (1 - share) + end[:, None, :] * share
    grain = np.random.default_rng(rng.getrandbits(64)).normal(0.0, 1.0, (height, gap, 1))
    filled += grain * (noise_left * (1 - share) + noise_right * share)
    between = np.clip(np.rint(filled), 0, 255).astype(np.uint8)
    return Joined(np.ascontiguousarray(np.hstack([left, between, right])), gap)


def _scaled(image: Image, height: int) -> Image:
    if image.shape[0] == height:
        return image
    width = max(1, round(image.shape[1] * height / image.shape[0]))
    way = cv2.INTER_AREA if height < image.shape[0] else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, (width, height), interpolation=way), np.uint8)


def bare(image: Image) -> npt.NDArray[np.bool_]:
    """Where a picture of a line shows its ground: the side of Otsu's threshold that its edges are on."""
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    middle, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    ink = grey <= middle if np.median(edge) > middle else grey > middle
    # Not the soft edges of the strokes either.
    wide = cv2.dilate(ink.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return np.asarray(~wide if not wide.all() else ~ink)


def ground_colour(image: Image) -> tuple[float, float, float]:
    """The median blue, green and red of the ground."""
    ground = bare(image)
    pixels = image[ground] if ground.any() else image.reshape(-1, 3)
    blue, green, red = np.median(pixels, axis=0)
    return float(blue), float(green), float(red)


def edge_ground(image: Image, columns: slice) -> tuple[_Floats, float]:
    """Colour of the ground in every row of these ``columns`` of ``image`` (rows x 3), and its noise.

    Rows that are all ink take the ground of the rows around them; a strip without any takes the picture's.
    """
    whole = bare(image)
    strip, ground = image[:, columns], whole[:, columns]
    rows = np.flatnonzero(ground.any(axis=1))
    if not rows.size:
        return np.tile(np.array(ground_colour(image), np.float64), (len(image), 1)), 0.0
    means = np.stack([strip[row][ground[row]].mean(axis=0) for row in rows])
    every = np.stack([np.interp(np.arange(len(image)), rows, means[:, channel]) for channel in range(3)], 1)
    reach = 2 * round(0.12 * len(image)) + 1
    smooth = cv2.blur(every[:, None, :], (1, reach), borderType=cv2.BORDER_REPLICATE)[:, 0, :]
    rest = strip.astype(np.float64).mean(axis=2) - smooth.mean(axis=1, keepdims=True)
    return np.asarray(smooth, np.float64), float(min(_MOST_NOISE, rest[ground].std()))


def joined_params(names: tuple[str, str], done: Joined) -> dict[str, Any]:
    """What is kept of a joined line; it has no font, preset, look or background of its own."""
    plain = {"font": "", "preset": "", "look": "", "background": "", "colour": {"flattened": 1.0}}
    return {**plain, "redrawn": False, "joined": list(names), "gap": done.gap, "height": done.image.shape[0]}
