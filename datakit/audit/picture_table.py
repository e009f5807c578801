"""What is kept of all pictures of all lines, for the checks that look at them together: arrays, no objects.

About 180 bytes a picture, most of it the sketch and the path. Pieces of a run fill tables of their own, which
pickle as arrays; the parent adds them up in the order of the lines.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from datakit.audit.looks import Looks
from datakit.audit.pictures import Picture
from datakit.audit.shape_checks import room
from datakit.audit.sketches import LENGTH, Sketches, sketches
from datakit.audit.stats import PictureStats

# Thumbnails that wait to be made sketches of.
_WAITING = 512
# Pixels that are kept to be compared: those of some 20,000 crops.
KEPT_BYTES = 128 * 1024 * 1024


@dataclass(slots=True)
class Strings:
    """Strings one behind the other, as UTF-8."""

    data: bytearray = field(default_factory=bytearray)
    ends: array[int] = field(default_factory=lambda: array("q", [0]))

    def append(self, text: str) -> None:
        """Add one."""
        self.data += text.encode("utf-8", "surrogatepass")
        self.ends.append(len(self.data))

    def extend(self, other: Strings) -> None:
        """Add those of ``other``."""
        base = len(self.data)
        self.data += other.data
        self.ends.extend(end + base for end in other.ends[1:])

    def extend_encoded(self, texts: Sequence[bytes]) -> None:
        """Add those that are UTF-8 already."""
        ends = np.cumsum([len(text) for text in texts], dtype=np.int64) + len(self.data)
        self.data += b"".join(texts)
        self.ends.frombytes(ends.tobytes())

    def __len__(self) -> int:
        return len(self.ends) - 1

    def __getitem__(self, at: int) -> str:
        return self.data[self.ends[at] : self.ends[at + 1]].decode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a picture stands: number of the label source, line from 1, path and text as in the label file."""

    source: int
    line: int
    image: str
    text: str


@dataclass(frozen=True, slots=True)
class Rows:
    """Usable pictures of lines of a source: their numbers ``at`` among ``looks``, and for each its line, its
    path and the label in UTF-8, code points of the label, and room.
    """

    source: int
    looks: Looks
    at: npt.NDArray[np.int64]
    lines: npt.NDArray[np.int64]
    images: Sequence[bytes]
    texts: Sequence[bytes]
    lengths: npt.NDArray[np.int64]
    rooms: npt.NDArray[np.float64]


def _ints(kind: str) -> array[int]:
    return array(kind)


def _floats() -> array[float]:
    return array("f")


