"""The quick reader of prediction records against the one that names faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from datakit import records
from datakit.errors import InputError
from datakit.records import read_predictions

GOOD: dict[str, Any] = {
    "schema_version": 1,
    "file": "l.txt",
    "line": 3,
    "image": "a.png",
    "label": "x",
    "text": "y",
}
UNUSUAL: dict[str, dict[str, Any]] = {
    "as written": GOOD | {"error": None, "score": 0.5, "char_scores": [0.5]},
    "nothing more than needed": GOOD,
    "more than is known": GOOD | {"more": {"deep": [1, {"er": None}]}},
    "a whole number as score": GOOD | {"score": 1, "char_scores": [1, 0]},
    "a line number as text": GOOD | {"line": "3"},
    "a fraction as line": GOOD | {"line": 3.0},
    "a number as label": GOOD | {"label": 12.5},
    "not a number": GOOD | {"score": float("nan")},
    "half a character": GOOD | {"label": "\ud800"},
    "an error": GOOD | {"text": None, "error": "no such picture"},
}


@pytest.mark.parametrize("name", UNUSUAL)
@pytest.mark.parametrize("spaced", [True, False])
def test_the_quick_reader_reads_what_json_reads(name: str, spaced: bool, tmp_path: Path) -> None:
    document = UNUSUAL[name]
    path = tmp_path / "predictions.jsonl"
    path.write_text(json.dumps(document, separators=None if spaced else (",", ":")) + "\n", "utf-8")
    (read,) = read_predictions(path)
    assert repr(read) == repr(records._prediction(document, path, 1))


@pytest.mark.parametrize(
    "line",
    [
        '{"schema_version": 1, "file": "l.txt"}',
        '{"schema_version": 1, ',
        '{"schema_version": 1, "file": "l", "line": [], "image": "", "label": "", "text": ""}',
        '{"schema_version": 2, "file": "l", "line": 1, "image": "", "label": "", "text": ""}',
    ],
)
def test_a_record_that_is_none_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_text(json.dumps(GOOD) + "\n" + line + "\n", "utf-8")
    found = read_predictions(path)
    next(found)
    with pytest.raises(InputError) as raised:
        next(found)
    assert raised.value.line == 2
