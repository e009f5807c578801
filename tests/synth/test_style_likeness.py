"""Drawn lines become as sharp, contrasted and noisy as the crop they shall be like, and stay legible."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from style_pictures import INK, PAPER, crop, write_set

from datakit import clarity
from datakit.effects import PRESETS
from datakit.errors import UsageError
from datakit_fonts import read_faces
from datakit_synth import ink, legibility, likeness
from datakit_synth.crops import Crop, find_ink, measure_crop
from datakit_synth.patches import Patch, cut_patch
from datakit_synth.render import Renderer, RenderJob, encode, sample_rng
from datakit_synth.style import StyleProfile
from datakit_synth.style_files import style_from

TEXTS = ("A", "Total 12.50", "12:30:59 AM", "aaaaaaaaaaaaaaaaaaaaaaaaa", "A B C D")


def one_crop(image: np.ndarray, text: str, quality: int = 90) -> StyleProfile:
    """A profile of a single crop."""
    marks = find_ink(image)
    assert marks is not None
    measured = measure_crop(image, text, quality, marks)
    patch = cut_patch(image, marks)
    assert measured is not None
    assert isinstance(patch, Patch)
    return StyleProfile("one", (measured,), (0,), (patch,))


def job(font: Path, profile: StyleProfile, **arguments: object) -> RenderJob:
    settings = {"backgrounds": ("own",), "presets": ("clean",), "style": profile, **arguments}
    return RenderJob(1, read_faces(font), **settings)  # type: ignore[arg-type]


def grey_of(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)


@pytest.mark.parametrize("sigma", [0.0, 0.8, 1.6])
@pytest.mark.parametrize("noise", [0.0, 4.0])
@pytest.mark.parametrize("light", [0, 60])
def test_pictures_get_the_sharpness_contrast_and_noise_of_the_crop(
    latin_font: Path, sigma: float, noise: float, light: int
) -> None:
    real = crop("HELLO WORLD 123", height=40, ink=tuple(level + light for level in INK))
    if sigma:
        real = cv2.GaussianBlur(real, (0, 0), sigma)
    spread = np.random.default_rng(1).normal(0, noise, real.shape[:2])[:, :, None]
    real = np.clip(np.rint(real + spread), 0, 255).astype(np.uint8)
    profile = one_crop(real, "HELLO WORLD 123")
    (wanted,) = profile.crops
    renderer = Renderer(job(latin_font, profile))
    drawn = [renderer.render("HELLO WORLD 123", sample_rng(1, index)) for index in range(20)]
    greys = [grey_of(line.image) for line in drawn]
    assert {line.image.shape[0] for line in drawn} == {40}
    assert np.median([clarity.sharpness(clarity.scaled(grey)) for grey in greys]) == pytest.approx(
        wanted.sharpness, rel=0.2
    )
    assert np.median([clarity.contrast(grey) for grey in greys]) == pytest.approx(wanted.contrast, abs=0.05)
    papers = np.median([np.median(line.image, axis=(0, 1)) for line in drawn], axis=0)
    assert np.abs(papers - PAPER).max() <= 8
    assert {line.quality for line in drawn} == {90}
    # Light print of the crop is light in the picture, though it was drawn with more contrast.
    assert all(line.params["colour"]["contrast"] >= ink.MIN_CONTRAST - 1 for line in drawn)


def test_softness_is_found_by_search() -> None:
    wanted = {-3.0: 400.0, 0.0: 100.0, 0.5: 60.0, 2.5: 1.0}

    def sharpness(softness: float) -> float:
        return float(np.interp(softness, list(wanted), list(wanted.values())))

    for softness in (-2.0, 0.2, 0.45, 1.1):
        found = likeness._search(sharpness, sharpness(softness))
        assert sharpness(found) == pytest.approx(sharpness(softness), rel=0.06)
    assert likeness._search(sharpness, 1e9) == -3.0
    assert likeness._search(sharpness, 0.0) == 2.5


def test_lines_too_faint_to_read_are_drawn_milder_and_counted(latin_font: Path) -> None:
    faint = cv2.GaussianBlur(crop("HELLO WORLD", height=40, ink=(160, 170, 180)), (0, 0), 2.0)
    renderer = Renderer(job(latin_font, one_crop(faint, "HELLO WORLD")))
    for index in range(20):
        line = renderer.render("HELLO WORLD", sample_rng(1, index))
        edges = legibility.measure(line.image, line.mask)
        assert edges.legible
        assert (line.params["contrast"], line.params["worst"]) == edges
        assert line.params["likeness"]["milder"] > 0
        assert line.params["redrawn"]


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> StyleProfile:
    return style_from(write_set(tmp_path_factory.mktemp("real")), seed=1)


@pytest.mark.parametrize("background", ["own", "paper", "field"])
def test_nothing_is_cut_and_all_is_legible(latin_font: Path, mixed: StyleProfile, background: str) -> None:
    renderer = Renderer(job(latin_font, mixed, backgrounds=(background,)))
    for index in range(60):
        line = renderer.render(TEXTS[index % len(TEXTS)], sample_rng(2, index))
        mask = line.mask
        assert mask.shape == line.image.shape[:2]
        border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        assert border.max() < 64
        assert legibility.Edges(line.params["contrast"], line.params["worst"]).legible
        parts = cv2.connectedComponents((line.line.mask > 127).astype(np.uint8))[0]
        assert cv2.connectedComponents((mask > 100).astype(np.uint8))[0] == parts
        assert cv2.imdecode(np.frombuffer(encode(line), np.uint8), 1).shape == line.image.shape


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_presets_work_with_a_style(latin_font: Path, mixed: StyleProfile, preset: str) -> None:
    renderer = Renderer(job(latin_font, mixed, presets=(preset,)))
    for index in range(8):
        line = renderer.render(TEXTS[index % len(TEXTS)], sample_rng(3, index))
        assert line.params["likeness"]["milder"] in range(5)
        assert line.image.dtype == np.uint8


def test_what_was_done_is_enough_to_do_it_again() -> None:
    image = crop(noise=2.0)
    params = {"softness": 0.7, "gain": 0.8, "paper": [200, 210, 220], "noise": 3, "x": 5, "y": 9}
    assert np.array_equal(likeness.finish(image, params), likeness.finish(image.copy(), dict(params)))
    same = {**params, "softness": 0.0, "gain": 1.0, "noise": 0}
    assert np.array_equal(likeness.finish(image, same), image)


def test_without_a_clean_patch_lines_stand_on_the_colour_of_the_paper(latin_font: Path) -> None:
    profile = one_crop(crop("HELLO WORLD"), "HELLO WORLD")
    bare = StyleProfile("bare", profile.crops, (-1,), ())
    line = Renderer(job(latin_font, bare)).render("HELLO", sample_rng(1, 0))
    assert np.abs(np.median(line.image, axis=(0, 1)) - PAPER).max() <= 8


def test_own_grounds_need_a_style(latin_font: Path) -> None:
    with pytest.raises(UsageError, match="--style-from"):
        Renderer(RenderJob(1, read_faces(latin_font), backgrounds=("own",)))


def test_ink_that_cannot_be_reached_moves_the_ground() -> None:
    mask = np.full((10, 10), 255, np.uint8)
    dark = np.full((10, 10, 3), 20, np.uint8)
    ground, colour, measured = ink.reach_ink(dark, mask, (10, 10, 10), dark=True)
    assert ground.min() - max(colour) >= ink.MIN_CONTRAST
    assert measured["contrast"] >= ink.MIN_CONTRAST
    light = np.full((10, 10, 3), 240, np.uint8)
    ground, colour, measured = ink.reach_ink(light, mask, (250, 250, 250), dark=False)
    assert min(colour) - ground.max() >= ink.MIN_CONTRAST
    near = np.full((10, 10, 3), 150, np.uint8)
    ground, colour, measured = ink.reach_ink(near, mask, (100, 50, 60), dark=True)
    assert (ground == 150).all()
    assert colour == (100, 50, 60)


def test_a_crop_of_a_style_keeps_its_margins(latin_font: Path) -> None:
    wide = cv2.copyMakeBorder(crop("HELLO"), 10, 2, 40, 3, cv2.BORDER_CONSTANT, value=PAPER)
    profile = one_crop(wide, "HELLO")
    wanted: Crop = profile.crops[0]
    line = Renderer(job(latin_font, profile)).render("HELLO", sample_rng(1, 1))
    left, top, width, _ = cv2.boundingRect((line.mask > 100).astype(np.uint8))
    rows = line.mask.shape[0]
    assert left / rows == pytest.approx(wanted.left, abs=0.08)
    assert top / rows == pytest.approx(wanted.top, abs=0.08)
    assert (line.mask.shape[1] - left - width) / rows == pytest.approx(wanted.right, abs=0.08)
