"""Distillation from the base model, rates by layer, and replay of general lines."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from datakit.cli.main import app
from datakit.errors import InputError, UsageError
from datakit.mix import Mix, Source, write_mix
from datakit_train.batches import Batch
from datakit_train.distill import divergence, load_pictures, make_distiller
from datakit_train.engine import Engine
from datakit_train.framework import import_paddle
from datakit_train.job import make_job
from datakit_train.layer_rates import layer_factors, layer_of
from datakit_train.recognizer import assemble
from datakit_train.replay import with_replay
from datakit_train.settings import Settings
from datakit_train.weights.store import load_model

DrawLines = Callable[..., Path]


def batch(seed: int = 0, count: int = 4) -> Batch:
    rng = np.random.default_rng(seed)
    images = rng.uniform(-1, 1, (count, 3, 48, 96)).astype(np.float32)
    labels = rng.integers(1, 13, (count, 3)).astype(np.int32)
    return Batch(images, labels, np.full(count, 3, np.int64), ())


def test_divergence_is_kl_summed_over_steps_and_averaged_over_lines() -> None:
    paddle = import_paddle(1)
    rng = np.random.default_rng(0)
    teacher, student = rng.normal(size=(2, 3, 5, 7)).astype(np.float32)

    def softmax(x: np.ndarray) -> np.ndarray:
        return np.exp(x) / np.exp(x).sum(-1, keepdims=True)

    p, q = softmax(teacher), softmax(student)
    wanted = (p * np.log(p / q)).sum((1, 2)).mean()
    tensors = [paddle.to_tensor(x, stop_gradient=False) for x in (teacher, student)]
    found = divergence(*tensors)
    assert float(found) == pytest.approx(wanted, rel=1e-5)
    found.backward()
    assert tensors[0].grad is None
    # d KL / d logits = (q - p) / lines.
    np.testing.assert_allclose(tensors[1].grad.numpy(), (q - p) / 3, atol=1e-6)
    assert float(divergence(tensors[0], tensors[0])) == pytest.approx(0, abs=1e-5)


def after_steps(tiny_model: Path, settings: Settings, *, steps: int = 6) -> tuple[Any, Any]:
    base = load_model(tiny_model)
    network = assemble(base).network
    engine = Engine(network, seed=0, addition=make_distiller(base, settings))
    for number in range(steps):
        engine.step(batch(), number, 2e-3)
    network.eval()
    return network, assemble(base).network


def drift(networks: tuple[Any, Any], images: np.ndarray) -> float:
    paddle = import_paddle()
    with paddle.no_grad():
        tuned, base = (network(paddle.to_tensor(images)) for network in networks)
        return float(divergence(base, tuned))


def test_a_heavy_weight_holds_the_student_to_its_teacher(tiny_model: Path) -> None:
    images = batch().images
    free, held = (
        drift(after_steps(tiny_model, Settings(batch_size=4, distill=weight)), images)
        for weight in (0.0, 20.0)
    )
    assert held < 0.3 * free


def test_pictures_of_their_own_hold_it_there(tiny_model: Path, draw_lines: DrawLines) -> None:
    """Their labels do not count: every one is outside the dictionary."""
    label_file = draw_lines("other", 6, seed=3, chars="xyz")
    settings = Settings(batch_size=8, distill=20.0, distill_on=str(label_file))
    pictures = load_pictures(label_file, load_model(tiny_model), settings, allow_outside=False)
    assert [len(samples) for samples in pictures.samples] == [6]
    distiller = make_distiller(load_model(tiny_model), replace(settings, batch_size=12))
    assert distiller is not None
    images = distiller._load(0)[0]
    assert len(images) == 6
    free = drift(after_steps(tiny_model, Settings(batch_size=4)), images)
    assert drift(after_steps(tiny_model, settings), images) < 0.5 * free


def test_a_frozen_backbone_reads_the_pictures_once(tiny_model: Path, draw_lines: DrawLines) -> None:
    """And steps as if each network had read them itself."""
    label_file = draw_lines("other", 4, seed=3)
    base = load_model(tiny_model)
    settings = Settings(batch_size=8, distill=5.0, distill_on=str(label_file), freeze="backbone")
    moving = make_distiller(base, replace(settings, fixed_batch_norm=False))
    assert moving is not None
    assert not moving._same_backbone
    weights = []
    for once in (True, False):
        distiller = make_distiller(base, settings)
        assert distiller is not None
        assert distiller._same_backbone
        distiller._same_backbone = once
        engine = Engine(assemble(base).network, freeze="backbone", seed=0, addition=distiller)
        for number in range(2):
            engine.step(batch(), number, 1e-3)
        weights.append(engine.weights())
    for name, value in weights[0].items():
        np.testing.assert_allclose(value, weights[1][name], atol=1e-6, err_msg=name)


def test_sources_of_a_mix_are_drawn_at_their_ratios(tiny_model: Path, draw_lines: DrawLines) -> None:
    files = [draw_lines(name, 6, seed=3) for name in ("many", "few")]
    path = files[0].parent.parent / "general.yaml"
    ratios = (0.5, 1.0)
    write_mix(path, Mix(tuple(Source(f, f.parent, "general", r) for f, r in zip(files, ratios, strict=True))))
    settings = Settings(batch_size=6, distill=1.0, distill_on=str(path))
    found = load_pictures(path, load_model(tiny_model), settings, allow_outside=False)
    assert [len(samples) for samples in found.samples] == [6, 6]
    distiller = make_distiller(load_model(tiny_model), settings)
    assert distiller is not None
    assert [len(distiller._load(number)[0]) for number in range(6)] == [3] * 6
    seen = [sample.line.file for plan in distiller._plans[1] for _, sample in plan.items]
    assert sorted(map(str, seen)) == [str(files[1])] * 6 + [str(files[0])] * 3


def test_every_picture_of_a_folder_is_used_once_an_epoch(tiny_model: Path, draw_lines: DrawLines) -> None:
    label_file = draw_lines("other", 5, seed=3)
    (label_file.parent / "deep").mkdir()
    shutil.move(label_file.parent / "004.png", label_file.parent / "deep" / "x.PNG")
    (label_file.parent / "torn.png").write_bytes(b"\x89PNG")
    settings = Settings(batch_size=4, distill=1.0, distill_on=str(label_file.parent))
    found = load_pictures(label_file.parent, load_model(tiny_model), settings, allow_outside=False)
    assert sorted(s.line.image for s in found.samples[0]) == [*(f"00{n}.png" for n in range(4)), "deep/x.PNG"]
    assert [(entry.line, entry.kind) for entry in found.dropped] == [(6, "dropped")]
    distiller = make_distiller(load_model(tiny_model), settings)
    assert distiller is not None
    sizes = [len(distiller._load(number)[0]) for number in range(6)]
    assert (sum(sizes[:3]), sum(sizes[3:])) == (5, 5)
    again = make_distiller(load_model(tiny_model), settings)
    assert again is not None
    np.testing.assert_array_equal(again._load(4)[0], distiller._load(4)[0])


def test_no_picture_to_distil_on(tiny_model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    settings = Settings(distill=1.0, distill_on=str(tmp_path / "empty"))
    with pytest.raises(InputError, match="holds no picture that can be read"):
        make_distiller(load_model(tiny_model), settings)


def test_layers() -> None:
    names = [
        "backbone.conv1._conv.weight",
        "backbone.block_list.0._se.conv1.bias",
        "neck.encoder.x",
        "head.fc.w",
    ]
    assert [layer_of(name) for name in names] == ["backbone.conv1", "backbone.block_list.0", "neck", "head"]
    assert layer_factors(names, 0.5) == {
        "backbone.conv1": 0.125, "backbone.block_list.0": 0.25, "neck": 0.5, "head": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize("decay", [0.0, -1.0, 1.1, float("nan")])
def test_a_decay_that_makes_no_sense(decay: float) -> None:
    with pytest.raises(UsageError, match="not above 0 and at most 1"):
        layer_factors(["head.fc.weight"], decay)


def test_adam_moves_each_layer_by_its_own_rate(tiny_model: Path) -> None:
    """Adam's first step is the rate wherever there is a gradient."""
    engine = Engine(assemble(load_model(tiny_model)).network, seed=0, layer_decay=0.5)
    before = engine.weights()
    engine.step(batch(), 0, 1e-2)
    moved = {name: float(np.abs(value - before[name]).max()) for name, value in engine.weights().items()}
    assert moved["head.fc.weight"] == pytest.approx(1e-2, rel=1e-2)
    assert moved["neck.encoder.conv1x1.conv.weight"] == pytest.approx(5e-3, rel=1e-2)
    assert moved["backbone.block_list.12._pointwise_conv._conv.weight"] == pytest.approx(2.5e-3, rel=1e-2)


