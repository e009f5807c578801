"""Mixed precision as far as a CPU can show it: what is called in which order, and what resuming restores."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datakit.errors import UsageError
from datakit_train.batches import Batch
from datakit_train.engine import Engine
from datakit_train.precision import Precision
from datakit_train.recognizer import assemble
from datakit_train.weights.store import load_model


class Scaler:
    """Stands for paddle.amp.GradScaler, which does nothing without a GPU."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.held = {
            "scale": np.array([65536.0], np.float32),
            "incr_count": 7,
            "use_dynamic_loss_scaling": True,
        }

    def scale(self, loss: Any) -> Any:
        self.calls.append("scale")
        return loss * 2.0

    def step(self, optimizer: Any) -> None:
        self.calls.append("step")
        optimizer.step()

    def update(self) -> None:
        self.calls.append("update")

    def state_dict(self) -> dict[str, Any]:
        return dict(self.held)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.held = state


def batch() -> Batch:
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (3, 3, 48, 96)).astype(np.float32)
    labels = rng.integers(1, 13, (3, 3)).astype(np.int32)
    return Batch(images, labels, np.full(3, 3, np.int64), ())


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Paddle says that it computes on one."""
    monkeypatch.setattr("paddle.device.get_device", lambda: "gpu:0")


@pytest.fixture
def scaler(gpu: None, monkeypatch: pytest.MonkeyPatch) -> Scaler:
    scaler = Scaler()
    monkeypatch.setattr("paddle.amp.GradScaler", lambda: scaler)
    return scaler


def engine(tiny_model: Path, amp: str) -> Engine:
    return Engine(assemble(load_model(tiny_model)).network, seed=0, amp=amp)


def test_float16_scales_the_loss_and_steps_through_the_scaler(
    tiny_model: Path, scaler: Scaler, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cast itself needs a GPU and is left out; Adam does not mind that gradients are twice as large."""
    monkeypatch.setattr("paddle.amp.auto_cast", lambda **_: nullcontext())
    found = engine(tiny_model, "float16")
    loss = found.step(batch(), 0, 1e-3)
    assert scaler.calls == ["scale", "step", "update"]
    plain = engine(tiny_model, "off")
    assert plain.step(batch(), 0, 1e-3) == loss
    moment = "head.fc.bias/moment1_0"
    np.testing.assert_allclose(
        found.optimizer_state()[moment], 2 * plain.optimizer_state()[moment], rtol=1e-3, atol=1e-6
    )


def test_the_scale_is_restored(tiny_model: Path, scaler: Scaler) -> None:
    state = engine(tiny_model, "float16").optimizer_state()
    assert {key: value.tolist() for key, value in state.items() if key.startswith("amp/")} == {
        "amp/scale": [65536.0], "amp/incr_count": [7], "amp/use_dynamic_loss_scaling": [True],
    }  # fmt: skip
    wanted = scaler.held
    scaler.held = {"scale": np.array([1.0], np.float32), "incr_count": 0, "use_dynamic_loss_scaling": False}
    engine(tiny_model, "float16").set_optimizer_state(state)
    assert scaler.held == wanted
    assert [type(value) for value in scaler.held.values()] == [np.ndarray, int, bool]
    # A run without it takes no notice.
    engine(tiny_model, "off").set_optimizer_state(state)


def test_bfloat16_casts_and_does_not_scale(
    tiny_model: Path, scaler: Scaler, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, str]] = []
    monkeypatch.setattr("paddle.amp.auto_cast", lambda **given: asked.append(given) or nullcontext())
    found = engine(tiny_model, "bfloat16")
    found.step(batch(), 0, 1e-3)
    assert (asked, scaler.calls) == ([{"dtype": "bfloat16", "level": "O1"}], [])
    assert not any(key.startswith("amp/") for key in found.optimizer_state())


def test_it_needs_a_gpu() -> None:
    with pytest.raises(UsageError, match="--amp float16 needs a GPU; this run computes on cpu"):
        Precision("float16")


def test_an_unknown_precision() -> None:
    with pytest.raises(UsageError, match="'half' is not one of off, float16, bfloat16"):
        Precision("half")
