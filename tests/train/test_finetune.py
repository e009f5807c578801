"""A whole run on a tiny network: baseline, gate, resume after SIGKILL, broken pictures."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from datakit.cli.main import app
from datakit.errors import InputError, TooManyBadError, UsageError
from datakit.files import read_manifest
from datakit.metrics import Score
from datakit.mix import Mix, Part, Source
from datakit_train.checkpoint import load_latest
from datakit_train.finetune import _rule_hint, finetune
from datakit_train.label_sets import name_sets, sources_of
from datakit_train.preflight import preflight
from datakit_train.settings import Settings
from datakit_train.weights.store import load_model

DrawLines = Callable[..., Path]
FAST = Settings(steps=4, batch_size=4, learning_rate=1e-3, shares=(0.5,), save_every=2, seed=1)


def mix_of(label_file: Path) -> Mix:
    return Mix((Source(label_file, label_file.parent, "domain", 1.0),))


@pytest.fixture
def train(draw_lines: DrawLines) -> Path:
    return draw_lines("train", 20, seed=1)


@pytest.fixture
def val(draw_lines: DrawLines) -> Path:
    return draw_lines("val", 8, seed=2)


def test_a_run_leaves_everything_that_its_docstring_names(
    train: Path, val: Path, tiny_model: Path, tmp_path: Path
) -> None:
    said: list[str] = []
    out = tmp_path / "out"
    result = finetune(
        mix_of(train), val=val, out=out, guards=[val], pretrained=tiny_model, settings=FAST, say=said.append
    )
    assert said[0].startswith("20 lines: 20 train (0 of them with characters cut), 0 dropped")
    assert "the rate 0.001 is" in said[2] and "no general line trains along" in said[3]
    assert [line.partition(":")[0] for line in said[4:] if ":" in line] == [
        "base", "tuned", "average 0.5",
        "tuned, domain", "tuned, val", "average 0.5, domain", "average 0.5, val",
        "no candidate read more of val than the base; to try",
    ]  # fmt: skip
    assert "of 8 (0 won, 0 lost): +0.0 points, 95 % +0.0 to +0.0" in said[-2]
    changed = result.to_dict()["changes"]
    assert list(changed) == ["tuned", "average 0.5"] and list(changed["tuned"]) == ["", "val"]
    assert "lines a second" in said[5]
    document = json.loads((out / "result.json").read_bytes())
    assert document == result.to_dict()
    assert document["base"]["domain"]["lines"] == 8
    assert [c["name"] for c in document["candidates"]] == ["tuned", "average 0.5"]
    assert list(document["base"]["guards"]) == ["val"]
    assert {path.name for path in out.iterdir() if not path.name.startswith((".", "step-"))} == {
        "best", "config.yml", "curves.html", "curves.png", "dropped.jsonl", "latest.json", "manifest.json",
        "paddleocr", "result.json", "scored.jsonl", "speed.jsonl", "train.jsonl",
    }  # fmt: skip
    steps = [json.loads(line) for line in (out / "train.jsonl").read_text().splitlines()]
    assert [step["step"] for step in steps] == [0, 1, 2, 3]
    assert all(step["lines"] == 4 and step["width"] % 32 == 0 and step["loss"] > 0 for step in steps)
    assert load_latest(out).state["step"] == 4
    manifest = read_manifest(out)
    assert (manifest.state, manifest.seed, manifest.counts) == ("done", 1, {"steps": 4, "trained": 20})
    assert set(manifest.inputs) == {str(train), str(val)}


def test_nothing_better_keeps_the_base_and_says_so(
    train: Path, val: Path, tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = ["finetune", "--train", str(train), "--val", str(val), "--out", str(out)]
    arguments += ["--pretrained", str(tiny_model), "--steps", "1", "--batch-size", "2", "--seed", "1"]
    arguments += ["--learning-rate", "1e-9", "--json"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert (document["improved"], document["chosen"]) == (False, "base")
    assert "the base model stays" in result.stderr
    kept, base = load_model(out / "best"), load_model(tiny_model)
    assert all(np.array_equal(kept.tensors[name], array) for name, array in base.tensors.items())


def test_an_improvement_is_kept_as_a_model_that_loads(
    train: Path, val: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scores by hand: a random network learns too little in a few steps."""
    scores = {"base": (2, 5), "tuned": (8, 1), "average 0.5": (4, 5)}
    names = iter(scores)

    def scored(_run: object, name: str) -> object:
        from datakit_train.gate import Candidate

        assert next(names) == name
        domain, guard = (Score(lines=8, exact=n, exact_folded=n, characters=40) for n in scores[name])
        return Candidate(name, domain, {"guard": guard})

    monkeypatch.setattr("datakit_train.finetune.score_sets", scored)
    out = tmp_path / "out"
    result = finetune(mix_of(train), val=val, out=out, pretrained=tiny_model, settings=FAST)
    assert (result.improved, result.chosen.name) == (True, "average 0.5")
    assert result.refused == {"tuned": ("guard: 4 of 8 lines lost, 2.0 allowed",)}
    kept, base = load_model(out / "best"), load_model(tiny_model)
    tuned = load_latest(out).model
    name = "head.fc.weight"
    half = (base.tensors[name] + tuned.tensors[name]) / 2
    np.testing.assert_allclose(kept.tensors[name], half, atol=1e-7)
    assert kept.extra["trained"] == {"from": base.source, "candidate": "average 0.5", "seed": 1}


