"""What is measured of a decoded picture: sharpness, contrast, and a thumbnail to know it again by."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

# The height that PP-OCR's recogniser reads lines at.
HEIGHT = 48
# The widest picture at that height; what is wider is a strip that the trainer squeezes anyway.
WIDEST = 4800
# Width and height of the thumbnail.
THUMBNAIL = (64, 12)
_SHARES = np.array([0.05, 0.95], np.float32)


@dataclass(frozen=True, slots=True)
class Features:
    """See :class:`datakit.audit.pictures.Picture`."""

    sharpness: float
    contrast: float
    spread: float
    thumbnail: bytes


def measure(grey: npt.NDArray[np.uint8]) -> Features:
    """Measure a picture of height x width, grey."""
    height, width = grey.shape
    half = min(WIDEST // 2, max(1, round(width * (HEIGHT // 2) / height)))
    # Averaging matters from half the size on, and takes three times as long.
    method = cv2.INTER_AREA if height >= 2 * HEIGHT else cv2.INTER_LINEAR
    small = cv2.resize(grey, (2 * half, HEIGHT), interpolation=method)
    edges = cv2.Laplacian(small, cv2.CV_16S)
    # By halves first: OpenCV is fastest at that.
    halved = cv2.resize(small, (half, HEIGHT // 2), interpolation=cv2.INTER_AREA)
    darkest, lightest, _, _ = cv2.minMaxLoc(halved)
    counts = cv2.calcHist([grey], [0], None, [256], [0, 256]).ravel().cumsum()
    dark, light = counts.searchsorted(_SHARES * counts[-1]).tolist()
    return Features(
        # The mean of a Laplacian is nearly 0: the mean square is its variance.
        cv2.norm(edges, cv2.NORM_L2SQR) / edges.size,
        (light - dark) / 255,
        (lightest - darkest) / 255,
        cv2.resize(halved, THUMBNAIL, interpolation=cv2.INTER_AREA).tobytes(),
    )
