"""Opening the pictures of label lines: each file is read once, header first, and decoded once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from datakit.audit.features import Features, measure
from datakit.audit.looks import Looks
from datakit.audit.pictures import BLANK, Picture, Root, root_of
from datakit.audit.sketches import THUMBNAIL, sketches
from datakit.clarity import HEIGHT, Grey
from datakit.errors import InputError
from datakit.files import UnsafePathError
from datakit.headers import ImageInfo
from datakit.images import (
    ImageError,
    LinkError,
    decode_grey,
    decode_small,
    header,
    probe,
    read_picture,
)
from datakit.lmdb_set import lmdb_picture

# Pictures that are measured together, and pixels of them: what lies between the steps stays in the cache.
TOGETHER = 64
_PIXELS = 2_000_000
_PLAIN_MODES = frozenset({"L", "RGB"})
# The usual suffixes; any other one is looked at by a check.
_SUFFIXES = {"JPEG": (".jpg", ".jpeg"), "PNG": (".png",), "BMP": (".bmp",), "WebP": (".webp",)}


@dataclass(frozen=True, slots=True)
class _File:
    """A picture in memory: its number, its path as labelled, its name in errors, its bytes, their header."""

    at: int
    image: str
    name: str
    data: bytes
    info: ImageInfo

    def digest(self) -> int:
        """64 bits of the sha256 of the bytes, which has an instruction of its own on most machines."""
        return int.from_bytes(hashlib.sha256(self.data).digest()[:8], "little")


def decoded_picture(data_dir: str, image: str, *, allow_outside: bool) -> Picture:
    """The facts of a picture of a label file or an LMDB set, from its pixels; see ``picture_facts``."""
    faults: dict[int, Picture] = {}
    for files, _, seen in _measured(data_dir, (image,), allow_outside, faults, True):
        return _picture(files[0], seen, 0)
    return faults[0]


def look_at(
    data_dir: str, images: Sequence[str], *, allow_outside: bool, copies: bool = True, keep: bool = False
) -> Looks:
    """The facts of many pictures; ``keep`` their pixels too, but for pictures that are much higher than a
    line is read at.

    Without ``copies`` digests and sketches, which nothing but the search for copies asks for, stay 0.
    """
    odd: dict[int, Picture] = {}
    looks = Looks.of(len(images), odd)
    for files, greys, seen in _measured(data_dir, images, allow_outside, odd, copies):
        at = [file.at for file in files]
        if keep:
            whole = zip(at, greys, files, strict=True)
            looks.greys.update((n, grey) for n, grey, file in whole if grey.shape[0] == file.info.height)
        looks.widths[at] = [file.info.width for file in files]
        looks.heights[at] = [file.info.height for file in files]
        looks.sharpness[at] = seen.sharpness
        looks.contrast[at] = seen.contrast
        if copies:
            looks.digests[at] = [file.digest() for file in files]
            looks.sketches[at] = sketches(seen.thumbnails)
        for number in np.flatnonzero(seen.spread < BLANK).tolist():
            odd[at[number]] = _picture(files[number], seen, number)
        for number, file in enumerate(files):
            if not _plain(file):
                odd[file.at] = _picture(file, seen, number)
    return looks


def headed_picture(data_dir: str, image: str, *, allow_outside: bool) -> Picture:
    """The facts of a picture from its header alone."""
    root = root_of(data_dir, allow_outside)
    try:
        info = _header(root, image)
    except InputError as error:
        return _faulty(image, error)
    return Picture(image, info.width, info.height, "", "", *_header_facts(info))


def grey_picture(data_dir: str, image: str, *, allow_outside: bool) -> Grey | None:
    """The pixels of a picture of a label file or an LMDB set, height x width; None if it cannot be used."""
    try:
        name, data = _read(root_of(data_dir, allow_outside), image)
        return decode_grey(name, data, header(name, data))
    except InputError:
        return None


def _header(root: Root, image: str) -> ImageInfo:
    if root.is_lmdb:
        return header(f"{root.data_dir}: {image}", lmdb_picture(root.data_dir, image))
    path = root.plain_path(image)
    if path is not None:
        try:
            return probe(path, follow=False)
        except LinkError:
            pass
    return probe(root.followed_path(image))


def _read(root: Root, image: str) -> tuple[str, bytes]:
    """Name and bytes of a picture."""
    if root.is_lmdb:
        return f"{root.data_dir}: {image}", lmdb_picture(root.data_dir, image)
    path = root.plain_path(image)
    if path is not None:
        try:
            return path, read_picture(path, follow=False)
        except LinkError:
            pass
    path = root.followed_path(image)
    return path, read_picture(path)


def _measured(
    data_dir: str, images: Sequence[str], allow_outside: bool, faults: dict[int, Picture], thumbnails: bool
) -> Iterator[tuple[list[_File], list[Grey], Features]]:
    """The usable ones of ``images`` by small groups; the others go into ``faults``."""
    root = root_of(data_dir, allow_outside)
    for start in range(0, len(images), TOGETHER):
        read = []
        for at, image in enumerate(images[start : start + TOGETHER], start=start):
            try:
                name, data = _read(root, image)
                read.append(_File(at, image, name, data, header(name, data)))
            except InputError as error:
                faults[at] = _faulty(image, error)
        for group in _groups(read):
            files, greys = _decoded(group, faults)
            if files:
                yield files, greys, measure(greys, thumbnails=thumbnails)


def _groups(files: list[_File]) -> Iterator[list[_File]]:
    """Files in order, few enough that their pixels fit; a page is alone."""
    group: list[_File] = []
    pixels = 0
    for file in files:
        area = file.info.width * file.info.height
        if group and pixels + area > _PIXELS:
            yield group
            group, pixels = [], 0
        group.append(file)
        pixels += area
    if group:
        yield group


def _decoded(files: list[_File], faults: dict[int, Picture]) -> tuple[list[_File], list[Grey]]:
    whole, greys = [], []
    for file in files:
        try:
            greys.append(decode_small(file.name, file.data, file.info, HEIGHT))
            whole.append(file)
        except ImageError as error:
            faults[file.at] = _faulty(file.image, error)
    return whole, greys


def _plain(file: _File) -> bool:
    """Whether no check on pictures can yield for what the header and the name say."""
    info = file.info
    return (
        info.mode in _PLAIN_MODES
        and info.orientation == 1
        and info.depth <= 8
        and not info.alpha
        and info.width > 1
        and info.height > 1
        and file.image.endswith(_SUFFIXES.get(info.format, ()))
    )


def _picture(file: _File, seen: Features, number: int) -> Picture:
    info = file.info
    size = THUMBNAIL[0] * THUMBNAIL[1]
    return Picture(
        file.image,
        info.width,
        info.height,
        "",
        "",
        *_header_facts(info),
        float(seen.sharpness[number]),
        float(seen.contrast[number]),
        float(seen.spread[number]),
        file.digest(),
        seen.thumbnails[number * size : (number + 1) * size],
    )


def _header_facts(info: ImageInfo) -> tuple[str, str, int, int, bool]:
    return info.format, info.mode, info.orientation, info.depth, info.alpha


def _faulty(image: str, error: InputError) -> Picture:
    """A picture that cannot be used; a path that leaves its folder, a file, a sample that is not there."""
    if isinstance(error, UnsafePathError):
        return Picture(image, fault="path-outside", message=str(error))
    fault = error.fault if isinstance(error, ImageError) else "missing"
    return Picture(image, fault=f"image-{fault}", message=str(error))
