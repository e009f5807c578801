"""What the demo is tested on must share nothing with what it trains on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datakit.charset import Charset
from datakit.demo import run as demo_run
from datakit.demo.sets import SETS, TEST_LOOK, TRAIN_LOOK, plan_texts, render_sets
from datakit.demo.texts import SIGNS
from datakit.effects import PRESETS
from datakit.labels import read_rec


def effects_of(presets: tuple[str, ...]) -> set[str]:
    return {effect for preset in presets for effect, _chance in PRESETS[preset]}


def test_train_and_test_share_no_font_background_or_effect() -> None:
    assert not set(TRAIN_LOOK.fonts) & set(TEST_LOOK.fonts)
    assert not set(TRAIN_LOOK.backgrounds) & set(TEST_LOOK.backgrounds)
    assert not effects_of(TRAIN_LOOK.presets) & effects_of(TEST_LOOK.presets)
    assert effects_of(TEST_LOOK.presets)


def test_only_the_test_sets_have_the_test_look() -> None:
    assert {name for name, demo_set in SETS.items() if demo_set.look is TEST_LOOK} == {
        "domain_test",
        "general_test",
    }


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_no_text_stands_in_two_sets(seed: int) -> None:
    texts = plan_texts(seed)
    every = [text for name in SETS for text in texts[name]]
    assert len(every) == sum(demo_set.lines for demo_set in SETS.values())
    assert len(set(every)) == len(every)


def test_the_signs_stand_in_the_domain_only() -> None:
    texts = plan_texts(0)
    for name, demo_set in SETS.items():
        with_sign = sum(bool(set(text) & set(SIGNS)) for text in texts[name])
        assert with_sign == (demo_set.lines * 2 // 3 if demo_set.kind == "domain" else 0), name


def test_texts_depend_on_the_seed_alone() -> None:
    assert plan_texts(3) == plan_texts(3)
    assert plan_texts(3) != plan_texts(4)


def test_the_rounds_render_in_the_look_of_the_training_set() -> None:
    """The loop's own synthetic lines must not use what the test sets are made of either."""
    source = Path(demo_run.__file__).read_text("utf-8")
    for name in ("fonts", "backgrounds", "presets"):
        assert f'"{name}": list(TRAIN_LOOK.{name})' in source


@pytest.mark.slow
def test_rendered_sets_hold_their_texts_and_other_font_files(tmp_path: Path) -> None:
    texts = plan_texts(0)
    charset = Charset(tuple(sorted({char for lines in texts.values() for text in lines for char in text})))
    files = render_sets(tmp_path, seed=0, workers=2, charset=charset)
    fonts: dict[str, set[str]] = {}
    for name, path in files.items():
        lines, faults = read_rec(path)
        assert not faults
        assert [line.text for line in lines] == list(texts[name])
        manifest = json.loads((path.parent / "manifest.json").read_text("utf-8"))
        fonts[name] = {entry["sha256"] for entry in manifest["arguments"]["fonts"]}
        assert fonts[name]
    assert not fonts["domain_train"] & fonts["domain_test"]
    assert not fonts["general_train"] & fonts["general_test"]
