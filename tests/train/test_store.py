"""Models and checkpoints on disk: what was written comes back, or an error that names the file."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from datakit.errors import OutputError
from datakit_train.checkpoint import Checkpoint, has_latest, load_latest, save_latest
from datakit_train.weights.pdparams import WeightsError
from datakit_train.weights.store import StoredModel, load_model, save_model

MODEL = StoredModel(
    tensors={"w": np.arange(6, dtype=np.float32).reshape(2, 3), "scalar": np.array(2.0, np.float32)},
    architecture={"name": "ppocrv3_rec", "scale": 0.25},
    characters=("a", "\u6c49", " "),
    source="made here",
    licence="none",
    probe=(1.5, -2.25),
    extra={"trained": {"seed": 3}},
)


def checkpoint(step: int) -> Checkpoint:
    moments = {"w/moment1_0": np.full((2, 3), step, np.float32)}
    model = replace(MODEL, tensors={"w": np.full((2, 3), step, np.float32)})
    return Checkpoint(model, moments, {"step": step, "bad": []})


def same(found: StoredModel, wanted: StoredModel) -> bool:
    arrays = set(found.tensors) == set(wanted.tensors) and all(
        np.array_equal(found.tensors[name], array) for name, array in wanted.tensors.items()
    )
    return arrays and replace(found, tensors={}) == replace(wanted, tensors={})


def test_a_model_comes_back(tmp_path: Path) -> None:
    save_model(tmp_path, MODEL)
    assert same(load_model(tmp_path), MODEL)


def test_a_second_model_replaces_the_first_and_leaves_nothing(tmp_path: Path) -> None:
    save_model(tmp_path, MODEL)
    second = replace(MODEL, tensors={"w": np.zeros(4, np.float32)})
    save_model(tmp_path, second)
    assert same(load_model(tmp_path), second)
    assert len(list(tmp_path.iterdir())) == 2


def test_an_altered_or_torn_tensors_file_is_refused(tmp_path: Path) -> None:
    save_model(tmp_path, MODEL)
    (path,) = tmp_path.glob("model-*.safetensors")
    whole = path.read_bytes()
    for raw in (whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        path.write_bytes(raw)
        with pytest.raises(WeightsError, match="does not have the sha256") as caught:
            load_model(tmp_path)
        assert str(path) in str(caught.value)
    path.unlink()
    with pytest.raises(WeightsError, match="No such file"):
        load_model(tmp_path)


def describe(folder: Path, **changes: object) -> None:
    path = folder / "model.json"
    document = {**json.loads(path.read_bytes()), **changes}
    path.write_text(json.dumps({k: v for k, v in document.items() if v is not None}), encoding="utf-8")


@pytest.mark.parametrize(
    "changes",
    [
        {"characters": None},
        {"architecture": None},
        {"probe": ["x"]},
        {"probe": 3},
        {"architecture": "ppocrv3"},
        {"schema_version": 99},
        {"tensors": "../../etc/passwd"},
        {"tensors": ".."},
        {"sha256": "0" * 64},
    ],
)
def test_an_altered_description_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    save_model(tmp_path, MODEL)
    describe(tmp_path, **changes)
    with pytest.raises(WeightsError):
        load_model(tmp_path)


def test_torn_json_and_tensors_that_are_none_with_the_right_sha256(tmp_path: Path) -> None:
    save_model(tmp_path, MODEL)
    (path,) = tmp_path.glob("model-*.safetensors")
    path.write_bytes(b"\x08\0\0\0\0\0\0\0{}      ??")
    describe(tmp_path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(WeightsError, match="not a readable safetensors file"):
        load_model(tmp_path)
    (tmp_path / "model.json").write_text('{"schema_version": 1, "ten', encoding="utf-8")
    with pytest.raises(WeightsError, match="not valid JSON"):
        load_model(tmp_path)


def test_latest_is_the_last_one_and_the_only_one(tmp_path: Path) -> None:
    assert not has_latest(tmp_path)
    for step in (50, 100):
        save_latest(tmp_path, step, checkpoint(step))
    found = load_latest(tmp_path)
    assert found.state["step"] == 100
    assert found.optimizer["w/moment1_0"].tolist() == [[100] * 3] * 2
    assert same(found.model, checkpoint(100).model)
    assert [path.name for path in tmp_path.glob("step-*")] == ["step-000100"]


def test_the_same_step_again_never_removes_what_the_pointer_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_latest(tmp_path, 50, checkpoint(50))
    with monkeypatch.context() as patch:
        patch.setattr(
            "datakit_train.checkpoint.save_model", lambda *_: (_ for _ in ()).throw(OSError("stop"))
        )
        with pytest.raises(OSError, match="stop"):
            save_latest(tmp_path, 50, checkpoint(51))
    assert load_latest(tmp_path).state["step"] == 50
    for value in (52, 53):
        save_latest(tmp_path, 50, checkpoint(value))
        assert load_latest(tmp_path).state["step"] == value
        assert len(list(tmp_path.glob("step-*"))) == 1


@pytest.mark.parametrize("name", ["latest.json", "state.json", "optimizer.safetensors", "model.json"])
@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'"x"', b'{"folder": ".."}', b"\xff\xfe"])
def test_damaged_checkpoints_are_refused(tmp_path: Path, name: str, content: bytes | None) -> None:
    save_latest(tmp_path, 50, checkpoint(50))
    path = tmp_path / name if name == "latest.json" else tmp_path / "step-000050" / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsError):
        load_latest(tmp_path)


@pytest.mark.parametrize("failing", range(1, 15))
def test_a_failing_rename_or_sync_leaves_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """The n-th fsync or rename fails; whatever was there before loads, and the next try completes."""
    save_latest(tmp_path, 50, checkpoint(50))
    calls = 0

    def counted(real: object) -> object:
        def call(*arguments: object) -> object:
            nonlocal calls
            calls += 1
            if calls == failing:
                raise OSError(28, "No space left on device")
            return real(*arguments)  # type: ignore[operator]

        return call

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", counted(os.fsync))
        patch.setattr(Path, "replace", counted(Path.replace))
        try:
            save_latest(tmp_path, 60, checkpoint(60))
        except OutputError as error:
            assert "no space left" in str(error)
        else:
            assert calls < failing
    assert load_latest(tmp_path).state["step"] in {50, 60}
    save_latest(tmp_path, 70, checkpoint(70))
    assert load_latest(tmp_path).state["step"] == 70
    assert not list(tmp_path.rglob("*.tmp"))


_WRITER = """
import sys
from pathlib import Path
import numpy as np
from datakit_train.checkpoint import Checkpoint, save_latest
from datakit_train.weights.store import StoredModel
step = int(sys.argv[2])
print("ready", flush=True)
while True:
    step += 1
    tensors = {"w": np.full((200, 300), step, np.float32)}
    model = StoredModel(tensors, {"name": "x"}, ("a",), "here", "none")
    save_latest(Path(sys.argv[1]), step, Checkpoint(model, {"w/m": tensors["w"]}, {"step": step}))
"""


def pointed_step(folder: Path) -> int:
    return int(json.loads((folder / "latest.json").read_bytes())["step"])


def test_sigkill_during_writes_leaves_a_latest_that_loads(tmp_path: Path) -> None:
    rng = random.Random(7)
    step = 0
    for _ in range(6):
        command = [sys.executable, "-c", _WRITER, str(tmp_path), str(step)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
            assert child.stdout is not None
            child.stdout.readline()
            # However slow the machine is: at least one more has been written.
            while not has_latest(tmp_path) or pointed_step(tmp_path) <= step:
                time.sleep(0.005)
            time.sleep(rng.uniform(0.01, 0.15))
            child.send_signal(signal.SIGKILL)
        found = load_latest(tmp_path)
        assert found.state["step"] > step
        step = int(found.state["step"])
        assert found.model.tensors["w"][0, 0] == step
        assert found.optimizer["w/m"][199, 299] == step
    assert step >= 6
    assert "paddle" not in _WRITER
