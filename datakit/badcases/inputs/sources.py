"""Which program wrote a file of predictions, told from its content, and its readings."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from datakit.badcases.inputs.documents import document_readings, parse_json
from datakit.badcases.inputs.reading import Reading
from datakit.errors import InputError
from datakit.records import Prediction, read_predictions

Kind = Literal["datakit", "json", "jsonl", "table"]

_HEAD = 65536
_HEADERS = {"image": "image", "path": "image", "file": "image", "filename": "image"}
_HEADERS |= {"text": "text", "prediction": "text", "pred": "text", "score": "score", "confidence": "score"}
# A line of system_results.txt: a page's name and a list of boxes.
_PAGE = re.compile(r"[^\t]+\t\s*\[\s*(\{|\])")


def _head(path: Path) -> str:
    """The first 64 KiB."""
    try:
        with path.open("rb") as stream:
            data = stream.read(_HEAD)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=path) from error
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(data)
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 (byte {error.start})", file=path) from error


def kind_of_file(path: Path) -> Kind:
    """Tell the format from the beginning of the file.

    Raises:
        InputError: it cannot be read, or is not UTF-8.
    """
    head = _head(path)
    first = next((line for line in head.split("\n") if line.strip()), "").strip()
    if first.startswith("{") and '"schema_version"' in first:
        return "datakit"
    if first.startswith("{") and first.endswith("}"):
        # One object a line, or one line that is the whole document: the same.
        return "jsonl"
    if first[:1] in ("{", "[") and "\t" not in first:
        return "json"
    return "table" if "\t" in first else "datakit"


def read_any(path: Path) -> Iterator[Prediction | Reading]:
    """The records of our own file, or the readings of another program's; a folder is all its ``*.json``.

    Raises:
        InputError: the file cannot be read, is not UTF-8, or a line of it is not what its first line
            promises.
    """
    if path.is_dir():
        files = sorted(path.glob("*.json"))
        if not files:
            raise InputError("cannot be read as predictions (a folder without .json files)", file=path)
        for file in files:
            yield from read_any(file)
        return
    kind = kind_of_file(path)
    if kind == "datakit":
        yield from read_predictions(path)
    elif kind == "json":
        yield from document_readings(parse_json(_whole(path), path), path, 1, _named(path))
    elif kind == "jsonl":
        for number, line in _lines(path):
            yield from document_readings(parse_json(line, path, number), path, number, _named(path))
    else:
        yield from _table(path)


def _named(path: Path) -> str:
    """The picture that a result file is called after; PaddleOCR 3.x appends ``_res``."""
    return path.stem.removesuffix("_res")


def _whole(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 (byte {error.start})", file=path) from error


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """(number from 1, line without its end); blank lines are passed over."""
    with path.open("rb") as stream:
        for number, raw in enumerate(stream, start=1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise InputError(f"is not UTF-8 (byte {error.start})", file=path, line=number) from error
            if line.strip():
                yield number, line


def _table(path: Path) -> Iterator[Reading]:
    """Path, text and perhaps a score: predicts_*.txt, a TSV with or without header; or system_results.txt."""
    columns = {"image": 0, "text": 1, "score": 2}
    for number, line in _lines(path):
        cells = line.split("\t")
        if number == 1 and (header := _header(cells)):
            columns = header
            continue
        if len(cells) < 2:
            raise InputError("has no tab: expected a path and a text", file=path, line=number)
        if _PAGE.match(line):
            image, _, rest = line.partition("\t")
            yield from document_readings(parse_json(rest, path, number), path, number, image)
        else:
            yield _row(cells, columns, path, number)


def _header(cells: list[str]) -> dict[str, int]:
    names = [_HEADERS.get(cell.strip().lower(), "") for cell in cells]
    found = {name: index for index, name in enumerate(names) if name}
    return found if {"image", "text"} <= found.keys() else {}


def _row(cells: list[str], columns: dict[str, int], path: Path, number: int) -> Reading:
    wanted = {name: cells[index] for name, index in columns.items() if index < len(cells)}
    if "image" not in wanted or "text" not in wanted:
        raise InputError(f"has {len(cells)} columns, fewer than the first line", file=path, line=number)
    text, raw = wanted["text"], wanted.get("score", "").strip()
    if text.startswith('{"') and text.endswith("}"):
        # A model with several heads: PaddleOCR writes {"ctc": {"label": ..., "score": ...}}.
        return next(_heads(text, wanted["image"], path, number))
    try:
        score = float(raw) if raw else 0.0
    except ValueError as error:
        raise InputError(f"has the score {raw!r}, no number", file=path, line=number) from error
    return Reading(str(path), number, wanted["image"], text, score)


def _heads(text: str, image: str, path: Path, number: int) -> Iterator[Reading]:
    heads = parse_json(text, path, number)
    head = heads.get("ctc") or heads.get("Student") or next(iter(heads.values()), None)
    yield from document_readings(head, path, number, image)
