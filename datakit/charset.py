"""The dictionary of a recogniser: which characters it has, and the class of each.

A dictionary file holds one entry a line. Read as PaddleOCR reads it: split at ``b"\\n"``, carriage returns at
the ends stripped, nothing else (an entry may be a space, and an empty line takes up a class). Class 0 is the
CTC blank, entry ``i`` is class ``i + 1``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from datakit.errors import InputError, OutputError
from datakit.files import atomic_write

SPACE = " "
_BOM = "\ufeff"


@dataclass(frozen=True)
class Charset:
    """Entries of a dictionary without the blank: ``chars[i]`` is class ``i + 1``.

    ``notes`` says what is odd about it, in sentences. Where an entry stands twice its last class is the one
    that is trained, as in PaddleOCR. An entry of several code points, or of none, never matches: texts are
    looked up one code point at a time.
    """

    chars: tuple[str, ...]
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def num_classes(self) -> int:
        """Entries and the blank."""
        return len(self.chars) + 1

    @cached_property
    def _classes(self) -> dict[str, int]:
        return {char: index for index, char in enumerate(self.chars, start=1) if len(char) == 1}

    def __contains__(self, char: object) -> bool:
        return char in self._classes

    def encode(self, text: str) -> list[int]:
        """The classes of ``text``; characters outside the dictionary are left out, see :meth:`missing`."""
        classes = self._classes
        return [classes[char] for char in text if char in classes]

    def missing(self, text: str) -> list[str]:
        """Characters of ``text`` that the dictionary does not have, each once, in order."""
        return list(dict.fromkeys(char for char in text if char not in self._classes))

    def decode(self, indices: Iterable[int]) -> str:
        """The text of classes, blanks left out and repeats kept.

        Raises:
            IndexError: a class below 0 or not under ``num_classes``.
        """
        chars = ("", *self.chars)
        return "".join(chars[_checked(index, len(chars))] for index in indices)


def _checked(index: int, size: int) -> int:
    if not 0 <= index < size:
        raise IndexError(f"class {index} of {size}")
    return index


def load_charset(path: str | Path, use_space_char: bool = True) -> Charset:
    """Read a dictionary file; ``use_space_char`` appends a space as PaddleOCR does.

    PaddleOCR appends it even where the file holds one (``en_dict.txt`` does: 95 entries, 97 classes), and so
    does this: the number of classes has to fit the weights.

    Raises:
        InputError: the file is missing, a folder, empty, or not UTF-8 (line named).
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read as a dictionary ({error.strerror})", file=path) from error
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    if not lines:
        raise InputError("is an empty dictionary", file=path)
    entries = [_entry(path, number, line) for number, line in enumerate(lines, start=1)]
    notes = tuple(_oddities(entries))
    return Charset((*entries, SPACE) if use_space_char else tuple(entries), notes)


def _entry(path: str | Path, number: int, line: bytes) -> str:
    try:
        return line.decode("utf-8").strip("\r\n")
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 (byte {error.start} of the line)", file=path, line=number) from error


def _oddities(entries: list[str]) -> Iterable[str]:
    first: dict[str, int] = {}
    for number, entry in enumerate(entries, start=1):
        if number == 1 and entry.startswith(_BOM):
            yield "line 1 begins with a byte order mark, which makes its entry unusable"
        elif not entry:
            yield f"line {number} is empty: a class that nothing is trained for"
        elif len(entry) > 1:
            yield f"line {number}: {entry!r} is {len(entry)} code points and never matches"
        elif entry in first:
            yield f"line {number}: {entry!r} stands on line {first[entry]} too; the last one is trained"
        first[entry] = number


def write_charset(path: str | Path, charset: Charset, use_space_char: bool = True) -> None:
    """Write a dictionary file that :func:`load_charset` reads back with the same ``use_space_char``.

    Raises:
        OutputError: ``use_space_char`` and no space at the end; an entry that holds a newline or has a
            carriage return at an end; the file cannot be written.
    """
    chars = charset.chars
    if use_space_char:
        if not chars or chars[-1] != SPACE:
            raise OutputError(f"{path}: use_space_char needs the space as the last entry of the dictionary")
        chars = chars[:-1]
    for char in chars:
        if "\n" in char or char != char.strip("\r"):
            raise OutputError(f"{path}: a dictionary cannot hold the entry {char!r}")
    atomic_write(path, "".join(f"{char}\n" for char in chars))
