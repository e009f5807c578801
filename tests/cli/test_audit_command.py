"""datakit audit as typed: YAML, formats, and the files it leaves."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from jsonschema import Draft202012Validator
from PIL import Image
from typer.testing import CliRunner, Result

from datakit.audit.schema import load_schema
from datakit.audit.tally import CAP
from datakit.cli.main import app
from datakit.errors import UsageError

DATA = (
    b"\xef\xbb\xbf0.png\tgood\n"
    b"1.png\tab \r\n"
    b"2.png\tabc\xc3\xa9\n"  # the dictionary lacks the last character
    b"3.png\taaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
    b"broken\n"
    b"gone.png\tab\n"
    b"0.png\tgood"
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for number in range(4):
        pixels = np.random.default_rng(number).integers(0, 255, (40, 160, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
    (tmp_path / "labels.txt").write_bytes(DATA)
    (tmp_path / "dict.txt").write_text("\n".join("abcdgo") + "\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: object, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["audit", *map(str, arguments)], input=stdin)


def records(text: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in text.split("\n")[:-1]]


@pytest.mark.parametrize("images", ["--images", "--no-images"])
def test_clean_and_dropped_together_are_the_file(home: Path, images: str) -> None:
    done = run(
        "labels.txt", "--dict", "dict.txt", "--clean", "c.txt", "--dropped", "d.jsonl", "--json", images
    )
    assert done.exit_code == 1
    totals = json.loads(done.stdout)["totals"]
    found = records((home / "d.jsonl").read_text("utf-8"))
    for record in found:
        Draft202012Validator(load_schema("dropped")).validate(record)
    assert totals["lines"] == 7 == len((home / "c.txt").read_bytes().splitlines()) + len(found)
    assert totals["kept"] == 7 - len(found)
    reasons = {record["line"]: record["reason"] for record in found}
    expected = {1: "bom", 4: "over-limit", 5: "missing-tab", 6: "image-missing"}
    if images == "--no-images":
        del expected[6]
    assert reasons == expected
    assert f"{len(found)} lines left out" in done.stderr
    again = run("c.txt", "--dict", "dict.txt", "--json", images)
    assert (
        json.loads(again.stdout)["totals"]["kept"]
        == totals["kept"]
        == json.loads(again.stdout)["totals"]["lines"]
    )
    strict = run("labels.txt", "--dict", "dict.txt", "--clean", "s.txt", "--drop-cut", images)
    kept = DATA.split(b"\n")
    kept = [kept[6]] if images == "--images" else [kept[5], kept[6]]
    assert strict.exit_code == 1 and (home / "s.txt").read_bytes() == b"\n".join(kept)


def test_fix_mends_and_lists(home: Path) -> None:
    done = run("labels.txt", "--dict", "dict.txt", "--fix", "f.txt", "--no-images")
    assert (home / "f.txt").read_bytes() == DATA[3:].replace(b"ab \r\n", b"ab\n")
    found = records((home / "f.txt.changes.jsonl").read_text("utf-8"))
    assert [(record["line"], record["code"]) for record in found] == [
        (1, "bom"),
        (2, "crlf"),
        (2, "edge-space"),
    ]
    for record in found:
        Draft202012Validator(load_schema("change")).validate(record)
    assert (
        "wrote f.txt: 2 of 7 lines mended (bom 1, crlf 1, edge-space 1; each in f.txt.changes.jsonl)"
        in done.stderr
    )
    again = json.loads(run("f.txt", "--dict", "dict.txt", "--no-images", "--json").stdout)
    assert not {"bom", "crlf", "edge-space"} & set(again["counts"])
    assert again["totals"]["lines"] == 7
    assert (home / "labels.txt").read_bytes() == DATA


def test_two_files_go_into_a_folder(home: Path) -> None:
    (home / "more").mkdir()
    (home / "more/other.txt").write_bytes(b"x.png\ta  b\n")
    done = run("labels.txt", "more/other.txt", "--fix", "out", "--no-images")
    assert sorted(path.name for path in (home / "out").iterdir()) == [
        "labels.txt",
        "labels.txt.changes.jsonl",
        "other.txt",
        "other.txt.changes.jsonl",
    ]
    assert "the paths in out/other.txt start at more (--data-dir)" in done.stderr


def test_jsonl_has_every_finding(home: Path) -> None:
    count = CAP + 300
    (home / "many.txt").write_text("".join(f"{n}.jpg\ta  b\n" for n in range(count)))
    done = run("many.txt", "--no-images", "--format", "jsonl")
    found = records(done.stdout)
    for record in found[:3] + found[-3:]:
        Draft202012Validator(load_schema("finding")).validate(record)
    assert [r["line"] for r in found if r["code"] == "double-space"] == list(range(1, count + 1))
    assert f"{count} lines, {count} trained, {len(found)} findings" in done.stderr
    counts = json.loads(run("many.txt", "--no-images", "--json").stdout)["counts"]
    assert sum(counts.values()) == len(found)


def test_jsonl_and_json_agree_with_pictures(home: Path) -> None:
    found = records(run("labels.txt", "--dict", "dict.txt", "--format", "jsonl").stdout)
    document = json.loads(run("labels.txt", "--dict", "dict.txt", "--format", "json").stdout)
    Draft202012Validator(load_schema("report")).validate(document)
    key = lambda record: (record["code"], record["line"] or 0, record["message"])  # noqa: E731
    stripped = [{k: v for k, v in record.items() if k != "schema_version"} for record in found]
    assert sorted(stripped, key=key) == sorted(document["findings"], key=key)


def test_annotations_for_github(home: Path) -> None:
    done = run("labels.txt", "--no-images", "--format", "github")
    lines = done.stdout.split("\n")[:-1]
    assert "::error file=labels.txt,line=5,title=missing-tab::no tab between path and label" in lines
    assert all(line.startswith(("::error ", "::warning ", "::notice ")) for line in lines)


def test_stdin(home: Path) -> None:
    done = run("-", "--task", "rec", "--no-images", "--json", stdin=b"0.png\tgood\n")
    assert json.loads(done.stdout)["totals"]["trained"] == 1
    done = run("-", "--task", "rec", "--clean", "c.txt", stdin=b"0.png\tgood\n")
    assert isinstance(done.exception, UsageError) and "not stdin" in str(done.exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("labels.txt --format xml", "known are text, json, jsonl, github"),
        ("labels.txt --json --format jsonl", "one of them"),
        ("labels.txt --drop-cut", "--drop-cut leaves lines out"),
        ("labels.txt --fix labels.txt", "would overwrite the label file"),
        ("labels.txt --fix x.txt --clean x.txt", "written to by two options"),
        ("labels.txt --clean c.txt --dropped c.txt", "written to by two options"),
        ("labels.txt --dropped labels.txt", "or is a label file"),
        ("labels.txt --ratio 1 --ratio 2", "2 ratios for 1 label files"),
        ("labels.txt -o Global.epoch_num=1", "name it with -c"),
        ("", "no label file given"),
    ],
)
def test_wrong_use_is_said_before_any_work(home: Path, arguments: str, message: str) -> None:
    before = sorted(home.iterdir())
    done = run(*arguments.split())
    assert isinstance(done.exception, UsageError) and message in str(done.exception)
    assert done.exception.exit_code == 2
    assert sorted(home.iterdir()) == before


def test_a_paddleocr_yaml(home: Path) -> None:
    (home / "train.txt").write_bytes(b"0.png\tgoodgoodgoodgoodgoodgoodgood\n1.png\ta b\n")
    dataset = {
        "name": "SimpleDataSet",
        "data_dir": ".",
        "label_file_list": ["train.txt"],
        "transforms": [{"CTCLabelEncode": None}, {"RecResizeImg": {"image_shape": [3, 48, 480]}}],
    }
    document = {
        "Global": {
            "character_dict_path": "dict.txt",
            "use_space_char": False,
            "max_text_length": 40,
            "epoch_num": 1,
        },
        "Optimizer": {"name": "Adam", "lr": {"name": "Const", "learning_rate": 0.001}},
        "Architecture": {
            "model_type": "rec",
            "algorithm": "SVTR_LCNet",
            "Backbone": {"name": "MobileNetV1Enhance", "scale": 0.5, "last_pool_kernel_size": [2, 2]},
            "Head": {"name": "CTCHead"},
        },
        "Train": {"dataset": dataset, "loader": {"batch_size_per_card": 8}},
    }
    (home / "rec.yml").write_text(yaml.safe_dump(document), encoding="utf-8")
    done = run("-c", "rec.yml", "--json")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    report = json.loads(done.stdout)
    assert report["settings"]["max_text_length"] == 40
    assert report["settings"]["image_shape"] == [3, 48, 480]
    assert report["settings"]["dictionary_classes"] == 7
    assert (report["totals"]["trained"], report["totals"]["cut"]) == (1, 1)
    changed = json.loads(run("-c", "rec.yml", "-o", "Global.max_text_length=25", "--json").stdout)
    assert changed["totals"]["dropped"] == 1
    told = json.loads(run("-c", "rec.yml", "--max-text-length", "25", "--json").stdout)
    assert told["totals"]["dropped"] == 1
    assert "--max-text-length 25 of the command line, not 40 of rec.yml" in told["notes"]


def test_an_lmdb_set(home: Path) -> None:
    pytest.importorskip("lmdb", reason="the extra lmdb is not installed")
    from datakit.lmdb_set import write_lmdb

    png = (home / "0.png").read_bytes()
    write_lmdb(home / "set", [(png, "good"), (png[:-40], "good"), (b"", "good"), (png, "a" * 30)])
    done = run("set", "--dropped", "d.jsonl", "--json")
    totals = json.loads(done.stdout)["totals"]
    assert (totals["lines"], totals["trained"], totals["unreadable"], totals["dropped"]) == (4, 1, 2, 1)
    found = records((home / "d.jsonl").read_text("utf-8"))
    assert [(record["line"], record["fate"], record["raw"]) for record in found] == [
        (2, "unreadable", "good"),
        (3, "unreadable", "good"),
        (4, "dropped", "a" * 30),
    ]


def test_ctrl_c_says_that_audit_begins_anew(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-m", "datakit.cli.main", "audit", "-", "--task", "rec"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    ) as process:
        # More than a pipe holds: written once audit reads, so that it is past its start.
        process.stdin.write(b"a.jpg\ttext\n" * 20_000)
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1].decode()
    assert process.returncode == 130
    assert "the same command begins anew" in said
