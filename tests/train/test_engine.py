"""The training step: what moves, what must not, and what resuming restores."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datakit.errors import UsageError
from datakit_train.batches import Batch
from datakit_train.engine import DivergedError, Engine, average
from datakit_train.recognizer import assemble
from datakit_train.weights.pdparams import WeightsError
from datakit_train.weights.store import load_model


@pytest.fixture
def network(tiny_model: Path) -> Any:
    return assemble(load_model(tiny_model)).network


def batch(seed: int = 0, count: int = 4) -> Batch:
    rng = np.random.default_rng(seed)
    images = rng.uniform(-1, 1, (count, 3, 48, 96)).astype(np.float32)
    labels = rng.integers(1, 13, (count, 3)).astype(np.int32)
    return Batch(images, labels, np.full(count, 3, np.int64), ())


def changed(before: dict[str, np.ndarray], after: dict[str, np.ndarray]) -> set[str]:
    return {name for name, array in before.items() if not np.array_equal(array, after[name])}


def is_statistic(name: str) -> bool:
    return name.endswith(("._mean", "._variance"))


def test_fixed_batch_norm_moves_every_weight_and_no_statistic(network: Any) -> None:
    engine = Engine(network, seed=0)
    before = engine.weights()
    for number in range(2):
        engine.step(batch(number), number, 1e-3)
    moved = changed(before, engine.weights())
    assert not any(map(is_statistic, moved))
    assert {name for name in before if not is_statistic(name)} == moved


def test_moving_batch_norm_moves_them(network: Any) -> None:
    engine = Engine(network, seed=0, fixed_batch_norm=False)
    before = engine.weights()
    engine.step(batch(), 0, 1e-3)
    assert {name for name in before if is_statistic(name)} <= changed(before, engine.weights())


def test_a_frozen_backbone_stays_bit_for_bit(network: Any) -> None:
    engine = Engine(network, seed=0, freeze="backbone", weight_decay=1e-2)
    before = engine.weights()
    engine.step(batch(), 0, 1e-3)
    moved = changed(before, engine.weights())
    assert {name.partition(".")[0] for name in moved} == {"neck", "head"}
    assert not any(name.startswith("backbone.") for name in engine.optimizer_state())


def test_an_unknown_part_cannot_be_frozen(network: Any) -> None:
    with pytest.raises(UsageError, match="'neck' is not one of none, backbone"):
        Engine(network, seed=0, freeze="neck")


def test_the_loss_falls_on_one_batch(network: Any) -> None:
    engine = Engine(network, seed=0)
    losses = [engine.step(batch(), number, 3e-3) for number in range(12)]
    assert losses[-1] < 0.7 * losses[0]


def test_an_empty_batch_changes_nothing(network: Any) -> None:
    engine = Engine(network, seed=0)
    before = engine.weights()
    empty = Batch(np.zeros((0, 3, 48, 96), np.float32), np.zeros((0, 1), np.int32), np.zeros(0, np.int64), ())
    assert engine.step(empty, 0, 1e-3) == 0.0
    assert changed(before, engine.weights()) == set()


def test_a_loss_that_is_no_number_stops_before_the_weights_change(network: Any) -> None:
    engine = Engine(network, seed=0)
    poisoned = batch()
    poisoned.images[0, 0, 0, 0] = np.nan
    before = engine.weights()
    with pytest.raises(DivergedError, match=r"the loss of step 5 is nan; use a smaller --learning-rate"):
        engine.step(poisoned, 5, 1e-3)
    assert changed(before, engine.weights()) == set()


def test_weights_and_moments_restored_go_on_bit_for_bit(tiny_model: Path, network: Any) -> None:
    engine = Engine(network, seed=3)
    for number in range(2):
        engine.step(batch(number), number, 1e-3)
    weights, moments = engine.weights(), engine.optimizer_state()
    wanted = [engine.step(batch(number), number, 1e-3) for number in (2, 3)]

    again = Engine(assemble(load_model(tiny_model)).network, seed=3)
    again.set_weights(weights)
    again.set_optimizer_state(moments)
    assert [again.step(batch(number), number, 1e-3) for number in (2, 3)] == wanted
    assert changed(engine.weights(), again.weights()) == set()
    assert changed(engine.optimizer_state(), again.optimizer_state()) == set()


def test_moments_of_another_run_are_refused(network: Any) -> None:
    engine = Engine(network, seed=0, freeze="backbone")
    with pytest.raises(WeightsError, match=r"trains backbone\.conv1"):
        engine.set_optimizer_state({"backbone.conv1._conv.weight/moment1_0": np.zeros(1, np.float32)})


def test_average() -> None:
    base = {"w": np.array([0.0, 4.0], np.float32)}
    tuned = {"w": np.array([1.0, 8.0], np.float32)}
    found = average(base, tuned, 0.25)["w"]
    assert found.tolist() == [0.25, 5.0]
    assert found.dtype == np.float32
