"""Opening the picture of a label line: each file is read once, header first."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from datakit.audit.features import measure
from datakit.audit.pictures import Picture
from datakit.errors import InputError
from datakit.headers import ImageInfo
from datakit.images import ImageError, LinkError, decode_grey, header, probe, read_picture, resolve_image
from datakit.lmdb_set import is_lmdb, lmdb_picture


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


def grey_picture(data_dir: str, image: str, *, allow_outside: bool) -> npt.NDArray[np.uint8] | None:
    """The pixels of a picture of a label file or an LMDB set, height x width; None if it cannot be used."""
    try:
        if is_lmdb(data_dir):
            name, data = f"{data_dir}: {image}", lmdb_picture(data_dir, image)
        else:
            path = resolve_image(data_dir, image, allow_outside=allow_outside)
            name, data = str(path), read_picture(path)
        return decode_grey(name, data, header(name, data))
    except InputError:
        return None


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
