"""Failures put by on disk, so that memory does not grow with them."""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterator
from typing import IO, Any, NamedTuple

from datakit.badcases.pictures import PictureFacts
from datakit.records import Prediction

Pair = tuple[str, str]
# Failures that are written, and read back, in one piece: a call a failure takes three times as long.
BLOCK = 256


class Failed(NamedTuple):
    """A line that was not read as labelled, and what the first pass found out about it.

    ``place`` counts the input's lines from 0, ``second`` is what another model read. ``label`` and ``text``
    are folded; ``agreed`` says that they are equal, ``pairs`` holds the (expected, read) characters where
    they are not.
    """

    prediction: Prediction
    place: int
    facts: PictureFacts | None = None
    second: str | None = None
    agreed: bool = False
    label: str = ""
    text: str = ""
    pairs: tuple[Pair, ...] = ()


class Spool:
    """Failures in order; an unnamed temporary file that goes with the object."""

    def __init__(self) -> None:
        self._stream: IO[bytes] = tempfile.TemporaryFile(prefix="datakit-badcases-")  # noqa: SIM115
        self._block: list[tuple[Any, ...]] = []
        self._sizes: list[int] = []
        self.count = 0

    def add(self, failed: Failed) -> None:
        """Append one failure."""
        p, f = failed.prediction, failed.facts
        fields = (p.file, p.line, p.image, p.label, p.text, p.error, p.score, p.char_scores)
        facts = None if f is None else (f.width, f.height, f.sharpness, f.contrast, f.ink_left, f.ink_right)
        self._block.append((fields, failed.place, facts, *failed[3:]))
        self.count += 1
        if len(self._block) == BLOCK:
            self._sizes.append(self._stream.write(marshal.dumps(self._block)))
            self._block = []

    def __iter__(self) -> Iterator[Failed]:
        place = 0
        for size in self._sizes:
            # Another iteration may have moved on in between.
            self._stream.seek(place)
            block = self._stream.read(size)
            # Only what this object wrote itself, into a file without a name, is ever read back.
            yield from map(_failed, marshal.loads(block))  # noqa: S302
            place += size
        self._stream.seek(place)
        yield from map(_failed, self._block)


def _failed(row: tuple[Any, ...]) -> Failed:
    fields, place, facts, *rest = row
    return Failed(Prediction(*fields), place, None if facts is None else PictureFacts(*facts), *rest)
