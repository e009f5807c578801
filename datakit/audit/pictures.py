"""What audit knows of a picture, including why it cannot be used."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from datakit.files import UnsafePathError, safe_join
from datakit.lmdb_set import is_lmdb

UNKNOWN = float("nan")
# Grey values, of 255, between the darkest and the lightest spot of a picture with nothing on it; paper with
# noise of two grey values has 8, the faintest word of 15,241 real crops 19.
BLANK = 12 / 255
# Folders below a data_dir that are remembered as checked.
_REMEMBERED = 10_000
_ODD = re.compile(r"^~|[\\:\0]")


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a label line: size in px after EXIF orientation, 0 x 0 with ``fault`` where it cannot be
    used.

    ``fault`` is the id of the check that reports it ("" for none), ``message`` the reason. ``format``,
    ``mode`` (Pillow's), ``orientation`` (EXIF, 1..8), ``depth`` (bits a channel) and ``alpha`` are the
    header's. From the decoded picture: ``sharpness`` and ``contrast`` as in
    :class:`datakit.audit.stats.PictureStats`, ``spread`` the range of its grey values, scaled to a
    height of 24 px (which averages noise), in 0..1; not a number where only the header was read. ``digest``
    is 64 bits of the file's sha256, ``thumbnail`` what :mod:`datakit.audit.sketches` makes a sketch of.
    """

    image: str
    width: int = 0
    height: int = 0
    fault: str = ""
    message: str = ""
    format: str = ""
    mode: str = ""
    orientation: int = 1
    depth: int = 8
    alpha: bool = False
    sharpness: float = UNKNOWN
    contrast: float = UNKNOWN
    spread: float = UNKNOWN
    digest: int = 0
    thumbnail: bytes = b""

    @property
    def blank(self) -> bool:
        """Whether there is nothing on it; False where the pixels are not known."""
        return self.spread < BLANK


def picture_facts(
    data_dir: str | Path, image: str, *, allow_outside: bool = False, decode: bool = True
) -> Picture:
    """Look at one picture of a label file or an LMDB set; never raises for what the file holds.

    ``decode`` False reads the header alone, which proves neither that the file is whole nor that it can be
    decoded.
    """
    # Here, so that an audit of the labels alone does without OpenCV.
    from datakit.audit.opening import decoded_picture, headed_picture

    look = decoded_picture if decode else headed_picture
    return look(str(data_dir), image, allow_outside=allow_outside)


def inspect(data_dir: Path, image: str, *, allow_outside: bool) -> Picture:
    """Open and decode one picture, see :func:`picture_facts`."""
    return picture_facts(data_dir, image, allow_outside=allow_outside)


class Root:
    """A data_dir whose folders are followed once; what :func:`datakit.files.safe_join` says, for less."""

    def __init__(self, data_dir: str, allow_outside: bool) -> None:
        self.data_dir = data_dir
        self._allow_outside = allow_outside
        # Each folder as label lines write it, and what its files begin with.
        self._inside: dict[str, str] = {}
        self.is_lmdb = is_lmdb(data_dir)

    def plain_path(self, image: str) -> str | None:
        """The file of ``image``, inside unless it is a link; None where nothing is known about that."""
        folder, _, name = image.rpartition("/")
        # A backslash or a colon may be a path of Windows.
        before = self._inside.get(folder)
        return before + name if before is not None and name.strip(".") and not _ODD.search(name) else None

    def followed_path(self, image: str) -> str:
        """The file of ``image``; UnsafePathError as safe_join."""
        path = safe_join(self.data_dir, image, allow_outside=self._allow_outside)
        folder = image.rpartition("/")[0]
        if len(self._inside) >= _REMEMBERED:
            self._inside.clear()
        if not self._allow_outside and self._is_inside(folder):
            self._inside[folder] = str(Path(self.data_dir, folder, "x"))[:-1]
        return str(path)

    def _is_inside(self, folder: str) -> bool:
        """Whether any plain name in ``folder`` would be permitted."""
        try:
            safe_join(self.data_dir, f"{folder}/x" if folder else "x")
        except UnsafePathError:
            return False
        return True


@lru_cache(maxsize=16)
def root_of(data_dir: str, allow_outside: bool) -> Root:
    """The same for the same folder: what was followed is remembered."""
    return Root(data_dir, allow_outside)
