"""Recognition sets in Parquet as Hugging Face datasets writes them: ``image`` (bytes, path) and ``text``.

Parquet gives out a row group at a time, and training wants single pictures in any order: so a set is read
once, and the bytes of its pictures go, as they are, into an unnamed temporary file that ends with the
process.
"""

from __future__ import annotations

import importlib
import os
import re
import tempfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from datakit.errors import InputError, MissingExtraError, OutputError
from datakit.labels import LabelFault, RecLine, text_notes

SUFFIX = ".parquet"
IMAGE_COLUMN, TEXT_COLUMN = "image", "text"
BATCH_ROWS = 256
_PICTURE = re.compile(r"row-(\d{9,})")


@dataclass(slots=True)
class _Pack:
    """The pictures of a set: ``ends`` are offsets in ``stream``; picture n ends where n + 1 begins."""

    signature: tuple[tuple[str, int, int], ...]
    stream: BinaryIO
    ends: array[int] = field(default_factory=lambda: array("Q", [0]))
    entries: list[RecLine | LabelFault] = field(default_factory=list)


# Real path of a set -> its pictures, read once a process.
_PACKS: dict[str, _Pack] = {}


def parquet_files(path: str | Path) -> list[Path]:
    """The Parquet files of a set: the file itself, or those under a folder, sorted."""
    root = Path(path)
    if root.is_file():
        return [root] if root.suffix == SUFFIX else []
    return sorted(file for file in root.rglob(f"*{SUFFIX}") if file.is_file())


def is_parquet(path: str | Path) -> bool:
    """Whether ``path`` is a Parquet file or a folder that holds one, at any depth."""
    return bool(parquet_files(path))


def picture_name(row: int) -> str:
    """The name that the picture of row ``row`` (from 1, over all files) has in the set."""
    return f"row-{row:09d}"


def scan_parquet(path: str | Path) -> Iterator[RecLine | LabelFault]:
    """Yield the rows as lines of a recognition label file: ``line`` is the row, the picture ``row-%09d``.

    Rows without a picture's bytes or a text are faults (``missing-key``), and so is a text with half a
    surrogate pair, which Parquet cannot hold anyway (``invalid-utf8``).

    Raises:
        InputError: no Parquet, a broken file, or columns of other names or types.
        OutputError: the temporary file cannot be written.
        MissingExtraError: pyarrow is not installed.
    """
    yield from _pack(path).entries


def parquet_picture(path: str | Path, image: str) -> bytes:
    """The bytes of picture ``image`` (``row-%09d``).

    Raises:
        InputError: no such row, or as :func:`scan_parquet`.
    """
    found = _PICTURE.fullmatch(image)
    # Files are looked at once more by the next scan, not by every picture.
    pack = _PACKS.get(os.path.realpath(path)) or _pack(path)
    row = int(found.group(1)) if found else 0
    if not 0 < row < len(pack.ends):
        raise InputError(f"has no {image!r}", file=path)
    first, end = pack.ends[row - 1], pack.ends[row]
    return os.pread(pack.stream.fileno(), end - first, first)


def _pack(path: str | Path) -> _Pack:
    files = parquet_files(path)
    if not files:
        raise InputError("holds no Parquet file", file=path)
    status = [(str(file), file.stat()) for file in files]
    signature = tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in status)
    real = os.path.realpath(path)
    known = _PACKS.get(real)
    if known is not None and known.signature == signature:
        return known
    try:
        # Kept open for as long as the process may ask for pictures.
        pack = _Pack(signature, tempfile.TemporaryFile(prefix="datakit-parquet-"))  # noqa: SIM115
        for file in files:
            _read(path, file, pack)
        pack.stream.flush()
    except OSError as error:
        raise OutputError(f"{tempfile.gettempdir()}: cannot hold the pictures of {path} ({error})") from error
    _PACKS[real] = pack
    return pack


def _pyarrow() -> tuple[Any, Any]:
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingExtraError("pyarrow", "hf") from error


def _read(path: str | Path, file: Path, pack: _Pack) -> None:
    """Add the rows of a file to the pack."""
    arrow, parquet = _pyarrow()
    try:
        with parquet.ParquetFile(file) as table:
            _check_columns(arrow, file, table.schema_arrow)
            for rows in table.iter_batches(BATCH_ROWS, columns=[IMAGE_COLUMN, TEXT_COLUMN]):
                texts = rows.column(TEXT_COLUMN).to_pylist()
                for image, text in zip(rows.column(IMAGE_COLUMN).to_pylist(), texts, strict=True):
                    _add(path, pack, image["bytes"] if isinstance(image, dict) else image, text)
    except (arrow.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"cannot be read as Parquet ({reason})", file=file) from error


def _check_columns(arrow: Any, file: Path, schema: Any) -> None:
    wanted = {TEXT_COLUMN: "a string", IMAGE_COLUMN: "a picture's bytes"}
    for name, what in wanted.items():
        if name not in schema.names:
            raise InputError(f"has no column {name!r} ({what}); it has {', '.join(schema.names)}", file=file)
    kind = schema.field(IMAGE_COLUMN).type
    if arrow.types.is_struct(kind) and "bytes" in [kind.field(n).name for n in range(kind.num_fields)]:
        kind = kind.field("bytes").type
    if not (arrow.types.is_binary(kind) or arrow.types.is_large_binary(kind)):
        raise InputError(f"column {IMAGE_COLUMN!r} is {kind}, not a picture's bytes", file=file)
    kind = schema.field(TEXT_COLUMN).type
    if not (arrow.types.is_string(kind) or arrow.types.is_large_string(kind)):
        raise InputError(f"column {TEXT_COLUMN!r} is {kind}, not a string", file=file)


def _add(path: str | Path, pack: _Pack, image: bytes | None, text: str | None) -> None:
    row = len(pack.entries) + 1
    name = picture_name(row)
    data = image or b""
    pack.stream.write(data)
    pack.ends.append(pack.ends[-1] + len(data))
    if not data or text is None:
        what = "text" if data else "bytes of a picture"
        pack.entries.append(
            LabelFault(str(path), row, "missing-key", f"the row has no {what}", (text or "")[:200])
        )
    else:
        pack.entries.append(RecLine(str(path), row, (name,), text, text_notes(text)))
