"""A chunk between the two halves of its way: taken apart, its pictures listed and not yet looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from datakit.audit.chunks import Chunk
from datakit.audit.columns import Columns, Ints
from datakit.audit.looks import Looks
from datakit.audit.picture_table import Rows
from datakit.audit.pictures import Picture
from datakit.audit.shape_checks import room
from datakit.labels import LabelFault, RecLine


@dataclass(frozen=True, slots=True)
class Prepared:
    """A chunk, its plain lines, what its other lines are, and the pictures of all in their order.

    ``plain_images`` has the number of the picture of every plain line, ``odd_images`` that of the first
    picture of every other line.
    """

    chunk: Chunk
    columns: Columns
    entries: list[RecLine | LabelFault]
    images: list[str]
    plain_images: Ints
    odd_images: Ints

    def odd_pictures(self, looks: Looks) -> tuple[tuple[Picture, ...], ...]:
        """The pictures of every line that is not plain."""
        found = []
        for entry, first in zip(self.entries, self.odd_images.tolist(), strict=True):
            images = entry.images if isinstance(entry, RecLine) else ()
            found.append(tuple(looks.picture(first + at, image) for at, image in enumerate(images)))
        return tuple(found)


def prepared(
    chunk: Chunk, columns: Columns, entries: list[RecLine | LabelFault], *, with_images: bool
) -> Prepared:
    """List the pictures of a chunk; none where nobody will look at them."""
    if not with_images:
        nothing = np.zeros(0, np.int64)
        return Prepared(chunk, columns, entries, [], nothing, nothing)
    counts = np.ones(len(columns.ends), np.int64)
    counts[columns.odd] = [len(entry.images) if isinstance(entry, RecLine) else 0 for entry in entries]
    firsts = np.cumsum(counts) - counts
    images = [""] * int(counts.sum())
    plain = firsts[columns.plain]
    for at, image in zip(plain.tolist(), _pieces(chunk, *_paths(columns)), strict=True):
        images[at] = image.decode()
    odd = firsts[columns.odd]
    for at, entry in zip(odd.tolist(), entries, strict=True):
        if isinstance(entry, RecLine):
            images[at : at + len(entry.images)] = entry.images
    return Prepared(chunk, columns, entries, images, plain, odd)


def picture_rows(part: Prepared, looks: Looks, rooms: npt.NDArray[np.float64], source: int) -> Rows:
    """The usable pictures of a chunk as rows of a table; ``rooms`` are those of the plain lines."""
    columns, chunk, count = part.columns, part.chunk, len(part.images)
    texts, paths = [b""] * count, [b""] * count
    lines, lengths = np.zeros(count, np.int64), np.zeros(count, np.int64)
    every = np.zeros(count)
    plain = part.plain_images
    lines[plain], lengths[plain], every[plain] = chunk.first + columns.plain, columns.lengths, rooms
    text_ends = columns.ends[columns.plain] - columns.returns
    pieces = zip(_pieces(chunk, *_paths(columns)), _pieces(chunk, columns.tabs + 1, text_ends), strict=True)
    for at, (path, text) in zip(plain.tolist(), pieces, strict=True):
        paths[at], texts[at] = path, text
    for first, entry in zip(part.odd_images.tolist(), part.entries, strict=True):
        if isinstance(entry, RecLine):
            for at, image in enumerate(entry.images, start=first):
                paths[at], texts[at] = _encoded(image), _encoded(entry.text)
                lines[at], lengths[at] = entry.line, len(entry.text)
                every[at] = room(looks.picture(at, image), entry.text)
    usable = np.ones(count, bool)
    usable[[at for at, picture in looks.odd.items() if picture.fault]] = False
    at_ = np.flatnonzero(usable)
    if len(at_) < count:
        paths, texts = ([pieces_[at] for at in at_.tolist()] for pieces_ in (paths, texts))
    return Rows(source, looks, at_, lines[at_], paths, texts, lengths[at_], every[at_])


def _paths(columns: Columns) -> tuple[Ints, Ints]:
    return columns.starts[columns.plain], columns.tabs


def _pieces(chunk: Chunk, starts: Ints, ends: Ints) -> Sequence[bytes]:
    data = chunk.data
    return [data[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