@dataclass(slots=True)
class PictureTable:
    """One row for each usable picture of a line, in the order of the lines.

    ``lengths`` are code points of the label, ``rooms`` px a narrow character at height 48 (see
    :func:`datakit.audit.shape_checks.room`), ``blanks`` 1 for pictures with nothing on them. ``digests`` is 0
    and the sketch zeros where only the header was read. ``greys`` holds pixels by row, of ``kept`` bytes, as
    long as there is room: two pictures that have to be compared are then not decoded again.
    """

    sources: array[int] = field(default_factory=lambda: _ints("i"))
    lines: array[int] = field(default_factory=lambda: _ints("q"))
    widths: array[int] = field(default_factory=lambda: _ints("i"))
    heights: array[int] = field(default_factory=lambda: _ints("i"))
    lengths: array[int] = field(default_factory=lambda: _ints("i"))
    rooms: array[float] = field(default_factory=_floats)
    sharpness: array[float] = field(default_factory=_floats)
    contrast: array[float] = field(default_factory=_floats)
    blanks: array[int] = field(default_factory=lambda: _ints("b"))
    digests: array[int] = field(default_factory=lambda: _ints("Q"))
    images: Strings = field(default_factory=Strings)
    texts: Strings = field(default_factory=Strings)
    greys: dict[int, npt.NDArray[np.uint8]] = field(default_factory=dict)
    kept: int = 0
    _sketches: bytearray = field(default_factory=bytearray)
    _thumbnails: list[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.lines)

    def append(self, source: int, line: int, text: str, picture: Picture) -> None:
        """Add a picture of a line; one that cannot be used is left out."""
        if picture.fault:
            return
        self.sources.append(source)
        self.lines.append(line)
        self.widths.append(picture.width)
        self.heights.append(picture.height)
        self.lengths.append(len(text))
        self.rooms.append(room(picture, text))
        self.sharpness.append(picture.sharpness)
        self.contrast.append(picture.contrast)
        self.blanks.append(picture.blank)
        self.digests.append(picture.digest)
        self.images.append(picture.image)
        self.texts.append(text)
        self._thumbnails.append(picture.thumbnail)
        if len(self._thumbnails) >= _WAITING:
            self.seal()

    def extend_rows(self, rows: Rows) -> None:
        """Add rows that are arrays already."""
        self.seal()
        looks, at = rows.looks, rows.at
        numbers = enumerate(at.tolist(), start=len(self))
        self._keep((row, looks.greys[n]) for row, n in numbers if n in looks.greys)
        columns: dict[str, npt.ArrayLike] = {
            "sources": np.full(len(at), rows.source),
            "lines": rows.lines,
            "widths": looks.widths[at],
            "heights": looks.heights[at],
            "lengths": rows.lengths,
            "rooms": rows.rooms,
            "sharpness": looks.sharpness[at],
            "contrast": looks.contrast[at],
            "blanks": [number in looks.odd and looks.odd[number].blank for number in at.tolist()],
            "digests": looks.digests[at],
        }
        for name, values in columns.items():
            column = getattr(self, name)
            column.frombytes(np.asarray(values).astype(column.typecode).tobytes())
        self.images.extend_encoded(rows.images)
        self.texts.extend_encoded(rows.texts)
        self._sketches += looks.sketches[at].tobytes()

    def seal(self) -> None:
        """Make sketches of the thumbnails that wait: to be called before a table is pickled."""
        seen = [thumbnail for thumbnail in self._thumbnails if thumbnail]
        made = iter(sketches(b"".join(seen))) if seen else iter(())
        for thumbnail in self._thumbnails:
            self._sketches += next(made).tobytes() if thumbnail else bytes(LENGTH)
        self._thumbnails.clear()

    def extend(self, other: PictureTable) -> None:
        """Add the rows of later lines."""
        other.seal()
        self.seal()
        self._keep((len(self) + row, grey) for row, grey in other.greys.items())
        for name in _ARRAYS:
            getattr(self, name).extend(getattr(other, name))
        self.images.extend(other.images)
        self.texts.extend(other.texts)
        self._sketches += other._sketches

    @property
    def has_room(self) -> bool:
        """Whether it would keep more pixels."""
        return self.kept < KEPT_BYTES

    def _keep(self, greys: Iterable[tuple[int, npt.NDArray[np.uint8]]]) -> None:
        for row, grey in greys:
            if self.has_room:
                self.greys[row] = grey
                self.kept += grey.nbytes

    @property
    def sketches(self) -> Sketches:
        """n x 80; a copy, so that rows can still be added."""
        self.seal()
        return np.array(np.frombuffer(self._sketches, np.uint8)).reshape(-1, LENGTH)

    def place(self, row: int) -> Place:
        """Where row ``row`` stands."""
        return Place(self.sources[row], self.lines[row], self.images[row], self.texts[row])

    def column(self, name: str) -> npt.NDArray[np.generic]:
        """A column as numpy array of its own kind; a copy."""
        return np.array(getattr(self, name))

    def stats(self, source: int | None = None) -> PictureStats:
        """The pictures of one source, or of all."""
        rows = slice(None) if source is None else np.asarray(self.column("sources") == source)
        return PictureStats(
            self.column("widths")[rows].astype(np.int32),
            self.column("heights")[rows].astype(np.int32),
            self.column("lengths")[rows].astype(np.int32),
            self.column("sharpness")[rows].astype(np.float32),
            self.column("contrast")[rows].astype(np.float32),
        )


_ARRAYS = (
    "sources",
    "lines",
    "widths",
    "heights",
    "lengths",
    "rooms",
    "sharpness",
    "contrast",
    "blanks",
    "digests",
)
