"""Lines written with pictures of single characters."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from datakit.cli.main import app
from datakit.errors import InputError, UsageError
from datakit.files import read_manifest
from datakit.labels import read_rec
from datakit_fonts import find_fonts
from datakit_synth import SynthRequest, synthesize
from datakit_synth.char_crops import MOST_A_CHARACTER, CropCoverage, name_missing, read_crops
from datakit_synth.crop_ink import read_ink
from datakit_synth.handwriting import Handwriter

Digest = Callable[[Path], dict[str, str]]
run = CliRunner()


def draw(
    path: Path, box: tuple[int, int, int, int], ground: int = 220, ink: int = 30, size: int = 40
) -> None:
    """A picture ``size`` px wide and high with a block of ink at left, top, right, bottom."""
    image = np.full((size, size, 3), ground, np.uint8)
    left, top, right, bottom = box
    image[top:bottom, left:right] = ink
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


@pytest.fixture
def crops(tmp_path: Path) -> Path:
    """Two pictures each of A, b and a comma, one of a slash (by code point)."""
    folder = tmp_path / "crops"
    for number in range(2):
        draw(folder / "A" / f"{number}.png", (8, 5, 28 + 4 * number, 35))
        draw(folder / "b" / f"{number}.png", (10, 10, 30, 30 + number), ground=20, ink=240)
        draw(folder / "," / f"{number}.png", (15, 12, 25, 28))
    draw(folder / "U+002F" / "x.png", (12, 4, 26, 36))
    return folder


@pytest.mark.parametrize(("ground", "ink"), [(220, 30), (15, 250), (130, 200)])
def test_the_ground_becomes_transparent(tmp_path: Path, ground: int, ink: int) -> None:
    draw(tmp_path / "a.png", (10, 5, 25, 33), ground, ink)
    coverage = read_ink(tmp_path / "a.png")
    assert coverage.shape == (30, 17)
    assert (coverage[1:-1, 1:-1] == 255).all()
    assert coverage[0].max() == coverage[-1].max() == coverage[:, 0].max() == coverage[:, -1].max() == 0


def test_a_shaded_ground_becomes_transparent_too(tmp_path: Path) -> None:
    shade = np.linspace(240, 150, 60)[None, :, None]
    image = np.tile(shade, (60, 1, 3)).astype(np.uint8)
    image[20:40, 10:50] = 20
    cv2.imwrite(str(tmp_path / "a.png"), image)
    coverage = read_ink(tmp_path / "a.png")
    assert coverage.shape == (22, 42)
    assert coverage[1:-1, 1:-1].min() > 200
    assert coverage[0].max() == 0


def test_a_transparent_picture_keeps_its_transparency(tmp_path: Path) -> None:
    image = np.zeros((30, 30, 4), np.uint8)
    image[10:20, 5:25, 3] = 255
    cv2.imwrite(str(tmp_path / "a.png"), image)
    assert read_ink(tmp_path / "a.png").shape == (12, 22)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.full((30, 30, 3), 200, np.uint8), r"no ink can be told from its ground \(0 grey levels\)"),
        (
            np.pad(np.full((36, 36, 3), 30, np.uint8), ((2, 2), (2, 2), (0, 0)), constant_values=220),
            "is 81% ink",
        ),
    ],
)
def test_pictures_without_a_character_are_named(tmp_path: Path, image: np.ndarray, message: str) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), image)
    with pytest.raises(InputError, match=message):
        read_ink(tmp_path / "a.png")


def test_folders_names_and_label_files(crops: Path, tmp_path: Path) -> None:
    (crops / "words").mkdir()
    (crops / "A" / "broken.png").write_bytes(b"no picture")
    book, aside = read_crops(crops)
    assert {char: len(names) for char, names in book.crops} == {",": 2, "/": 1, "A": 2, "b": 2}
    assert (book.count, book.root) == (7, str(crops))
    assert any("words: the name is no single character" in reason for reason in aside)
    assert any("broken.png" in reason for reason in aside)
    assert len(aside) == 2
    flat = tmp_path / "flat"
    for name in ("汉_001", "汉2", "U+002A-3"):
        draw(flat / f"{name}.png", (10, 10, 30, 30))
    assert {char: len(names) for char, names in read_crops(flat)[0].crops} == {"*": 1, "汉": 2}
    labels = tmp_path / "labels.txt"
    labels.write_text("flat/汉2.png\t字\nflat/汉_001.png\tab\nflat/gone.png\t字\n", encoding="utf-8")
    book, aside = read_crops(labels)
    assert book.crops == (("字", ("flat/汉2.png",)),)
    assert any("1 lines have no label of one character" in reason for reason in aside)
    assert any("gone.png" in reason for reason in aside)


def test_at_most_so_many_of_a_character(tmp_path: Path) -> None:
    for number in range(MOST_A_CHARACTER + 25):
        draw(tmp_path / "A" / f"{number:03d}.png", (10, 10, 30, 30))
    assert read_crops(tmp_path)[0].count == MOST_A_CHARACTER


def test_a_folder_without_characters_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no picture of one character"):
        read_crops(tmp_path)


def test_what_is_missing_is_named(crops: Path) -> None:
    book, _ = read_crops(crops)
    assert name_missing(["Ab, A"], book) == ""
    assert name_missing(["Abc", "xc", "A"], book) == (
        "2 characters of the corpora have no crop, in 2 lines: 'c' (2 lines), 'x' (1 lines)"
    )
    coverage = CropCoverage(book)
    assert (coverage.mask("A b"), coverage.mask("Abc")) == (1, 0)


def test_characters_are_as_large_and_as_high_as_in_print(crops: Path, latin_font: Path) -> None:
    """In the tests' font A is 0.5 em high, b 0.56, a comma 0.52 (blocks): the crops are scaled to that."""
    book, _ = read_crops(crops)
    faces = find_fonts([latin_font]).faces
    line, taken = Handwriter(book, faces).write("Ab A", 100, Random(1))
    assert [name[:2] for name in taken] == ["A/", "b/", "", "A/"]
    assert taken[0] != taken[3], "both pictures are used before one comes again"
    first, second, third = line.boxes
    assert [box.cluster for box in line.boxes] == [0, 1, 3]
    for box in (first, second, third):
        assert abs(box.bottom - line.baseline) <= 6
        assert 45 <= box.bottom - box.top <= 62
    assert first.right < second.left < second.right < third.left
    assert third.left - second.right >= 28
    assert line.mask.max() == 255


