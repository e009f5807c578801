"""Layouts, damage and texts of pages."""

from __future__ import annotations

from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest

from datakit.errors import UsageError
from datakit_fonts import CoverageIndex, find_fonts
from datakit_fonts.glyphs import GlyphCache
from datakit_synth import ink, legibility
from datakit_synth.layout import Style, draw_line
from datakit_synth.pages import PageRequest
from datakit_synth.pages.damage import DAMAGES
from datakit_synth.pages.layouts import LAYOUTS, MIN_EM
from datakit_synth.pages.texts import TextPool, is_numeric, judged_width


@pytest.mark.parametrize("name", LAYOUTS)
@pytest.mark.parametrize("size", [(960, 1280), (300, 800), (1600, 700)])
def test_slots_lie_on_the_sheet_and_are_never_too_small(name: str, size: tuple[int, int]) -> None:
    rng = Random(4)
    for lines in (1, 2, 12, 40, 300):
        sheet = LAYOUTS[name].lay(rng, *size, lines)
        assert sheet.slots
        for slot in sheet.slots:
            assert slot.em >= MIN_EM
            assert 0 <= slot.left < slot.left + slot.width <= size[0]
            assert 0 < slot.baseline <= size[1]


def test_a_page_of_columns_has_room_for_the_lines_asked() -> None:
    rng = Random(1)
    for _ in range(20):
        assert 20 <= len(LAYOUTS["columns"].lay(rng, 900, 1300, 20).slots) <= 23


def test_receipts_have_an_item_and_a_sum_in_a_row() -> None:
    sheet = LAYOUTS["receipt"].lay(Random(2), 500, 1200, 21)
    rows: dict[float, list[str]] = {}
    for slot in sheet.slots:
        rows.setdefault(slot.baseline, []).append(slot.kind)
    pairs = [kinds for kinds in rows.values() if len(kinds) == 2]
    assert len(pairs) >= 8
    assert all(kinds == ["text", "number"] for kinds in pairs)
    assert len(sheet.rules) == 3


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_makes_a_line_illegible_and_leaves_the_rest(name: str, latin_font: Path) -> None:
    face = find_fonts([latin_font]).faces[0]
    line = draw_line("Qz7 HxNW 40", Style(face, (), 40), GlyphCache())
    mask = cv2.copyMakeBorder(line.mask, 60, 60, 90, 90, cv2.BORDER_CONSTANT, value=0)
    ground = np.full((*mask.shape, 3), 200, np.uint8)
    drawn = ink.blend(ground, np.asarray(mask, np.uint8), (20, 20, 20))
    assert legibility.measure(drawn, mask).legible
    for seed in range(5):
        spoiled = DAMAGES[name](ground, drawn.copy(), mask, 40.0, Random(seed))
        assert not np.array_equal(spoiled, drawn)
        assert spoiled[:30].min() == spoiled[-30:].min() == 200
        if name == "scribbled":
            # Nearly all gaps between the strokes of the letters are filled.
            rows, columns = np.nonzero(mask)
            box = spoiled[rows.min() : rows.max(), columns.min() : columns.max(), 0]
            assert (box < 110).mean() > 0.6
        else:
            assert not legibility.measure(spoiled, mask).legible


def test_texts_of_a_pool(latin_font: Path) -> None:
    assert judged_width("ab1 汉字") == 4.0
    assert (is_numeric("12.50"), is_numeric("a1"), is_numeric("abc1")) == (True, True, False)
    faces = find_fonts([latin_font]).faces
    pool = TextPool(["Qz", "77.40", "汉字", "HxNW"], CoverageIndex(faces))
    rng = Random(3)
    assert {pool.draw(rng, faces[0], "number", 9.0) for _ in range(20)} == {"77.40"}
    assert "汉字" not in {pool.draw(rng, faces[0], "text", 9.0) for _ in range(60)}
    assert pool.draw(rng, faces[0], "text", 0.9) == ""
    filled = [pool.draw(rng, faces[0], "fill", 12.0) for _ in range(20)]
    assert all(8.0 < judged_width(text) <= 12.0 for text in filled)
    assert all(set(text.split(" ")) <= {"Qz", "77.40", "HxNW"} for text in filled)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"count": 0}, "count 0: at least 1"),
        ({"size": (100, 900)}, "size 100x900: sides of 256 to 4096 px"),
        ({"lines": (9, 3)}, "lines 9-3: 1 to 400, smallest first"),
        ({"illegible": 1.5}, "illegible 1.5: a share between 0 and 1"),
        (
            {"layouts": ("poster",)},
            "there is no layout 'poster'; there are columns, receipt, form, scattered",
        ),
        ({"presets": ()}, "no layout or no preset is chosen"),
    ],
)
def test_requests_that_make_no_sense(changes: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        PageRequest(**{"count": 1, **changes}).check()
    assert message in str(caught.value)
