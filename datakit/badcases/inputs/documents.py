"""JSON documents of PaddleOCR 3.x and RapidOCR, and the JSON inside PaddleOCR's own text files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from datakit.badcases.inputs.reading import Points, Reading
from datakit.errors import InputError

# Names of the same thing: PaddleOCR 3.x, RapidOCR, PaddleOCR 2.x, plain.
_IMAGE = ("input_path", "image", "img_path", "file_name", "file")
_TEXT = ("rec_text", "txt", "text", "transcription", "label")
_SCORE = ("rec_score", "score", "confidence")
_BOX = ("box", "points", "poly", "dt_boxes")
_TEXTS, _SCORES = ("rec_texts", "txts"), ("rec_scores", "scores")
_POLYGONS = ("rec_polys", "boxes", "dt_polys", "rec_boxes")


def parse_json(raw: str, file: Path, line: int | None = None) -> Any:
    """The value of ``raw``.

    Raises:
        InputError: it is no JSON.
    """
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InputError(f"is not valid JSON ({error})", file=file, line=line) from error


def document_readings(value: Any, file: Path, line: int, image: str) -> Iterator[Reading]:
    """The readings of one document; ``image`` is its picture unless it names one itself.

    Known are an object of one line (``rec_text``, ``txt``, ``text``), an object of a page (``rec_texts`` or
    ``txts`` with scores and polygons), RapidOCR's ``[[box, text, score], ...]``, and lists of all of these.

    Raises:
        InputError: none of them.
    """
    if isinstance(value, dict):
        inner = value.get("res")
        yield from _object(inner if isinstance(inner, dict) else value, file, line, image)
    elif isinstance(value, list):
        for entry in value:
            if _is_triple(entry):
                score = _number(entry[2], file, line)
                yield Reading(str(file), line, image, str(entry[1]), score, box=_points(entry[0]))
            else:
                yield from document_readings(entry, file, line, image)
    else:
        raise InputError("holds no reading that is known", file=file, line=line)


def _is_triple(entry: Any) -> bool:
    return (
        isinstance(entry, list)
        and len(entry) >= 3
        and isinstance(entry[0], list | None)
        and isinstance(entry[1], str)
    )


def _object(value: dict[str, Any], file: Path, line: int, image: str) -> Iterator[Reading]:
    image = str(_first(value, _IMAGE) or image)
    texts = _first(value, _TEXTS)
    if isinstance(texts, list):
        yield from _page(value, texts, file, line, image)
        return
    text = _first(value, _TEXT)
    if not isinstance(text, str):
        raise InputError(f"has no text (known names: {', '.join(_TEXT)})", file=file, line=line)
    score = _number(_first(value, _SCORE), file, line)
    yield Reading(str(file), line, image, text, score, box=_points(_first(value, _BOX)))


def _page(value: dict[str, Any], texts: list[Any], file: Path, line: int, image: str) -> Iterator[Reading]:
    scores, boxes = _first(value, _SCORES) or [], _first(value, _POLYGONS) or []
    for number, text in enumerate(texts):
        score = _number(scores[number], file, line) if number < len(scores) else 0.0
        box = _points(boxes[number]) if number < len(boxes) else None
        yield Reading(str(file), line, image, str(text), score, box=box)


def _first(value: dict[str, Any], names: Sequence[str]) -> Any:
    return next((value[name] for name in names if value.get(name) is not None), None)


def _number(value: Any, file: Path, line: int) -> float:
    if value is None:
        return 0.0
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"has the score {value!r}, no number", file=file, line=line) from error


def _points(value: Any) -> Points | None:
    """A polygon, or the corners of [left, top, right, bottom]; None for anything else."""
    if not isinstance(value, list) or not value:
        return None
    try:
        if len(value) == 4 and all(isinstance(number, int | float) for number in value):
            left, top, right, bottom = map(float, value)
            return ((left, top), (right, top), (right, bottom), (left, bottom))
        return tuple((float(x), float(y)) for x, y in value)
    except (TypeError, ValueError):
        return None
