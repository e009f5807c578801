from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from datakit.mix import Mix, Source
from datakit_train.advice import advice
from datakit_train.settings import Settings

DOMAIN = Mix((Source(Path("d.txt"), Path(), "domain"),))
BOTH = Mix((*DOMAIN.sources, Source(Path("g.txt"), Path(), "general")))


@pytest.mark.parametrize(
    ("mix", "freeze", "wanted"),
    [
        (DOMAIN, "none", "--replay with general lines, --freeze backbone, half the rate"),
        (BOTH, "none", "forgetting: --freeze backbone, half the rate"),
        (BOTH, "backbone", "forgetting: half the rate (--learning-rate 5e-05) and twice the steps"),
    ],
)
def test_against_forgetting_what_was_not_in_use(mix: Mix, freeze: str, wanted: str) -> None:
    assert wanted in advice(mix, Settings(learning_rate=1e-4, freeze=freeze), forgot=True)


def test_a_small_rate_is_said_and_a_large_one_is_not_raised() -> None:
    guide = Settings(batch_size=32)
    assert (
        "a larger --learning-rate (this was 2.5e-05; short runs here took 3e-4 with --freeze backbone)"
        in advice(DOMAIN, guide, forgot=False)
    )
    large = advice(DOMAIN, replace(guide, learning_rate=3e-4), forgot=False)
    assert large == "no candidate read more of val than the base; to try: more --steps"
