"""Thumbnails as data URIs."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datakit.errors import DatakitError, InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_THUMBNAIL_WIDTH = 640
JPEG_QUALITY = 80


def thumbnail(picture: Path | NDArray[Any], height: int = 48) -> str:
    """A JPEG ``data:`` URI of the picture, at most ``height`` px high and 640 px wide, never enlarged.

    ``picture`` is a file or a BGR array (H x W x 3, uint8). The aspect is kept.

    Raises:
        InputError: the file cannot be read as a picture.
    """
    import cv2

    from datakit.images import read_bgr

    image = read_bgr(picture) if isinstance(picture, Path) else picture
    rows, columns = image.shape[:2]
    scale = min(1.0, height / rows, MAX_THUMBNAIL_WIDTH / columns)
    if scale < 1.0:
        size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not done:
        raise InputError("cannot be made a thumbnail", file=picture if isinstance(picture, Path) else None)
    return "data:image/jpeg;base64," + base64.b64encode(data.tobytes()).decode("ascii")


def thumbnail_or_none(
    data_dir: Path, image: str, height: int = 48, *, allow_outside: bool = False
) -> str | None:
    """The thumbnail of a picture of a label file or an LMDB set; None where it cannot or must not be read."""
    from datakit.images import decode_bgr, header, resolve_image
    from datakit.lmdb_set import is_lmdb, lmdb_picture

    try:
        if is_lmdb(data_dir):
            data = lmdb_picture(data_dir, image)
            return thumbnail(decode_bgr(image, data, header(image, data)), height)
        return thumbnail(resolve_image(data_dir, image, allow_outside=allow_outside), height)
    except DatakitError:
        return None
