"""Failures put by on disk, so that memory does not grow with them."""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterator
from typing import IO, NamedTuple

from datakit.badcases.pictures import PictureFacts
from datakit.records import Prediction

Pair = tuple[str, str]


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
        self.count = 0

    def add(self, failed: Failed) -> None:
        """Append one failure."""
        p, f = failed.prediction, failed.facts
        fields = (p.file, p.line, p.image, p.label, p.text, p.error, p.score, p.char_scores)
        facts = None if f is None else (f.width, f.height, f.sharpness, f.contrast, f.ink_left, f.ink_right)
        # Only what this object wrote itself is ever read back.
        marshal.dump((fields, failed.place, facts, *failed[3:]), self._stream)
        self.count += 1

    def __iter__(self) -> Iterator[Failed]:
        stream, load = self._stream, marshal.load
        stream.seek(0)
        for _ in range(self.count):
            fields, place, facts, *rest = load(stream)
            yield Failed(Prediction(*fields), place, None if facts is None else PictureFacts(*facts), *rest)
        stream.seek(0, 2)
