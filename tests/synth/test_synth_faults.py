"""What goes wrong while a run writes: one clear message, finished shards intact, the next run completes."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datakit import files
from datakit.errors import LockedError, OutputError
from datakit.executor import Shard
from datakit.files import FolderLock, read_manifest
from datakit_synth import Slice, SynthRequest, pictures, run, shards, synthesize

Digest = Callable[[Path], dict[str, str]]


def request_of(font: Path, lines: int) -> SynthRequest:
    texts = tuple(f"Total {k}" for k in range(lines))
    return SynthRequest(texts=texts, fonts=(font,), backgrounds=("plain",), presets=("clean",))


class Faults:
    """Fails the n-th of the calls that write, in ``folder`` alone where a call names a path."""

    def __init__(self, n: int, number: int) -> None:
        self.n, self.number, self.calls = n, number, 0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls == self.n:
                raise OSError(self.number, os.strerror(self.number))
            return function(*arguments, **named)

        return wrapped


@contextmanager
def faulty(faults: Faults) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "_create", faults.around(files._create))
        patch.setattr(files.os, "fsync", faults.around(os.fsync))
        patch.setattr(pictures, "write_file", faults.around(pictures.write_file))
        for name in ("replace", "rename", "mkdir"):
            patch.setattr(Path, name, faults.around(getattr(Path, name)))
        yield


@pytest.mark.parametrize("layout", ["files", "lmdb"])
def test_a_fault_at_any_operation_is_one_message_and_a_second_run_completes(
    latin_font: Path, tmp_path: Path, digest: Digest, layout: str
) -> None:
    if layout == "lmdb":
        pytest.importorskip("lmdb", reason="the extra lmdb is not installed")
    request = request_of(latin_font, 9)
    synthesize(request, tmp_path / "whole", layout=layout, keep_params=True)
    expected = digest(tmp_path / "whole")
    number, failures = 0, 0
    while True:
        number += 1
        out = tmp_path / f"out{number}"
        faults = Faults(number, errno.EIO if number % 2 else errno.ENOSPC)
        try:
            with faulty(faults):
                synthesize(request, out, layout=layout, keep_params=True)
        except OutputError as error:
            failures += 1
            assert str(out) in str(error), error
            assert ("no space left" in str(error).lower()) != ("nput/output" in str(error)), error
            assert synthesize(request, out, layout=layout, keep_params=True).data is not None
        # An fsync of a folder that fails is no fault: some file systems have none.
        assert digest(out) == expected
        if faults.calls < number:
            break
    assert failures >= 40
    assert number >= failures


def test_a_disk_that_fills_up_in_the_second_shard(latin_font: Path, tmp_path: Path, digest: Digest) -> None:
    request, out = request_of(latin_font, 230), tmp_path / "out"
    synthesize(request, tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        faults = Faults(220, errno.ENOSPC)
        patch.setattr(pictures, "write_file", faults.around(pictures.write_file))
        with pytest.raises(
            OutputError,
            match=r"00001: cannot be written \(No space left on device, after 19 pictures, [\d,]+ bytes",
        ):
            synthesize(request, out)
    marker = out / "shards/00000.json"
    written = marker.stat().st_mtime_ns
    assert not list((out / "images").glob("*.part"))
    assert read_manifest(out).state == "running"
    assert synthesize(request, out).skipped == 1
    assert marker.stat().st_mtime_ns == written
    assert digest(out) == digest(tmp_path / "whole")


_LIMITED = """
import resource, sys
from pathlib import Path
from datakit.errors import OutputError
from datakit_synth import SynthRequest, synthesize
out, font, layout, limit = sys.argv[1:]
looks = {"backgrounds": ("plain",), "presets": ("clean",)}
request = SynthRequest(texts=tuple(f"Total {k}" for k in range(60)), fonts=(font,), **looks)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
try:
    synthesize(request, Path(out), layout=layout)
except OutputError as error:
    print(error)
"""


@pytest.mark.parametrize(("layout", "package"), [("files", "json"), ("lmdb", "lmdb"), ("parquet", "pyarrow")])
def test_a_real_limit_on_file_size(latin_font: Path, tmp_path: Path, layout: str, package: str) -> None:
    pytest.importorskip(package, reason=f"the package {package} is not installed")
    out = tmp_path / "out"
    command = [sys.executable, "-c", _LIMITED, str(out), str(latin_font), layout]
    # Below the manifest, and between it and the pack or the contact sheet.
    for limit in (1_000, 20_000):
        limited = subprocess.run([*command, str(limit)], capture_output=True, text=True, check=True)
        assert limited.stdout.startswith(str(out)), limited.stdout + limited.stderr
        assert "cannot be written" in limited.stdout
        assert not list(out.rglob("*.tmp"))
    assert synthesize(request_of(latin_font, 60), out, layout=layout).data is not None


def test_too_small_a_disk_is_refused_beforehand(
    latin_font: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.shutil, "disk_usage", lambda _path: type("Usage", (), {"free": 500_000})())
    with pytest.raises(OutputError, match=r"about 900,000 bytes are needed and 500,000 are free"):
        synthesize(request_of(latin_font, 100), tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())
    assert synthesize(request_of(latin_font, 50), tmp_path / "out").lines == 50


def dying(job: shards.ShardJob, shard: Shard) -> shards.ShardDone:
    """A worker that ends at shard 1 as a crash in a library would end it."""
    if shard.index == 1:
        os._exit(9)
    return shards.render_shard(job, shard)


def test_a_worker_that_dies_is_named_and_the_rest_completes(
    latin_font: Path, tmp_path: Path, digest: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    request, out = request_of(latin_font, 450), tmp_path / "out"
    monkeypatch.setattr(run, "render_shard", dying)
    result = synthesize(request, out, workers=2)
    assert len(result.failed) == 1
    assert "died with exit code 9 at shard 1; the shard is set aside" in result.failed[0]
    assert (result.data, result.shards_missing, read_manifest(out).state) == (None, 1, "failed")
    monkeypatch.undo()
    assert synthesize(request, out).skipped == 2
    synthesize(request, tmp_path / "whole")
    assert digest(out) == digest(tmp_path / "whole")


def test_a_slice_that_is_being_drawn_is_refused_and_others_are_not(latin_font: Path, tmp_path: Path) -> None:
    request, out = request_of(latin_font, 3), tmp_path / "out"
    with FolderLock(out / "slices/0-of-2"):
        with pytest.raises(LockedError, match=str(os.getpid())):
            synthesize(request, out, part=Slice(0, 2))
        assert synthesize(request, out, part=Slice(1, 2)).shards_missing == 1
    assert synthesize(replace(request), out, part=Slice(0, 2)).data == out / "labels.txt"
