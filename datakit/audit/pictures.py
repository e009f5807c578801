"""What audit knows of a picture, including why it cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from datakit.files import UnsafePathError


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a label line: size in px after EXIF orientation, 0 x 0 with ``fault`` where it cannot be
    used.

    ``fault`` is the id of the check that reports it ("" for none), ``message`` the reason.
    """

    image: str
    width: int = 0
    height: int = 0
    fault: str = ""
    message: str = ""


def inspect(data_dir: Path, image: str, *, allow_outside: bool) -> Picture:
    """Open and decode one picture of a label file; never raises for what the file holds."""
    from datakit.images import ImageError, probe, read_bgr, resolve_image

    try:
        path = resolve_image(data_dir, image, allow_outside=allow_outside)
    except UnsafePathError as error:
        return Picture(image, fault="path-outside", message=str(error))
    try:
        info = probe(path)
        read_bgr(path)
    except ImageError as error:
        return Picture(image, fault=_fault_of(path, str(error)), message=str(error))
    return Picture(image, info.width, info.height)


def _fault_of(path: Path, message: str) -> str:
    if not path.exists():
        return "image-missing"
    return "image-bomb" if "over the limit" in message else "image-unreadable"
