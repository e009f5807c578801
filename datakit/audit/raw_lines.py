"""The lines of a label file as bytes, numbered as the scanner numbers them, none left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from datakit.errors import InputError
from datakit.labels import MAX_LINE_BYTES


@dataclass(frozen=True, slots=True)
class RawLine:
    """Line ``number`` (from 1) with its newline, or a piece of one that is too long to be held whole."""

    number: int
    data: bytes
    whole: bool = True


def raw_lines(path: str | Path) -> Iterator[RawLine]:
    """Yield the lines of a file; what is longer than :data:`MAX_LINE_BYTES` comes in pieces.

    Pieces carry the number of their line; joined, the data are the bytes of the file.

    Raises:
        InputError: the file cannot be read.
    """
    try:
        with Path(path).open("rb") as stream:
            number, inside = 1, False
            while piece := stream.readline(MAX_LINE_BYTES + 1):
                ended = piece.endswith(b"\n")
                yield RawLine(number, piece, not inside and len(piece) <= MAX_LINE_BYTES)
                inside = not ended
                number += ended
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=path) from error
