"""PaddleOCR's label files, recognition and detection, read byte by byte.

What PaddleOCR's ``SimpleDataSet`` does is mirrored: a file is split at ``b"\\n"`` only (``str.splitlines``
would also split at U+2028), a line is UTF-8, fields are split at the tab, the first is the path and the
second the label; a path that begins with ``[`` is tried as a JSON list of pictures. Two things are more
lenient here and noted on the line: a byte order mark before the first path (PaddleOCR does not find that
picture) and a carriage return at the end (PaddleOCR keeps it as the last character of the text).

No byte content raises: a line that cannot be used becomes a :class:`LabelFault`, so that
lines in = lines + faults. Memory is flat: one line at a time, and a line over :data:`MAX_LINE_BYTES` is a
fault.
"""

from __future__ import annotations

import contextlib
import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, TypeVar

from datakit.errors import InputError, OutputError, UsageError

Task = Literal["rec", "det"]

STDIN = "-"
IGNORED_TEXTS = frozenset({"###", "*"})
MAX_LINE_BYTES = 16 * 1024 * 1024
RAW_LENGTH = 200
SNIFFED_LINES = 50

_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")
_SEPARATORS = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_ODD = re.compile(f"[\0\r{_SEPARATORS}]")
_SEPARATOR = re.compile(f"[{_SEPARATORS}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
# The types of JSON's numbers; bool is a type of its own.
_NUMBERS = (int, float)
_BOXES = re.compile(r"\s*\[\s*\{")
_BOX_LIST = re.compile(r"\s*\[\s*(\{|\]\s*$)")


@dataclass(frozen=True, slots=True)
class RecLine:
    """One usable line of a recognition label file.

    ``line`` counts from 1. ``notes`` names what was tolerated: ``bom``, ``crlf``, ``extra-tab`` (what follows
    a second tab is lost, as in PaddleOCR), ``empty-text``, ``nul``, ``carriage-return`` (inside),
    ``line-separator`` (U+2028, U+2029, U+0085, VT, FF, FS, GS or RS inside), ``bracket-path`` (begins with
    ``[`` and is no JSON list).
    """

    file: str
    line: int
    images: tuple[str, ...]
    text: str
    notes: tuple[str, ...] = ()

    @property
    def image(self) -> str:
        """The first picture, as written."""
        return self.images[0]

    @property
    def trainer_text(self) -> str:
        """The text as PaddleOCR's loader gets it: a carriage return before the newline is part of it."""
        return self.text + "\r" if "crlf" in self.notes and "extra-tab" not in self.notes else self.text


@dataclass(frozen=True, slots=True)
class DetBox:
    """One box of a page: its text and its polygon, (x, y) in pixels of the picture."""

    text: str
    points: tuple[tuple[float, float], ...]

    @property
    def ignored(self) -> bool:
        """Whether training and scoring leave this box out."""
        return self.text in IGNORED_TEXTS


@dataclass(frozen=True, slots=True)
class DetLine:
    """One usable line of a detection label file: a page and its boxes.

    ``notes`` as in :class:`RecLine`, and ``no-boxes``, ``text-type`` (a transcription that is no string is
    given as its JSON), ``surrogate`` (half a surrogate pair became U+FFFD), ``difficult`` (PPOCRLabel marked
    a box that PaddleOCR trains all the same).
    """

    file: str
    line: int
    image: str
    boxes: tuple[DetBox, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelFault:
    """A line that cannot be used.

    ``code`` is one of ``blank-line``, ``line-too-long``, ``invalid-utf8``, ``missing-tab``, ``empty-path``,
    ``broken-json``, ``bad-image-list``, ``not-a-list``, ``bad-box``, ``bad-points``, ``missing-key`` (of an
    LMDB set only). ``raw`` is the beginning of the line, at most :data:`RAW_LENGTH` bytes, with what is not
    UTF-8 as ``\\xNN``.
    """

    file: str
    line: int
    code: str
    message: str
    raw: str


class _Unusable(Exception):
    """Carries code and message of a fault from where it is found to where the line is known."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


_Line = TypeVar("_Line", RecLine, DetLine)
_Fields = tuple[tuple[str, ...], str, list[str]]


def scan_rec(path: str | Path) -> Iterator[RecLine | LabelFault]:
    """Yield every line of a recognition label file, usable or not; ``-`` is stdin.

    Raises:
        InputError: the file is missing, a folder, or cannot be read.
    """
    return _scan(path, _rec_line)


def scan_det(path: str | Path) -> Iterator[DetLine | LabelFault]:
    """Yield every line of a detection label file, usable or not; ``-`` is stdin.

    Raises:
        InputError: the file is missing, a folder, or cannot be read.
    """
    return _scan(path, _det_line)


def rec_entry(file: str, number: int, raw: bytes) -> RecLine | LabelFault:
    """What one line of a recognition label file is; ``raw`` is the line with its newline, if it has one."""
    return _entry(file, number, raw, _rec_line)


def det_entry(file: str, number: int, raw: bytes) -> DetLine | LabelFault:
    """What one line of a detection label file is; ``raw`` as in :func:`rec_entry`."""
    return _entry(file, number, raw, _det_line)


def read_rec(path: str | Path) -> tuple[list[RecLine], list[LabelFault]]:
    """All usable lines and all faults of a recognition label file.

    Raises:
        InputError: the file is missing, a folder, cannot be read, holds no line at all, or pages of boxes.
    """
    lines, faults = _read(path, _rec_line)
    first = lines[:SNIFFED_LINES]
    if sum(_BOXES.match(line.text) is not None for line in first) * 2 > len(first):
        raise InputError("holds pages of boxes (detection labels), not lines of text", file=path)
    return lines, faults


def read_det(path: str | Path) -> tuple[list[DetLine], list[LabelFault]]:
    """All usable lines and all faults of a detection label file; raises as :func:`read_rec` does."""
    return _read(path, _det_line)


def sniff_task(path: str | Path) -> Task:
    """Tell from the first lines whether a label file holds texts or pages of boxes.

    A recognition text may itself be ``[06]``: only lists of objects, and empty ones, count as boxes.

    Raises:
        InputError: the file is missing, a folder, or cannot be read.
        UsageError: the file is stdin, which cannot be read twice.
    """
    if str(path) == STDIN:
        raise UsageError("labels from stdin: say which task they are for (--task rec or --task det)")
    labels = []
    for _, raw in _raw_lines(path):
        _, tab, label = raw[:4096].partition(b"\t")
        if tab:
            labels.append(label.decode("utf-8", "replace"))
        if len(labels) == SNIFFED_LINES:
            break
    pages = sum(_BOX_LIST.match(label) is not None for label in labels)
    return "det" if pages * 2 > len(labels) else "rec"


def encode_rec(images: str | Sequence[str], text: str) -> bytes:
    """One line of a recognition label file, newline included, that :func:`scan_rec` reads back unchanged.

    Raises:
        OutputError: no picture, an empty path, or a tab, newline, carriage return or lone surrogate in path
            or text.
    """
    names = (images,) if isinstance(images, str) else tuple(images)
    if not names or not all(names):
        raise OutputError(f"label line for {text!r}: no picture, or an empty path")
    single = len(names) == 1 and not names[0].startswith("[")
    path = names[0] if single else json.dumps(list(names), ensure_ascii=False)
    return _encoded((*names, text), path, text)


def encode_det(image: str, boxes: Iterable[DetBox]) -> bytes:
    """One line of a detection label file, newline included; whole coordinates are written as whole numbers.

    Raises:
        OutputError: an empty path, or a tab, newline, carriage return or lone surrogate in it; a lone
            surrogate in a text, a coordinate that is not finite.
    """
    if not image:
        raise OutputError("label line: an empty path")
    document = [
        {"transcription": box.text, "points": [[_number(x), _number(y)] for x, y in box.points]}
        for box in boxes
    ]
    path = json.dumps([image], ensure_ascii=False) if image.startswith("[") else image
    return _encoded((image,), path, json.dumps(document, ensure_ascii=False))


def _encoded(checked: Sequence[str], path: str, label: str) -> bytes:
    for value in checked:
        if any(char in value for char in "\t\n\r"):
            raise OutputError(f"label line for {path!r}: {value!r} holds a tab or a line break")
    try:
        return f"{path}\t{label}\n".encode()
    except UnicodeEncodeError as error:
        raise OutputError(
            f"label line for {path!r}: {error.object[error.start]!r} is no character"
        ) from error


def _number(value: float) -> float | int:
    if not math.isfinite(value):
        raise OutputError(f"a coordinate is {value}")
    return int(value) if value == int(value) else float(value)


def _scan(path: str | Path, parse: Callable[[str, int, bytes], _Line]) -> Iterator[_Line | LabelFault]:
    file = str(path)
    for number, raw in _raw_lines(path):
        yield _entry(file, number, raw, parse)


def _entry(
    file: str, number: int, raw: bytes, parse: Callable[[str, int, bytes], _Line]
) -> _Line | LabelFault:
    # As much as tells that it is too long.
    raw = raw[: MAX_LINE_BYTES + 1]
    try:
        return parse(file, number, raw)
    except _Unusable as fault:
        beginning = raw[:RAW_LENGTH].rstrip(b"\r\n").decode("utf-8", "backslashreplace")
        return LabelFault(file, number, fault.code, fault.message, beginning)


def _read(
    path: str | Path, parse: Callable[[str, int, bytes], _Line]
) -> tuple[list[_Line], list[LabelFault]]:
    lines: list[_Line] = []
    faults: list[LabelFault] = []
    for item in _scan(path, parse):
        if isinstance(item, LabelFault):
            faults.append(item)
        else:
            lines.append(item)
    if not lines and not faults:
        raise InputError("holds no line", file=path)
    return lines, faults


def _raw_lines(path: str | Path) -> Iterator[tuple[int, bytes]]:
    """Yield (number, bytes) of every line but a last one that holds nothing; too long ones are cut."""
    try:
        with _opened(path) as stream:
            last = b""
            number = 0
            for number, line in enumerate(_cut_lines(stream), start=1):
                if number > 1:
                    yield number - 1, last
                last = line
            if last.removeprefix(_BOM if number == 1 else b"").strip(b"\r\n"):
                yield number, last
    except FileNotFoundError as error:
        raise InputError("no such label file", file=path) from error
    except IsADirectoryError as error:
        raise InputError("is a folder, not a label file", file=path) from error
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=path) from error
    except ValueError as error:
        raise InputError(f"cannot be opened ({error})", file=repr(str(path))) from error


def _opened(path: str | Path) -> contextlib.AbstractContextManager[BinaryIO]:
    return contextlib.nullcontext(sys.stdin.buffer) if str(path) == STDIN else Path(path).open("rb")


def _cut_lines(stream: BinaryIO) -> Iterator[bytes]:
    while line := stream.readline(MAX_LINE_BYTES + 1):
        rest = line
        while len(rest) > MAX_LINE_BYTES and not rest.endswith(b"\n"):
            rest = stream.readline(MAX_LINE_BYTES + 1)
        yield line


def _fields(number: int, raw: bytes) -> _Fields:
    notes = []
    if not raw.strip():
        raise _Unusable("blank-line", "the line is blank")
    if len(raw) > MAX_LINE_BYTES:
        raise _Unusable("line-too-long", f"the line is longer than {MAX_LINE_BYTES:,} bytes")
    if number == 1 and raw.startswith(_BOM):
        raw = raw[len(_BOM) :]
        notes.append("bom")
    line = _decoded(number, raw).removesuffix("\n")
    if line.endswith("\r"):
        line = line[:-1]
        notes.append("crlf")
    path, tab, label = line.partition("\t")
    if not tab:
        raise _Unusable("missing-tab", "no tab between path and label")
    if not path:
        raise _Unusable("empty-path", "nothing before the tab")
    if "\t" in label:
        label = label[: label.index("\t")]
        notes.append("extra-tab")
    if _ODD.search(line):
        notes.extend(_odd_notes(line))
    return _images(path, notes), label, notes


def _decoded(number: int, raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        utf16 = ", the file looks like UTF-16" if number == 1 and raw.startswith(_UTF16_BOMS) else ""
        raise _Unusable("invalid-utf8", f"byte {error.start} is not UTF-8 ({error.reason}){utf16}") from error


def text_notes(text: str) -> tuple[str, ...]:
    """The notes of :class:`RecLine` that a text by itself gets."""
    empty = () if text else ("empty-text",)
    return (*_odd_notes(text), *empty) if _ODD.search(text) else empty


def _odd_notes(line: str) -> Iterator[str]:
    if "\0" in line:
        yield "nul"
    if "\r" in line:
        yield "carriage-return"
    if _SEPARATOR.search(line):
        yield "line-separator"


def _images(path: str, notes: list[str]) -> tuple[str, ...]:
    if not path.startswith("["):
        return (path,)
    try:
        names = json.loads(path)
    except (ValueError, RecursionError) as error:
        # PaddleOCR takes a path that is no JSON as it stands: a picture may well be called "[06].jpg".
        if path.startswith('["'):
            raise _Unusable("broken-json", f"the list of pictures is not valid JSON ({error})") from error
        notes.append("bracket-path")
        return (path,)
    if not names or not all(isinstance(name, str) and name and not _SURROGATE.search(name) for name in names):
        raise _Unusable("bad-image-list", "the list of pictures is empty or holds something else than paths")
    return tuple(names)


def _rec_line(file: str, number: int, raw: bytes) -> RecLine:
    images, text, notes = _fields(number, raw)
    if not text:
        notes.append("empty-text")
    return RecLine(file, number, images, text, tuple(notes))


def _det_line(file: str, number: int, raw: bytes) -> DetLine:
    images, label, notes = _fields(number, raw)
    if len(images) > 1:
        raise _Unusable("bad-image-list", "several pictures for one page of boxes")
    try:
        document = json.loads(label)
    except (ValueError, RecursionError) as error:
        raise _Unusable("broken-json", f"the boxes are not valid JSON ({error})") from error
    if not isinstance(document, list):
        raise _Unusable("not-a-list", "the label is JSON but no list of boxes")
    boxes = tuple(_box(position, entry, notes) for position, entry in enumerate(document, start=1))
    if not boxes:
        notes.append("no-boxes")
    return DetLine(file, number, images[0], boxes, tuple(dict.fromkeys(notes)))


def _box(position: int, entry: object, notes: list[str]) -> DetBox:
    if not isinstance(entry, dict) or not {"transcription", "points"} <= entry.keys():
        raise _Unusable("bad-box", f"box {position} is no object with transcription and points")
    text = entry["transcription"]
    if not isinstance(text, str):
        text = json.dumps(text, ensure_ascii=False)
        notes.append("text-type")
    if _SURROGATE.search(text):
        text = _SURROGATE.sub("\ufffd", text)
        notes.append("surrogate")
    if entry.get("difficult") is True and text not in IGNORED_TEXTS:
        notes.append("difficult")
    return DetBox(text, _points(position, entry["points"]))


def _points(position: int, points: object) -> tuple[tuple[float, float], ...]:
    if not isinstance(points, list) or not points:
        raise _Unusable("bad-points", f"box {position} has no points")
    return tuple([_point(position, point) for point in points])


def _point(position: int, point: object) -> tuple[float, float]:
    # There may be thousands a page, and the types that JSON makes are these two exactly.
    if type(point) is list and len(point) == 2:
        x, y = point
        if type(x) in _NUMBERS and type(y) in _NUMBERS:
            with contextlib.suppress(OverflowError):
                pair = float(x), float(y)
                if math.isfinite(pair[0]) and math.isfinite(pair[1]):
                    return pair
    raise _Unusable("bad-points", f"box {position}: {str(point)[:60]} is no pair of finite numbers")
