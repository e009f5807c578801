"""Recognition sets whatever they are kept in: PaddleOCR's label file, LMDB, Parquet.

Lines, order and bytes of pictures are those of the set; a picture is known by the name that stands in its
:class:`~datakit.labels.RecLine`, which is a path only where the set is a label file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from datakit import images
from datakit.errors import InputError
from datakit.headers import ImageInfo
from datakit.labels import LabelFault, RecLine, read_rec
from datakit.lmdb_set import DATA_FILE, find_lmdb_sets, is_lmdb, lmdb_picture, scan_lmdb
from datakit.parquet_set import is_parquet, parquet_files, parquet_picture, scan_parquet


@dataclass(frozen=True, slots=True)
class PackedPicture:
    """Picture ``name`` of the LMDB or Parquet set ``file``."""

    file: Path
    name: str

    def read(self) -> bytes:
        """The bytes of its picture file.

        Raises:
            InputError: the set has none of that name, or cannot be read.
        """
        read: Callable[[Path, str], bytes] = lmdb_picture if is_lmdb(self.file) else parquet_picture
        return read(self.file, self.name)

    def __str__(self) -> str:
        return f"{self.file}: {self.name}"


# Where a picture is: a file of its own, or inside a set.
Picture = Path | PackedPicture


def is_packed(path: Path) -> bool:
    """Whether ``path`` is an LMDB or Parquet set, pictures inside."""
    return is_lmdb(path) or ((path.suffix == ".parquet" or path.is_dir()) and is_parquet(path))


def find_sets(path: Path) -> tuple[Path, ...]:
    """The sets that ``path`` stands for: a label file or Parquet file itself, of a folder every LMDB set
    under it, or the folder as one Parquet set.

    Raises:
        InputError: a folder with none of them, or with both.
    """
    if not path.is_dir():
        return (path,)
    found, tables = find_lmdb_sets(path), parquet_files(path)
    if found and tables:
        raise InputError(f"holds LMDB ({found[0]}) and Parquet ({tables[0]}); name one", file=path)
    if not found and not tables:
        raise InputError("is a folder without an LMDB set (data.mdb) or a Parquet file", file=path)
    return tuple(found) if found else (path,)


def data_dir_of(path: Path) -> Path:
    """What the pictures of a set start at: the folder of a label file, the set itself where it holds them."""
    return path if is_packed(path) else path.parent


def set_files(path: Path) -> tuple[Path, ...]:
    """The files that a set consists of, pictures beside a label file not counted."""
    if is_lmdb(path):
        return (path / DATA_FILE,)
    return tuple(parquet_files(path)) if is_packed(path) else (path,)


def read_lines(path: Path) -> tuple[list[RecLine], list[LabelFault]]:
    """Usable lines and faults, each in their order.

    Raises:
        InputError: missing, empty, broken, or for detection.
        MissingExtraError: the package that reads the set is not installed.
    """
    if not is_packed(path):
        return read_rec(path)
    entries = list(scan_lmdb(path) if is_lmdb(path) else scan_parquet(path))
    lines = [entry for entry in entries if isinstance(entry, RecLine)]
    return lines, [entry for entry in entries if isinstance(entry, LabelFault)]


def finder(path: Path, data_dir: Path, *, allow_outside: bool = False) -> Callable[[str], Picture]:
    """A function from the name of a picture of the set ``path`` to where it is.

    It raises UnsafePathError where a path of a label file leaves ``data_dir``.
    """
    if is_packed(path):
        return lambda image: PackedPicture(path, image)
    return lambda image: images.resolve_image(data_dir, image, allow_outside=allow_outside)


def probe(picture: Picture) -> ImageInfo:
    """The header of a picture; raises as :func:`datakit.images.probe` does."""
    if isinstance(picture, PackedPicture):
        return images.header(str(picture), picture.read())
    return images.probe(picture)


def read_bgr(picture: Picture) -> npt.NDArray[np.uint8]:
    """The pixels of a picture; raises as :func:`datakit.images.read_bgr` does."""
    if not isinstance(picture, PackedPicture):
        return images.read_bgr(picture)
    name, data = str(picture), picture.read()
    return images.decode_bgr(name, data, images.header(name, data))
