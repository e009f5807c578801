"""Pages: boxes exact to the pixel, ### as asked, the same bytes always, sound in audit's eyes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from datakit.cli import spelled
from datakit.cli.main import app
from datakit.cli.synth_pages import LAYOUT_NAMES
from datakit.errors import InputError, OutputError
from datakit.files import read_manifest
from datakit.images import probe, read_bgr
from datakit.labels import DetBox, read_det
from datakit_fonts import find_fonts
from datakit_synth.pages import PageJob, PageRenderer, PageRequest, plane, render, synthesize_pages
from datakit_synth.pages.layouts import LAYOUTS

Digest = Callable[[Path], dict[str, str]]
run = CliRunner()
TEXTS = ("Qz7", "HxNW 40", "12.50", "Total 99", "agpqy", "x", "ABC-123", "many words here", "2024/01/31")


def job_of(font: Path, **changes: object) -> PageJob:
    values: dict[str, object] = {
        "seed": 1,
        "size": (640, 800),
        "lines": (5, 25),
        "texts": TEXTS,
        "faces": find_fonts([font]).faces,
        "backgrounds": ("plain",),
        "photos": (),
        "presets": ("photo",),
        "layouts": ("columns", "scattered"),
        "illegible": 0.0,
    }
    return PageJob(**{**values, **changes})


def request_of(font: Path, **changes: object) -> PageRequest:
    values: dict[str, object] = {
        "count": 19,
        "size": (480, 640),
        "lines": (4, 12),
        "templates": ("en",),
        "fonts": (font,),
    }
    return PageRequest(**{**values, **changes})


def ink_of(image: np.ndarray) -> np.ndarray:
    """Pixels that differ from a ground of one colour."""
    ground = np.median(image.reshape(-1, 3), axis=0)
    return (np.abs(image.astype(np.int16) - ground).max(axis=2) > 24).astype(np.uint8)


def test_all_ink_lies_in_its_box_and_every_box_is_tight(
    latin_font: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judged by the pixels of the picture alone: rotated, in perspective, on a ground of one colour."""
    monkeypatch.setattr(render, "sample_preset", lambda _preset, _rng: [])
    monkeypatch.setattr(render, "_PLATE_CHANCE", 0.0)
    monkeypatch.setattr(plane, "_DESK", 0.0)
    renderer, boxes = PageRenderer(job_of(latin_font)), 0
    for index in range(24):
        page = renderer.render(index)
        inked = ink_of(page.image)
        covered = np.zeros_like(inked)
        for box in page.boxes:
            points = np.array(box.points, np.int32)
            alone = cv2.fillConvexPoly(np.zeros_like(inked), points, 1)
            assert not (covered & alone).any(), "boxes overlap"
            covered |= alone
            require_tight(points.astype(np.float64), inked & alone)
            boxes += 1
        assert not (inked & ~covered & 1).any(), f"ink outside of all boxes on page {index}"
    assert boxes > 250


def require_tight(points: np.ndarray, inked: np.ndarray) -> None:
    """On each side the box reaches at most 4 px and 10 % of its height past the ink."""
    spots = np.argwhere(inked)[:, ::-1]
    assert len(spots)
    height = np.linalg.norm(points[3] - points[0])
    for first, second in zip(points, np.roll(points, -1, axis=0), strict=True):
        ahead = (second - first) / np.linalg.norm(second - first)
        inwards = (spots - first) @ np.array([-ahead[1], ahead[0]])
        assert inwards.min() >= -1e-6
        assert inwards.min() <= 4 + 0.1 * height


def test_boxes_are_whole_pixels_clockwise_from_the_top_left(latin_font: Path) -> None:
    renderer = PageRenderer(job_of(latin_font, layouts=tuple(LAYOUTS), backgrounds=("paper", "field")))
    for index in range(8):
        for box in renderer.render(index).boxes:
            points = np.array(box.points)
            assert (points == np.rint(points)).all()
            assert points.min() >= 0
            assert (points.max(axis=0) < (640, 800)).all()
            area = 0.5 * sum(
                x0 * y1 - x1 * y0
                for (x0, y0), (x1, y1) in zip(box.points, (*box.points[1:], box.points[0]), strict=True)
            )
            assert area > 0
            assert points[0][0] < points[1][0]
            assert points[0][1] < points[3][1]


def test_the_share_of_illegible_lines_is_as_asked(latin_font: Path) -> None:
    job = job_of(latin_font, illegible=0.2, presets=("clean",), lines=(20, 20), layouts=("scattered",))
    reasons = [reason for index in range(30) for reason in PageRenderer(job).render(index).reasons]
    spoiled = [reason for reason in reasons if reason]
    assert set(spoiled) == {"blurred", "coarse", "faded", "scribbled"}
    assert abs(len(spoiled) / len(reasons) - 0.2) < 0.02


def test_a_label_is_the_text_or_three_hashes(latin_font: Path) -> None:
    page = PageRenderer(job_of(latin_font, illegible=0.5)).render(3)
    for line, box, reason in zip(page.lines, page.boxes, page.reasons, strict=True):
        assert box == DetBox(
            "###" if reason else line.text, tuple((float(x), float(y)) for x, y in line.quad)
        )
        assert line.text


