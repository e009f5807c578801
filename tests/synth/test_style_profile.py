"""Profiles: what they are made of, what they refuse, and what a line is given."""

from __future__ import annotations

import json
import pickle
from dataclasses import fields, replace
from pathlib import Path
from random import Random

import cv2
import numpy as np
import pytest
from style_pictures import crop, write_set

from datakit.errors import InputError
from datakit.lmdb_set import write_lmdb
from datakit_synth import style_files
from datakit_synth.crops import Crop
from datakit_synth.style import StyleProfile
from datakit_synth.style_files import style_from, style_warnings


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_set(tmp_path_factory.mktemp("real"))


@pytest.fixture(scope="module")
def profile(labels: Path) -> StyleProfile:
    return style_from(labels, seed=1)


def test_every_crop_is_measured(profile: StyleProfile) -> None:
    assert (profile.lines, profile.sampled, len(profile.crops)) == (60, 60, 60)
    assert {measured.quality for measured in profile.crops} == {80}
    assert [measured.length for measured in profile.crops] == sorted(m.length for m in profile.crops)
    assert sum(measured.separation > 0 for measured in profile.crops) == 20
    assert style_warnings(profile) == ()


def test_a_profile_is_the_same_again_and_other_for_another_set(labels: Path, tmp_path: Path) -> None:
    profile = style_from(labels, seed=1)
    assert style_from(labels, seed=1) == profile
    assert style_from(labels, seed=1).digest == profile.digest
    assert style_from(write_set(tmp_path, quality=60), seed=1).digest != profile.digest


def test_a_profile_pickles_hashes_and_is_json(profile: StyleProfile) -> None:
    assert pickle.loads(pickle.dumps(profile)) == profile
    assert hash(pickle.loads(pickle.dumps(profile))) == hash(profile)
    document = json.loads(json.dumps(profile.to_dict()))
    assert document["crops"] == len(document["values"]) == 60
    assert document["fields"].split() == [field.name for field in fields(Crop)]
    assert len(document["values"][0].split()) == len(fields(Crop))
    assert document["percentiles"]["quality"] == {"5": 80, "25": 80, "50": 80, "75": 80, "95": 80}


def test_what_goes_together_stays_together(profile: StyleProfile) -> None:
    """Light ink on dark blue and dark ink on light paper never mix; heights are the crops' own."""
    known = {measured.height for measured in profile.crops}
    for index in range(200):
        drawn = profile.draw("TOTAL 5", Random(index)).crop
        dark_paper = max(drawn.paper) < 130
        assert dark_paper == (min(drawn.ink) > 180)
        assert drawn.height in known
        assert drawn.quality == 80


def test_a_line_is_like_a_crop_whose_text_is_about_as_long(labels: Path) -> None:
    made = style_from(labels, seed=1)
    many = tuple(replace(made.crops[0], length=length, height=20 + length) for length in range(1, 401))
    profile = StyleProfile("x", many, (-1,) * 400, ())
    drawn = [profile.draw("A" * 200, Random(index)).crop.length for index in range(300)]
    assert (min(drawn) >= 180) and (max(drawn) <= 220)
    assert len(set(drawn)) > 30
    short = [profile.draw("A", Random(index)).crop.length for index in range(300)]
    assert max(short) <= 40
    assert max(profile.draw("A" * 999, Random(index)).crop.length for index in range(99)) == 400


def test_a_draw_is_a_function_of_its_generator(profile: StyleProfile) -> None:
    assert profile.draw("TOTAL", Random(3)) == profile.draw("TOTAL", Random(3))
    assert profile.draw("TOTAL", Random(3)) != profile.draw("TOTAL", Random(4))


