from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from datakit.errors import UsageError
from datakit_train.schedules import SCHEDULES, Schedule, guide_rates, rate_at
from datakit_train.settings import Curve, Settings, make_schedule


@pytest.mark.parametrize(
    ("batch", "rates"), [(128, (1e-4, 2e-5)), (64, (5e-5, 1e-5)), (32, (2.5e-5, 5e-6)), (256, (2e-4, 4e-5))]
)
def test_the_guides_rates_follow_the_batch(batch: int, rates: tuple[float, float]) -> None:
    assert guide_rates(batch) == pytest.approx(rates, rel=1e-12)


def test_warm_up_is_linear_and_ends_at_the_rate() -> None:
    schedule = Schedule("cosine", 1e-3, 100, 4, 96)
    assert [rate_at(schedule, step) for step in range(5)] == pytest.approx([2.5e-4, 5e-4, 7.5e-4, 1e-3, 1e-3])


def test_cosine_exactly() -> None:
    schedule = Schedule("cosine", 1.0, 12, 4, 8)
    assert [rate_at(schedule, step) for step in (4, 6, 8, 10, 12, 20)] == pytest.approx(
        [1.0, 0.8535533905932737, 0.5, 0.14644660940672627, 0.0, 0.0]
    )


def test_piecewise_counts_boundaries_from_the_end_of_the_warm_up() -> None:
    schedule = Schedule("piecewise", 1e-4, 800, 2, boundaries=(698, 750), values=(1e-4, 2e-5, 1e-5))
    assert [rate_at(schedule, s) for s in (0, 1, 2, 699, 700, 751, 752)] == [
        5e-5, 1e-4, 1e-4, 1e-4, 2e-5, 2e-5, 1e-5,
    ]  # fmt: skip


def test_line_and_constant() -> None:
    line = Schedule("linear", 1.0, 10, 2, span=8, end=0.2, power=2.0)
    assert [rate_at(line, step) for step in (2, 6, 10, 11)] == pytest.approx([1.0, 0.4, 0.2, 0.2])
    assert {rate_at(Schedule("constant", 3e-4, 5), step) for step in range(5)} == {3e-4}


def test_no_warm_up() -> None:
    schedule = Schedule("cosine", 1e-4, 10, 0, 10)
    assert rate_at(schedule, 0) == 1e-4


def test_defaults_of_a_run() -> None:
    assert make_schedule(Settings(), 400) == Schedule("cosine", 2.5e-5, 400, 20, 380)
    given = make_schedule(Settings(learning_rate=1e-3, schedule="piecewise", warmup_steps=0), 80)
    assert (given.rate, given.boundaries, given.values) == (1e-3, (70,), (1e-3, pytest.approx(2e-4)))
    assert make_schedule(Settings(warmup_steps=50), 3).warmup_steps == 3
    late = make_schedule(Settings(schedule="piecewise", batch_size=64, warmup_steps=10), 800)
    assert [rate_at(late, step) for step in (9, 699, 700)] == pytest.approx([5e-5, 5e-5, 1e-5])


def paddle_rates(name: str, steps: int, warmup: int, **arguments: Any) -> list[float]:
    """Rates of steps 0 .. ``steps`` as PaddleOCR's Cosine, Linear and Piecewise put them together."""
    from datakit_train.framework import import_paddle

    lr = import_paddle(1).optimizer.lr
    rate = arguments.pop("rate")
    made = {
        "cosine": lambda: lr.CosineAnnealingDecay(rate, T_max=steps),
        "linear": lambda: lr.PolynomialDecay(rate, decay_steps=steps, **arguments),
        "piecewise": lambda: lr.PiecewiseDecay(**arguments),
    }[name]()
    if warmup:
        made = lr.LinearWarmup(made, warmup_steps=warmup, start_lr=0.0, end_lr=rate)
    rates = []
    for _ in range(steps + 1):
        rates.append(float(made()))
        made.step()
    return rates


@pytest.mark.parametrize("warmup", [0, 2])
@pytest.mark.parametrize(
    ("name", "curve", "arguments"),
    [
        ("cosine", Curve((1e-3,)), {}),
        ("linear", Curve((1e-3,), end=1e-5, power=2.0), {"end_lr": 1e-5, "power": 2.0}),
        (
            "piecewise",
            Curve((1e-3, 1e-4, 1e-5), (2.0, 3.5)),
            {"boundaries": [20, 35], "values": [1e-3, 1e-4, 1e-5]},
        ),
    ],
)
def test_a_recipe_is_followed_as_paddleocr_does(
    name: str, curve: Curve, arguments: dict[str, Any], warmup: int
) -> None:
    """Five epochs of ten steps; Paddle's warm-up starts at 0, which trains nothing, ours a step further."""
    settings = Settings(learning_rate=1e-3, schedule=name, curve=replace(curve, warmup_epochs=warmup))
    schedule = make_schedule(settings, 50, 10)
    theirs = paddle_rates(name, 50, warmup * 10, rate=1e-3, **arguments)
    ours = [rate_at(schedule, step) for step in range(50)]
    assert schedule.warmup_steps == warmup * 10
    assert ours[warmup * 10 :] == pytest.approx(theirs[warmup * 10 : 50], rel=1e-9, abs=1e-12)
    assert ours[: warmup * 10] == pytest.approx(theirs[1 : warmup * 10 + 1], rel=1e-9)


def test_another_rate_scales_the_whole_curve() -> None:
    curve = Curve((1e-3, 1e-4), (3.0,), 0.5)
    schedule = make_schedule(Settings(learning_rate=1e-4, schedule="piecewise", curve=curve), 50, 10)
    assert (schedule.values, schedule.boundaries, schedule.warmup_steps) == (
        pytest.approx((1e-4, 1e-5)),
        (30,),
        5,
    )
    assert make_schedule(Settings(schedule="cosine", curve=curve, warmup_steps=3), 50, 10).warmup_steps == 3


@pytest.mark.parametrize(
    ("settings", "steps", "words"),
    [
        (Settings(schedule="cosin"), 10, "'cosin' is not one of constant, cosine, linear, piecewise"),
        (Settings(), 0, "not one step"),
        (Settings(learning_rate=-1e-4), 10, "--learning-rate -0.0001"),
        (Settings(learning_rate=float("nan")), 10, "--learning-rate nan"),
    ],
)
def test_schedules_that_make_no_sense(settings: Settings, steps: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_schedule(settings, steps)
    assert set(SCHEDULES) == {"constant", "cosine", "linear", "piecewise"}
