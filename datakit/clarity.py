"""How clear the picture of a line is: sharpness and contrast at the height that it is read at.

Defined once: what audit says of a crop, what lines are drawn to be like, and what badcases calls poor.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

Grey = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]

# The height in px that PP-OCR's recogniser reads lines at.
HEIGHT = 48
# The widest picture at that height; what is wider is a strip that the trainer squeezes anyway.
WIDEST = 4800
_DARK, _LIGHT = np.float32(0.05), np.float32(0.95)
# From this many rows on every other one tells the percentiles.
_MANY_ROWS = 16


def scaled(grey: Grey) -> Grey:
    """A picture of height x width, grey, at :data:`HEIGHT` and of an even width."""
    height, width = grey.shape
    half = min(WIDEST // 2, max(1, round(width * (HEIGHT // 2) / height)))
    # Averaging matters from half the size on, and takes three times as long.
    method = cv2.INTER_AREA if height >= 2 * HEIGHT else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(grey, (2 * half, HEIGHT), interpolation=method), np.uint8)


def sharpness(picture: Grey) -> float:
    """Variance of the Laplacian of a picture that is :func:`scaled`."""
    # Its mean is nearly 0: the mean square will do.
    edges = cv2.Laplacian(picture, cv2.CV_16S)
    return float(cv2.norm(edges, cv2.NORM_L2SQR) / edges.size)


def contrasts(pictures: Sequence[Grey]) -> Floats:
    """(95th - 5th percentile) / 255 of each picture, which is at most :data:`HEIGHT` high."""
    rows = [picture[::2] if len(picture) >= _MANY_ROWS else picture for picture in pictures]
    counts = [cv2.calcHist([picture], [0], None, [256], [0, 256]).ravel() for picture in rows]
    reached = np.array(counts, np.float32).reshape(-1, 256).cumsum(axis=1)
    total = reached[:, -1:]
    dark, light = ((reached >= share * total).argmax(axis=1) for share in (_DARK, _LIGHT))
    found: Floats = (light - dark) / 255
    return found


def contrast(grey: Grey) -> float:
    """The same of one picture of any height, :func:`scaled` where it is higher."""
    return float(contrasts([grey if len(grey) <= HEIGHT else scaled(grey)])[0])
