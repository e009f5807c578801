"""A user's own corpus: a UTF-8 text file, one text a line."""

from __future__ import annotations

from pathlib import Path

from datakit.errors import InputError


def read_corpus(path: Path) -> list[str]:
    """The lines of ``path`` without their line ends (LF, CRLF), empty ones included; a BOM is dropped.

    Raises:
        InputError: the file is missing, a folder, not UTF-8 (with the line), or holds no text at all.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=path) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InputError("is not UTF-8", file=path, line=line) from error
    if not text.strip():
        raise InputError("holds no text", file=path)
    lines = text.split("\n")
    return [line.removesuffix("\r") for line in (lines[:-1] if lines[-1] == "" else lines)]
