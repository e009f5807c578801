"""A label file in chunks of whole lines, so that memory stays flat however long it is."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from datakit import labels
from datakit.errors import InputError

# Small enough that the arrays of a chunk stay in a core's cache; measured best from 1 to 4 MB.
CHUNK_BYTES = 2 * 1024 * 1024
# Arrays of 8-byte words may be read at every byte of a chunk.
PADDING = 8
_BOM = b"\xef\xbb\xbf"
_NEWLINE = 10


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive whole lines of a file.

    ``data`` ends with a newline and :data:`PADDING` zero bytes; ``closed`` False means that the file lacks
    that newline. ``first`` is the number of the first line (from 1), ``offset`` its place in the file in
    bytes. A line over ``labels.MAX_LINE_BYTES`` may be cut, and still is over it.
    """

    first: int
    offset: int
    data: bytes
    closed: bool

    @property
    def array(self) -> npt.NDArray[np.uint8]:
        """The lines as bytes, without the padding."""
        return np.frombuffer(self.data, np.uint8)[:-PADDING]

    def raw(self, start: int, end: int) -> bytes:
        """The bytes of the line from ``start`` to its newline at ``end``, as the file holds them."""
        last = end == len(self.data) - PADDING - 1
        return self.data[start : end if last and not self.closed else end + 1]

    def ends(self) -> npt.NDArray[np.int64]:
        """The places of the newlines."""
        return np.flatnonzero(self.array == _NEWLINE)

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Number and bytes of every line."""
        start = 0
        for number, end in enumerate(self.ends().tolist(), start=self.first):
            yield number, self.raw(start, end)
            start = end + 1


def read_chunks(stream: BinaryIO, file: str, size: int | None = None) -> Iterator[Chunk]:
    """Cut a label file into chunks of about ``size`` bytes (:data:`CHUNK_BYTES`); a last line that holds
    nothing is left out.

    The lines are those of ``labels.scan_rec``.

    Raises:
        InputError: the file cannot be read on.
    """
    waiting: tuple[int, bytes, bool] | None = None
    first = 1
    for piece in _pieces(_reader(stream, file, size or CHUNK_BYTES)):
        if waiting is not None:
            chunk = _chunk(first, *waiting)
            yield chunk
            first += int(np.count_nonzero(chunk.array == _NEWLINE))
        waiting = piece
    if waiting is not None:
        offset, data, closed = waiting
        data = _without_empty_end(data, first == 1)
        if data:
            yield _chunk(first, offset, data, closed or data.endswith(b"\n"))


def read_again(stream: BinaryIO, file: str, offset: int, size: int, first: int) -> Chunk:
    """The chunk that stood at ``offset`` of a file; ``size`` is that of its data without padding.

    Raises:
        InputError: the file no longer holds that many bytes.
    """
    stream.seek(offset)
    data = _reader(stream, file, size)()
    closed = len(data) == size and data.endswith(b"\n")
    if len(data) < size - 1 or (len(data) == size and not closed):
        raise InputError("changed while it was read", file=file)
    return _chunk(first, offset, data, closed)


def _chunk(first: int, offset: int, data: bytes, closed: bool) -> Chunk:
    return Chunk(first, offset, data + (b"" if closed else b"\n") + b"\0" * PADDING, closed)


def _without_empty_end(data: bytes, first: bool) -> bytes:
    start = data.rfind(b"\n", 0, len(data) - 1) + 1
    last = data[start:]
    if first and not start:
        last = last.removeprefix(_BOM)
    return data if last.strip(b"\r\n") else data[:start]


def _reader(stream: BinaryIO, file: str, size: int) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            return stream.read(size)
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror})", file=file) from error

    return read


def _pieces(read: Callable[[], bytes]) -> Iterator[tuple[int, bytes, bool]]:
    """(offset, whole lines, whether they end with a newline)."""
    offset, rest = 0, b""
    while block := read():
        cut = block.rfind(b"\n") + 1
        if cut:
            yield offset, rest + block[:cut], True
            offset, rest = offset + len(rest) + cut, block[cut:]
            continue
        rest += block
        if len(rest) > labels.MAX_LINE_BYTES:
            skipped, after = _skip_line(read)
            # The newline is not the file's at this place, but the line is cut and will be refused anyway.
            yield offset, rest[: labels.MAX_LINE_BYTES + 1], False
            offset, rest = offset + len(rest) + skipped, after
            # What follows the long line may hold whole lines already.
            cut = rest.rfind(b"\n") + 1
            if cut:
                yield offset, rest[:cut], True
                offset, rest = offset + cut, rest[cut:]
    if rest:
        yield offset, rest, False


def _skip_line(read: Callable[[], bytes]) -> tuple[int, bytes]:
    """Read past the next newline: the bytes skipped, and what was read beyond."""
    skipped = 0
    while block := read():
        end = block.find(b"\n") + 1
        if end:
            return skipped + end, block[end:]
        skipped += len(block)
    return skipped, b""


def open_labels(path: str | Path, stack: contextlib.ExitStack) -> BinaryIO:
    """A label file that can be read twice, closed by ``stack``; stdin (``-``) and pipes are copied to a
    temporary file.

    Raises:
        InputError: the file is missing, a folder, or cannot be read.
    """
    try:
        if str(path) == labels.STDIN:
            return _spooled(sys.stdin.buffer, stack)
        stream: BinaryIO = stack.enter_context(Path(path).open("rb"))  # noqa: SIM115 - the stack closes it
        return stream if stream.seekable() else _spooled(stream, stack)
    except FileNotFoundError as error:
        raise InputError("no such label file", file=path) from error
    except IsADirectoryError as error:
        raise InputError("is a folder, not a label file", file=path) from error
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=path) from error
    except ValueError as error:
        raise InputError(f"cannot be opened ({error})", file=repr(str(path))) from error


def _spooled(stream: BinaryIO, stack: contextlib.ExitStack) -> BinaryIO:
    spool = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack closes it
    shutil.copyfileobj(stream, spool, CHUNK_BYTES)
    spool.seek(0)
    return spool
