from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datakit.errors import InputError
from datakit.records import Finding, Prediction, Target, Targets, read_predictions, read_targets

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(label=TEXT, text=st.none() | TEXT, image=TEXT, line=st.integers(1, 10**9))
def test_a_prediction_comes_back(
    tmp_path_factory: pytest.TempPathFactory, label: str, text: str | None, image: str, line: int
) -> None:
    scores = tuple(0.25 for _ in text or "")
    error = "no such picture" if text is None else None
    record = Prediction("labels.txt", line, image, label, text, error, 0.5, scores)
    path = tmp_path_factory.getbasetemp() / "p.jsonl"
    path.write_bytes((record.to_json() + "\n").encode())
    assert list(read_predictions(path)) == [record]


def test_the_fields_of_a_prediction() -> None:
    record = Prediction("f.txt", 3, "a.png", "x", "xy", None, 0.12345678, (0.11111, 1.0))
    assert json.loads(record.to_json()) == {
        "schema_version": 1,
        "file": "f.txt",
        "line": 3,
        "image": "a.png",
        "label": "x",
        "text": "xy",
        "error": None,
        "score": 0.123457,
        "char_scores": [0.1111, 1.0],
    }
    assert "\n" not in Prediction("f", 1, "a", "x\ny", "z\u2028").to_json()


GOOD = Prediction("f", 1, "a", "x", "y").to_json()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "is not valid JSON"),
        ("[" * 200_000, "is not valid JSON"),
        ("[]", "holds no JSON object"),
        ('{"schema_version": 2}', "has schema_version 2, expected 1"),
        ("{}", "has schema_version None"),
        ('{"schema_version": 1}', "is not a prediction record"),
        (GOOD.replace('"line": 1', '"line": "one"'), "is not a prediction record"),
        (GOOD.replace('"line": 1', '"line": 1e999'), "is not a prediction record"),
        (GOOD.replace('"char_scores": []', '"char_scores": 5'), "is not a prediction record"),
        (GOOD.replace('"char_scores": []', '"char_scores": [null]'), "is not a prediction record"),
    ],
)
def test_a_line_that_is_no_prediction_is_named(tmp_path: Path, line: str, words: str) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(f"{GOOD}\n\n{line}\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        list(read_predictions(path))
    assert str(caught.value).startswith(f"{path}:3: ")
    assert words in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        list(read_predictions(tmp_path / "none.jsonl"))
    path = tmp_path / "latin.jsonl"
    path.write_bytes(b"\xe9")
    with pytest.raises(InputError, match=r"is not UTF-8 \(byte 0\)"):
        list(read_predictions(path))


TARGETS = Targets(
    (Target("\u6c49", 200, ("\u53c8", "X"), ("a\u6c49b",)), Target("]", 3)), {"1-5": 7}, space_shortfall=2
)


def test_targets_come_back(tmp_path: Path) -> None:
    path = tmp_path / "targets.json"
    path.write_text(TARGETS.to_json(), encoding="utf-8")
    assert read_targets(path) == TARGETS
    path.write_text('{"schema_version": 1, "targets": []}', encoding="utf-8")
    assert read_targets(path) == Targets(())


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ("[5]", "is not a targets document"),
        ('[{"char": "a"}]', "is not a targets document"),
        ('[{"char": "a", "count": "many"}]', "is not a targets document"),
        ('[{"char": "a", "count": 1e999}]', "is not a targets document"),
        ('[{"char": "ab", "count": 1}]', "one code point and a count >= 0"),
        ('[{"char": "", "count": 1}]', "one code point"),
        ('[{"char": "a", "count": -1}]', "a count >= 0"),
        ('[], "length_shortfall": 5', "is not a targets document"),
        ('[], "length_shortfall": {"1-5": "x"}', "is not a targets document"),
    ],
)
def test_documents_that_are_no_targets(tmp_path: Path, targets: str, words: str) -> None:
    path = tmp_path / "targets.json"
    path.write_text(f'{{"schema_version": 1, "targets": {targets}}}', encoding="utf-8")
    with pytest.raises(InputError, match=words) as caught:
        read_targets(path)
    assert str(path) in str(caught.value)


def test_a_finding_as_json() -> None:
    finding = Finding("missing-tab", "error", "f.txt", None, "no tab", "add one")
    assert finding.to_dict() == {
        "code": "missing-tab",
        "severity": "error",
        "file": "f.txt",
        "line": None,
        "message": "no tab",
        "fix": "add one",
    }
