"""The published schemas hold for real outputs, and refuse others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, ValidationError

from datakit.audit import CHECKS, audit
from datakit.audit.clean import Audited, split_lines
from datakit.audit.fix import changes_path, fix_file
from datakit.audit.formats import finding_line
from datakit.audit.inputs.source import LabelSource
from datakit.audit.lost import LostLines
from datakit.audit.schema import NAMES, load_schema
from datakit.charset import Charset

LINES = b"\xef\xbb\xbfa.jpg\tab \r\nb.jpg\t\nbroken\nc.jpg\tabc\n\xff\nd.jpg\t" + b"a" * 30 + b"\na.jpg\ta"


def validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(load_schema(name))


@pytest.fixture
def source(tmp_path: Path) -> LabelSource:
    path = tmp_path / "labels.txt"
    path.write_bytes(LINES)
    return LabelSource(str(path), "rec", tmp_path)


@pytest.mark.parametrize("name", NAMES)
def test_the_schemas_are_schemas(name: str) -> None:
    schema = load_schema(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"].endswith(f"/datakit/audit/schema/{name}.schema.json")


@pytest.mark.parametrize("charset", [None, Charset(("a", "b"))])
def test_the_report(source: LabelSource, charset: Charset | None) -> None:
    document = audit([source.file], charset=charset).to_dict()
    document = json.loads(json.dumps(document))
    validator("report").validate(document)
    assert len(document["findings"]) > 5
    for key, value in {"totals": {}, "findings": [{}], "schema_version": 2, "counts": {"crlf": 0}}.items():
        with pytest.raises(ValidationError):
            validator("report").validate({**document, key: value})


def test_lines_of_findings(source: LabelSource) -> None:
    report = audit([source.file])
    for finding in report.findings:
        validator("finding").validate(json.loads(finding_line(finding)))
    with pytest.raises(ValidationError):
        validator("finding").validate({"schema_version": 1, "code": "crlf"})


def test_every_id_fits() -> None:
    code = load_schema("finding")["properties"]["code"]
    for check in CHECKS:
        Draft202012Validator(code).validate(check)


def test_changes_and_dropped_lines(source: LabelSource, tmp_path: Path) -> None:
    fix_file(source, tmp_path / "fixed.txt")
    lost = LostLines()
    for line, fate in enumerate(("cut", "dropped", "never_learnable", "unreadable"), start=1):
        lost.record(line, fate, "" if fate == "cut" else "empty-label")
    split_lines([Audited(source, 7, lost)], dropped=tmp_path / "dropped.jsonl", drop_cut=True)
    for name, path in (
        ("change", changes_path(tmp_path / "fixed.txt")),
        ("dropped", tmp_path / "dropped.jsonl"),
    ):
        records = [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]
        assert len(records) == (3 if name == "change" else 4)
        for record in records:
            validator(name).validate(record)
            with pytest.raises(ValidationError):
                validator(name).validate({**record, "line": 0})
