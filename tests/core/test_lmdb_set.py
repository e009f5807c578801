"""LMDB sets with PaddleOCR's keys: written whole or not at all, read without trust."""

from __future__ import annotations

import multiprocessing
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from datakit import lmdb_set
from datakit.errors import InputError, MissingExtraError, OutputError
from datakit.files import remove_temporaries
from datakit.labels import LabelFault, RecLine
from datakit.lmdb_set import (
    LmdbSample,
    count_samples,
    find_lmdb_sets,
    is_lmdb,
    lmdb_picture,
    read_lmdb,
    scan_lmdb,
    unread_samples,
    write_lmdb,
)
from datakit.report.pictures import thumbnail_or_none

lmdb = pytest.importorskip("lmdb", reason="the extra lmdb is not installed")


def raw_set(folder: Path, values: dict[bytes, bytes]) -> Path:
    """A set written key by key, as another program might."""
    folder.mkdir(parents=True)
    environment = lmdb.open(str(folder), map_size=1 << 24)
    with environment.begin(write=True) as transaction:
        for key, value in values.items():
            transaction.put(key, value)
    environment.close()
    return folder


def test_what_is_written_is_read_with_paddleocrs_keys(tmp_path: Path) -> None:
    path = tmp_path / "deep/set"
    assert write_lmdb(path, [(b"one", "ab"), (b"two", "漢 \t\n"), (b"", "")]) == 3
    assert sorted(p.name for p in path.iterdir()) == ["data.mdb"]
    assert [p.name for p in path.parent.iterdir()] == ["set"]
    assert count_samples(path) == 3 and unread_samples(path) == 0 and is_lmdb(path)
    assert list(read_lmdb(path)) == [
        LmdbSample(1, b"one", "ab"),
        LmdbSample(2, b"two", "漢 \t\n"),
        LmdbSample(3, b"", ""),
    ]
    assert list(scan_lmdb(path)) == [
        RecLine(str(path), 1, ("image-000000001",), "ab"),
        RecLine(str(path), 2, ("image-000000002",), "漢 \t\n"),
        RecLine(str(path), 3, ("image-000000003",), "", ("empty-text",)),
    ]
    assert lmdb_picture(path, "image-000000002") == b"two"
    with pytest.raises(InputError, match="has no key image-000000004"):
        lmdb_picture(path, "image-000000004")
    with pytest.raises(InputError, match="is no key of a picture"):
        lmdb_picture(path, "label-000000001")


def test_missing_and_broken_keys_are_faults_and_count_as_lines(tmp_path: Path) -> None:
    values = {
        b"num-samples": b"4",
        b"image-000000001": b"a",
        b"label-000000002": b"text",
        b"image-000000003": b"c",
        b"label-000000003": b"a\xff",
        b"image-000000004": b"d",
        b"label-000000004": b"a\r",
        b"image-000000005": b"e",
        b"label-000000005": b"beyond",
    }
    path = raw_set(tmp_path / "set", values)
    read = list(scan_lmdb(path))
    assert [(item.line, getattr(item, "code", "")) for item in read] == [
        (1, "missing-key"),
        (2, "missing-key"),
        (3, "invalid-utf8"),
        (4, ""),
    ]
    faults = [item for item in read if isinstance(item, LabelFault)]
    assert [fault.message for fault in faults[:2]] == [
        "the set has no key label-000000001",
        "the set has no key image-000000002",
    ]
    assert (faults[1].raw, faults[2].raw) == ("text", "a\\xff")
    assert read[3].notes == ("carriage-return",)
    assert [type(item).__name__ for item in read_lmdb(path)] == ["LabelFault"] * 3 + ["LmdbSample"]
    assert unread_samples(path) == 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({b"a": b"b"}, "LMDB set without num-samples"),
        ({b"num-samples": b"0"}, "num-samples is 0"),
        ({b"num-samples": b"-1"}, "which is no count"),
        ({b"num-samples": b"9999999999"}, "which is no count"),
        ({b"num-samples": b"\x80\x04cos\nsystem\n."}, "which is no count"),
    ],
)
def test_sets_without_a_count(tmp_path: Path, values: dict[bytes, bytes], message: str) -> None:
    path = raw_set(tmp_path / "set", values)
    with pytest.raises(InputError, match=message):
        count_samples(path)


