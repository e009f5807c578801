"""Rounds in folders: what they leave, that they go on after any kill, and when the test sets are read."""

from __future__ import annotations

import json
import random
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from datakit.cli.main import app
from datakit.errors import InputError, UsageError
from datakit.files import read_manifest
from datakit.loop import load_plan, run_loop
from datakit.loop.folders import STEPS, RoundFolder, read_json, write_json
from datakit.loop.plan import LoopPlan
from datakit.loop.rounds import _mine, _training_of
from datakit.loop.run import LoopResult, RoundSummary
from datakit.loop.score import named_sets
from datakit.loop.table import format_table
from datakit.mix import Part, load_mix
from datakit.records import Target, Targets, read_predictions
from datakit_train.predict import LabelSet, LineReader

# Dies at the n-th file that is opened or renamed under the loop's folder; says how many there were.
_CHILD = """
import os, signal, sys
from pathlib import Path
from datakit_train.framework import import_paddle
import_paddle(1)
from datakit.loop import load_plan, run_loop
plan, left, seen = load_plan(Path(sys.argv[1])), int(sys.argv[2]), 0

def count(event, arguments):
    global seen
    if event in ("open", "os.rename") and str(arguments[0]).startswith(str(plan.out)):
        seen += 1
        if seen == left:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(count)
run_loop(plan)
print(seen)
"""


def run_child(file: Path, moment: int = 0) -> tuple[int, str]:
    command = [sys.executable, "-c", _CHILD, str(file), str(moment)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def timeless(document: dict[str, Any]) -> dict[str, Any]:
    return {**document, "rounds": [{**row, "seconds": 0, "steps": {}} for row in document["rounds"]]}


def state(out: Path) -> dict[str, Any]:
    """What has to be the same after a kill: the table, the mixes, every label file, every training step."""
    found: dict[str, Any] = {"loop.json": timeless(json.loads((out / "loop.json").read_bytes()))}
    for pattern in (
        "round-*/mix/mix.yaml",
        "round-*/synth/labels.txt",
        "round-*/predict/mined-*.txt",
        "round-*/targets/targets.json",
        "round-*/finetune/train.jsonl",
    ):
        found |= {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.glob(pattern))}
    models = sorted(out.glob("round-*/finetune/best/*.safetensors"))
    return found | {"models": [path.name for path in models]}


ENDS = ("audit/audit.json", "predict/predictions.jsonl", "badcases/report.html", "targets/targets.json")
ENDS += ("synth/labels.txt", "mix/mix.yaml", "finetune/result.json", "scores.json", "round.json")


