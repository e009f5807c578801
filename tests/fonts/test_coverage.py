"""Coverage is cmap, and not .notdef, and ink."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from datakit_fonts import Coverage, CoverageIndex, FontFace, read_faces
from datakit_fonts.glyphs import GlyphCache

MakeFont = Callable[..., Path]


def test_a_glyph_needs_a_mapping_a_shape_of_its_own_and_ink(make_font: MakeFont) -> None:
    (face,) = read_faces(make_font("Blocks", "AB", empty="C", tofu="D"))
    coverage = Coverage(face)
    assert [char for char in "ABCDE " if coverage.covers(char)] == ["A", "B", " "]
    assert coverage.missing("ABBA CEDE") == ["C", "E", "D"]


def test_index_knows_which_faces_cover_a_whole_text(make_font: MakeFont) -> None:
    faces = [*read_faces(make_font("One", "AB")), *read_faces(make_font("Two", "BC"))]
    index = CoverageIndex(faces)
    assert [index.mask(text) for text in ("", "A", "B", "C", "AB", "AC", "Z")] == [3, 1, 3, 2, 1, 0, 0]
    assert [face.family for face in index.covering("B")] == ["One", "Two"]


def test_a_font_that_freetype_refuses_covers_nothing_and_is_named(tmp_path: Path) -> None:
    path = tmp_path / "gone.ttf"
    face = FontFace(str(path), 0, "Gone", "Regular", 400, (), "", "path")
    index = CoverageIndex([face])
    assert index.mask("A") == 0
    assert index.mask("B") == 0
    assert [font.path for font in index.broken] == [str(path)]


def test_glyph_bitmaps_do_not_depend_on_the_cache(make_font: MakeFont) -> None:
    (face,) = read_faces(make_font("Blocks", "ABC"))
    small, large = GlyphCache(limit=1, faces=1), GlyphCache()
    for glyph_id in (2, 3, 2, 4, 3):
        first, second = (cache.glyph(face, (), 40, glyph_id) for cache in (small, large))
        assert np.array_equal(first.bitmap, second.bitmap)
        assert first.bitmap.max() == 255
        assert (first.left, first.top) == (second.left, second.top)
    # Blocks are 480 of 1000 units wide: 19.2 px of 40.
    assert large.glyph(face, (), 40, 2).bitmap.shape[1] == 20