def test_replay_is_one_to_one(draw_lines: DrawLines) -> None:
    domain, general = draw_lines("domain", 12, seed=1), draw_lines("general", 20, seed=2)
    mix = Mix((Source(domain, domain.parent, "domain", 2.0),))
    found = with_replay(mix, [general]).sources
    assert [(s.kind, s.ratio) for s in found] == [("domain", 2.0), ("general", 1.2)]
    small = draw_lines("small", 2, seed=3)
    assert with_replay(mix, [small]).sources[1].ratio == 4.0
    with pytest.raises(UsageError, match="has general lines already"):
        with_replay(with_replay(mix, [general]), [general])
    assert with_replay(mix, []) is mix


def test_options_reach_the_settings(draw_lines: DrawLines, tiny_model: Path, tmp_path: Path) -> None:
    train, val, general = (draw_lines(name, 4, seed=n) for n, name in enumerate(("train", "val", "general")))
    arguments = ["finetune", "--train", train, "--val", val, "--out", tmp_path / "out", "--steps", 2]
    arguments += ["--pretrained", tiny_model, "--batch-size", 2, "--replay", general, "--distill", 0.5]
    arguments += ["--distill-on", general, "--layer-decay", 0.9, "--aug-prob", 0.1, "--amp", "off"]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code in {0, 1}, result.stderr
    assert "8 lines: 8 train" in result.stderr
    written = (tmp_path / "out" / "config.yml").read_text("utf-8")
    for line in ("layer_decay: 0.9", "distill: 0.5", f"distill_on: {general}", "amp: 'off'"):
        assert line in written
    flags = {"train": [train], "val": val, "out": tmp_path, "aug_prob": 0.1, "distill": 0.5}
    settings = make_job(flags).settings
    assert set(settings.chances.values()) == {0.1}
    assert (settings.distill, settings.augment) == (0.5, True)
