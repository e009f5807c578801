"""Opening the picture of a label line: each file is read once, header first."""

from __future__ import annotations

import hashlib

from datakit.audit.features import measure
from datakit.audit.pictures import Picture
from datakit.errors import InputError
from datakit.headers import ImageInfo
from datakit.images import ImageError, LinkError, decode_grey, header, probe, read_picture
from datakit.lmdb_set import lmdb_picture


def opened(path: str, image: str, *, decode: bool, follow: bool = True) -> Picture | None:
    """The facts of the file ``path``, which the label file calls ``image``; see ``picture_facts``.

    None if the file is a symbolic link and ``follow`` is False.
    """
    try:
        return _decoded(path, image, follow) if decode else _header_only(path, image, follow)
    except LinkError:
        return None
    except ImageError as error:
        return Picture(image, fault=f"image-{error.fault}", message=str(error))


def opened_sample(data_dir: str, image: str, *, decode: bool) -> Picture:
    """The facts of picture ``image`` of the LMDB set ``data_dir``."""
    try:
        data = lmdb_picture(data_dir, image)
    except InputError as error:
        return Picture(image, fault="image-missing", message=str(error))
    name = f"{data_dir}: {image}"
    try:
        info = header(name, data)
        return _measured(name, image, data, info) if decode else _described(image, info)
    except ImageError as error:
        return Picture(image, fault=f"image-{error.fault}", message=str(error))


def _header_only(path: str, image: str, follow: bool) -> Picture:
    return _described(image, probe(path, follow=follow))


def _described(image: str, info: ImageInfo) -> Picture:
    return Picture(
        image,
        info.width,
        info.height,
        "",
        "",
        info.format,
        info.mode,
        info.orientation,
        info.depth,
        info.alpha,
    )


def _decoded(path: str, image: str, follow: bool) -> Picture:
    data = read_picture(path, follow=follow)
    return _measured(path, image, data, header(path, data))


def _measured(path: str, image: str, data: bytes, info: ImageInfo) -> Picture:
    seen = measure(decode_grey(path, data, info))
    return Picture(
        image,
        info.width,
        info.height,
        "",
        "",
        info.format,
        info.mode,
        info.orientation,
        info.depth,
        info.alpha,
        seen.sharpness,
        seen.contrast,
        seen.spread,
        int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little"),
        seen.thumbnail,
    )
