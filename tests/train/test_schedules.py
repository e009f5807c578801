from __future__ import annotations

import pytest

from datakit.errors import UsageError
from datakit_train.schedules import SCHEDULES, Schedule, guide_rates, rate_at
from datakit_train.settings import Settings, make_schedule


@pytest.mark.parametrize(
    ("batch", "rates"), [(128, (1e-4, 2e-5)), (64, (5e-5, 1e-5)), (32, (2.5e-5, 5e-6)), (256, (2e-4, 4e-5))]
)
def test_the_guides_rates_follow_the_batch(batch: int, rates: tuple[float, float]) -> None:
    assert guide_rates(batch) == pytest.approx(rates, rel=1e-12)


def test_warm_up_is_linear_and_ends_at_the_rate() -> None:
    schedule = Schedule("cosine", 1e-3, 0.0, 100, 4, 80)
    assert [rate_at(schedule, step) for step in range(5)] == pytest.approx([2.5e-4, 5e-4, 7.5e-4, 1e-3, 1e-3])


def test_cosine_exactly() -> None:
    schedule = Schedule("cosine", 1.0, 0.0, 12, 4, 10)
    assert [rate_at(schedule, step) for step in (4, 6, 8, 10, 12)] == pytest.approx(
        [1.0, 0.8535533905932737, 0.5, 0.14644660940672627, 0.0]
    )


def test_piecewise_has_one_boundary() -> None:
    schedule = Schedule("piecewise", 1e-4, 2e-5, 800, 2, 700)
    assert [rate_at(schedule, s) for s in (0, 1, 2, 699, 700, 799)] == [5e-5, 1e-4, 1e-4, 1e-4, 2e-5, 2e-5]


def test_no_warm_up() -> None:
    schedule = Schedule("cosine", 1e-4, 0.0, 10, 0, 8)
    assert rate_at(schedule, 0) == 1e-4


def test_defaults_of_a_run() -> None:
    assert make_schedule(Settings(), 400) == Schedule("cosine", 2.5e-5, 5e-6, 400, 20, 350)
    given = make_schedule(Settings(learning_rate=1e-3, schedule="piecewise", warmup_steps=0), 80)
    assert given == Schedule("piecewise", 1e-3, pytest.approx(2e-4), 80, 0, 70)  # type: ignore[arg-type]
    assert make_schedule(Settings(warmup_steps=50), 3).warmup_steps == 3


@pytest.mark.parametrize(
    ("settings", "steps", "words"),
    [
        (Settings(schedule="cosin"), 10, "'cosin' is not one of cosine, piecewise"),
        (Settings(), 0, "not one step"),
        (Settings(learning_rate=-1e-4), 10, "--learning-rate -0.0001"),
        (Settings(learning_rate=float("nan")), 10, "--learning-rate nan"),
    ],
)
def test_schedules_that_make_no_sense(settings: Settings, steps: int, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        make_schedule(settings, steps)
    assert set(SCHEDULES) == {"cosine", "piecewise"}
