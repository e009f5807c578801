"""Several processes train as one; devices by name; the state of mixed precision."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datakit.errors import UsageError
from datakit_train.checkpoint import load_latest
from datakit_train.devices import launch, launch_command, parse_devices, use_device
from datakit_train.ranks import ALONE, Ranks, current_ranks
from datakit_train.settings import Settings
from datakit_train.weights.store import load_model

DrawLines = Callable[..., Path]
ROOT = Path(__file__).parents[2]
# Twelve lines in batches of five: the last batch is smaller, and parts differ in size.
SETTINGS = Settings(
    steps=5, batch_size=5, learning_rate=1e-3, warmup_steps=1, shares=(), save_every=2, distill=0.5, seed=1
)

# Every process draws its own dropout, so there is none here.
_RUN = """
import json, sys
from pathlib import Path
from datakit_train.framework import import_paddle
import_paddle(1)
from datakit_train.models import svtr
svtr._DROPOUT = 0.0
from datakit_train.finetune import finetune, help_finetune
from datakit_train.label_sets import sources_of
from datakit_train.ranks import current_ranks
from datakit_train.settings import Settings
from datakit_train.weights.store import load_model
train, val, model, out, settings = sys.argv[1:]
settings = Settings(**json.loads(settings))
known = dict(val=Path(val), out=Path(out), pretrained=model, settings=settings)
(finetune if current_ranks().first else help_finetune)(sources_of([Path(train)]), **known)
"""


def path_of_packages() -> dict[str, str]:
    packages = os.pathsep.join(str(ROOT / part) for part in ("", "synth", "train", "fonts", "corpora"))
    return {**os.environ, "PYTHONPATH": packages}


def tear(picture: Path) -> None:
    picture.write_bytes(picture.read_bytes()[:-20])


def distance(one: Mapping[str, np.ndarray], two: Mapping[str, np.ndarray]) -> float:
    return float(np.sqrt(sum(np.square(array - two[name]).sum() for name, array in one.items())))


def test_two_processes_take_the_steps_of_one(
    draw_lines: DrawLines, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BatchNorm fixed: same losses and weights within rounding, and a broken picture of either is named."""
    train, val = draw_lines("train", 12, seed=1), draw_lines("val", 3, seed=2)
    tear(train.parent / "003.png")
    settings = json.dumps(asdict(replace(SETTINGS, max_bad=0.2)))
    monkeypatch.setattr("datakit_train.devices._AGAIN", _RUN)
    for name, value in path_of_packages().items():
        monkeypatch.setenv(name, value)
    one, two = tmp_path / "one", tmp_path / "two"
    arguments = [str(train), str(val), str(tiny_model)]
    command = [sys.executable, "-c", _RUN, *arguments, str(one), settings]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    assert launch(("cpu", "cpu"), [*arguments, str(two), settings], tmp_path / "logs") == 0

    losses = [
        [json.loads(line)["loss"] for line in (out / "train.jsonl").read_text().splitlines()]
        for out in (one, two)
    ]
    assert len(losses[0]) == 5
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    first, second = load_latest(one), load_latest(two)
    assert [state.state["step"] for state in (first, second)] == [5, 5]
    assert first.state["bad"] == second.state["bad"]
    assert [entry["line"] for entry in first.state["bad"]][:1] == [4]
    # Adam makes whole steps of gradients that are nothing but rounding (of the keys' biases, say), so that
    # what is compared element by element is the mean of the gradients, and the weights by their distance.
    largest = max(float(np.abs(array).max()) for array in first.optimizer.values())
    for name, array in first.optimizer.items():
        if "/moment1" in name:
            np.testing.assert_allclose(second.optimizer[name], array, atol=1e-3 * largest, err_msg=name)
    start = load_model(tiny_model).tensors
    assert distance(second.model.tensors, first.model.tensors) < 0.1 * distance(start, first.model.tensors)
    assert sorted(path.name for path in (tmp_path / "logs").glob("workerlog.*")) == [
        "workerlog.0", "workerlog.1",
    ]  # fmt: skip


