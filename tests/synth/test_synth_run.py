"""A run: same bytes for any workers and slices, after a kill, and only ever in its own folder."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from datakit.errors import LockedError, OutputError, UsageError
from datakit.files import FolderLock, read_manifest
from datakit.images import probe
from datakit.labels import read_rec
from datakit_synth import Slice, SynthRequest, synthesize, targets_from_chars


def request_of(font: Path, per_char: int = 30) -> SynthRequest:
    return SynthRequest(
        targets=targets_from_chars("Qz7$", per_char),
        templates=("sum-en", "code-en"),
        count=170,
        fonts=(font,),
    )


def digest(folder: Path) -> dict[str, str]:
    """sha256 of every file but the manifest, which holds paths and versions."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def test_the_label_file_holds_what_was_planned(latin_font: Path, tmp_path: Path) -> None:
    result = synthesize(request_of(latin_font), tmp_path / "out")
    assert result.labels == tmp_path / "out" / "labels.txt"
    lines, faults = read_rec(result.labels)
    assert faults == []
    assert [line.text for line in lines] == [line.text for line in result.plan.lines]
    assert len(lines) == result.lines == 170
    holding = Counter(char for line in lines for char in set(line.text))
    assert {entry.char: entry.planned for entry in result.plan.characters} == {
        char: holding[char] for char in "Qz7$"
    }
    for line in lines[::20]:
        info = probe(tmp_path / "out" / line.image)
        assert info.format == "JPEG"
        assert 32 <= info.height <= 64
    manifest = read_manifest(tmp_path / "out")
    assert manifest.state == "done"
    assert manifest.counts["lines"] == 170
    assert [font["licence"] for font in manifest.arguments["fonts"]] == ["OFL-1.1"]
    assert (tmp_path / "out" / "contact.png").is_file()


_DRIVER = """
import sys
from pathlib import Path
from datakit_synth import Slice, SynthRequest, synthesize
if __name__ == "__main__":
    out, font, workers, part = sys.argv[1:]
    request = SynthRequest(templates=("en",), count=1000, fonts=(font,), backgrounds=("paper", "field"))
    k, n = part.split("/")
    synthesize(request, Path(out), seed=3, workers=int(workers), part=Slice(int(k), int(n)))
"""


def start(tmp_path: Path, out: str, font: Path, workers: int, part: str = "0/1") -> subprocess.Popen[bytes]:
    driver = tmp_path / "driver.py"
    driver.write_text(_DRIVER, encoding="utf-8")
    command = [sys.executable, str(driver), str(tmp_path / out), str(font), str(workers), part]
    return subprocess.Popen(command, start_new_session=True)


def run(tmp_path: Path, out: str, font: Path, workers: int, part: str = "0/1") -> None:
    assert start(tmp_path, out, font, workers, part).wait(timeout=120) == 0


def test_same_bytes_for_workers_slices_and_a_killed_run(latin_font: Path, tmp_path: Path) -> None:
    run(tmp_path, "one", latin_font, 1)
    expected = digest(tmp_path / "one")
    # 1,000 pictures; label files and markers of 5 shards; labels.txt and contact.png.
    assert len(expected) == 1000 + 2 * 5 + 2
    run(tmp_path, "two", latin_font, 2)
    assert digest(tmp_path / "two") == expected
    for k in (2, 0, 1):
        run(tmp_path, "slices", latin_font, 1, f"{k}/3")
    assert digest(tmp_path / "slices") == expected

    killed = start(tmp_path, "killed", latin_font, 2)
    markers = tmp_path / "killed" / "shards"
    deadline = time.monotonic() + 60
    while not list(markers.glob("*.json")) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert not (tmp_path / "killed" / "labels.txt").exists()
    first = {path: path.stat().st_mtime_ns for path in markers.glob("*.json")}
    run(tmp_path, "killed", latin_font, 2)
    assert digest(tmp_path / "killed") == expected
    assert first
    assert {path: path.stat().st_mtime_ns for path in first} == first


def test_a_damaged_shard_is_drawn_again(latin_font: Path, tmp_path: Path) -> None:
    request, out = request_of(latin_font), tmp_path / "out"
    synthesize(request, out)
    before = digest(out)
    (out / "images" / "00000" / "000007.jpg").write_bytes(b"")
    result = synthesize(request, out)
    assert result.skipped == 0
    assert digest(out) == before
    assert synthesize(request, out).skipped == 1


def test_a_missing_slice_leaves_no_label_file(latin_font: Path, tmp_path: Path) -> None:
    request = SynthRequest(templates=("en",), count=450, fonts=(latin_font,), presets=("clean",))
    result = synthesize(request, tmp_path / "out", part=Slice(1, 2))
    assert (result.labels, result.lines, result.shards, result.shards_missing) == (None, 200, 3, 2)
    assert not (tmp_path / "out" / "labels.txt").exists()
    assert read_manifest(tmp_path / "out").state == "running"
    with pytest.raises(UsageError, match="k from 0 to n - 1"):
        synthesize(request, tmp_path / "out", part=Slice(2, 2))


def test_a_folder_that_holds_something_else_is_refused(latin_font: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("keep", encoding="utf-8")
    with pytest.raises(OutputError, match=r"holds other files \(mine\.txt\)"):
        synthesize(request_of(latin_font), out)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]


def test_another_run_in_the_folder_is_refused(latin_font: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    synthesize(request_of(latin_font), out)
    before = digest(out)
    with pytest.raises(OutputError, match="holds another run"):
        synthesize(request_of(latin_font), out, seed=1)
    assert digest(out) == before


def test_two_runs_on_one_folder_are_refused(latin_font: Path, tmp_path: Path) -> None:
    with FolderLock(tmp_path / "out"), pytest.raises(LockedError, match=str(os.getpid())):
        synthesize(request_of(latin_font), tmp_path / "out")


def test_the_result_is_one_json_document(latin_font: Path, tmp_path: Path) -> None:
    document = json.loads(json.dumps(synthesize(request_of(latin_font), tmp_path / "out").to_dict()))
    assert document["totals"]["lines"] == 170
    assert document["plan"]["characters"][0]["char"] == "Q"
