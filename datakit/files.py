"""Files that are whole or absent, paths that stay inside, one owner a folder.

Everything datakit writes goes through :func:`atomic_open`: a temporary file beside the target, fsync, rename,
fsync of the folder. A process that dies leaves the old content, and at worst a temporary file that
:func:`remove_temporaries` takes away.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import secrets
import shutil
import socket
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path, PureWindowsPath
from typing import IO, Any, Literal, get_args

from datakit import __version__
from datakit.errors import InputError, LockedError, OutputError

MANIFEST = "manifest.json"
LOCK = ".datakit.lock"
TEMPORARY = ".datakit-"
MANIFEST_VERSION = 1
# What decides the bytes of a result beside our own code.
RECORDED_LIBRARIES = (
    "numpy",
    "opencv-python-headless",
    "pillow",
    "albumentations",
    "freetype-py",
    "uharfbuzz",
    "fonttools",
    "paddlepaddle",
    "paddlepaddle-gpu",
)

State = Literal["running", "done", "failed"]


class UnsafePathError(InputError):
    """A path from a label file that leaves its root, or could on another system."""


def atomic_write(path: str | Path, data: bytes | str) -> None:
    """Write a whole file (text as UTF-8), or nothing.

    Raises:
        OutputError: it cannot be written; names the path and the reason. The old content stays.
    """
    with atomic_open(path, "wb") as stream:
        stream.write(data.encode("utf-8") if isinstance(data, str) else data)


@contextlib.contextmanager
def atomic_open(path: str | Path, mode: str = "wb") -> Iterator[IO[Any]]:
    """Open ``path`` for writing, ``wb`` or ``w`` (UTF-8, newlines kept); it appears when the block ends.

    Missing folders above it are made. A symbolic link is written through.

    Raises:
        OutputError: it cannot be written, or is there and no regular file.
        ValueError: another mode.
    """
    if mode not in {"wb", "w"}:
        raise ValueError(f"mode {mode!r}")
    temporary: Path | None = None
    try:
        target = _regular_target(Path(path))
        temporary = target.parent / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}.tmp"
        with _create(temporary, mode) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        if _of_someone_else(error, temporary):
            raise
        raise OutputError(f"{path}: cannot be written ({_reason(error)})") from error
    finally:
        if temporary is not None:
            # After the rename there is none; after an error, or a signal, what is left of it goes.
            with contextlib.suppress(OSError):
                temporary.unlink()


def _regular_target(path: Path) -> Path:
    target = Path(os.path.realpath(path))
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return target
    if stat.S_ISREG(mode):
        return target
    # A rename would replace /dev/null itself.
    raise OutputError(f"{path}: is {'a folder' if stat.S_ISDIR(mode) else 'no regular file'}")


def _create(temporary: Path, mode: str) -> IO[Any]:
    """Open a file that is not there yet; not mkstemp, whose files nobody else may read."""
    if mode == "wb":
        return temporary.open("xb")
    return temporary.open("x", encoding="utf-8", newline="")


def _of_someone_else(error: OSError, temporary: Path | None) -> bool:
    """Whether an error from the block is about another file: errors of our stream carry no name, or ours."""
    if temporary is None or error.filename is None:
        return False
    return Path(os.fsdecode(error.filename)).parent != temporary.parent


def _reason(error: OSError) -> str:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return "no space left on the disk"
    if error.errno == errno.EFBIG:
        return "the file would be larger than the limit of the system"
    return error.strerror or str(error)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems have no fsync of folders; the rename is all one can have there.
        if error.errno not in {errno.EINVAL, errno.ENOTSUP, errno.EBADF}:
            raise
    finally:
        os.close(descriptor)


def remove_temporaries(folder: str | Path) -> int:
    """Remove temporary files and folders that killed processes left under ``folder``.

    The caller holds its lock. Returns how many there were.
    """
    leftovers = list(Path(folder).rglob(f"{TEMPORARY}*.tmp"))
    for leftover in leftovers:
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)
    return len(leftovers)


def require_writable(path: str | Path) -> None:
    """Refuse before long work what could not be written after it; makes missing folders above ``path``.

    Raises:
        OutputError: ``path`` is there and no regular file, or its folder cannot be made or written to.
    """
    try:
        folder = _regular_target(Path(path)).parent
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({_reason(error)})") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: cannot be written (no permission in {folder})")


def require_space(folder: str | Path, bytes_needed: int) -> None:
    """Refuse to start what will not fit.

    Raises:
        OutputError: less than ``bytes_needed`` is free on the disk that holds (or will hold) ``folder``.
    """
    existing = Path(folder).absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    free = shutil.disk_usage(existing).free
    if free < bytes_needed:
        raise OutputError(
            f"{folder}: about {bytes_needed:,} bytes are needed and {free:,} are free on this disk"
        )


def sha256_file(path: str | Path) -> str:
    """The sha256 of a file's content, in hex.

    Raises:
        InputError: the file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except OSError as error:
        raise InputError(f"cannot be read ({_reason(error)})", file=path) from error
    return digest.hexdigest()


