"""A sketch of a picture: 80 bytes that hardly change when it is saved again, scaled, shifted or brightened.

The magnitudes of the low frequencies of the wide thumbnail: a shift changes their phase only, scaling happens
in the thumbnail, brightness is frequency 0 and contrast a factor that is divided out.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

THUMBNAIL = (64, 12)
COLUMNS, ROWS = THUMBNAIL
ACROSS = 16
DOWN = 2
LENGTH = ACROSS * (2 * DOWN + 1)
# A component of 0.5 of a sketch of length 1 is 255; few are larger.
SCALE = 510.0

Sketches = npt.NDArray[np.uint8]


def _vertical() -> npt.NDArray[np.float32]:
    """The mean over the rows, and cosine and sine of each frequency down."""
    angles = 2 * np.pi * np.arange(ROWS) / ROWS
    waves = [np.ones(ROWS)]
    for frequency in range(1, DOWN + 1):
        waves += [np.cos(frequency * angles), np.sin(frequency * angles)]
    return np.array(waves, np.float32)


_VERTICAL = _vertical()


def sketches(thumbnails: bytes | bytearray) -> Sketches:
    """The sketches, n x 80, of n thumbnails of 64 x 12 grey values, one behind the other."""
    grey = np.frombuffer(thumbnails, np.uint8).reshape(-1, ROWS, COLUMNS).astype(np.float32)
    waves = np.fft.rfft(_VERTICAL @ grey, axis=2)[:, :, :ACROSS]
    rows = [waves[:, 0]]
    for frequency in range(DOWN):
        cosine, sine = waves[:, 2 * frequency + 1], waves[:, 2 * frequency + 2]
        rows += [cosine + 1j * sine, cosine - 1j * sine]
    strength = np.abs(np.stack(rows, axis=1)).reshape(-1, LENGTH)
    # The brightness.
    strength[:, 0] = 0
    # Roots, so that a few strong waves do not decide alone.
    root = np.sqrt(strength)
    length = np.sqrt((root**2).sum(axis=1, keepdims=True))
    scaled = root / np.maximum(length, 1e-6) * SCALE
    rounded: Sketches = np.minimum(np.rint(scaled), 255).astype(np.uint8)
    return rounded
