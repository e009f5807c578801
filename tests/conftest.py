"""Small fonts made by the tests themselves, so that coverage is known to the glyph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

MakeFont = Callable[..., Path]


def _block(left: int, right: int, bottom: int, top: int) -> object:
    pen = TTGlyphPen(None)
    pen.moveTo((left, bottom))
    for point in ((left, top), (right, top), (right, bottom)):
        pen.lineTo(point)
    pen.closePath()
    return pen.glyph()


def build_font(path: Path, chars: str, *, empty: str = "", tofu: str = "", family: str = "Blocks") -> Path:
    """A font of blocks, each of its own height; ``empty`` maps to no ink, ``tofu`` to .notdef's shape."""
    names = {char: f"u{ord(char):04X}" for char in chars + empty + tofu}
    glyphs = {".notdef": _block(50, 550, 0, 700), "space": TTGlyphPen(None).glyph()}
    for number, char in enumerate(chars):
        glyphs[names[char]] = _block(60, 540, 0, 500 + 10 * (number % 20))
    glyphs |= {names[char]: TTGlyphPen(None).glyph() for char in empty}
    glyphs |= {names[char]: _block(50, 550, 0, 700) for char in tofu}
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap({32: "space", **{ord(char): name for char, name in names.items()}})
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable(
        {
            "familyName": family,
            "styleName": "Regular",
            "licenseDescription": "SIL Open Font License, Version 1.1",
        }
    )
    builder.setupOS2(usWeightClass=400)
    builder.setupPost()
    builder.save(path)
    return path


@pytest.fixture
def make_font(tmp_path: Path) -> MakeFont:
    folder = tmp_path / "fonts"
    folder.mkdir()

    def make(name: str, chars: str, **arguments: str) -> Path:
        return build_font(folder / f"{name}.ttf", chars, family=name, **arguments)

    return make


@pytest.fixture(scope="session")
def latin_font(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blocks for ASCII letters, digits and a few signs."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:;-+/#()$%@"
    return build_font(tmp_path_factory.mktemp("fonts") / "Latin.ttf", letters, family="Latin")
