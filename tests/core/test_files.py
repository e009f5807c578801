"""Files: whole or absent; locks; paths that stay inside."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from datakit import files
from datakit.errors import InputError, LockedError, OutputError
from datakit.files import (
    LOCK,
    FolderLock,
    Manifest,
    UnsafePathError,
    atomic_open,
    atomic_write,
    read_manifest,
    remove_temporaries,
    require_space,
    safe_join,
    sha256_file,
    write_manifest,
)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_text_and_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    target = tmp_path / "new" / "folder" / "a.txt"
    atomic_write(target, "é\n\u2028")
    assert target.read_bytes() == b"\xc3\xa9\n\xe2\x80\xa8"
    atomic_write(target, b"\r\n\0")
    assert target.read_bytes() == b"\r\n\0"
    with atomic_open(target, "w") as stream:
        stream.write("漢\r\n")
    assert target.read_bytes() == "漢\r\n".encode()
    assert names(target.parent) == ["a.txt"]


def test_the_file_appears_only_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    with atomic_open(target) as stream:
        stream.write(b"new")
        stream.flush()
        assert not target.exists()
    assert target.read_bytes() == b"new"


def test_permissions_are_those_of_any_new_file(tmp_path: Path) -> None:
    atomic_write(tmp_path / "ours", b"")
    (tmp_path / "any").touch()

    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "any").stat().st_mode


@pytest.mark.parametrize("error", [KeyError("mine"), KeyboardInterrupt()])
def test_an_error_in_the_block_leaves_the_old_content(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "a.txt"
    target.write_bytes(b"old")
    with pytest.raises(type(error)), atomic_open(target) as stream:
        stream.write(b"new")
        raise error

    assert (target.read_bytes(), names(tmp_path)) == (b"old", ["a.txt"])


def test_an_error_about_another_file_stays_itself(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_open(tmp_path / "a.txt"):
        (tmp_path / "elsewhere" / "missing").open()
    with pytest.raises(ValueError, match="mode 'r'"), atomic_open(tmp_path / "a.txt", "r"):
        pass


def test_a_link_is_written_through_and_a_folder_or_device_refused(tmp_path: Path) -> None:
    (tmp_path / "real.txt").write_bytes(b"old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    atomic_write(tmp_path / "link.txt", b"new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_bytes() == b"new"

    with pytest.raises(OutputError, match="is a folder"):
        atomic_write(tmp_path, b"")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="is no regular file"):
        atomic_write(tmp_path / "pipe", b"")
    with pytest.raises(OutputError, match=r"real.txt/x: cannot be written"):
        atomic_write(tmp_path / "real.txt" / "x", b"")


class Faults:
    """Fails the n-th of the calls it is put around."""

    def __init__(self, n: int, number: int) -> None:
        self.n, self.number, self.calls = n, number, 0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls == self.n:
                raise OSError(self.number, os.strerror(self.number))
            return function(*arguments, **named)

        return wrapped


class FaultyStream:
    def __init__(self, stream: Any, faults: Faults) -> None:
        self._stream = stream
        self.write = faults.around(stream.write)
        self.flush = faults.around(stream.flush)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> FaultyStream:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


@contextmanager
def faulty(faults: Faults) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        create = files._create
        patch.setattr(files, "_create", lambda *a: FaultyStream(faults.around(create)(*a), faults))
        patch.setattr(files.os, "fsync", faults.around(os.fsync))
        patch.setattr(files.os, "open", faults.around(os.open))
        patch.setattr(Path, "replace", faults.around(Path.replace))
        yield


@pytest.mark.parametrize(
    ("number", "words"), [(errno.ENOSPC, "no space left on the disk"), (errno.EIO, os.strerror(errno.EIO))]
)
def test_a_fault_at_the_nth_operation_leaves_old_or_new(tmp_path: Path, number: int, words: str) -> None:
    target = tmp_path / "a.txt"
    outcomes = []
    for n in range(1, 20):
        target.write_bytes(b"old")
        faults = Faults(n, number)
        try:
            with faulty(faults), atomic_open(target) as stream:
                stream.write(b"ne")
                stream.write(b"w")
        except OutputError as error:
            assert str(error) == f"{target}: cannot be written ({words})"
        else:
            break
        assert names(tmp_path) == ["a.txt"]
        outcomes.append(target.read_bytes())

    # Create, two writes, flush, fsync, rename: old; open and fsync of the folder come after the rename.
    assert outcomes == [b"old"] * 6 + [b"new"] * 2
    assert target.read_bytes() == b"new"


def test_a_file_system_without_fsync_of_folders(tmp_path: Path) -> None:
    faults = Faults(8, errno.EINVAL)
    with faulty(faults), atomic_open(tmp_path / "a.txt") as stream:
        stream.write(b"1")
        stream.write(b"2")

    assert faults.calls == 8
    assert (tmp_path / "a.txt").read_bytes() == b"12"


def test_a_real_limit_on_file_size(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100));"
        "from datakit.files import atomic_write; from datakit.errors import OutputError\n"
        "try: atomic_write(sys.argv[1], b'x' * 1000)\n"
        "except OutputError as error: print(error)"
    )
    target = tmp_path / "a.txt"
    target.write_bytes(b"old")
    done = subprocess.run(
        [sys.executable, "-c", code, str(target)], capture_output=True, text=True, check=True, env=_env()
    )

    assert (
        done.stdout
        == f"{target}: cannot be written (the file would be larger than the limit of the system)\n"
    )
    assert (target.read_bytes(), names(tmp_path)) == (b"old", ["a.txt"])


def test_leftovers_of_a_killed_process_are_removed(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from datakit.files import atomic_open\n"
        "with atomic_open(sys.argv[1]) as stream:\n"
        "    stream.write(b'half'); stream.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    target = tmp_path / "below" / "a.txt"
    atomic_write(target, b"old")
    subprocess.run([sys.executable, "-c", code, str(target)], check=False, env=_env())

    assert (target.read_bytes(), len(names(target.parent))) == (b"old", 2)
    assert remove_temporaries(tmp_path) == 1
    assert names(target.parent) == ["a.txt"]


def test_require_space(tmp_path: Path) -> None:
    require_space(tmp_path / "not" / "there", 1)
    with pytest.raises(
        OutputError, match=r"about 1,000,000,000,000,000,000 bytes are needed and [\d,]+ are free"
    ):
        require_space(tmp_path / "not" / "there", 10**18)


def test_sha256_file(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_file(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    with pytest.raises(InputError, match="gone: cannot be read"):
        sha256_file(tmp_path / "gone")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "sub").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "root-twin").mkdir()
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "in").symlink_to("sub")
    (root / "loop").symlink_to("loop")
    return root


@pytest.mark.parametrize(
    "relative",
    [
        "a.jpg",
        "sub/a.jpg",
        "./a.jpg",
        "sub/../a.jpg",
        "in/a.jpg",
        "a..b/..c.jpg",
        "a~b.jpg",
        "x\\a.jpg",
        "漢 字.jpg",
    ],
)
def test_a_path_inside_is_joined(root: Path, relative: str) -> None:
    assert safe_join(root, relative) == root / relative


@pytest.mark.parametrize(
    ("relative", "reason"),
    [
        ("../a.jpg", "leads out of"),
        ("sub/../../a.jpg", "leads out of"),
        ("../root-twin/a.jpg", "leads out of"),
        ("..", "leads out of"),
        (".", "leads out of"),
        ("sub/..", "leads out of"),
        ("out/a.jpg", "leads out of"),
        ("in/../../outside/a.jpg", "leads out of"),
        ("/etc/passwd", "is absolute"),
        ("~/a.jpg", "begins with ~"),
        ("~root/a.jpg", "begins with ~"),
        ("C:\\a.jpg", "has a drive or a server"),
        ("C:a.jpg", "has a drive or a server"),
        ("c:/a.jpg", "has a drive or a server"),
        ("\\\\server\\share\\a.jpg", "has a drive or a server"),
        ("//server/share/a.jpg", "has a drive or a server"),
        ("\\\\?\\C:\\a.jpg", "has a drive or a server"),
        ("\\a.jpg", "is absolute"),
        ("sub\\..\\..\\a.jpg", "goes up with backslashes"),
    ],
)
def test_a_path_that_leaves_is_refused_unless_allowed(root: Path, relative: str, reason: str) -> None:
    with pytest.raises(UnsafePathError, match=f"{reason}.*--allow-outside permits it"):
        safe_join(root, relative)
    assert safe_join(root, relative, allow_outside=True) == Path(root, relative)


@pytest.mark.parametrize(("relative", "reason"), [("a\0.jpg", "NUL"), ("", "empty"), ("\ud800", "cannot be")])
def test_what_no_file_name_can_hold_is_always_refused(root: Path, relative: str, reason: str) -> None:
    for allow_outside in (False, True):
        with pytest.raises(UnsafePathError, match=reason):
            safe_join(root, relative, allow_outside=allow_outside)


def test_loops_and_endless_names_do_not_raise_anything_else(root: Path) -> None:
    for relative in ("loop/a.jpg", "x" * 10_000, "/".join(["d"] * 5_000)):
        try:
            assert root in safe_join(root, relative).parents
        except UnsafePathError:
            assert relative != "a.jpg"


def test_a_root_that_is_a_link_or_relative(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root.parent / "alias").symlink_to(root)
    assert safe_join(root.parent / "alias", "a.jpg") == root.parent / "alias" / "a.jpg"
    monkeypatch.chdir(root)
    assert safe_join(".", "a.jpg") == Path("a.jpg")
    with pytest.raises(UnsafePathError):
        safe_join(".", "../a.jpg")


HOLDER = (
    "import sys, time; from datakit.files import FolderLock\n"
    "with FolderLock(sys.argv[1]): print('locked', flush=True); time.sleep(600)"
)


def _env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@contextmanager
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], stdout=subprocess.PIPE, text=True, env=_env()
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_second_owner_is_refused_at_once_and_a_dead_one_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with holder(folder) as process:
        begun = time.monotonic()
        with pytest.raises(LockedError) as refused, FolderLock(folder):
            pass
        assert time.monotonic() - begun < 1
        assert f"process {process.pid} on {socket.gethostname()}" in str(refused.value)

    # The owner was killed: its lock file is there and means nothing.
    assert (folder / LOCK).exists()
    with FolderLock(folder):
        assert json.loads((folder / LOCK).read_bytes())["pid"] == os.getpid()
    assert names(folder) == []


def test_one_process_may_not_own_a_folder_twice(tmp_path: Path) -> None:
    with FolderLock(tmp_path):
        with pytest.raises(LockedError, match=f"process {os.getpid()}"), FolderLock(tmp_path):
            pass
        assert (tmp_path / LOCK).exists()
    with FolderLock(tmp_path):
        pass


def test_the_lock_ends_with_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), FolderLock(tmp_path):
        raise KeyError
    assert names(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"garbage", b"[]", b'{"pid": "x"}', b"\xff"])
def test_a_lock_file_without_an_owner_means_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / LOCK).write_bytes(content)
    with FolderLock(tmp_path) as lock:
        assert lock.folder == tmp_path


def test_a_dead_process_of_this_machine_means_nothing(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    owner = {"pid": child.pid, "host": socket.gethostname(), "start": 0}
    (tmp_path / LOCK).write_text(json.dumps(owner))
    with FolderLock(tmp_path):
        assert json.loads((tmp_path / LOCK).read_bytes())["pid"] == os.getpid()


def test_another_machine_cannot_be_checked(tmp_path: Path) -> None:
    content = json.dumps({"pid": 7, "host": "far.example", "start": 1_700_000_000})
    (tmp_path / LOCK).write_text(content)

    with pytest.raises(LockedError, match=rf"process 7 on far.example .* remove {tmp_path / LOCK}$"):
        FolderLock(tmp_path).__enter__()
    assert (tmp_path / LOCK).read_text() == content


def test_a_folder_that_cannot_be_locked(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file, not a folder"), FolderLock(tmp_path / "file"):
        pass


def test_many_processes_for_one_folder(tmp_path: Path) -> None:
    """Each adds one under the lock, waiting its turn: none is lost, so never two held it."""
    code = (
        "import sys, time; from pathlib import Path\n"
        "from datakit.files import FolderLock; from datakit.errors import LockedError\n"
        "count = Path(sys.argv[1], 'count')\n"
        "done = 0\n"
        "while done < 25:\n"
        "    try:\n"
        "        with FolderLock(sys.argv[1]):\n"
        "            value = int(count.read_text()); time.sleep(0.001); count.write_text(str(value + 1))\n"
        "            done += 1\n"
        "    except LockedError: time.sleep(0.0005)\n"
    )
    (tmp_path / "count").write_text("0")
    children = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=_env()) for _ in range(4)]
    assert [child.wait(timeout=60) for child in children] == [0] * 4

    assert (tmp_path / "count").read_text() == "100"


def test_a_manifest_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "dict.txt").write_bytes(b"abc")
    begun = Manifest.begin("synth", {"chars": "漢", "out": tmp_path}, seed=7, inputs=[tmp_path / "dict.txt"])
    assert begun.state == "running"
    assert begun.inputs == {str(tmp_path / "dict.txt"): sha256_file(tmp_path / "dict.txt")}
    assert {"datakit", "numpy", "pillow"} <= begun.versions.keys()

    done = begun.ended("done", {"lines": 3})
    assert write_manifest(tmp_path, done) == tmp_path / "manifest.json"
    read = read_manifest(tmp_path)

    assert read.arguments == {"chars": "漢", "out": str(tmp_path)}
    assert (read.command, read.seed, read.state, read.counts) == ("synth", 7, "done", {"lines": 3})
    assert (read.inputs, read.versions) == (done.inputs, done.versions)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{", "is not a manifest"),
        (b"[]", "is not a manifest"),
        (b"\xff", "is not a manifest"),
        (b"{}", "is not a manifest"),
        (b'{"schema_version": 99}', "is not a manifest of version 1"),
        (b'{"schema_version": 1, "command": "x", "surprise": 1}', "surprise"),
        (b'{"schema_version": 1, "command": "x", "state": "odd"}', "unknown state 'odd'"),
    ],
)
def test_what_is_no_manifest(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "manifest.json").write_bytes(content)
    with pytest.raises(InputError, match=rf"manifest.json: .*{reason}"):
        read_manifest(tmp_path)
    with pytest.raises(InputError, match=r"gone/manifest.json: cannot be read"):
        read_manifest(tmp_path / "gone")