def test_crops_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    labels = write_set(tmp_path / "set", 5)
    folder = labels.parent
    (folder / "broken.jpg").write_bytes(b"no picture")
    cv2.imwrite(str(folder / "blank.png"), np.full((30, 90, 3), 128, np.uint8))
    cv2.imwrite(str(folder / "tall.png"), cv2.rotate(crop(), cv2.ROTATE_90_CLOCKWISE))
    cv2.imwrite(str(folder / "low.png"), np.zeros((4, 90, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "outside.png"), crop())
    names = ("broken.jpg", "blank.png", "tall.png", "low.png", "../outside.png", "gone.jpg")
    with labels.open("a", encoding="utf-8") as stream:
        stream.writelines(f"{name}\tsome text\n" for name in names)
        stream.write("no tab\n0.jpg\t\n")
    profile = style_from(labels, seed=1)
    assert (profile.lines, profile.sampled, len(profile.crops)) == (13, 11, 5)
    found = {why: count for why, count in profile.refused if not why.startswith("patch: ")}
    assert found == {
        "not readable as pictures": 1,
        "without ink that stands out": 1,
        "higher than 1.5 times their width": 1,
        "not 8 to 512 px high": 1,
        "outside the data folder": 1,
        "missing": 1,
    }
    (told,) = style_warnings(profile)
    assert told.startswith("style: 6 of 11 crops (1 ")
    assert "1 missing" in told


def test_no_usable_crop_is_an_error_that_says_why(tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("a.jpg\tA\nb.jpg\tB\n../c.jpg\tC\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"no crop can be measured.*2 missing, 1 outside the data folder"):
        style_from(labels)
    labels.write_text("a.jpg\t\n", encoding="utf-8")
    with pytest.raises(InputError, match="1 label lines without a usable path and text"):
        style_from(labels)
    with pytest.raises(InputError, match=r"gone\.txt"):
        style_from(tmp_path / "gone.txt")


def test_pages_of_boxes_are_no_crops(tmp_path: Path) -> None:
    labels = tmp_path / "det.txt"
    labels.write_text(
        'a.jpg\t[{"transcription": "A", "points": [[0,0],[9,0],[9,9],[0,9]]}]\n', encoding="utf-8"
    )
    with pytest.raises(InputError, match="detection labels"):
        style_from(labels)


def test_crops_in_another_folder_and_in_lmdb(labels: Path, profile: StyleProfile, tmp_path: Path) -> None:
    moved = tmp_path / "labels.txt"
    moved.write_bytes(labels.read_bytes())
    assert style_from(moved, data_dir=labels.parent, seed=1) == profile
    pytest.importorskip("lmdb")
    rows = [line.split("\t") for line in labels.read_text(encoding="utf-8").splitlines()]
    write_lmdb(tmp_path / "set", [((labels.parent / name).read_bytes(), text) for name, text in rows])
    assert style_from(tmp_path / "set", seed=1) == profile


def test_a_large_set_is_sampled_by_seed(labels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(style_files, "MOST_CROPS", 20)
    monkeypatch.setattr(style_files, "MOST_PATCHES", 5)
    profile = style_from(labels, seed=1)
    assert (profile.lines, profile.sampled, len(profile.crops)) == (60, 20, 20)
    assert len(profile.patches) == 5
    assert set(profile.grounds) <= set(range(5))
    assert style_from(labels, seed=1) == profile
    assert style_from(labels, seed=2) != profile


def test_crops_that_do_not_say_which_is_ink_follow_the_others(tmp_path: Path) -> None:
    labels = write_set(tmp_path, 0)
    lines = []
    for index in range(10):
        image = crop("PLATE", paper=(120, 40, 20), ink=(240, 240, 240))
        if index == 9:
            # More than half of it is light, as where a plate lies on a white car.
            white = np.full((image.shape[0], image.shape[1], 3), 240, np.uint8)
            image = np.hstack([image, white[:, : image.shape[1] * 7 // 10]])
        cv2.imwrite(str(tmp_path / f"{index}.png"), image)
        lines.append(f"{index}.png\tPLATE\n")
    labels.write_text("".join(lines), encoding="utf-8")
    assert all(measured.separation > 0 for measured in style_from(labels).crops)