def test_a_set_that_is_cut_off_or_no_lmdb(tmp_path: Path) -> None:
    path = tmp_path / "set"
    write_lmdb(path, [(bytes(5000), "a")] * 50)
    data = (path / "data.mdb").read_bytes()
    for name, content, message in [
        ("half", data[: len(data) // 2], "is cut off"),
        ("page", data[:4096], "cannot be read as LMDB"),
        ("text", b"path\ttext\n", "cannot be read as LMDB"),
        ("empty", b"", "cannot be read as LMDB"),
    ]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "data.mdb").write_bytes(content)
        with pytest.raises(InputError, match=message):
            count_samples(tmp_path / name)
    with pytest.raises(InputError, match="is no LMDB set"):
        count_samples(tmp_path)


def test_the_map_grows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lmdb_set, "FIRST_MAP", 64 * 1024)
    monkeypatch.setattr(lmdb_set, "BATCH_BYTES", 100_000)
    samples = [(bytes([n % 251]) * 9000, f"label {n}") for n in range(120)]
    assert write_lmdb(tmp_path / "set", samples) == 120
    read = [item for item in read_lmdb(tmp_path / "set") if isinstance(item, LmdbSample)]
    assert [(item.image, item.label) for item in read] == samples


def test_a_writer_that_fails_leaves_nothing(tmp_path: Path) -> None:
    def broken():
        yield b"a", "a"
        raise RuntimeError("camera")

    with pytest.raises(RuntimeError, match="camera"):
        write_lmdb(tmp_path / "set", broken())
    with pytest.raises(OutputError, match="label 2: '\\\\ud800' is no character"):
        write_lmdb(tmp_path / "set", [(b"", "a"), (b"", "\ud800")])
    assert list(tmp_path.iterdir()) == []
    write_lmdb(tmp_path / "set", [(b"a", "a")])
    with pytest.raises(OutputError, match="is there already"):
        write_lmdb(tmp_path / "set", [(b"b", "b")])
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is there already"):
        write_lmdb(tmp_path / "file", [])
    assert count_samples(tmp_path / "set") == 1


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> None:
        raise lmdb.DiskError("No space left on device")

    monkeypatch.setattr(lmdb_set, "_put", full)
    with pytest.raises(OutputError, match=r"set: cannot be written .*No space left"):
        write_lmdb(tmp_path / "set", [(b"a", "a")])
    assert list(tmp_path.iterdir()) == []


def test_leftovers_of_a_killed_writer_are_removed(tmp_path: Path) -> None:
    raw_set(tmp_path / ".datakit-1-ab.tmp", {b"a": b"b"})
    assert remove_temporaries(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_set_that_another_took_the_place_of(tmp_path: Path) -> None:
    path = tmp_path / "set"
    write_lmdb(path, [(b"a", "old")])
    assert [item.label for item in read_lmdb(path) if isinstance(item, LmdbSample)] == ["old"]
    path.rename(tmp_path / "before")
    write_lmdb(path, [(b"a", "new"), (b"b", "new")])
    assert count_samples(path) == 2
    assert find_lmdb_sets(tmp_path) == [tmp_path / "before", path]


def _first_picture(path: str) -> bytes:
    return lmdb_picture(path, "image-000000001")


def test_a_spawned_worker_reads_beside_its_parent(tmp_path: Path) -> None:
    write_lmdb(tmp_path / "set", [(b"picture", "a")])
    reading = read_lmdb(tmp_path / "set")
    next(reading)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_first_picture, (str(tmp_path / "set"),)) == b"picture"


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lmdb", None)
    with pytest.raises(MissingExtraError, match=r"lmdb is not installed.*pip install 'ocr-datakit\[lmdb\]'"):
        count_samples(tmp_path)
    with pytest.raises(MissingExtraError):
        write_lmdb(tmp_path / "set", [])


def test_a_thumbnail_of_a_sample(tmp_path: Path) -> None:
    done, data = cv2.imencode(".png", np.full((20, 30, 3), 7, np.uint8))
    assert done
    write_lmdb(tmp_path / "set", [(data.tobytes(), "a"), (b"no picture", "b")])
    shown = thumbnail_or_none(tmp_path / "set", "image-000000001")
    assert shown is not None and shown.startswith("data:image/jpeg;base64,")
    assert thumbnail_or_none(tmp_path / "set", "image-000000002") is None
    assert thumbnail_or_none(tmp_path / "set", "../set") is None