def test_the_floor_is_what_forgetting_is_measured_from(
    train: Path, val: Path, draw_lines: DrawLines, tiny_model: Path, tmp_path: Path
) -> None:
    guard = draw_lines("guard", 6, seed=9)
    floor = {"guard": Score(lines=6, exact=6, exact_folded=6, characters=30)}
    result = finetune(
        mix_of(train), val=val, out=tmp_path / "out", guards=[guard], pretrained=tiny_model,
        settings=replace(FAST, steps=1), floor=floor,
    )  # fmt: skip
    # Refused by the guard, so smaller and smaller averages were tried.
    assert list(result.refused) == ["tuned", "average 0.5", "average 0.25", "average 0.125"]
    assert result.base.guards["guard"].exact_folded < 4


_RUN = """
import json, sys
from pathlib import Path
from datakit_train.framework import import_paddle
import_paddle(1)
from datakit_train.finetune import _rule_hint, finetune
from datakit_train.label_sets import sources_of
from datakit_train.settings import Settings
train, val, model, out, settings = sys.argv[1:]
settings = json.loads(settings)
settings["shares"] = tuple(settings["shares"])
mix = sources_of([Path(train)])
finetune(mix, val=Path(val), out=Path(out), pretrained=model, settings=Settings(**settings), say=print)
"""


def run_child(train: Path, val: Path, model: Path, out: Path, settings: Settings) -> list[str]:
    return [sys.executable, "-c", _RUN, *map(str, (train, val, model, out)), json.dumps(asdict(settings))]


def reached_step(out: Path) -> int:
    """The step of the last checkpoint, 0 before there is one."""
    try:
        return int(json.loads((out / "latest.json").read_bytes())["step"])
    except FileNotFoundError:
        return 0


