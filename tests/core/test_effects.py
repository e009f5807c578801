"""Effects: same parameters, same pixels; presets; the training augmentation."""

from __future__ import annotations

import json
from random import Random

import cv2
import numpy as np
import pytest

from datakit.effects import (
    EFFECTS,
    PRESETS,
    Image,
    apply_effects,
    apply_preset,
    augment_line,
    build_albumentation,
    sample_preset,
)
from datakit.errors import UsageError


@pytest.fixture
def line() -> Image:
    image = np.full((48, 320, 3), 210, np.uint8)
    cv2.putText(image, "Total 12.50", (10, 34), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (30, 40, 50), 2)
    return image


@pytest.mark.parametrize("name", sorted(EFFECTS))
def test_an_effect_is_a_function_of_its_parameters(name: str, line: Image) -> None:
    before = line.copy()
    params = EFFECTS[name].sample(Random(7))
    first = EFFECTS[name].apply(line, params)
    np.random.seed(1)
    cv2.setRNGSeed(99)
    EFFECTS[name].apply(line, EFFECTS[name].sample(Random(8)))
    again = EFFECTS[name].apply(line, json.loads(json.dumps(params)))
    assert np.array_equal(first, again)
    assert np.array_equal(line, before)
    assert first.shape == line.shape
    assert first.dtype == np.uint8
    assert any(
        not np.array_equal(EFFECTS[name].apply(line, EFFECTS[name].sample(Random(s))), line) for s in range(5)
    )


@pytest.mark.parametrize("shape", [(1, 1, 3), (8, 3, 3), (64, 2400, 3), (1100, 40, 3)])
@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_presets_keep_any_size(preset: str, shape: tuple[int, int, int]) -> None:
    image = np.full(shape, 128, np.uint8)
    assert apply_preset(image, preset, Random(3))[0].shape == shape


def test_preset_returns_what_it_did(line: Image) -> None:
    image, steps = apply_preset(line, "photo", Random(5))
    assert steps == sample_preset("photo", Random(5))
    assert np.array_equal(image, apply_effects(line, steps))
    assert {name for name, _ in steps} <= {name for name, _ in PRESETS["photo"]}
    assert apply_preset(line, "clean", Random(5))[1] == []


def test_every_step_of_a_preset_is_an_effect() -> None:
    unknown = {name for steps in PRESETS.values() for name, _ in steps} - set(EFFECTS)
    assert unknown == set()
    assert {"clean", "scan", "photo"} <= set(PRESETS)


def test_unknown_preset_names_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"no preset 'foto'; there are clean, scan, photo"):
        sample_preset("foto", Random(0))


def test_a_wrong_albumentations_argument_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"Defocus.*bogus"):
        build_albumentation("Defocus", {"bogus": 1})


def test_noise_has_the_strength_it_says(line: Image) -> None:
    flat = np.full((256, 512, 3), 128, np.uint8)
    noisy = EFFECTS["noise"].apply(flat, {"sigma": 8.0, "x": 5, "y": 9, "grey": False})
    spread = float((noisy.astype(np.float64) - 128).std())
    assert 7.0 < spread < 9.0


def test_augment_line_repeats_and_varies(line: Image) -> None:
    before = line.copy()
    views = [augment_line(line, Random(seed)) for seed in range(40)]
    again = [augment_line(line, Random(seed)) for seed in range(40)]
    assert all(np.array_equal(a, b) for a, b in zip(views, again, strict=True))
    assert np.array_equal(line, before)
    assert len({view.tobytes() for view in views}) >= 35
    assert all(43 <= view.shape[0] <= 48 and view.shape[1] == 320 for view in views)
    # No reversal: the paper stays brighter than the ink.
    assert all(
        int(view.max()) - int(np.median(view)) < int(np.median(view)) - int(view.min()) for view in views
    )


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 200, 3), (64, 7, 3)])
def test_augment_line_survives_tiny_lines(shape: tuple[int, int, int]) -> None:
    for seed in range(20):
        assert min(augment_line(np.zeros(shape, np.uint8), Random(seed)).shape) >= 1


def _extremes(name: str, image: Image) -> tuple[int, int]:
    """The most that the effect darkened and brightened any pixel, over 20 draws."""
    darker = brighter = 0
    for seed in range(20):
        changed = EFFECTS[name].apply(image, EFFECTS[name].sample(Random(seed))).astype(int) - image
        darker, brighter = min(darker, int(changed.min())), max(brighter, int(changed.max()))
    return darker, brighter


@pytest.mark.parametrize("name", ["broken-strokes", "thermal-print"])
def test_missing_ink_shows_paper_and_adds_no_stroke(name: str, line: Image) -> None:
    darker, brighter = _extremes(name, line)
    assert darker >= -2
    assert brighter > 60
    darker, brighter = _extremes(name, np.asarray(255 - line, np.uint8))
    assert darker < -60
    assert brighter <= 2


def test_shades_only_darken_and_reflections_only_brighten(line: Image) -> None:
    assert _extremes("fold-shadow", line)[1] == 0
    assert _extremes("screen-grid", line)[1] == 0
    assert _extremes("glare", line)[0] == 0
    assert _extremes("glare", line)[1] <= 75


def test_moire_stays_within_its_depth() -> None:
    flat = np.full((48, 320, 3), 128, np.uint8)
    params = {"period": 7.0, "angle": 0.6, "depth": 16.0, "phases": [0.0, 2.0, 4.0]}
    changed = EFFECTS["moire"].apply(flat, params).astype(int) - 128
    assert -8 <= changed.min() <= -6
    assert 6 <= changed.max() <= 8
    assert abs(float(changed.mean())) < 1.0


def test_a_copy_is_grey_and_steeper(line: Image) -> None:
    copied = EFFECTS["copy-artefacts"].apply(
        line, {"gain": 1.5, "middle": 130, "streaks": [], "specks": [[0.5, 0.5]]}
    )
    assert (copied[:, :, 0] == copied[:, :, 2]).all()
    assert copied[24, 160].tolist() == [40, 40, 40]
    assert int(copied.max()) - int(copied[:, :20].min()) > int(line.max()) - int(line[:, :20].min())
