"""One line: ink for every glyph, in order, whole, legible; and the right font."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest

from datakit.effects import PRESETS
from datakit.errors import InputError, UsageError
from datakit_corpora import TEMPLATES, sample_template
from datakit_fonts import CoverageIndex, find_fonts, read_faces
from datakit_fonts.glyphs import GlyphCache
from datakit_synth import ink, legibility
from datakit_synth.backgrounds import GROUNDS, PROCEDURAL, check_grounds, find_photos
from datakit_synth.geometry import BENDS, MIN_MARGIN
from datakit_synth.layout import PAD, Style, draw_line
from datakit_synth.render import Renderer, RenderJob, encode, instances, sample_rng

MakeFont = Callable[..., Path]
TEXTS = ("A", "Total 12.50", "i.i", "12:30:59 AM", "aaaaaaaaaaaaaaaaaaaaaaaaa", ".", "A B C D")


def job_of(*fonts: Path, **arguments: object) -> RenderJob:
    faces = tuple(face for font in fonts for face in read_faces(font))
    return RenderJob(1, faces, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", TEXTS)
def test_every_glyph_leaves_its_ink_in_order(latin_font: Path, text: str) -> None:
    (face,) = read_faces(latin_font)
    line = draw_line(text, Style(face, (), 40), GlyphCache())
    assert [box.cluster for box in line.boxes] == [k for k, char in enumerate(text) if char != " "]
    assert all(left.right <= right.left for left, right in zip(line.boxes, line.boxes[1:], strict=False))
    for box in line.boxes:
        assert line.mask[box.top : box.bottom, box.left : box.right].max() == 255
    inside = line.mask[PAD:-PAD, PAD:-PAD]
    assert int(line.mask.sum()) == int(inside.sum())


def test_a_space_is_as_wide_as_a_space(latin_font: Path) -> None:
    (face,) = read_faces(latin_font)
    line = draw_line("A B", Style(face, (), 100), GlyphCache())
    # Blocks end 60 units before their advance of 600, and the space is 600 wide: 60 + 600 + 60 of 1000.
    assert line.boxes[1].left - line.boxes[0].right == pytest.approx(72, abs=2)


@pytest.mark.parametrize("preset", sorted(PRESETS))
def test_no_text_is_cut_and_ink_can_be_told_from_ground(latin_font: Path, preset: str) -> None:
    renderer = Renderer(job_of(latin_font, presets=(preset,)))
    for index in range(60):
        rendered = renderer.render(TEXTS[index % len(TEXTS)], sample_rng(1, index))
        mask = rendered.mask
        assert mask.shape == rendered.image.shape[:2]
        assert 32 <= mask.shape[0] <= 64
        border = np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]])
        assert border.max() == 0
        # Nothing is lost on the way from the line to the picture: the share of ink in the text's box stays.
        if rendered.params["look"] not in {"dot-matrix", "seven-segment"}:
            parts = cv2.connectedComponents((rendered.line.mask > 127).astype(np.uint8))[0]
            assert cv2.connectedComponents((mask > 100).astype(np.uint8))[0] == parts
        assert rendered.params["colour"]["contrast"] >= ink.MIN_CONTRAST - 1
        assert legibility.Edges(rendered.params["contrast"], rendered.params["worst"]).legible


def test_a_font_that_lacks_one_glyph_is_never_used(make_font: MakeFont) -> None:
    full, partial = make_font("Full", "ABC"), make_font("Partial", "AB", empty="C")
    renderer = Renderer(job_of(full, partial, presets=("clean",), backgrounds=("plain",)))
    used = {
        text: {renderer.render(text, sample_rng(2, k)).params["font"] for k in range(60)}
        for text in ("AB", "ABC")
    }
    assert used == {"AB": {"Full Regular", "Partial Regular"}, "ABC": {"Full Regular"}}
    with pytest.raises(InputError, match="no font covers 'ABD'"):
        renderer.render("ABD", sample_rng(2, 0))


def test_a_picture_is_a_function_of_seed_and_index(latin_font: Path) -> None:
    job = job_of(latin_font)
    first, second = Renderer(job), Renderer(job)
    backwards = {k: encode(second.render("Total 9.99", sample_rng(5, k))) for k in reversed(range(30))}
    for k in range(30):
        assert encode(first.render("Total 9.99", sample_rng(5, k))) == backwards[k]
    assert len(set(backwards.values())) == 30


@pytest.mark.parametrize("kind", PROCEDURAL)
@pytest.mark.parametrize("size", [(32, 20), (64, 1900), (300, 5)])
def test_grounds_have_the_size_asked_for(kind: str, size: tuple[int, int]) -> None:
    ground = GROUNDS[kind](Random(3), *size, ())
    assert ground.shape == (*size, 3)
    assert ground.dtype == np.uint8
    assert np.array_equal(ground, GROUNDS[kind](Random(3), *size, ()))


@pytest.mark.parametrize("level", [0, 64, 100, 127, 128, 150, 191, 255])
def test_ink_fits_on_every_grey(level: int) -> None:
    ground = np.full((40, 100, 3), level, np.uint8)
    mask = np.zeros((40, 100), np.uint8)
    mask[10:30, 20:80] = 255
    for seed in range(40):
        _, colour, measured = ink.choose_ink(ground, mask, Random(seed))
        assert abs(ink.luma(colour) - level) >= ink.MIN_CONTRAST - 1
        assert measured["flattened"] == 1.0


def test_a_ground_of_both_black_and_white_is_flattened() -> None:
    ground = np.zeros((40, 100, 3), np.uint8)
    ground[:, ::2] = 255
    mask = np.full((40, 100), 255, np.uint8)
    flat, colour, measured = ink.choose_ink(ground, mask, Random(0))
    assert measured["flattened"] < 1.0
    low, high = ink.ground_range(flat, mask)
    assert ink.luma(colour) <= low - ink.MIN_CONTRAST + 1 or ink.luma(colour) >= high + ink.MIN_CONTRAST - 1


def test_user_photos_are_cut_and_broken_ones_named(latin_font: Path, tmp_path: Path) -> None:
    picture = np.zeros((90, 120, 3), np.uint8)
    picture[:] = (200, 30, 30)
    cv2.imwrite(str(tmp_path / "blue.png"), picture)
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    photos, broken = find_photos(tmp_path)
    assert [Path(photo).name for photo in photos] == ["blue.png"]
    assert len(broken) == 1
    assert "broken.jpg" in broken[0]
    renderer = Renderer(job_of(latin_font, backgrounds=("photo",), photos=photos, presets=("clean",)))
    image = renderer.render("Total 12", sample_rng(0, 0)).image
    assert image[1, 1].tolist() == [200, 30, 30]


def test_photo_grounds_need_photos(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs photos"):
        check_grounds(("photo",), ())
    with pytest.raises(UsageError, match="no background kind 'wood'"):
        check_grounds(("wood",), ())
    with pytest.raises(InputError, match="holds no picture"):
        find_photos(tmp_path)


def test_every_preset_has_its_bends() -> None:
    assert set(BENDS) == set(PRESETS)
    assert MIN_MARGIN >= 2


def test_installed_fonts_draw_every_template() -> None:
    """Real fonts, real shaping: every instance of every face that covers a text sets all of it."""
    faces = find_fonts().faces
    if not faces:
        pytest.skip("no font is installed")
    index, cache = CoverageIndex(faces), GlyphCache()
    drawn = 0
    for name in TEMPLATES:
        for text in sample_template(name, 4, seed=9):
            for face in index.covering(text)[::5]:
                line = draw_line(text, Style(face, instances(face)[-1], 28), cache)
                assert line.mask[PAD:-PAD, PAD:-PAD].max() > 128, (text, face.name)
                drawn += 1
    assert drawn > 0
