"""What is measured of decoded pictures: sharpness, contrast, and a thumbnail to know each again by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from datakit.audit.sketches import THUMBNAIL

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

# The height that PP-OCR's recogniser reads lines at.
HEIGHT = 48
# The widest picture at that height; what is wider is a strip that the trainer squeezes anyway.
WIDEST = 4800
_DARK, _LIGHT = np.float32(0.05), np.float32(0.95)


@dataclass(frozen=True, slots=True)
class Features:
    """One entry a picture, see :class:`datakit.audit.pictures.Picture`; ``thumbnails`` are one behind the
    other.
    """

    sharpness: Floats
    contrast: Floats
    spread: Floats
    thumbnails: bytes


def measure(greys: Sequence[Grey]) -> Features:
    """Measure pictures of height x width, grey.

    Step by step over all of them: the code of one step stays in the core's cache, which for crops of a line
    is a third of the time.
    """
    scaled = [_scaled(grey) for grey in greys]
    # By halves first: OpenCV is fastest at that.
    halved = [_halved(picture) for picture in scaled]
    # The mean of a Laplacian is nearly 0: the mean square is its variance.
    edges = [_mean_square(cv2.Laplacian(picture, cv2.CV_16S)) for picture in scaled]
    ranges = np.array([cv2.minMaxLoc(picture)[:2] for picture in halved]).reshape(-1, 2)
    thumbnails = [_thumbnail(picture).tobytes() for picture in halved]
    return Features(
        np.array(edges, np.float64),
        _contrasts([grey if len(grey) <= HEIGHT else low for grey, low in zip(greys, scaled, strict=True)]),
        (ranges[:, 1] - ranges[:, 0]) / 255,
        b"".join(thumbnails),
    )


def _mean_square(edges: npt.NDArray[np.int16]) -> float:
    return cv2.norm(edges, cv2.NORM_L2SQR) / edges.size


def _scaled(grey: Grey) -> Grey:
    """At height 48, of an even width."""
    height, width = grey.shape
    half = min(WIDEST // 2, max(1, round(width * (HEIGHT // 2) / height)))
    # Averaging matters from half the size on, and takes three times as long.
    method = cv2.INTER_AREA if height >= 2 * HEIGHT else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (2 * half, HEIGHT), interpolation=method))


def _halved(picture: Grey) -> Grey:
    height, width = picture.shape
    return np.asarray(cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA))


def _thumbnail(picture: Grey) -> Grey:
    return np.asarray(cv2.resize(picture, THUMBNAIL, interpolation=cv2.INTER_AREA))


def _contrasts(pictures: Sequence[Grey]) -> Floats:
    """(95th - 5th percentile) / 255 of each."""
    counts = [cv2.calcHist([picture], [0], None, [256], [0, 256]).ravel() for picture in pictures]
    reached = np.array(counts, np.float32).reshape(-1, 256).cumsum(axis=1)
    total = reached[:, -1:]
    dark, light = ((reached < share * total).sum(axis=1) for share in (_DARK, _LIGHT))
    found: Floats = (light - dark) / 255
    return found
