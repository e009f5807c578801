"""Labels that follow the picture again: once, for all rounds, every line in it or named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datakit.errors import InputError, UsageError
from datakit.loop import load_plan, run_loop
from datakit.loop.folders import read_json, round_folder
from datakit.loop.restore import restore_step
from datakit.mix import load_mix
from datakit.records import Prediction


@pytest.fixture
def reads_capitals(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Every line is read as its label in upper case; returns the label files that were read."""
    from datakit_train.predict import LabelSet, LineReader

    read: list[Path] = []

    def capitals(self: LineReader, label_set: LabelSet, *_: Any) -> list[Prediction]:
        read.append(label_set.path)
        entries = [(entry, getattr(entry, "image", "")) for entry in label_set.lines]
        return [
            Prediction(e.file, e.line, image, e.text, e.text.upper())
            if image
            else Prediction(e.file, e.line, "", "", None, e.message)
            for e, image in entries
        ]

    monkeypatch.setattr(LineReader, "read", capitals)
    return read


def lowered(loop_file: Path) -> tuple[Path, str]:
    """The domain's label file, now in lower case and with a line without a tab; what it held before."""
    path = loop_file.parent / "train" / "labels.txt"
    before = path.read_text(encoding="utf-8")
    images = [line.split("\t") for line in before.splitlines()]
    lower = "".join(f"{image}\t{text.lower()}\n" for image, text in images)
    path.write_text(lower + "no tab here\n", encoding="utf-8")
    return path, before


def test_the_domain_is_restored_once(loop_file: Path, reads_capitals: list[Path]) -> None:
    path, before = lowered(loop_file)
    plan = replace(load_plan(loop_file), restore=["case"], ratios={"labels.txt": 2.0, "general": 1.0})
    folder, said = round_folder(plan.out, 0), []
    plans = [restore_step(plan, folder, said.append) for _ in range(2)]
    assert plans[0] == plans[1]
    assert reads_capitals == [path]
    part = plans[0].domain[0]
    assert part.label_file.read_text(encoding="utf-8") == before
    assert part.data_dir == path.parent
    assert plans[0].ratios == {str(part.label_file): 2.0, "general": 1.0}
    listed = [json.loads(line) for line in (folder.restored(0) / "restored.jsonl").open(encoding="utf-8")]
    changed = sum(line != line.lower() for line in before.splitlines())
    assert len(listed) == changed + 1
    assert (listed[-1]["line"], listed[-1]["left_out"] != "") == (13, True)
    assert said[0].startswith(
        f"restore {path}: case as {plan.model} reads it: {changed} of 12 labels change, 1 left"
    )


def test_without_a_line_left_it_is_said(loop_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from datakit.badcases import restore

    plan = replace(load_plan(loop_file), restore=["case"])

    def refuse(*_: object, **__: object) -> str:
        raise InputError("nowhere")

    monkeypatch.setattr(restore, "moved_path", refuse)
    with pytest.raises(
        InputError, match=r"labels\.txt: no line is left with its labels restored; see .*restored"
    ):
        restore_step(plan, round_folder(plan.out, 0), lambda _line: None)


def test_rounds_train_on_it_and_the_audit_names_the_lines_as_given(
    loop_file: Path, reads_capitals: list[Path]
) -> None:
    path, _ = lowered(loop_file)
    text = loop_file.read_text(encoding="utf-8") + "restore: [case]\n"
    loop_file.write_text(text.replace("rounds: 2", "rounds: 1"), encoding="utf-8")
    plan = load_plan(loop_file)
    result = run_loop(plan)
    folder = round_folder(plan.out, 1)
    restored = round_folder(plan.out, 0).restored(0) / "restored.txt"
    assert str(path) in read_json(folder.audit)["totals"]
    domain = [source for source in load_mix(folder.mix).sources if source.kind == "domain"]
    assert [source.label_file.resolve() for source in domain] == [restored]
    mined = folder.mined(0).read_text(encoding="utf-8")
    assert mined
    assert mined == mined.replace("a", "A").replace("b", "B")
    assert result.rounds[1].steps["restore"] > 0
    assert reads_capitals.count(path) == 1
    with pytest.raises(UsageError, match=r"holds rounds of another loop\.yaml"):
        run_loop(replace(plan, restore=["space"]))


def test_what_can_be_restored_is_checked_at_the_door(loop_file: Path) -> None:
    loop_file.write_text(loop_file.read_text(encoding="utf-8") + "restore: [colour]\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"restore \['colour'\] is not one of case, space, marks"):
        load_plan(loop_file)
