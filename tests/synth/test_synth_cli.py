"""datakit synth, fonts and corpora as commands: what they print and how they end."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner

from datakit.cli.main import app
from datakit.cli.synth import LOOK_NAMES, PRESET_NAMES
from datakit.effects import PRESETS
from datakit.errors import InputError, UsageError
from datakit_synth.looks import LOOKS, NONE

run = CliRunner()


def test_dry_run_prints_the_plan_and_writes_nothing(latin_font: Path, tmp_path: Path) -> None:
    arguments = ["synth", "--chars", "Qz\u6c49", "--per-char", "12", "--fonts", str(latin_font)]
    result = run.invoke(app, [*arguments, "--out", str(tmp_path / "out"), "--dry-run", "--json"])
    assert result.exit_code == 1
    characters = json.loads(result.stdout)["plan"]["characters"]
    assert [(c["char"], c["planned"] >= 12, c["impossible"]) for c in characters] == [
        ("Q", True, ""),
        ("z", True, ""),
        ("\u6c49", False, "no font covers it"),
    ]
    assert not (tmp_path / "out").exists()


def test_targets_and_a_run(latin_font: Path, tmp_path: Path) -> None:
    targets = tmp_path / "targets.json"
    targets.write_text('{"schema_version": 1, "targets": [{"char": "Q", "count": 7}]}', encoding="utf-8")
    out = tmp_path / "out"
    arguments = [
        "synth",
        "--targets",
        str(targets),
        "--fonts",
        str(latin_font),
        "--out",
        str(out),
        "--workers",
        "1",
    ]
    result = run.invoke(app, [*arguments, "--preset", "clean", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["totals"]["lines"] == 7
    lines = (out / "labels.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 7
    assert all("Q" in line.split("\t")[1] for line in lines)
    again = run.invoke(app, [*arguments, "--preset", "clean", "--resume"])
    assert again.exit_code == 0
    assert (
        again.stdout
        == f"7 lines, {sum(p.stat().st_size for p in out.rglob('*.jpg')) / 1e6:.1f} MB: {out}/labels.txt\n"
    )


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (["--chars", "\u6c49"], InputError, r"'汉' \(U\+6C49\) no font covers it"),
        ([], UsageError, "nothing to render"),
        (["--corpus", "/nonexistent.txt"], InputError, "/nonexistent.txt: cannot be read"),
        (["--targets", "/nonexistent.json"], InputError, "/nonexistent.json: cannot be read"),
        (["--chars", "a", "--dict", "/nonexistent.txt"], InputError, "/nonexistent.txt"),
        (["--chars", "a", "--preset", "foto"], UsageError, "no preset 'foto'"),
        (["--chars", "a", "--template", "dat"], UsageError, "no template 'dat'"),
        (["--chars", "a", "--shard", "3"], UsageError, "k/n"),
        (["--chars", "a", "--backgrounds", "/nonexistent"], InputError, "no such folder of backgrounds"),
        (["--chars", "a", "--look", "bold"], UsageError, "no look 'bold'"),
        (["--chars", "a", "--height", "48px"], UsageError, "such as 48 or 32-64"),
        (["--chars", "a", "--height", "64-32"], UsageError, "smallest first"),
        (["--chars", "a", "--resume"], UsageError, "holds no run to go on with"),
    ],
)
def test_bad_input_is_one_clear_error(
    latin_font: Path, tmp_path: Path, arguments: list[str], error: type[Exception], words: str
) -> None:
    out = tmp_path / "out"
    result = run.invoke(app, ["synth", "--fonts", str(latin_font), "--out", str(out), *arguments])
    assert isinstance(result.exception, error)
    with pytest.raises(error, match=words):
        raise result.exception
    assert not out.exists()


def test_the_help_names_every_preset_and_look() -> None:
    assert set(PRESET_NAMES.split(", ")) == PRESETS.keys()
    assert LOOK_NAMES.split(", ") == [NONE, *LOOKS]


def test_looks_and_heights_are_those_asked_for(latin_font: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ["--fonts", str(latin_font), "--out", str(out), "--workers", "1", "--keep-params"]
    asked = ["--chars", "Q", "--per-char", "6", "--look", "italic", "--look", "curved", "--height", "40"]
    result = run.invoke(app, ["synth", *options, *asked])
    assert result.exit_code == 0, result.output
    lines = [json.loads(line) for line in (out / "params.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {line["params"]["look"] for line in lines} == {"italic", "curved"}
    assert {cv2.imread(str(path)).shape[0] for path in out.rglob("images/*/*.jpg")} == {40}


def test_fonts_and_corpora_list_what_there_is(latin_font: Path, tmp_path: Path) -> None:
    listed = run.invoke(app, ["fonts", "list", "--fonts", str(latin_font), "--json"])
    assert json.loads(listed.stdout)["faces"][0]["licence"] == "OFL-1.1"
    missing = run.invoke(app, ["fonts", "coverage", "--fonts", str(latin_font), "--chars", "aZ\u6c49"])
    assert missing.exit_code == 1
    assert missing.stdout == "2/3\tLatin Regular\nno font covers: 汉 U+6C49\n"
    sheet = run.invoke(app, ["fonts", "sheet", "--fonts", str(latin_font), "--out", str(tmp_path / "s.png")])
    assert sheet.exit_code == 0
    assert (tmp_path / "s.png").read_bytes()[:4] == b"\x89PNG"
    corpora = run.invoke(app, ["corpora", "list", "--json"])
    templates = json.loads(corpora.stdout)["templates"]
    assert Counter(template["language"] for template in templates) == {"en": 14, "zh": 12}
    assert all(t["weight"] > 0 and len(t["examples"]) == 3 and all(t["examples"]) for t in templates)
    table = run.invoke(app, ["corpora", "list"]).stdout.splitlines()
    assert [line.split("\t")[0] for line in table] == [template["name"] for template in templates]
    assert {len(line.split("\t")) for line in table} == {5}
    shown = run.invoke(app, ["corpora", "show", "date-zh", "-n", "5"])
    assert len(shown.stdout.splitlines()) == 5