def safe_join(root: str | Path, relative: str, *, allow_outside: bool = False) -> Path:
    """``root / relative``, where ``relative`` comes from a label file.

    Refused: what leads out of ``root`` (``..``, absolute, symbolic links are followed), a leading ``~``, a
    drive or UNC path of Windows, ``..`` between backslashes, the root itself, and what no file name can hold
    (NUL). ``allow_outside`` refuses only the last.

    Raises:
        UnsafePathError: the path is refused; says why.
    """
    if "\0" in relative or not relative:
        raise UnsafePathError(f"path {relative!r} is {'no file name (NUL)' if relative else 'empty'}")
    joined = Path(root, relative)
    try:
        inside = Path(os.path.realpath(root))
        resolved = Path(os.path.realpath(joined))
    except (OSError, ValueError) as error:
        raise UnsafePathError(f"path {relative!r} cannot be followed ({error})") from error
    if allow_outside:
        return joined
    refusal = _refusal(relative) or ("" if inside in resolved.parents else f"leads out of {root}")
    if refusal:
        raise UnsafePathError(f"path {relative!r} {refusal}; --allow-outside permits it")
    return joined


def _refusal(relative: str) -> str:
    """Why a path is refused by its look alone, "" if it is not."""
    windows = PureWindowsPath(relative)
    if relative.startswith("~"):
        return "begins with ~"
    if windows.drive:
        return "has a drive or a server"
    if windows.root:
        return "is absolute"
    if "\\" in relative and ".." in windows.parts:
        return "goes up with backslashes"
    return ""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a folder: process, machine, and when it began (Unix time)."""

    pid: int
    host: str
    start: float


class FolderLock:
    """Context manager: at most one process works on a folder.

    The lock is the kernel's (flock) on a file that names the owner, so that it ends with its owner however
    that dies. A lock file that another machine wrote cannot be checked from here and is refused.

    Raises:
        LockedError: at once, naming pid and host of the other owner.
        OutputError: the lock file cannot be made, or the folder is a file.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self.path = self.folder / LOCK
        self._descriptor: int | None = None

    def __enter__(self) -> FolderLock:
        if self.folder.is_file():
            raise OutputError(f"{self.folder}: is a file, not a folder")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._descriptor = self._locked_descriptor()
        except OSError as error:
            raise OutputError(f"{self.path}: cannot be locked ({_reason(error)})") from error
        return self

    def __exit__(self, *_: object) -> None:
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()
            os.close(self._descriptor)
            self._descriptor = None

    def _locked_descriptor(self) -> int:
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            keep = False
            try:
                keep = self._take(descriptor)
            finally:
                if not keep:
                    os.close(descriptor)
            if keep:
                return descriptor

    def _take(self, descriptor: int) -> bool:
        """Lock the open file; False when its last owner has removed it: the next try makes a new one."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LockedError(f"{self.folder}: {_describe(_read_owner(descriptor))} works on it") from error
        if not self._is_current(descriptor):
            return False
        owner = _read_owner(descriptor)
        if owner is not None and owner.host != socket.gethostname():
            raise LockedError(
                f"{self.folder}: {_describe(owner)} works on it, or died there, which cannot be checked from "
                f"here; if it no longer runs, remove {self.path}"
            )
        content = json.dumps(asdict(Owner(os.getpid(), socket.gethostname(), time.time())))
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, content.encode(), 0)
        return True

    def _is_current(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self.path.stat())
        except FileNotFoundError:
            return False


def _read_owner(descriptor: int) -> Owner | None:
    try:
        document = json.loads(os.pread(descriptor, 4096, 0))
        return Owner(int(document["pid"]), str(document["host"]), float(document["start"]))
    except (ValueError, KeyError, TypeError):
        return None


def _describe(owner: Owner | None) -> str:
    if owner is None:
        return "another process"
    since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(owner.start))
    return f"process {owner.pid} on {owner.host} (since {since})"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What made an output folder: enough to make it again.

    ``inputs`` maps a path to its sha256, ``versions`` a library to its version.
    """

    command: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    state: State = "running"

    @classmethod
    def begin(
        cls,
        command: str,
        arguments: Mapping[str, Any],
        *,
        seed: int | None = None,
        inputs: Iterable[str | Path] = (),
    ) -> Manifest:
        """A manifest in state ``running``, versions and sha256 filled in; InputError for a missing input."""
        hashes = {str(path): sha256_file(path) for path in inputs}
        return cls(command, dict(arguments), seed, library_versions(), hashes)

    def ended(self, state: State, counts: Mapping[str, int]) -> Manifest:
        """The same with another state and with counts."""
        return replace(self, state=state, counts=dict(counts))


def library_versions() -> dict[str, str]:
    """Versions of datakit and of the installed libraries that decide the bytes of a result."""
    versions = {"datakit": __version__}
    for name in RECORDED_LIBRARIES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[name] = metadata.version(name)
    return versions


def write_manifest(folder: str | Path, manifest: Manifest) -> Path:
    """Write ``manifest.json`` into ``folder``; values that JSON does not have (paths) are written as text.

    Raises:
        OutputError: it cannot be written.
    """
    path = Path(folder) / MANIFEST
    document = {"schema_version": MANIFEST_VERSION, **asdict(manifest)}
    atomic_write(path, json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n")
    return path


def read_manifest(folder: str | Path) -> Manifest:
    """Read ``manifest.json`` of ``folder``.

    Raises:
        InputError: there is none, or it is no manifest of this version.
    """
    path = Path(folder) / MANIFEST
    try:
        document = json.loads(path.read_bytes())
        if document.pop("schema_version") != MANIFEST_VERSION:
            raise InputError(f"is not a manifest of version {MANIFEST_VERSION}", file=path)
        manifest = Manifest(**document)
    except OSError as error:
        raise InputError(f"cannot be read ({_reason(error)})", file=path) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"is not a manifest ({error!r})", file=path) from error
    if manifest.state not in get_args(State):
        raise InputError(f"has the unknown state {manifest.state!r}", file=path)
    return manifest