def kill_behind(command: list[str], out: Path, wanted: int) -> int:
    """Start a run, kill it some steps behind ``wanted``; returns the step that its checkpoint holds."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        deadline = time.monotonic() + 60
        while reached_step(out) < wanted and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(0.03)
        child.send_signal(signal.SIGKILL)
    return int(load_latest(out).state["step"])


def test_killed_three_times_and_resumed_is_the_undisturbed_run_bit_for_bit(
    train: Path, val: Path, tiny_model: Path, tmp_path: Path
) -> None:
    settings = replace(FAST, steps=30, save_every=2, evaluate_every=12)
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    command = run_child(train, val, tiny_model, torn, settings)
    for wanted in (4, 10, 16):
        reached = kill_behind(command, torn, wanted)
        assert wanted <= reached < 30
        assert not (torn / "result.json").exists()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"going on from step {reached}\n" in done.stdout
    subprocess.run(run_child(train, val, tiny_model, whole, settings), capture_output=True, check=True)

    for name in ("train.jsonl", "evaluations.jsonl"):
        assert (torn / name).read_bytes() == (whole / name).read_bytes()
    first, second = load_latest(torn), load_latest(whole)
    assert first.state == second.state
    for name, array in second.model.tensors.items():
        assert np.array_equal(first.model.tensors[name], array), name
    for name, array in second.optimizer.items():
        assert np.array_equal(first.optimizer[name], array), name
    results = [json.loads((folder / "result.json").read_bytes()) for folder in (torn, whole)]
    for result in results:
        result.pop("seconds")
        result.pop("model")
    assert results[0] == results[1]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_ends_with_its_code_and_goes_on(
    train: Path, val: Path, tiny_model: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    out = tmp_path / "out"
    arguments = ["finetune", "--train", train, "--val", val, "--out", out, "--pretrained", tiny_model]
    arguments += ["--steps", 5000, "--batch-size", 2, "--learning-rate", 1e-5, "--threads", 1]
    main = "from datakit_train import training; training.SAVE_SECONDS = 0.0\n"
    main += "from datakit.cli.main import main; main()"
    command = [sys.executable, "-c", main, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as child:
        deadline = time.monotonic() + 60
        while reached_step(out) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
        child.send_signal(number)
        _, said = child.communicate(timeout=30)
    assert child.returncode == code, said
    assert said.rstrip().splitlines()[-1].startswith("datakit: stopped; what was finished is kept")
    assert "Traceback" not in said
    assert not list(out.rglob("*.tmp"))
    assert load_latest(out).state["step"] == reached_step(out) >= 2


def test_other_settings_or_data_on_the_same_folder_are_refused(
    train: Path, val: Path, tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    settings = replace(FAST, steps=2)
    finetune(mix_of(train), val=val, out=out, pretrained=tiny_model, settings=settings)
    for other in (replace(settings, seed=2), replace(settings, learning_rate=2e-3)):
        with pytest.raises(UsageError, match="holds a run with other settings"):
            finetune(mix_of(train), val=val, out=out, pretrained=tiny_model, settings=other)
    with train.open("a", encoding="utf-8") as stream:
        stream.write("000.png\t9\n")
    with pytest.raises(UsageError, match="holds a run with other settings"):
        finetune(mix_of(train), val=val, out=out, pretrained=tiny_model, settings=settings)


def test_a_finished_run_is_not_trained_again(
    train: Path, val: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    first = finetune(mix_of(train), val=val, out=out, pretrained=tiny_model, settings=FAST)
    monkeypatch.setattr("datakit_train.engine.Engine.step", None)
    again = finetune(mix_of(train), val=val, out=out, pretrained=tiny_model, settings=FAST)
    assert again.to_dict() | {"seconds": 0} == first.to_dict() | {"seconds": 0}


def tear(picture: Path) -> None:
    picture.write_bytes(picture.read_bytes()[:-20])


def test_too_many_broken_pictures_stop_and_every_one_is_named(
    train: Path, val: Path, tiny_model: Path, tmp_path: Path
) -> None:
    tear(train.parent / "003.png")
    out = tmp_path / "out"
    settings = replace(FAST, steps=5, max_bad=0.01)
    with pytest.raises(TooManyBadError, match=r"1 of 20 pictures .* --max-bad 0.01; .*labels.txt:4: "):
        finetune(mix_of(train), val=val, out=out, pretrained=tiny_model, settings=settings)
    named = [json.loads(line) for line in (out / "broken.jsonl").read_text().splitlines()]
    assert [(entry["file"], entry["line"]) for entry in named] == [(str(train), 4)]


def test_broken_pictures_below_the_limit_are_counted_once(
    train: Path, val: Path, tiny_model: Path, tmp_path: Path
) -> None:
    tear(train.parent / "003.png")
    out = tmp_path / "out"
    result = finetune(
        mix_of(train),
        val=val,
        out=out,
        pretrained=tiny_model,
        settings=replace(FAST, steps=10, max_bad=0.05),
    )
    assert (result.trained_lines, result.dropped_lines) == (19, 1)
    assert len((out / "broken.jsonl").read_text().splitlines()) == 1


def test_a_val_set_without_one_readable_picture_is_an_error(
    train: Path, tiny_model: Path, tmp_path: Path
) -> None:
    val = tmp_path / "val.txt"
    val.write_text("nothing/000.png\t1\n", encoding="utf-8")
    with pytest.raises(InputError, match="not one picture can be read"):
        finetune(mix_of(train), val=val, out=tmp_path / "out", pretrained=tiny_model, settings=FAST)


def test_the_val_set_may_stand_apart_from_its_pictures(
    train: Path, val: Path, tiny_model: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere.txt"
    moved.write_bytes(val.read_bytes())
    result = finetune(
        mix_of(train), val=Part(moved, val.parent), out=tmp_path / "out", pretrained=tiny_model,
        settings=replace(FAST, steps=1),
    )  # fmt: skip
    assert result.base.domain.unreadable == 0


def test_preflight_and_dry_run_say_what_would_train(
    train: Path, val: Path, tiny_model: Path, tmp_path: Path
) -> None:
    with train.open("a", encoding="utf-8") as stream:
        stream.write("000.png\t1Q\nnone.png\t1\n")
    sentence = preflight(mix_of(train), tiny_model, Settings(epochs=2, batch_size=8))
    assert sentence.startswith("22 lines: 21 train (1 of them with characters cut), 1 dropped")
    assert "6 steps of 8, 2.00 epochs, cosine at 6.3e-06" in sentence
    arguments = ["finetune", "--train", str(train), "--val", str(val), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*arguments, "--pretrained", str(tiny_model), "--dry-run"])
    assert result.exit_code == 0
    assert result.stdout.startswith("22 lines: 21 train")
    assert not (tmp_path / "out").exists()


def test_general_lines_that_do_not_train_as_they_are_read_are_said(
    train: Path, draw_lines: DrawLines, tiny_model: Path
) -> None:
    general = draw_lines("general", 10, seed=3)
    lines = general.read_text().splitlines()
    general.write_text("\n".join([lines[0] + "1" * 30, *lines[1:]]) + "\n")
    mix = Mix((*mix_of(train).sources, Source(general, general.parent, "general", 1.0)))
    longest = max(len(line.split("\t")[1]) for line in general.read_text().splitlines())
    told = preflight(mix, tiny_model, Settings(epochs=2, batch_size=8, max_width=32)).splitlines()
    (remark,) = [line for line in told if "are forgotten first" in line]
    assert f"{general}: 1 of 10 general lines are longer than --max-text-length 25" in remark
    assert "9 are over twice as wide as --max-width 32" in remark and f"{longest} characters" in remark
    wide = preflight(mix, tiny_model, Settings(epochs=2, batch_size=8, max_width=960, max_text_length=40))
    assert "are forgotten first" not in wide


@pytest.mark.parametrize(("exact", "said"), [(60, True), (75, False)])
def test_labels_that_may_follow_a_rule_are_said(exact: int, said: bool) -> None:
    hint = _rule_hint(Score(lines=100, exact=exact, exact_folded=80))
    assert hint.startswith("20 of 100 val lines are read but for case or spaces") is said


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--task", "det"], "only rec"),
        (["--batch-norm", "off"], "neither fixed nor moving"),
        (["--resume"], "holds no unfinished run"),
        (["--freeze", "head"], "not one of none, backbone"),
        (["--schedule", "step"], "not one of constant, cosine"),
    ],
)
def test_options_that_make_no_sense(
    train: Path, val: Path, tiny_model: Path, tmp_path: Path, extra: list[str], words: str
) -> None:
    arguments = ["finetune", "--train", str(train), "--val", str(val), "--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*arguments, "--pretrained", str(tiny_model), *extra])
    assert isinstance(result.exception, UsageError)
    assert words in str(result.exception)


def test_names_of_guard_sets_are_stems_or_paths() -> None:
    parts = [Part(Path("a/val.txt")), Part(Path("b/val.txt")), Part(Path("b/words.txt"))]
    assert list(name_sets(parts)) == ["a/val.txt", "b/val.txt", "words"]


def test_sources_of_label_files_and_mixes(tmp_path: Path) -> None:
    mix = tmp_path / "mix.yaml"
    mix.write_text("sources:\n- {label_file: x/l.txt, data_dir: x, kind: general, ratio: 0.5}\n")
    found = sources_of([tmp_path / "plain.txt", mix]).sources
    assert [(s.label_file.name, s.kind, s.ratio) for s in found] == [
        ("plain.txt", "domain", 1.0),
        ("l.txt", "general", 0.5),
    ]


def test_what_synth_wrote_is_named_by_its_folder() -> None:
    assert list(name_sets([Part(Path("general_guard/labels.txt")), Part(Path("words.txt"))])) == [
        "general_guard",
        "words",
    ]


def test_a_file_that_trains_may_not_judge(train: Path, val: Path, tiny_model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="both trains and judges"):
        finetune(
            mix_of(train), val=val, out=tmp_path / "out", guards=[train], pretrained=tiny_model, settings=FAST
        )
    assert not (tmp_path / "out").exists()


def test_slow_steps_are_saved_by_the_clock(
    train: Path, val: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is stopped loses a minute, not fifty steps that take seconds each."""
    saved: list[int] = []
    monkeypatch.setattr("datakit_train.training.SAVE_SECONDS", 0.0)
    monkeypatch.setattr("datakit_train.training._save_latest", lambda _run, step, _bad: saved.append(step))
    finetune(
        mix_of(train), val=val, out=tmp_path / "out", pretrained=tiny_model,
        settings=replace(FAST, steps=3, save_every=50),
    )  # fmt: skip
    assert saved == [1, 2, 3]
