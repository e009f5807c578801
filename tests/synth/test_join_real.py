"""Two real crops side by side: heights matched, gap filled, never too long, never one with itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from datakit.cli.main import app
from datakit.errors import UsageError
from datakit.files import read_manifest
from datakit.images import probe, read_bgr
from datakit.labels import read_rec
from datakit_synth import SynthRequest, synthesize
from datakit_synth.join_plan import any_font_rules, plan_joins
from datakit_synth.joining import edge_ground, ground_colour, join_height, join_pictures

Digest = Callable[[Path], dict[str, str]]
run = CliRunner()


def crop(height: int, width: int, ground: int = 210, ink: int = 30) -> np.ndarray:
    """A line: a block of ink on a ground."""
    image = np.full((height, width, 3), ground, np.uint8)
    image[height // 4 : -height // 4, 6:-6] = ink
    return image


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """Eight crops with texts of 3 to 10 characters; a copy, a tall, a missing, a darker one, one twice."""
    rows = []
    for number in range(8):
        image = crop(40 + 2 * number, 80 + 10 * number, 200 + number)
        assert cv2.imwrite(str(tmp_path / f"{number}.png"), image)
        rows.append(f"{number}.png\t{'abcdefghij'[: 3 + number]}")
    (tmp_path / "copy.png").write_bytes((tmp_path / "0.png").read_bytes())
    cv2.imwrite(str(tmp_path / "tall.png"), crop(90, 40))
    cv2.imwrite(str(tmp_path / "dark.png"), crop(40, 90, 60, 250))
    rows += [
        "copy.png\tabc",
        "tall.png\tT",
        "gone.png\tgon",
        "0.png\tabc",
        "dark.png\tdar",
        "8.png\tx" + "y" * 30,
    ]
    path = tmp_path / "labels.txt"
    path.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("first", "second", "height"), [(40, 60, 40), (60, 40, 40), (20, 60, 32), (20, 26, 26), (32, 90, 32)]
)
def test_the_height_of_two(first: int, second: int, height: int) -> None:
    assert join_height(first, second) == height


def test_the_gap_runs_from_ground_to_ground() -> None:
    left, right = crop(48, 100, 230), crop(48, 70, 180)
    done = join_pictures(left, right, Random(4))
    assert 12 <= done.gap <= 29
    assert done.image.shape == (48, 170 + done.gap, 3)
    assert (done.image[:, :100] == left).all()
    assert (done.image[:, -70:] == right).all()
    between = done.image[:, 100:-70].astype(int)
    assert np.abs(between[:, 0] - 230).max() <= 2
    assert np.abs(between[:, -1] - 180).max() <= 2
    assert (np.diff(between.mean(axis=(0, 2))) <= 0).all()


def test_ink_at_the_edge_does_not_run_into_the_gap() -> None:
    left = np.full((40, 100, 3), 220, np.uint8)
    left[16:24, 40:] = 20  # a stroke that the crop has cut
    done = join_pictures(left, crop(40, 80, 220), Random(1))
    assert done.image[:, 100 : 100 + done.gap].min() > 190
    ground, noise = edge_ground(left, slice(-10, None))
    assert np.abs(ground - 220).max() <= 1
    assert noise == 0.0


def test_light_text_on_dark_ground() -> None:
    assert ground_colour(crop(40, 90, 60, 250)) == (60.0, 60.0, 60.0)
    done = join_pictures(crop(40, 90, 60, 250), crop(40, 90, 70, 240), Random(2))
    assert done.image[:, 90 : 90 + done.gap].max() <= 75


def test_pairs_are_new_short_enough_and_of_two_pictures(labels: Path) -> None:
    plan, book = plan_joins(labels, 40, any_font_rules(None, 14), seed=1)
    texts = {line.image: line.text for line in read_rec(labels)[0][:9]}
    assert len(set(book.pairs)) == len(plan.lines) == 40
    for line, (first, second) in zip(plan.lines, book.pairs, strict=True):
        assert line.text == f"{texts[first]} {texts[second]}"
        assert line.origin == "joined-real"
        assert len(line.text) <= 14
        assert first != second
        assert {first, second} != {"0.png", "copy.png"}
        assert not {first, second} & {"tall.png", "gone.png", "dark.png"}
    assert plan.refused == {
        "picture named before": 1,
        "too-long": 1,
        "taller than wide": 1,
        "picture cannot be read": 1,
    }
    assert plan_joins(labels, 40, any_font_rules(None, 14), seed=1)[1] == book
    assert plan_joins(labels, 40, any_font_rules(None, 14), seed=2)[1] != book


def test_more_than_there_are(labels: Path) -> None:
    # Of at most 8 characters: 3 + 1 + 3 and 3 + 1 + 4; the crops of 3 are one picture and its copy.
    with pytest.raises(
        UsageError, match=r"4 pairs of at most 8 characters were found where 50 are asked for"
    ):
        plan_joins(labels, 50, any_font_rules(None, 8))


def test_a_run(labels: Path, tmp_path: Path, digest: Digest) -> None:
    request = SynthRequest(join_real=labels, count=12)
    result = synthesize(request, tmp_path / "one", seed=3)
    lines, faults = read_rec(tmp_path / "one" / "labels.txt")
    assert (len(lines), faults) == (12, [])
    assert all(line.text.count(" ") == 1 for line in lines)
    assert result.plan.to_dict()["origins"] == {"joined-real": 12}
    assert probe(tmp_path / "one" / lines[0].image).format == "JPEG"
    manifest = read_manifest(tmp_path / "one")
    assert manifest.arguments["source"]["kind"] == "join-real"
    assert str(labels) in manifest.inputs
    synthesize(request, tmp_path / "two", seed=3, workers=2)
    assert digest(tmp_path / "two") == digest(tmp_path / "one")
    (tmp_path / "two" / "images/00000/000004.jpg").unlink()
    assert synthesize(request, tmp_path / "two", seed=3).skipped == 0
    assert digest(tmp_path / "two") == digest(tmp_path / "one")


def test_another_picture_is_another_run(labels: Path, tmp_path: Path) -> None:
    request = SynthRequest(join_real=labels, count=12)
    synthesize(request, tmp_path / "out")
    for number in range(8):
        cv2.imwrite(str(labels.parent / f"{number}.png"), 255 - read_bgr(labels.parent / f"{number}.png"))
    with pytest.raises(Exception, match="holds another run"):
        synthesize(request, tmp_path / "out")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--count", "3", "--chars", "a"], "take no other texts"),
        ([], "have no end: give a count"),
        (["--count", "3", "--space-share", "0.5"], "are as long and look as these do"),
    ],
)
def test_options_that_do_not_go_together(
    labels: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    result = run.invoke(app, ["synth", "--join-real", str(labels), "--out", str(tmp_path / "o"), *options])
    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)


def test_a_folder_of_crops_needs_their_labels(tmp_path: Path) -> None:
    result = run.invoke(
        app, ["synth", "--chars", "a", "--crops-dir", str(tmp_path), "--out", str(tmp_path / "o")]
    )
    assert isinstance(result.exception, UsageError)
    assert "needs --char-crops or --join-real" in str(result.exception)