def test_a_run_is_whole_and_sound(latin_font: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = synthesize_pages(request_of(latin_font, illegible=0.1), out, seed=4)
    lines, faults = read_det(out / "labels.txt")
    assert (faults, len(lines), result.labels) == ([], 19, out / "labels.txt")
    assert [line.image for line in lines][7:9] == ["images/00000/000007.jpg", "images/00001/000008.jpg"]
    for line in lines:
        info = probe(out / line.image)
        assert (info.format, info.width, info.height) == ("JPEG", 480, 640)
    boxes = [box for line in lines for box in line.boxes]
    manifest = read_manifest(out)
    assert (manifest.command, manifest.state) == ("synth-pages", "done")
    assert manifest.counts["boxes"] == len(boxes) == result.boxes
    assert manifest.counts["ignored"] == sum(box.ignored for box in boxes) == result.ignored > 0
    audited = run.invoke(app, ["audit", str(out / "labels.txt"), "--task", "det", "--json"])
    assert audited.exit_code == 0, audited.output
    findings = json.loads(audited.stdout)["findings"]
    assert [finding for finding in findings if finding["severity"] == "error"] == []
    sheet = read_bgr(out / "contact.png")
    assert sheet.shape == (3 * 520, 4 * 400, 3)
    assert "19</b><span>pages of 480 x 640 px" in (out / "pages.html").read_text(encoding="utf-8")


def test_same_bytes_for_workers_and_after_damage(latin_font: Path, tmp_path: Path, digest: Digest) -> None:
    request = request_of(latin_font)
    synthesize_pages(request, tmp_path / "one")
    expected = digest(tmp_path / "one")
    # 19 pictures; label files and markers of 3 shards; labels.txt, contact.png and pages.html.
    assert len(expected) == 19 + 2 * 3 + 3
    synthesize_pages(request, tmp_path / "two", workers=2)
    assert digest(tmp_path / "two") == expected
    (tmp_path / "two" / "images/00001/000009.jpg").write_bytes(b"cut")
    (tmp_path / "two" / "shards/00002.json").unlink()
    (tmp_path / "two" / "labels.txt").unlink()
    result = synthesize_pages(request, tmp_path / "two")
    assert result.skipped == 1
    assert digest(tmp_path / "two") == expected


def test_other_folders_are_refused(latin_font: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    synthesize_pages(request_of(latin_font, count=1), out)
    with pytest.raises(OutputError, match="holds another run"):
        synthesize_pages(request_of(latin_font, count=1), out, seed=2)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(OutputError, match=r"holds other files \(x\.txt\)"):
        synthesize_pages(request_of(latin_font, count=1), tmp_path / "mine")


def test_texts_that_no_font_covers(latin_font: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("汉字\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"no text can be rendered \(1 no-font\)"):
        synthesize_pages(request_of(latin_font, corpora=(corpus,), templates=()), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_command(latin_font: Path, tmp_path: Path) -> None:
    arguments = ["synth-pages", "--count", "3", "--size", "400x300", "--lines-per-page", "5"]
    arguments += [
        "--fonts",
        str(latin_font),
        "--template",
        "en",
        "--workers",
        "1",
        "--out",
        str(tmp_path / "o"),
    ]
    dry = run.invoke(app, [*arguments, "--dry-run", "--json"])
    assert dry.exit_code == 0, dry.output
    estimate = json.loads(dry.stdout)["estimate"]
    assert (estimate["pages"], estimate["sample"], estimate["workers"]) == (3, 3, 1)
    assert not (tmp_path / "o").exists()
    done = run.invoke(app, [*arguments, "--layout", "receipt", "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    assert document["totals"]["pages"] == 3
    assert document["drawn"]["layouts"] == {"receipt": 3}
    lines, _ = read_det(tmp_path / "o" / "labels.txt")
    assert document["totals"]["boxes"] == sum(len(line.boxes) for line in lines)
    again = run.invoke(app, [*arguments, "--layout", "receipt", "--resume"])
    assert again.exit_code == 0
    assert again.stdout.endswith(f"{tmp_path / 'o'}/labels.txt\n")
    assert list(LAYOUTS) == LAYOUT_NAMES.split(", ")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--size", "big", "--size 'big': WIDTHxHEIGHT in px, such as 960x1280"),
        ("--lines-per-page", "a-b", "--lines-per-page 'a-b': a number, or least-most such as 10-40"),
        ("--resume", None, "holds no run to go on with"),
    ],
)
def test_options_that_make_no_sense(tmp_path: Path, option: str, value: str | None, message: str) -> None:
    arguments = ["synth-pages", "--count", "1", "--out", str(tmp_path / "o"), option]
    result = run.invoke(app, arguments if value is None else [*arguments, value])
    assert message in str(result.exception)


def test_two_words_are_the_same_command(tmp_path: Path) -> None:
    assert spelled(["synth", "pages", "--count", "1"]) == ["synth-pages", "--count", "1"]
    assert spelled(["synth", "merge", "a"]) == ["synth-merge", "a"]
    assert spelled(["synth", "--out", "pages"]) == ["synth", "--out", "pages"]
    assert spelled(["synth"]) == ["synth"]
    command = [
        sys.executable,
        "-m",
        "datakit.cli.main",
        "synth",
        "pages",
        "--count",
        "0",
        "--out",
        str(tmp_path),
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (2, "datakit: count 0: at least 1\n")
