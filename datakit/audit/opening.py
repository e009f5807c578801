"""Opening the picture of a label line: each file is read once, header first."""

from __future__ import annotations

import hashlib

from datakit.audit.features import measure
from datakit.audit.pictures import Picture
from datakit.images import ImageError, LinkError, decode_grey, header, probe, read_picture


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


def _header_only(path: str, image: str, follow: bool) -> Picture:
    info = probe(path, follow=follow)
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
    info = header(path, data)
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
