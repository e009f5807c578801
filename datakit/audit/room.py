"""Labels that are much longer, or much shorter, than other pictures of that width carry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from datakit.audit.check import Check
from datakit.audit.copy_checks import RowFinding
from datakit.audit.picture_table import PictureTable

# Lines of a source that an outlier is measured against, and least code points of its label.
_LEAST_LINES = 50
_LEAST_LENGTH = 3
# Robust deviations of the logarithm of the room a character has, each at least _LEAST_DEVIATION wide.
OUTLIER = 6.0
_LEAST_DEVIATION = 0.12
# The median absolute deviation of a normal distribution, as a share of its standard deviation.
_MEDIAN_DEVIATION = 0.6745


@dataclass(frozen=True, slots=True)
class Room:
    """Px a narrow character has at height 48, the median of the label file, how many deviations off."""

    each: float
    median: float
    deviations: float


def odd_room(room: Room) -> Iterator[str]:
    """Labels of another length than their picture."""
    if abs(room.deviations) > OUTLIER:
        which = "longer" if room.deviations < 0 else "shorter"
        yield (
            f"{room.each:.0f} px a character at 48 px height, {room.median:.0f} in the file: "
            f"the label may be {which} than the text in the picture"
        )


ROOM_CHECKS: dict[str, Check[Room]] = {
    "text-width-outlier": Check(
        odd_room,
        "info",
        "Does the label fit the width of its picture, as others of the file do?",
        "A label that belongs to the line above, or a crop of half a line or of two, shows in its width.",
        "look at the picture",
    ),
}


def room_findings(table: PictureTable) -> Iterator[RowFinding]:
    """A finding for every line that has far more or less room than the others of its label file."""
    rooms = table.column("rooms").astype(np.float64)
    usable = (rooms > 0) & (table.column("lengths").astype(np.int64) >= _LEAST_LENGTH)
    sources = table.column("sources").astype(np.int64)
    for source in np.unique(sources):
        rows = np.flatnonzero(usable & (sources == source))
        if len(rows) < _LEAST_LINES:
            continue
        logs = np.log(rooms[rows])
        middle = np.median(logs)
        deviation = max(_LEAST_DEVIATION, float(np.median(np.abs(logs - middle))) / _MEDIAN_DEVIATION)
        off = (logs - middle) / deviation
        for at in np.flatnonzero(np.abs(off) > OUTLIER):
            room = Room(float(rooms[rows[at]]), float(np.exp(middle)), float(off[at]))
            for code, check in ROOM_CHECKS.items():
                for message in check.run(room):
                    yield RowFinding(code, int(rows[at]), message)
