"""Finding fonts: packages, folders, families; what is broken is named and set aside."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from datakit.errors import InputError, UsageError
from datakit_fonts import BrokenFont, Catalogue, find_fonts, font_sha256, read_faces
from datakit_fonts.sources import package_files

MakeFont = Callable[..., Path]


def test_a_face_says_what_it_is(make_font: MakeFont) -> None:
    path = make_font("Blocks", "AB")
    (face,) = read_faces(path)
    assert (face.family, face.style, face.weight, face.index) == ("Blocks", "Regular", 400, 0)
    assert (face.licence, face.source, face.axes) == ("OFL-1.1", "path", ())
    assert len(font_sha256(str(path))) == 64


def test_a_broken_file_is_named_and_set_aside(make_font: MakeFont) -> None:
    good = make_font("Good", "AB")
    (good.parent / "cut.ttf").write_bytes(good.read_bytes()[:200])
    (good.parent / "text.otf").write_text("no font", encoding="utf-8")
    (good.parent / "many.ttc").write_bytes(b"ttcf\0\1\0\0\xff\xff\xff\xff")
    catalogue = find_fonts([good.parent])
    assert [face.family for face in catalogue.faces] == ["Good"]
    assert [Path(font.path).name for font in catalogue.broken] == ["cut.ttf", "many.ttc", "text.otf"]
    assert all(font.path in font.reason for font in catalogue.broken)


def test_no_usable_font_says_what_to_install() -> None:
    with pytest.raises(
        InputError, match=r"no usable font.*x\.ttf: is damaged.*pip install 'ocr-datakit\[fonts\]'"
    ):
        Catalogue((), (BrokenFont("x.ttf", "x.ttf: is damaged"),)).require()


def test_missing_paths_and_empty_folders_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such font file or folder"):
        find_fonts([tmp_path / "none.ttf"])
    with pytest.raises(InputError, match="holds no font file"):
        find_fonts([tmp_path])


def test_unknown_family_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no installed font family is called 'Nosuchfamily'"):
        find_fonts(["Nosuchfamily"])


def test_the_catalogue_does_not_depend_on_the_order_of_files(make_font: MakeFont) -> None:
    for name in ("B", "A", "C"):
        folder = make_font(name, "xy").parent
    assert [face.family for face in find_fonts([folder, folder]).faces] == ["A", "B", "C"]


def test_package_fonts_state_their_licence() -> None:
    files = list(package_files())
    if not files:
        pytest.skip("no font package is installed: pip install 'ocr-datakit[fonts]'")
    assert {file.licence for file in files if file.source.startswith("fontpkg-")} <= {"OFL-1.1", "Apache-2.0"}
    assert all(file.path.is_file() for file in files)