# The second process dies without a word in its fourth step, once.
_DYING = """
import os, sys
from pathlib import Path
from datakit_train import engine
step, mark = engine.Engine.step, Path(sys.argv[4]).parent / "died"
def dying(self, batch, number, rate):
    if os.environ["PADDLE_TRAINER_ID"] == "1" and number == 3 and not mark.exists():
        mark.touch()
        os._exit(9)
    return step(self, batch, number, rate)
engine.Engine.step = dying
"""


def test_a_process_that_dies_ends_the_run_which_then_goes_on(
    draw_lines: DrawLines, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, val, out = draw_lines("train", 12, seed=1), draw_lines("val", 3, seed=2), tmp_path / "out"
    monkeypatch.setattr("datakit_train.devices._AGAIN", _DYING + _RUN)
    for name, value in path_of_packages().items():
        monkeypatch.setenv(name, value)
    arguments = [str(train), str(val), str(tiny_model), str(out), json.dumps(asdict(SETTINGS))]
    begun = time.monotonic()
    assert launch(("cpu", "cpu"), arguments, tmp_path / "logs") != 0
    assert time.monotonic() - begun < 90, "the other process waited for the dead one"
    assert load_latest(out).state["step"] == 2
    assert "WorkerError: another process of this run has ended" in (tmp_path / "logs/workerlog.0").read_text()
    assert not (out / "result.json").exists()

    assert launch(("cpu", "cpu"), arguments, tmp_path / "logs") == 0
    assert load_latest(out).state["step"] == 5
    steps = [json.loads(line)["step"] for line in (out / "train.jsonl").read_text().splitlines()]
    assert steps == [0, 1, 2, 3, 4]


def test_the_command_line_with_two_processes(draw_lines: DrawLines, tiny_model: Path, tmp_path: Path) -> None:
    # Labels that cannot be read: nothing gets better.
    train, val, out = draw_lines("train", 8), draw_lines("val", 3, chars="xyz"), tmp_path / "out"
    arguments = ["finetune", "--train", train, "--val", val, "--out", out, "--pretrained", tiny_model]
    arguments += ["--steps", 3, "--batch-size", 2, "--learning-rate", 1e-9, "--average", 0]
    arguments += ["--evaluate-every", 1, "--patience", 2, "--devices", "cpu,cpu", "--json"]
    command = [sys.executable, "-c", "from datakit.cli.main import main; main()", *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=180, env=path_of_packages(), check=False
    )
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    # Stopped by patience, in both of them.
    assert (document["improved"], document["chosen"], document["steps"]) == (False, "base", 2)
    assert "the base model stays" in done.stderr and "Traceback" not in done.stderr
    assert "batch_size_per_card: 4" in (out / "config.yml").read_text("utf-8")


def test_devices_by_name() -> None:
    assert parse_devices("0, 3") == ("0", "3")
    assert parse_devices("cpu") == ("cpu",)
    assert parse_devices("cpu,cpu") == ("cpu", "cpu")
    for wrong in ("", "0,0", "0,cpu", "gpu", "-1", "0;1"):
        with pytest.raises(UsageError, match="give numbers of GPUs"):
            parse_devices(wrong)


def test_a_gpu_that_is_not_there() -> None:
    with pytest.raises(UsageError, match=r"--devices 0: this Paddle is for CPUs"):
        use_device("0")
    use_device("cpu")


def test_the_command_that_starts_a_process_a_gpu(tmp_path: Path) -> None:
    command = launch_command(("0", "1"), ["finetune", "--out", "x"], tmp_path)
    assert command[1:5] == ["-m", "paddle.distributed.launch", "--devices", "0,1"]
    assert command[-3:-1] == [sys.executable, "-c"]
    assert command[-1].startswith("import sys; sys.argv[1:] = ['finetune', '--out', 'x']\n")


def test_one_process_alone() -> None:
    assert current_ranks() == ALONE
    assert (ALONE.first, ALONE.sum(3.0), ALONE.gather([1, 2])) == (True, 3.0, [1, 2])


@pytest.mark.parametrize(("items", "parts"), [([0, 1, 2, 3, 4], [[0, 2, 4], [1, 3]]), ([7], [[7], []])])
def test_parts_are_everything_once(items: list[int], parts: list[Any]) -> None:
    assert [list(Ranks(rank, 2).part(items)) for rank in (0, 1)] == parts
