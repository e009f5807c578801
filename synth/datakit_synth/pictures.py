"""The pictures of one shard on disk: a folder of files, or one pack that holds them end to end.

Both appear whole or not at all. A killed run leaves ``NNNNN.part`` folders or a temporary pack, which the
next run of that shard takes away.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from datakit.errors import OutputError
from datakit.files import atomic_open

PART = ".part"
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC

Add = Callable[[str, bytes], None]


@contextlib.contextmanager
def explained(out: Path) -> Iterator[None]:
    """Turn an OSError that nobody has explained yet into an OutputError that names the file, or ``out``."""
    try:
        yield
    except OSError as error:
        name = out if error.filename is None else os.fsdecode(error.filename)
        raise OutputError(f"{name}: cannot be written or read back ({error.strerror or error})") from error


@contextlib.contextmanager
def write_folder(folder: Path) -> Iterator[Add]:
    """Give ``add(name, data)``, which writes a file; ``folder`` appears when the block ends without error.

    What an earlier try left is removed first. Files are opened relative to the folder's descriptor, which
    costs half of what their paths would.

    Raises:
        OSError: a file cannot be written; the unfinished folder is removed.
    """
    part = folder.with_name(folder.name + PART)
    for old in (part, folder):
        if old.exists():
            shutil.rmtree(old)
    part.mkdir(parents=True)
    descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield lambda name, data: write_file(name, data, descriptor)
        part.rename(folder)
    except BaseException:
        # A full disk is not left full.
        shutil.rmtree(part, ignore_errors=True)
        raise
    finally:
        os.close(descriptor)


def write_file(name: str, data: bytes, folder: int) -> None:
    """Write a new file ``name`` in the folder that the descriptor ``folder`` stands for.

    Raises:
        OSError: it is there already, or cannot be written whole.
    """
    descriptor = os.open(name, _NEW_FILE, 0o666, dir_fd=folder)
    try:
        written = os.write(descriptor, data)
        while written < len(data):
            written += os.write(descriptor, data[written:])
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def write_pack(path: Path) -> Iterator[Add]:
    """Give ``add(name, data)``, which appends to one file; it appears when the block ends without error.

    Raises:
        OutputError: it cannot be written.
    """
    with atomic_open(path) as stream:

        def add(_name: str, data: bytes) -> None:
            stream.write(data)

        yield add


def read_pack(path: Path, sizes: Sequence[int]) -> Iterator[bytes]:
    """The pictures of a pack in order; ``sizes`` are their bytes.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as stream:
        for size in sizes:
            yield stream.read(size)
