"""The fast audit of lines with pictures against the slow one: same fates, findings, counts, rows."""

import io
import random
import shutil
from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest
from jsonschema import validate
from PIL import Image
from slow_audit import TEXTS, found_by, random_file, slow_audit
from test_text_engine import SETTINGS

from datakit.audit import audit, chunks, picture_shards, picture_table, run
from datakit.audit.copy_checks import COPY_CHECKS
from datakit.audit.features import measure
from datakit.audit.image_checks import PICTURE_CHECKS, SHAPE_CHECKS
from datakit.audit.line_checks import REC_CHECKS, WRITING_CHECKS
from datakit.audit.opening import decoded_picture, look_at
from datakit.audit.pictures import picture_facts
from datakit.audit.schema import load_schema
from datakit.clarity import HEIGHT
from datakit.errors import InputError
from datakit.executor import ShardResult
from datakit.images import decode_grey, decode_small, header

SHARED = {*REC_CHECKS, *WRITING_CHECKS, *PICTURE_CHECKS, *SHAPE_CHECKS}
EXIF = Image.Exif()
EXIF[274] = 6


def saved(name, picture, **options):
    data = io.BytesIO()
    picture.save(data, name, **options)
    return data.getvalue()


def studio(folder):
    """Pictures of every kind, their names."""
    noise = np.random.default_rng(5).integers(0, 256, (40, 120, 3), np.uint8)
    line = Image.fromarray(noise)
    blurred = Image.fromarray(cv2.GaussianBlur(noise, (0, 0), 6).astype(np.uint8))
    files = {
        "a.jpg": saved("JPEG", line),
        "grey.jpg": saved("JPEG", line.convert("L"), progressive=True),
        "wide.png": saved("PNG", line.resize((900, 40))),
        "upright.png": saved("PNG", line.resize((30, 60))),
        "tiny.png": saved("PNG", line.resize((30, 6))),
        "slim.png": saved("PNG", line.resize((5, 20))),
        "point.png": saved("PNG", line.resize((1, 1))),
        "high.jpg": saved("JPEG", line.resize((700, 210))),
        "blank.png": saved("PNG", Image.new("RGB", (60, 20), "white")),
        "blurred.png": saved("PNG", blurred),
        "turned.jpg": saved("JPEG", line, exif=EXIF),
        "ink.jpg": saved("JPEG", line.convert("CMYK")),
        "alpha.png": saved("PNG", line.convert("RGBA")),
        "deep.png": saved("PNG", Image.fromarray(noise[:, :, 0].astype(np.uint16) * 200)),
        "palette.gif": saved("GIF", line.convert("P")),
        "two.webp": saved("WEBP", line),
        "named.png": saved("JPEG", line),
        "CAPITAL.JPG": saved("JPEG", line),
        "half.jpg": saved("JPEG", line)[:900],
        "text.jpg": b"no picture at all",
        "empty.png": b"",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    (folder / "link.jpg").symlink_to("a.jpg")
    (folder / "out.jpg").symlink_to("/etc/hostname")
    return [*files, "link.jpg", "out.jpg", "gone.png", "../up.png", "/root/a.png"]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("studio")
    return folder, studio(folder)


def label_bytes(rng, names):
    lines = []
    for _ in range(rng.randrange(1, 14)):
        text = "".join(rng.choices(TEXTS, k=rng.choice((1, 1, 2, 3)))).replace("\n", "")
        if rng.random() < 0.1:
            two = ", ".join(f'"{name}"' for name in rng.choices(names, k=2))
            lines.append(f"[{two}]\t{text}".encode())
        elif rng.random() < 0.1:
            lines.append(random_file(rng))
        else:
            lines.append(f"{rng.choice(names)}\t{text}".encode())
    return rng.choice((b"\n", b"\r\n")).join(lines)


def assert_same(path, settings, **options):
    settings = replace(settings, images=True)
    slow, found, lost = slow_audit(path, settings), [], []
    try:
        report = audit(
            [path],
            task="rec",
            charset=settings.charset,
            encoder=settings.encoder,
            max_text_length=settings.max_text_length,
            image_shape=settings.image_shape,
            lower=settings.lower,
            sink=found.append,
            lost=lambda *entry: lost.append(entry),
            **options,
        )
    except InputError as error:
        assert slow is None and "holds no line" in str(error)
        return
    assert report.totals == slow.totals()
    findings = [hit.finding for hit in found if hit.finding.code in SHARED]
    expected = {key: n for key, n in found_by(slow).items() if key[0] in SHARED}
    assert Counter((f.code, f.line, f.message) for f in findings) == expected
    for code in SHARED:
        lines = [f.line for f in findings if f.code == code]
        assert lines == sorted(lines)
    assert {c: n for c, n in report.counts.items() if c in SHARED} == {
        c: n for c, n in slow.counts.items() if c in SHARED
    }
    assert report.stats == slow.text.stats()
    bad = slow.fates["unreadable"] + slow.fates["dropped"] + slow.fates["never_learnable"]
    assert sum(fate != "cut" for _, _, fate, _ in lost) == bad
    if len(slow.pictures):
        theirs = slow.pictures.stats()
        for name in ("widths", "heights", "lengths", "sharpness", "contrast"):
            assert np.array_equal(getattr(report.pictures, name), getattr(theirs, name))
    else:
        assert report.pictures is None


@pytest.mark.parametrize("seed", range(60))
def test_hard_files_with_pictures(pictures, seed, monkeypatch):
    folder, names = pictures
    rng = random.Random(seed)
    path = folder / f"labels{seed}.txt"
    path.write_bytes(label_bytes(rng, names))
    monkeypatch.setattr(chunks, "CHUNK_BYTES", rng.choice((1, 7, 50, 1 << 20)))
    monkeypatch.setattr(picture_shards, "SHARD_PICTURES", rng.choice((1, 3, 256)))
    assert_same(path, SETTINGS[seed % len(SETTINGS)])


def test_rows_of_the_table_are_those_of_single_lines(pictures, monkeypatch):
    folder, names = pictures
    path = folder / "rows.txt"
    path.write_bytes(b"\n".join(label_bytes(random.Random(seed), names) for seed in range(9)))
    tables = []
    monkeypatch.setattr(run, "set_findings", lambda table, *_args, **_options: tables.append(table) or ())
    audit([path], task="rec")
    slow = slow_audit(path, replace(SETTINGS[1], images=True)).pictures
    (table,) = tables
    assert len(table) == len(slow) > 20
    assert [table.place(row) for row in range(len(table))] == [slow.place(row) for row in range(len(slow))]
    for name in ("rooms", "blanks", "digests", "lengths", "lines"):
        assert np.array_equal(table.column(name), slow.column(name))
    assert np.array_equal(table.sketches, slow.sketches)


def test_workers_find_the_same(pictures, monkeypatch):
    folder, names = pictures
    path = folder / "workers.txt"
    path.write_bytes(b"\n".join(label_bytes(random.Random(seed), names) for seed in range(20)))
    monkeypatch.setattr(run, "ALONE_BYTES", 1)
    monkeypatch.setattr(picture_shards, "SHARD_PICTURES", 16)
    one, two = [], []
    assert (
        audit([path], task="rec", sink=one.append).to_dict()
        == audit([path], task="rec", sink=two.append, workers=2).to_dict()
    )
    assert one == two


def test_pictures_of_a_worker_that_died(pictures, monkeypatch):
    folder, _ = pictures
    path = folder / "died.txt"
    path.write_text('a.jpg\tone\nwide.png\ttwo\ngrey.jpg\tthree\n["a.jpg", "wide.png"]\tfour\n')

    def dying(function, shards, *, workers):
        for shard in shards:
            dead = shard.index in (1, 3)
            yield ShardResult(
                shard.index, None if dead else function(shard), "worker 7 died" if dead else None
            )

    monkeypatch.setattr(picture_shards, "run_shards", dying)
    monkeypatch.setattr(picture_shards, "SHARD_PICTURES", 1)
    report = audit([path], task="rec")
    assert report.totals.reasons == {"not-inspected": 2}
    assert report.totals.trained == 2
    lost = [finding for finding in report.findings if finding.code == "not-inspected"]
    assert [(finding.line, finding.message) for finding in lost] == [
        (2, "worker 7 died"),
        (4, "worker 7 died"),
    ]
    assert len(report.pictures.widths) == 3


def test_kept_pixels_change_no_finding(pictures, monkeypatch):
    folder, _ = pictures
    pixels = np.full((40, 200), 240, np.uint8)
    cv2.putText(pixels, "Total 12.30", (5, 28), 0, 0.9, 20, 2)
    cv2.imwrite(str(folder / "first.png"), pixels)
    for quality in (60, 80):
        cv2.imwrite(str(folder / f"again{quality}.jpg"), pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    cv2.imwrite(str(folder / "same.bmp"), pixels)
    path = folder / "kept.txt"
    path.write_text("first.png\tx\nagain60.jpg\tx\nagain80.jpg\ty\nsame.bmp\tx\n")
    kept = audit([path], task="rec")
    monkeypatch.setattr(picture_table, "KEPT_BYTES", 0)
    assert audit([path], task="rec").to_dict() == kept.to_dict()
    assert kept.counts["exact-copy"] == 1
    assert {code: n for code, n in kept.counts.items() if code.startswith("near-copy")} == {
        "near-copy-two-texts": 1
    }


def test_without_copies_every_other_finding_is_the_same(pictures):
    folder, names = pictures
    path = folder / "twice.txt"
    shutil.copy(folder / names[0], folder / "again.jpg")
    path.write_text("".join(f"{name}\tx\n" for name in [*names, "again.jpg"]))
    whole, without = (audit([path], task="rec", copies=copies) for copies in (True, False))
    assert whole.counts["exact-copy"]
    of_copies = {code for code in whole.counts if code in COPY_CHECKS}
    assert without.counts == {code: n for code, n in whole.counts.items() if code not in of_copies}
    assert without.totals == whole.totals
    assert "pictures were not compared with each other (--no-copies)" in without.notes
    validate(without.to_dict(), load_schema("report"))


def test_a_picture_measures_the_same_alone_and_among_others(pictures):
    folder, names = pictures
    looks = look_at(str(folder), names, allow_outside=False, keep=True)
    for at, name in enumerate(names):
        alone = decoded_picture(str(folder), name, allow_outside=False)
        among = looks.picture(at, name)
        assert (among.width, among.height, among.fault) == (alone.width, alone.height, alone.fault)
        if not alone.fault:
            assert (among.sharpness, among.contrast) == (alone.sharpness, alone.contrast)
            assert int(looks.digests[at]) == alone.digest
    assert "high.jpg" not in [names[at] for at in looks.greys]
    assert {"a.jpg", "wide.png"} <= {names[at] for at in looks.greys}
    # Every picture with something to say about it is there in full.
    for at, name in enumerate(names):
        whole = picture_facts(folder, name)
        says = [message for check in PICTURE_CHECKS.values() for message in check.run(whole)]
        assert not says or looks.odd[at] == whole


@pytest.mark.parametrize(
    ("height", "expected"), [(40, 40), (95, 95), (96, 48), (191, 96), (193, 49), (500, 63)]
)
def test_jpegs_are_decoded_no_larger_than_needed(height, expected):
    noise = cv2.resize(np.random.default_rng(1).integers(0, 256, (12, 60), np.uint8), (400, height))
    data = cv2.imencode(".jpg", noise)[1].tobytes()
    info = header("x.jpg", data)
    small, whole = decode_small("x.jpg", data, info, HEIGHT), decode_grey("x.jpg", data, info)
    assert small.shape[0] == expected
    if expected == height:
        assert np.array_equal(small, whole)
    few, all_ = measure([small]), measure([whole])
    assert abs(few.contrast[0] - all_.contrast[0]) < 0.06
    assert abs(few.spread[0] - all_.spread[0]) < 0.1
    png = cv2.imencode(".png", noise)[1].tobytes()
    assert decode_small("x.png", png, header("x.png", png), HEIGHT).shape == noise.shape


def test_contrast_is_that_of_the_picture_at_48_px_at_most():
    low = np.tile(np.repeat(np.array([30, 230], np.uint8), 10), (20, 4))
    assert measure([low]).contrast.tolist() == [200 / 255]
    # Specks that are gone at 48 px: the percentiles of all pixels differ by 255, those at 48 px do not.
    specks = np.full((480, 800), 255, np.uint8)
    specks[::3, ::3] = 0
    assert measure([specks]).contrast[0] < 0.3