def test_a_comma_is_not_blown_up(tmp_path: Path, make_font: Callable[..., Path]) -> None:
    """A character that a font draws small stays small, whatever the size of its picture."""
    from fontTools.ttLib import TTFont

    font = make_font("Small", "A,")
    opened = TTFont(font)
    glyph = opened["glyf"][opened.getBestCmap()[ord(",")]]
    glyph.coordinates.scale((0.2, 0.2))
    glyph.recalcBounds(opened["glyf"])
    opened.save(font)
    draw(tmp_path / "c" / "A" / "1.png", (8, 5, 32, 35))
    draw(tmp_path / "c" / "," / "1.png", (5, 3, 35, 37))
    book, _ = read_crops(tmp_path / "c")
    line, _ = Handwriter(book, find_fonts([font]).faces).write("A,", 100, Random(2))
    letter, comma = line.boxes
    assert letter.bottom - letter.top > 40
    assert comma.bottom - comma.top < 14


def test_a_run_writes_only_what_it_has_pictures_of(
    crops: Path, latin_font: Path, tmp_path: Path, digest: Digest
) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("Ab, A\nbA/b\nAxb\n", encoding="utf-8")
    request = SynthRequest(corpora=(corpus,), count=6, fonts=(latin_font,), char_crops=crops)
    result = synthesize(request, tmp_path / "one", keep_params=True)
    lines, _ = read_rec(tmp_path / "one" / "labels.txt")
    assert sorted(line.text for line in lines) == ["Ab, A"] * 3 + ["bA/b"] * 3
    assert result.plan.refused == {"no-crop": 1}
    assert result.warnings == ("1 characters of the corpora have no crop, in 1 lines: 'x' (1 lines)",)
    assert result.account.counts["fonts"] == {}
    assert result.account.counts["looks"] == {"none": 6}
    params = [json.loads(line) for line in (tmp_path / "one" / "params.jsonl").read_text().splitlines()]
    assert all(len(entry["params"]["crops"]) == len(entry["text"]) for entry in params)
    source = read_manifest(tmp_path / "one").arguments["source"]
    assert (source["kind"], source["characters"], source["pictures"]) == ("char-crops", 4, 7)
    synthesize(request, tmp_path / "two", workers=2, keep_params=True)
    assert digest(tmp_path / "one") == digest(tmp_path / "two")


def test_characters_asked_for_by_name_must_have_a_picture(
    crops: Path, latin_font: Path, tmp_path: Path
) -> None:
    arguments = [
        "synth",
        "--char-crops",
        str(crops),
        "--fonts",
        str(latin_font),
        "--out",
        str(tmp_path / "o"),
    ]
    result = run.invoke(app, [*arguments, "--chars", "Az", "--per-char", "2"])
    assert isinstance(result.exception, InputError)
    assert str(result.exception) == "cannot be rendered: 'z' (U+007A) has no crop"
    result = run.invoke(app, [*arguments, "--chars", "A", "--look", "vertical"])
    assert isinstance(result.exception, UsageError)
    assert "have no looks" in str(result.exception)
    result = run.invoke(app, [*arguments, "--chars", "Ab", "--per-char", "5", "--workers", "1"])
    assert result.exit_code == 0, result.output
    lines, _ = read_rec(tmp_path / "o" / "labels.txt")
    assert len(lines) >= 5
    assert {char for line in lines for char in line.text} <= set("Ab,/ ")