def finished(out: Path) -> dict[Path, int]:
    """The results of finished steps, and when they were written."""
    return {path: path.stat().st_mtime_ns for end in ENDS for path in out.glob(f"round-*/{end}")}


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_the_same(loop_file: Path) -> None:
    out = loop_file.parent / "rounds"
    code, seen = run_child(loop_file)
    assert code == 0
    wanted = state(out)
    assert {"round-01/mix/mix.yaml", "round-02/synth/labels.txt", "round-02/finetune/train.jsonl"} < set(
        wanted
    )
    shutil.rmtree(out)
    moments = random.Random(6)
    before: dict[Path, int] = {}
    for _ in range(3):
        assert run_child(loop_file, moments.randrange(1, int(seen) // 3))[0] == -signal.SIGKILL
        now = finished(out)
        assert before.items() <= now.items()
        before = now
    assert run_child(loop_file)[0] == 0
    assert before.items() <= finished(out).items()
    assert state(out) == wanted
    assert not list(out.rglob(".datakit-*.tmp"))


def test_what_a_loop_leaves(loop_file: Path) -> None:
    plan = replace(load_plan(loop_file), rounds=1)
    said: list[str] = []
    result = run_loop(plan, say=said.append)
    assert [row.number for row in result.rounds] == [0, 1]
    first = plan.out / "round-01"
    kinds = {source.kind for source in load_mix(first / "mix" / "mix.yaml").sources}
    assert kinds >= {"domain", "general", "synthetic"}
    assert len(list(read_predictions(first / "predict" / "predictions.jsonl"))) == 6
    assert len(result.rounds[1].targets) == 2
    labels = (first / "synth" / "labels.txt").read_text(encoding="utf-8").splitlines()
    for target in result.rounds[1].targets:
        assert sum(target in line.split("\t")[1] for line in labels) >= 2
    assert json.loads((plan.out / "loop.json").read_bytes()) == result.to_dict()
    assert read_manifest(plan.out).state == "done"
    assert result.rounds[0].scores["held/out"]["all"]["lines"] == 5

    page = (plan.out / "loop.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in page
    assert "held/out" in page
    table = list(format_table(result))
    assert table[0].split() == ["round", "held/out", "targeted", "minutes", "verdict"]
    assert table[1].split()[0] == "0"
    assert table[1].endswith("base")
    assert table[-1].startswith("round 1 targeted: ")

    calls = len(said)
    assert timeless(run_loop(plan, say=said.append).to_dict()) == timeless(result.to_dict())
    assert [line.split(",")[0] for line in said[calls:]] == ["round 0 is over", "round 1 is over"]
    with pytest.raises(UsageError, match="holds rounds of another"):
        run_loop(replace(plan, seed=9))
    with pytest.raises(UsageError, match="holds rounds of another"):
        run_loop(replace(plan, ratios={"domain": 2.0}))


class Watch:
    """Records every file under a folder that is opened, with what the rounds had reached by then."""

    def __init__(self) -> None:
        self.folder = ""
        self.out = Path()
        self.seen: list[tuple[str, bool]] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.folder and event == "open" and str(arguments[0]).startswith(self.folder):
            self.seen.append((str(arguments[0]), self._between_rounds()))

    def _between_rounds(self) -> bool:
        rounds = sorted(self.out.glob("round-*"))
        return not rounds[1:] or (rounds[-1] / "finetune" / "result.json").exists()


WATCH = Watch()


def test_the_test_set_is_read_for_the_base_and_after_a_rounds_training_only(loop_file: Path) -> None:
    plan = replace(load_plan(loop_file), rounds=1)
    WATCH.out, WATCH.seen = plan.out, []
    WATCH.folder = str(loop_file.parent / "held")
    try:
        run_loop(plan)
    finally:
        WATCH.folder = ""
    pictures = [path for path, _ in WATCH.seen if path.endswith(".png")]
    assert len(set(pictures)) == 5
    assert len(pictures) >= 10
    assert all(between for _, between in WATCH.seen)


def test_the_command_says_no_when_no_round_was_promoted(
    loop_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = RoundSummary(0, False, "base", (), {"t": {"all": {"accuracy_folded": 0.5}}}, 1.0, "m")
    result = LoopResult((row, replace(row, number=1)), "m", loop_file.parent)
    monkeypatch.setattr("datakit.loop.run.run_loop", lambda *_, **__: result)
    found = CliRunner().invoke(app, ["loop", "run", str(loop_file)])
    assert found.exit_code == 1
    assert "not promoted, nothing passed the gate" in found.stdout
    better = LoopResult(
        (row, replace(row, number=1, promoted=True, candidate="tuned")), "m", loop_file.parent
    )
    monkeypatch.setattr("datakit.loop.run.run_loop", lambda *_, **__: better)
    found = CliRunner().invoke(app, ["loop", "run", str(loop_file), "--json"])
    assert found.exit_code == 0
    assert json.loads(found.stdout)["rounds"][1]["candidate"] == "tuned"


def test_a_guard_file_called_val_does_not_replace_the_validation_set() -> None:
    val, guard = Part(Path("domain/val.txt")), Part(Path("general/val.txt"))
    plan = LoopPlan(out=Path("out"), domain=(), val=val, guard=(guard,))
    assert named_sets(plan) == {"val": val, "general/val.txt": guard}
    assert named_sets(replace(plan, test={"t": guard})) == {"t": guard}


def test_domain_lines_that_cannot_be_written_again_are_named_not_fatal(loop_file: Path) -> None:
    labels = loop_file.parent / "train" / "labels.txt"
    labels.write_bytes(labels.read_bytes() + b"00.png\t1\r2\n")
    plan = replace(load_plan(loop_file), mine=100)
    said: list[str] = []
    folder = RoundFolder(plan.out / "round-01")
    (path,) = _mine(plan, folder, said.append)
    assert len(path.read_bytes().splitlines()) == 12
    (sentence,) = said
    assert sentence.startswith(f"{labels}:13: not read for badcases: ")


def test_a_domain_without_a_usable_line(loop_file: Path) -> None:
    labels = loop_file.parent / "train" / "labels.txt"
    labels.write_bytes(b"no tab\n")
    plan = load_plan(loop_file)
    with pytest.raises(InputError, match="no line can be used"):
        _mine(plan, RoundFolder(plan.out / "round-01"), print)


def test_a_promoted_model_is_where_the_next_round_starts(
    loop_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datakit_train.finetune.choose", lambda _base, candidates, _limit: candidates[0])
    plan = load_plan(loop_file)
    said: list[str] = []
    read: list[Path] = []
    real = LineReader.read

    def counting(self: LineReader, label_set: LabelSet, progress: object = None) -> object:
        read.append(label_set.path)
        return real(self, label_set, progress)  # type: ignore[arg-type]

    monkeypatch.setattr(LineReader, "read", counting)
    result = run_loop(plan, say=said.append)
    # The base once, though two steps ask for it; round 2 begins with scores that round 1 ended with.
    models = {json.loads(line)["model"] for line in (plan.out / "scored.jsonl").read_text().splitlines()}
    trials = sum(
        len(result["candidates"]) for result in map(read_json, plan.out.glob("*/finetune/result.json"))
    )
    assert read.count(plan.guard[0].label_file) == len(models) == 1 + trials
    best = [str(plan.out / f"round-0{number}" / "finetune" / "best") for number in (1, 2)]
    assert [(row.promoted, row.candidate, row.model) for row in result.rounds] == [
        (False, "base", plan.model),
        (True, "tuned", best[0]),
        (True, "tuned", best[1]),
    ]
    assert f"round 2, from {best[0]}" in said
    assert (result.improved, result.model) == (True, best[1])
    assert "promoted (tuned)" in list(format_table(result))[2]


def test_a_step_done_by_hand_is_taken_and_a_no_stops_before_anything_is_made(loop_file: Path) -> None:
    plan = replace(load_plan(loop_file), rounds=1)
    said: list[str] = []
    asked: list[str] = []

    def no(question: str) -> bool:
        asked.append(question)
        return False

    result = run_loop(plan, say=said.append, ask=no)
    folder = RoundFolder(plan.out / "round-01")
    assert asked == ["round 1 as planned?"]
    assert [row.number for row in result.rounds] == [0]
    assert f"edit {folder.targets}" in str(result.stopped)
    assert folder.targets.exists()
    assert not folder.synth.exists()
    # The plan was said, with figures, before it was done.
    assert any(line.startswith("plan: to make: 2 characters in ") for line in said)
    assert "stopped: the plan of round 1" in said[-1]

    folder.targets.write_text(Targets((Target("5", 3),)).to_json(), encoding="utf-8")
    document = json.loads(folder.decision.read_bytes())
    folder.decision.write_text(json.dumps({**document, "general": 2.0}), encoding="utf-8")
    result = run_loop(plan, say=said.append, ask=lambda _question: True)
    assert result.rounds[1].targets == ("5",)
    labels = (folder.synth / "labels.txt").read_text(encoding="utf-8").splitlines()
    assert len(labels) == 3
    assert all("5" in line.split("\t")[1] for line in labels)
    general = next(source for source in load_mix(folder.mix).sources if source.kind == "general")
    assert general.ratio == 4.0
    for step in ("audit", "predict", "badcases", "targets", "synth", "mix", "finetune"):
        assert read_manifest(folder.path / step).state == "done"
    assert set(result.rounds[1].steps) == set(STEPS) - {"sources", "restore"}
    assert result.rounds[1].seconds > 0
    page = (plan.out / "loop.html").read_text(encoding="utf-8")
    assert "What round 1 planned" in page
    assert "without space" in page
    # What ends the rounds may change in a folder that is gone on with; what they are made from may not.
    stopped = run_loop(replace(plan, rounds=3, patience=1, budget_minutes=0.0))
    assert [row.number for row in stopped.rounds] == [0, 1]
    assert stopped.stopped is not None
    moved = replace(plan, domain=(replace(plan.domain[0], data_dir=loop_file.parent),))
    with pytest.raises(UsageError, match="holds rounds of another"):
        run_loop(moved)


def test_a_target_that_the_base_reaches_ends_it_before_the_first_round(loop_file: Path) -> None:
    plan = replace(load_plan(loop_file), target_accuracy=0.0)
    result = run_loop(plan)
    assert [row.number for row in result.rounds] == [0]
    assert str(result.stopped).startswith("target: 0.0000 folded on val")


def test_ask_needs_a_terminal(loop_file: Path) -> None:
    found = CliRunner().invoke(app, ["loop", "run", str(loop_file), "--ask"])
    assert isinstance(found.exception, UsageError)
    assert not (loop_file.parent / "rounds").exists()


def test_what_audit_found_is_said_in_words(loop_file: Path) -> None:
    labels = loop_file.parent / "train" / "labels.txt"
    lines = labels.read_text(encoding="utf-8").splitlines()
    lines[0] += "Z"
    lines[1] += "1" * 40
    labels.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    plan, said = load_plan(loop_file), list[str]()
    run_loop(plan, say=said.append, ask=lambda _question: False)
    sentences = [line.partition("labels.txt: ")[2] for line in said if line.startswith("audit ")]
    assert sentences == [
        "12 lines: 10 train as labelled, 1 with characters cut that the dictionary lacks, 1 do not train "
        "(over-limit 1)",
        "6 lines: 6 train as labelled",
    ]


def test_pictures_are_looked_at(loop_file: Path) -> None:
    run_loop(load_plan(loop_file), ask=lambda _question: False)
    report = json.loads((load_plan(loop_file).out / "round-01/badcases/report.json").read_bytes())
    assert {"height", "aspect", "sharpness", "contrast"} <= {part["axis"] for part in report["slices"]}


@pytest.mark.parametrize(("planned", "wanted"), [({}, 0.5 * 1e-4 * 4 / 128), ({"learning_rate": 1e-3}, 5e-4)])
def test_the_rate_that_was_decided_trains(
    planned: dict[str, float], wanted: float, tmp_path: Path, loop_file: Path
) -> None:
    folder = RoundFolder(tmp_path / "round-02")
    plan = replace(load_plan(loop_file), finetune={"batch_size": 4, "shares": [0.5], **planned})
    given = {"batch_size": 4, "shares": (0.5,)}
    assert _training_of(plan, folder) == {**given, **planned}
    write_json(folder.decision, {"rate": 0.5})
    assert _training_of(plan, folder) == {**given, "learning_rate": pytest.approx(wanted)}
