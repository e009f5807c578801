"""The pictures of the plain lines of a chunk: what the checks on shape ask, for all lines at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from datakit.audit.columns import Columns, Ints, Mask
from datakit.audit.looks import Looks
from datakit.audit.pictures import Picture
from datakit.audit.settings import Settings
from datakit.audit.shape_checks import (
    BLURRED,
    DENSE,
    HEIGHT,
    LEAST_CONTRAST,
    ROUNDING,
    SLIM,
    TINY,
    UPRIGHT,
    char_units,
)

Floats = npt.NDArray[np.float64]
# Against rounding: the check itself decides.
_SLACK = 1 + 1e-9
_NEWLINE = 10


@dataclass(frozen=True, slots=True)
class PlainPictures:
    """One entry a plain line, which has one picture: size in px, sharpness, contrast, code points of the
    text, px a narrow character has (see :func:`datakit.audit.shape_checks.room`).

    ``odd`` are the pictures in full that a check on pictures may say something about, by plain line;
    ``usable`` False where the picture has a fault.
    """

    widths: Ints
    heights: Ints
    sharpness: Floats
    contrast: Floats
    lengths: Ints
    rooms: Floats
    usable: Mask
    odd: dict[int, Picture]

    @property
    def faults(self) -> dict[int, str]:
        """The fault of every line whose picture cannot be used."""
        return {row: picture.fault for row, picture in self.odd.items() if picture.fault}

    def picture(self, row: int, image: str) -> Picture:
        """The picture of one line, as far as checks ask for it."""
        known = self.odd.get(row)
        if known is not None:
            return known
        size = int(self.widths[row]), int(self.heights[row])
        values = float(self.sharpness[row]), float(self.contrast[row])
        return Picture(image, *size, sharpness=values[0], contrast=values[1])


def plain_pictures(columns: Columns, looks: Looks, places: Ints) -> PlainPictures:
    """``places`` is the number among ``looks`` of every plain line's picture."""
    widths, heights = looks.widths[places].astype(np.int64), looks.heights[places].astype(np.int64)
    if len(places) == len(looks.widths):
        odd = dict(looks.odd)
    else:
        rows = dict(zip(places.tolist(), range(len(places)), strict=True))
        odd = {rows[at]: picture for at, picture in looks.odd.items() if at in rows}
    usable = np.ones(len(places), bool)
    usable[[row for row, picture in odd.items() if picture.fault]] = False
    return PlainPictures(
        widths,
        heights,
        looks.sharpness[places],
        looks.contrast[places],
        columns.lengths,
        _rooms(widths, heights, _units(columns)),
        usable,
        dict(sorted(odd.items())),
    )


def _units(columns: Columns) -> Ints:
    """The units of every text, see :func:`datakit.audit.shape_checks.units`."""
    if len(columns.counts) <= 128 or not len(columns.firsts):
        return columns.lengths
    seen = np.flatnonzero(columns.counts)
    table = np.zeros(len(columns.counts), np.uint8)
    table[seen] = [char_units(chr(code)) for code in seen.tolist()]
    table[_NEWLINE] = 0
    found: Ints = np.add.reduceat(table[columns.codes], columns.firsts, dtype=np.int64)
    return found


def _rooms(widths: Ints, heights: Ints, units: Ints) -> Floats:
    rooms = np.zeros(len(widths))
    # A picture with a fault is 0 px wide.
    some = (units > 0) & (widths > 0) & (heights > 0) & (heights <= UPRIGHT * widths)
    rooms[some] = widths[some] * HEIGHT / heights[some] / units[some]
    return rooms


def _tiny(seen: PlainPictures, _settings: Settings) -> Mask:
    least = np.where(seen.lengths <= 1, SLIM, TINY)
    found: Mask = seen.usable & ((seen.heights < TINY) | (seen.widths < least))
    return found


def _upright(seen: PlainPictures, _settings: Settings) -> Mask:
    found: Mask = seen.usable & (seen.lengths > 1) & (seen.heights > UPRIGHT * seen.widths)
    return found


def _squeezed(seen: PlainPictures, settings: Settings) -> Mask:
    _, height, width = settings.image_shape
    found: Mask = seen.usable & (seen.widths * height / np.maximum(seen.heights, 1) > width)
    return found


def _blurred(seen: PlainPictures, _settings: Settings) -> Mask:
    edges = np.maximum(0.0, seen.sharpness - ROUNDING)
    weak = edges <= BLURRED * seen.contrast**2 * _SLACK
    found: Mask = seen.usable & weak & (seen.contrast >= LEAST_CONTRAST) & (seen.heights >= TINY)
    return found


def _dense(seen: PlainPictures, _settings: Settings) -> Mask:
    found: Mask = (seen.rooms > 0) & (seen.rooms <= DENSE * _SLACK)
    return found


# The lines on which the check of the same id yields, exactly.
EXACT_SHAPES: dict[str, Callable[[PlainPictures, Settings], Mask]] = {
    "image-tiny": _tiny,
    "image-upright": _upright,
    "image-squeezed": _squeezed,
}
# Lines among which are all that the check of the same id yields on.
POSSIBLE_SHAPES: dict[str, Callable[[PlainPictures, Settings], Mask]] = {
    "image-blurred": _blurred,
    "text-dense": _dense,
}
