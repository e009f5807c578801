"""YAML of strangers: what is refused, and what a number is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from datakit.errors import InputError, UsageError
from datakit.paddleocr_config.document import MAX_BYTES, parse_value, parse_yaml
from datakit.paddleocr_config.overrides import apply_overrides

FILE = Path("rec.yml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("-2.5e-05", -2.5e-05),
        ("3.0e-05", 3e-05),
        ("1.e+2", 100.0),
        ("10", 10),
        ("0.5", 0.5),
        ("1e", "1e"),
        ("e3", "e3"),
        ("a1e3", "a1e3"),
        ("'1e-3'", "1e-3"),
        ("true", True),
        ("", None),
        ("[a.txt, b.txt]", ["a.txt", "b.txt"]),
    ],
)
def test_values(text: str, value: object) -> None:
    found = parse_value(text, "-o A.b")
    assert found == value
    assert type(found) is type(value)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 10)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: !!python/object/apply:os.system ['touch marker']", "tag .* is not allowed"),
        ("a: !!python/name:os.system", "tag .* is not allowed"),
        ("a: !Ref b", "tag '!Ref' is not allowed"),
        ("a: !!binary aGk=", "tag .* is not allowed"),
        (BOMB, "rec.yml:5: .*expands to more than 20000 values"),
        ("a: &a [*a]", "alias 'a' holds itself"),
        ("a: " + "[" * 100 + "]" * 100, "nested more than 40 deep"),
        ("a: &a 1\nb: [" + "*a," * 600 + "]", "more than 500 aliases"),
        ("a: *nowhere", "rec.yml:1: .*undefined alias"),
        ("a: [1\nb: 2", "is not valid YAML"),
        ("a: 1\nb: 2\na: 3", "rec.yml:3: .*key 'a' stands twice"),
        ("a: 2024-13-45", "value that is none"),
        ("#" * (MAX_BYTES + 1), "at most 1000000"),
        (b"a: \xff\xfe", "is not valid YAML"),
        ("a: 1\n---\nb: 2", "single document"),
    ],
)
def test_refused(text: str | bytes, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    started = time.process_time()
    with pytest.raises(InputError, match=words):
        parse_yaml(text, FILE)
    assert time.process_time() - started < 2
    assert list(tmp_path.iterdir()) == []


def test_aliases_are_copies() -> None:
    found = parse_yaml("a: &a {x: [1]}\nb: *a\nc: {<<: *a, y: 2}", FILE)
    found["a"]["x"].append(2)
    assert found == {"a": {"x": [1, 2]}, "b": {"x": [1]}, "c": {"x": [1], "y": 2}}


def test_overrides_step_into_mappings_lists_and_operators() -> None:
    document = {
        "Global": {"epoch_num": 1},
        "Train": {"files": ["a"], "ops": [{"RecAug": None}, {"Keep": {"k": 1}}]},
    }
    keys = apply_overrides(
        document,
        ["Global.epoch_num=10 Global.lr.rate=1e-4", "Train.files.0=b.txt", "Train.ops.RecAug.tia_prob=0.1",
         "Train.ops.Keep={k: 2}"],
    )  # fmt: skip
    assert document == {
        "Global": {"epoch_num": 10, "lr": {"rate": 1e-4}},
        "Train": {"files": ["b.txt"], "ops": [{"RecAug": {"tia_prob": 0.1}}, {"Keep": {"k": 2}}]},
    }
    assert keys == (
        "Global.epoch_num", "Global.lr.rate", "Train.files.0", "Train.ops.RecAug.tia_prob", "Train.ops.Keep",
    )  # fmt: skip


def test_a_value_may_hold_spaces_and_equal_signs() -> None:
    document: dict[str, object] = {}
    apply_overrides(document, ["Global.a=[1, 2]", "Global.b=x=y"])
    assert document == {"Global": {"a": [1, 2], "b": "x=y"}}


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("Global.epoch_num", "not of the form"),
        ("=3", "not of the form"),
        ("Global.epoch_num=!!python/object/apply:os.system [id]", "-o Global.epoch_num: .*not allowed"),
        ("Global.epoch_num=[1", "-o Global.epoch_num: .*not valid YAML"),
        ("Global.epoch_num.deep.er=1", "nothing called 'deep' to go through"),
        ("Train.files.7=x", "nothing called '7'"),
    ],
)
def test_overrides_that_make_no_sense(override: str, words: str) -> None:
    document = {"Global": {"epoch_num": 1}, "Train": {"files": ["a"]}}
    with pytest.raises(UsageError, match=words):
        apply_overrides(document, [override])
