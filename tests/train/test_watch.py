"""Scores on the way: the best is kept, patience stops, a resumed run does the same; curves; one batch."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from datakit.errors import UsageError
from datakit.metrics import Score
from datakit.mix import Mix, Source
from datakit_train.curves import panels, thin, write_curves
from datakit_train.finetune import finetune
from datakit_train.gate import Candidate
from datakit_train.overfit import Overfit, overfit_one_batch
from datakit_train.settings import Settings
from datakit_train.watch import evaluation_steps, read_evaluations
from datakit_train.weights.store import load_model

DrawLines = Callable[..., Path]
FAST = Settings(steps=8, batch_size=4, learning_rate=1e-3, shares=(), save_every=3, evaluate_every=2, seed=1)


def mix_of(label_file: Path) -> Mix:
    return Mix((Source(label_file, label_file.parent, "domain", 1.0),))


@pytest.fixture
def train(draw_lines: DrawLines) -> Path:
    return draw_lines("train", 12, seed=1)


@pytest.fixture
def val(draw_lines: DrawLines) -> Path:
    return draw_lines("val", 4, seed=2)


@pytest.mark.parametrize(
    ("every", "start", "steps", "expected"),
    [
        (None, 0, 10, (10,)),
        (3, 0, 10, (3, 6, 9, 10)),
        (5, 0, 10, (5, 10)),
        (2, 5, 10, (7, 9, 10)),
        (10, 0, 10, (10,)),
    ],
)
def test_steps_that_are_scored(every: int | None, start: int, steps: int, expected: tuple[int, ...]) -> None:
    assert evaluation_steps(Settings(evaluate_every=every, evaluate_from=start), steps) == expected


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Settings(evaluate_every=11), "no evaluation: the first comes after 11 steps, the run has 10"),
        (Settings(evaluate_every=6, evaluate_from=5), r"first comes after 11 .*eval_batch_step=\[0,2\]"),
        (Settings(patience=2), "--patience 2: there is no evaluation in 10 steps"),
    ],
)
def test_no_evaluation_is_an_error(settings: Settings, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        evaluation_steps(settings, 10)


def score_by_plan(monkeypatch: pytest.MonkeyPatch, exact: dict[str, int]) -> list[str]:
    """Scores by hand, by the name of what is scored; returns the names in their order."""
    asked: list[str] = []

    def scored(_run: object, name: str) -> Candidate:
        asked.append(name)
        counts = Score(lines=8, exact=exact[name], exact_folded=exact[name], characters=40)
        return Candidate(name, counts, {})

    monkeypatch.setattr("datakit_train.finetune.score_sets", scored)
    monkeypatch.setattr("datakit_train.watch.score_sets", scored)
    return asked


def test_patience_stops_and_the_best_step_is_kept(
    train: Path, val: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = score_by_plan(monkeypatch, {"base": 1, "step 2": 5, "step 4": 5, "step 6": 4, "tuned": 4})
    said: list[str] = []
    out = tmp_path / "out"
    settings = replace(FAST, steps=20, patience=2)
    result = finetune(
        mix_of(train), val=val, out=out, pretrained=tiny_model, settings=settings, say=said.append
    )
    assert asked == ["base", "step 2", "step 4", "step 6", "tuned"]
    assert (result.steps, result.chosen.name) == (6, "step 2")
    assert "stopped at step 6: 2 scores without one better than step 2" in said
    assert [step for step, _ in read_evaluations(out / "evaluations.jsonl")] == [2, 4, 6]
    kept, best = load_model(out / "kept"), load_model(out / "best")
    assert all(np.array_equal(kept.tensors[name], array) for name, array in best.tensors.items())
    assert best.extra["trained"]["candidate"] == "step 2"
    # Started again it trains no further.
    monkeypatch.setattr("datakit_train.engine.Engine.step", None)
    again = finetune(mix_of(train), val=val, out=out, pretrained=tiny_model, settings=settings)
    assert (again.steps, again.chosen.name) == (6, "step 2")


def test_a_forgetful_step_is_not_kept(
    train: Path, val: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guards = {"base": 8, "step 2": 4, "step 4": 8, "step 6": 8, "tuned": 2}
    domains = {"base": 1, "step 2": 7, "step 4": 3, "step 6": 2, "tuned": 6}

    def scored(_run: object, name: str) -> Candidate:
        domain, guard = (
            Score(lines=8, exact=n[name], exact_folded=n[name], characters=40) for n in (domains, guards)
        )
        return Candidate(name, domain, {"guard": guard})

    monkeypatch.setattr("datakit_train.finetune.score_sets", scored)
    monkeypatch.setattr("datakit_train.watch.score_sets", scored)
    out = tmp_path / "out"
    result = finetune(mix_of(train), val=val, out=out, pretrained=tiny_model, settings=FAST)
    assert (result.steps, result.chosen.name) == (8, "step 4")
    assert list(result.refused) == ["tuned"]


def test_a_stopped_run_goes_on_as_if_it_had_not_stopped(
    train: Path, val: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    finetune(mix_of(train), val=val, out=whole, pretrained=tiny_model, settings=FAST)

    from datakit_train import training

    save = training._save_latest

    def stop_at_five(run: object, step: int, bad: object) -> None:
        save(run, step, bad)  # type: ignore[arg-type]
        if step == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(training, "_save_latest", stop_at_five)
        with pytest.raises(KeyboardInterrupt):
            finetune(mix_of(train), val=val, out=torn, pretrained=tiny_model, settings=FAST)
    finetune(mix_of(train), val=val, out=torn, pretrained=tiny_model, settings=FAST)
    for name in ("evaluations.jsonl", "train.jsonl"):
        assert (torn / name).read_bytes() == (whole / name).read_bytes()
    speeds = [json.loads(line) for line in (torn / "speed.jsonl").read_text().splitlines()]
    assert [(s["first_step"], s["last_step"]) for s in speeds] == [(4, 8)]
    assert all(s["lines_per_second"] > 0 and 0 <= s["waiting_share"] <= 1 for s in speeds)


def test_curves(tmp_path: Path) -> None:
    steps = [{"step": s, "loss": 5.0 / (s + 1), "rate": 1e-4, "lines": 4, "width": 320} for s in range(1500)]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(step) + "\n" for step in steps))
    domain = {"lines": 4, "exact": 1, "exact_folded": 2, "edits": 3, "characters": 9, "unreadable": 0}
    records = [
        {
            "step": s,
            "name": f"step {s}",
            "domain": domain,
            "guards": {"<b>&木": {**domain, "exact_folded": s // 500}},
        }
        for s in (500, 1000)
    ]
    (tmp_path / "evaluations.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    loss, rate, accuracy = panels(tmp_path)
    assert (loss.title, rate.title, [line.name for line in accuracy.lines]) == (
        "CTC loss", "learning rate", ["domain", "<b>&木"],
    )  # fmt: skip
    assert len(loss.lines[0].points) == 500
    assert accuracy.lines[1].points == ((500.0, 0.25), (1000.0, 0.5))
    write_curves(tmp_path)
    page = (tmp_path / "curves.html").read_text("utf-8")
    assert "default-src 'none'" in page and "<script" not in page and "<b>&木" not in page
    drawn = page[page.index("<svg") : page.rindex("</svg>") + 6]
    lines = ElementTree.fromstring(f"<x>{drawn}</x>").iter("polyline")
    assert [len(line.attrib["points"].split()) for line in lines] == [500, 500, 2, 2]
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == (760, 600)


def test_nothing_to_draw(tmp_path: Path) -> None:
    write_curves(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_thin_takes_means() -> None:
    assert thin([(0.0, 1.0), (1.0, 3.0), (2.0, 5.0)], 2) == ((0.5, 2.0), (2.0, 5.0))
    assert thin([], 2) == ()


def test_one_batch_by_heart(train: Path, tiny_model: Path) -> None:
    base = load_model(tiny_model)
    settings = Settings(batch_size=1, steps=40, learning_rate=3e-3, seed=0)
    found = overfit_one_batch(mix_of(train), base, settings)
    assert (found.steps, found.lines, found.read) == (40, 1, 1)
    assert found.learned and found.last_loss < 0.1 < found.first_loss
    hopeless = overfit_one_batch(mix_of(train), base, replace(settings, steps=2, learning_rate=1e-9))
    assert not hopeless.learned and hopeless.describe().endswith("NOT learned")


@pytest.mark.parametrize(
    ("found", "learned"),
    [
        (Overfit(5, 10, 9, 9.0, 8.0), True),
        (Overfit(5, 10, 8, 9.0, 0.1), False),
        (Overfit(5, 1, 0, 1.0, 0.0), False),
    ],
)
def test_what_counts_as_learned(found: Overfit, learned: bool) -> None:
    assert found.learned is learned
    assert found.to_dict()["learned"] is learned
