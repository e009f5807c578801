"""Failures put by on disk, so that memory does not grow with them."""

from __future__ import annotations

import marshal
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from datakit.badcases.pictures import PictureFacts
from datakit.records import Prediction


class Spool:
    """Predictions that failed, in order, with their place in the input, the facts of their pictures and what
    a second model read; an unnamed temporary file that goes with the object."""

    def __init__(self) -> None:
        self._stream: IO[bytes] = tempfile.TemporaryFile(prefix="datakit-badcases-")  # noqa: SIM115
        self.count = 0

    def add(self, prediction: Prediction, index: int, facts: PictureFacts | None, second: str | None) -> None:
        """Append one failure."""
        p = prediction
        fields = (p.file, p.line, p.image, p.label, p.text, p.error, p.score, p.char_scores)
        measured = None if facts is None else _values(facts)
        # Only what this object wrote itself is ever read back.
        marshal.dump((fields, index, measured, second), self._stream)
        self.count += 1

    def __iter__(self) -> Iterator[tuple[Prediction, int, PictureFacts | None, str | None]]:
        self._stream.seek(0)
        for _ in range(self.count):
            fields, index, measured, second = marshal.load(self._stream)  # noqa: S302
            yield Prediction(*fields), index, None if measured is None else PictureFacts(*measured), second
        self._stream.seek(0, 2)


def _values(facts: PictureFacts) -> tuple[Any, ...]:
    return (
        facts.width, facts.height, facts.sharpness, facts.contrast, facts.ink_left, facts.ink_right
    )  # fmt: skip
