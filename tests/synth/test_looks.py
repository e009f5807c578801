"""Looks: true to the text, inside the picture, the same for the same generator."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest

from datakit.effects import PRESETS
from datakit.errors import InputError, UsageError
from datakit_fonts import read_faces
from datakit_fonts.glyphs import GlyphCache
from datakit_synth import legibility, paint
from datakit_synth.layout import PAD, Part, Style, draw_line
from datakit_synth.looks import LOOKS, NONE, PRESET_LOOKS, check_looks, draw_look
from datakit_synth.render import Renderer, RenderJob, encode, sample_rng
from datakit_synth.segments import DOTS, SEGMENT_SIGNS, dot_matrix, seven_segments

MakeFont = Callable[..., Path]
SAMPLE = {
    "vertical": "人大小人",
    "seven-segment": "12:30.5",
    "dot-matrix": "A 12.50",
    "wide-spaces": "A B C D",
}


@pytest.fixture
def font(make_font: MakeFont) -> Path:
    return make_font("Both", "ABCDabcdef0123456789.:-/人大小一二")


def job_of(font: Path, **arguments: object) -> RenderJob:
    return RenderJob(1, tuple(read_faces(font)), **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("look", sorted(LOOKS))
def test_a_look_leaves_all_ink_inside_the_picture(font: Path, look: str) -> None:
    text = SAMPLE.get(look, "ABC 12.50")
    renderer = Renderer(job_of(font, looks=(look,), presets=("photo", "scan")))
    for index in range(8):
        rendered = renderer.render(text, sample_rng(3, index))
        assert rendered.params["look"] == look
        mask = rendered.mask
        assert mask.shape == rendered.image.shape[:2]
        assert np.concatenate([mask[0], mask[-1], mask[:, 0], mask[:, -1]]).max() == 0
        # Every glyph left ink: the line holds a box with ink for each character but spaces.
        assert sorted(box.cluster for box in rendered.line.boxes) == [
            k for k, c in enumerate(text) if c != " "
        ]
        for _, left, top, right, bottom in rendered.line.boxes:
            assert rendered.line.mask[top:bottom, left:right].max() > 200
        edges = legibility.Edges(rendered.params["contrast"], rendered.params["worst"])
        assert edges.legible
        assert encode(renderer.render(text, sample_rng(3, index))) == encode(rendered)


@pytest.mark.parametrize(
    ("look", "text"),
    [
        ("vertical", "人A"),
        ("vertical", "人"),
        ("vertical", "一一"),
        ("wide-spaces", "A  B"),
        ("wide-spaces", "AB"),
        ("mixed-fonts", "ABC"),
        ("underline", "A_B C"),
        ("table", "一"),
        ("table", "-"),
        ("stamp", "|A|"),
        ("seven-segment", "5S"),
        ("seven-segment", "AbC"),
        ("dot-matrix", "a"),
        ("dot-matrix", " "),
    ],
)
def test_a_look_is_kept_from_texts_that_it_would_make_false(look: str, text: str) -> None:
    assert not LOOKS[look].fits(text)
    assert draw_look((look,), "photo", text, Random(1)) == (NONE, {})


def test_named_looks_share_the_lines_and_presets_are_sober() -> None:
    drawn = [draw_look(("none", "italic"), "photo", "AB", Random(seed))[0] for seed in range(400)]
    assert 160 < drawn.count("italic") < 240
    for preset, shares in PRESET_LOOKS.items():
        assert preset in PRESETS
        assert {name for name, _ in shares} <= set(LOOKS)
        assert sum(share for _, share in shares) <= (
            0.3 if preset in {"scan", "photo", "thermal", "screen"} else 1
        )
    plain = [draw_look((), "photo", "Total 12", Random(seed))[0] for seed in range(1000)]
    assert 700 < plain.count(NONE) < 850
    assert {draw_look((), "clean", "Total 12", Random(seed))[0] for seed in range(50)} == {NONE}


def test_an_unknown_look_names_the_known_ones(font: Path) -> None:
    with pytest.raises(UsageError, match=r"no look 'bold'; there are none, spaced, wide-spaces"):
        check_looks(("bold",))
    with pytest.raises(UsageError, match="no look 'bold'"):
        Renderer(job_of(font, looks=("bold",)))


def test_a_vertical_line_is_the_turned_column(font: Path) -> None:
    (face,) = read_faces(font)
    style = Style(face, (), 40)
    flat = draw_line("人大", style, GlyphCache())
    turned = draw_line("人大", Style(face, (), 40, vertical=True), GlyphCache())
    first, second = turned.boxes
    assert (first.cluster, second.cluster) == (0, 1)
    assert first.right <= second.left
    upright = flat.mask[flat.boxes[0].top : flat.boxes[0].bottom, flat.boxes[0].left : flat.boxes[0].right]
    lying = turned.mask[first.top : first.bottom, first.left : first.right]
    # Counter-clockwise: the character's top points to the left.
    assert np.array_equal(lying, np.rot90(upright))


def test_parts_of_a_line_stand_in_their_own_faces(make_font: MakeFont) -> None:
    one, two = (read_faces(make_font(name, "AB"))[0] for name in ("One", "Two"))
    whole = draw_line("ABAB", Style(one, (), 40), GlyphCache())
    parts = draw_line("ABAB", Style(one, (), 40, parts=(Part(2, two, ()),)), GlyphCache())
    assert [box.cluster for box in parts.boxes] == [0, 1, 2, 3]
    assert parts.boxes == whole.boxes


def test_wide_spaces_and_jitter_move_glyphs_by_what_they_say(font: Path) -> None:
    (face,) = read_faces(font)
    plain = draw_line("A B", Style(face, (), 100), GlyphCache()).boxes
    wide = draw_line("A B", Style(face, (), 100, space=3.0), GlyphCache()).boxes
    gap = plain[1].left - plain[0].right
    space = gap - 12
    assert wide[1].left - wide[0].right == pytest.approx(gap + 2 * space, abs=2)
    lifted = draw_line("AB", Style(face, (), 100, jitter=(0.0, 0.05)), GlyphCache()).boxes
    assert lifted[0].bottom - lifted[1].bottom == 5


def test_every_sign_of_a_display_looks_like_no_other() -> None:
    segments = {sign: seven_segments(sign + "8", 56, 0.14, False)[0].mask.tobytes() for sign in SEGMENT_SIGNS}
    dots = {sign: dot_matrix(sign, 56, 0.45, False).mask.tobytes() for sign in DOTS}
    assert len(set(segments.values())) == len(SEGMENT_SIGNS)
    assert len(set(dots.values())) == len(DOTS)
    lit, unlit = seven_segments("1 -.", 56, 0.14, True)
    assert unlit is not None
    assert int(unlit.sum()) > 2 * int(lit.mask.sum())
    assert unlit.shape == lit.mask.shape
    with pytest.raises(InputError, match="seven segments cannot show 'S' of '5S'"):
        seven_segments("5S", 40, 0.14, False)
    with pytest.raises(InputError, match="the dot matrix cannot show 'a' of 'Aa'"):
        dot_matrix("Aa", 40, 0.45, False)


@pytest.mark.parametrize("sides", [["top"], ["bottom"], ["left"], ["top", "bottom", "left"]])
def test_table_rules_keep_away_from_the_text(sides: list[str]) -> None:
    mask = np.zeros((48, 200), np.uint8)
    mask[8:40, 20:180] = 255
    ground = np.full((48, 200, 3), 255, np.uint8)
    for at in (0.0, 0.5, 0.99):
        ruled = paint.under(ground, mask, (0, 0, 0), "table", {"sides": sides, "level": 1.0, "at": [at] * 3})
        dark = np.argwhere(ruled[:, :, 0] < 255)
        assert len(dark) >= 48
        near = cv2.dilate(mask, np.ones((3, 3), np.uint8))
        assert near[dark[:, 0], dark[:, 1]].max() == 0


def test_an_underline_and_a_frame_touch_no_ink() -> None:
    mask = np.full((40, 200), 255, np.uint8)
    mask[:PAD] = mask[-PAD:] = 0
    for look, params in (
        ("underline", {"gap": 0.05, "width": 0.07}),
        ("stamp", {"frame": True, "gap": 0.2, "width": 0.08}),
    ):
        drawing = paint.shape(mask, look, params)
        assert drawing.beside is not None
        assert drawing.beside.max() == 255
        assert int(drawing.ink.sum()) == int(mask.sum())
        grown = cv2.dilate(drawing.ink, np.ones((3, 3), np.uint8))
        assert cv2.bitwise_and(grown, drawing.beside).max() == 0
        edge = drawing.beside
        assert edge[0].max() == edge[-1].max() == 0


def test_a_curved_line_keeps_its_ink() -> None:
    mask = np.zeros((44, 400), np.uint8)
    mask[2:42, 2:398:8] = 255
    for depth, turns in ((0.45, 0.5), (-0.45, 1.0)):
        bent = paint.shape(mask, "curved", {"depth": depth, "turns": turns}).ink
        assert bent.shape[0] > mask.shape[0]
        assert int(bent.sum()) == pytest.approx(int(mask.sum()), rel=0.01)


def test_edges_say_how_much_contrast_is_left() -> None:
    mask = np.zeros((48, 240), np.uint8)
    cv2.putText(mask, "Total 12.50", (8, 34), cv2.FONT_HERSHEY_SIMPLEX, 1.0, 255, 3, cv2.LINE_AA)
    ground = np.full((48, 240, 3), 200, np.uint8)
    drawn = ground - (mask[:, :, None] * (100 / 255))
    sharp = legibility.measure(cv2.merge([255 - mask] * 3), mask)
    assert sharp.mean == 255.0
    assert sharp.worst == 255.0
    assert sharp.legible
    half = legibility.measure(drawn.astype(np.uint8), mask)
    assert 85 < half.mean < 101
    blurred = legibility.measure(cv2.GaussianBlur(drawn.astype(np.uint8), (0, 0), 4.0), mask)
    assert not blurred.legible
    hidden = drawn.astype(np.uint8)
    hidden[:, 96:192] = 200
    assert legibility.measure(hidden, mask).worst == 0.0
    assert not legibility.measure(hidden, mask).legible


def test_milder_effects_drop_what_softens_first() -> None:
    soft, light = ("blur", {"sigma": 1.0}), ("light", {"gain": 1.0, "offset": 0.0})
    assert legibility.milder([soft, light]) == [[light], []]
    assert legibility.milder([soft]) == [[]]
    assert legibility.milder([light]) == [[]]


def test_marks_upon_marks_are_drawn(make_font: MakeFont) -> None:
    face = read_faces(make_font("Marks", "nebotx\u0301\u0358"))[0]
    for text in ("ne\u0358\u0358", "bo\u0301\u0358t"):
        assert draw_line(text, Style(face, (), 40), GlyphCache()).mask.any()
