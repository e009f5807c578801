"""Plain headers are read as Pillow reads them, and what is not plain is left to Pillow."""

from __future__ import annotations

import io
import random
import struct
import warnings
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from datakit import images
from datakit.headers import ImageInfo, exif_orientation, plain_header
from datakit.images import ImageError


def encoded(mode: str = "RGB", size: tuple[int, int] = (37, 21), **options: Any) -> bytes:
    rng = np.random.default_rng(3)
    picture = Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), np.uint8)).convert(mode)
    stream = io.BytesIO()
    picture.save(stream, **options)
    return stream.getvalue()


def exif_of(orientation: int, **more: Any) -> bytes:
    exif = Image.Exif()
    exif[270] = "a description that does not fit into four bytes"
    exif[274] = orientation
    exif.update({int(tag): value for tag, value in more.items()})
    return exif.tobytes()


def plain_files() -> dict[str, bytes]:
    files = {
        "jpeg": encoded(format="JPEG"),
        "jpeg grey": encoded("L", format="JPEG"),
        "jpeg cmyk": encoded("CMYK", format="JPEG"),
        "jpeg progressive": encoded(format="JPEG", progressive=True),
        "jpeg optimized": encoded(format="JPEG", optimize=True, comment=b"by hand"),
        "png": encoded(format="PNG"),
        "png grey": encoded("L", format="PNG"),
        "png one bit": encoded("1", format="PNG"),
        "png palette": encoded("P", format="PNG"),
        "png four bits": encoded("P", format="PNG", bits=4),
        "png alpha": encoded("RGBA", format="PNG", dpi=(300, 300)),
        "png grey alpha": encoded("LA", format="PNG"),
        "png deep": encoded("I;16", format="PNG"),
        "bmp": encoded(format="BMP"),
        "webp": encoded(format="WEBP"),
        "webp odd": encoded(format="WEBP", quality=20),
        "webp lossless": encoded(format="WEBP", lossless=True),
    }
    files |= {f"jpeg turned {n}": encoded(format="JPEG", exif=exif_of(n)) for n in range(1, 9)}
    return files


def by_pillow(data: bytes) -> ImageInfo | None:
    """The answer of Pillow alone; None for an error."""
    try:
        with images._explained("x", "header", data), images._pillow("x", data) as picture:
            return images._info(picture)
    except ImageError:
        return None


@pytest.mark.parametrize("kind", plain_files())
def test_plain_files_are_read_without_pillow(kind: str) -> None:
    data = plain_files()[kind]
    info = plain_header(data, len(data))
    assert info is not None
    assert info == by_pillow(data)
    assert sorted((info.width, info.height)) == [21, 37]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_turns_the_size(orientation: int) -> None:
    data = encoded(format="JPEG", exif=exif_of(orientation))
    size = (21, 37) if orientation > 4 else (37, 21)
    assert plain_header(data, len(data)) == ImageInfo(*size, "JPEG", "RGB", orientation)


def test_depth_and_alpha() -> None:
    found = {kind: plain_header(data, len(data)) for kind, data in plain_files().items()}
    told = {kind: (info.depth, info.alpha) for kind, info in found.items() if info and kind.startswith("png")}
    assert told == {
        "png": (8, False),
        "png grey": (8, False),
        "png one bit": (1, False),
        "png palette": (8, False),
        "png four bits": (4, False),
        "png alpha": (8, True),
        "png grey alpha": (8, True),
        "png deep": (16, False),
    }


def unusual_files() -> dict[str, bytes]:
    jpeg = encoded(format="JPEG")
    twice = jpeg[:2] + b"\xff\xe1\0\x0eExif\0\0II*\0\0\0" * 2 + jpeg[2:]
    return {
        "gif": encoded("P", format="GIF"),
        "tiff": encoded(format="TIFF"),
        "png transparent": encoded("P", format="PNG", transparency=0),
        "png with exif": encoded(format="PNG", exif=exif_of(6)),
        "webp with exif": encoded(format="WEBP", exif=exif_of(6)),
        "jpeg with profile": encoded(format="JPEG", icc_profile=b"\0" * 200),
        "jpeg with fill": jpeg[:2] + b"\xff" + jpeg[2:],
        "jpeg with junk": jpeg[:2] + b"\0" + jpeg[2:],
        "two exif": twice,
        "bmp palette": encoded("P", format="BMP"),
        "bmp cut": encoded(format="BMP")[:-1],
        "webp cut": encoded(format="WEBP")[:-1],
        "nothing": b"",
        "half a start": b"\xff\xd8\xff",
    }


@pytest.mark.parametrize("kind", unusual_files())
def test_the_unusual_is_left_to_pillow(kind: str) -> None:
    data = unusual_files()[kind]
    assert plain_header(data, len(data)) is None


def test_pillow_answers_where_the_plain_reader_does_not() -> None:
    files = unusual_files()
    for kind, turned in (("png with exif", 6), ("webp with exif", 6), ("jpeg with profile", 1), ("gif", 1)):
        assert images.header("x", files[kind]).orientation == turned
    assert images.header("x", files["png transparent"]).alpha is True


def test_a_header_cut_anywhere_is_not_answered() -> None:
    for kind, data in plain_files().items():
        whole = plain_header(data, len(data))
        for cut in range(min(len(data), 700)):
            info = plain_header(data[:cut], len(data))
            assert info in (None, whole), (kind, cut)


def mutated(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(min(len(changed), rng.choice((30, 200, 700))))
        changed[at] = rng.choice((0, 1, 255, rng.randrange(256), changed[at] ^ (1 << rng.randrange(8))))
    if rng.random() < 0.2:
        at = rng.randrange(len(changed))
        changed[at : at + rng.randrange(4)] = bytes(rng.randrange(256) for _ in range(rng.randrange(4)))
    return bytes(changed)


def with_checksums(data: bytes) -> bytes:
    """The PNG with every checksum made right again, so that the mutation reaches what stands behind it."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        return data
    fixed = bytearray(data)
    position = 8
    while position + 12 <= len(fixed):
        end = position + 8 + struct.unpack_from(">I", fixed, position)[0]
        if end + 4 > len(fixed):
            break
        struct.pack_into(">I", fixed, end, zlib.crc32(fixed[position + 4 : end]))
        position = end + 4
    return bytes(fixed)


def test_mutated_headers_are_answered_as_pillow_does() -> None:
    rng = random.Random(11)
    files = list(plain_files().values())
    answered = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(6000):
            data = with_checksums(mutated(rng.choice(files), rng))
            info = plain_header(data, len(data))
            if info is not None and info.width * info.height <= images.MAX_PIXELS:
                assert info == by_pillow(data), data[:64]
                answered += 1
    assert answered > 2000


def test_exif_of_every_byte_order() -> None:
    for order, mark in (("<", b"II*\0"), (">", b"MM\0*")):
        entry = struct.pack(order + "HHIHH", 274, 3, 1, 8, 0)
        exif = mark + struct.pack(order + "IH", 8, 1) + entry + bytes(4)
        assert exif_orientation(exif) == 8
        assert (
            exif_orientation(exif.replace(entry, entry[:2] + struct.pack(order + "H", 4) + entry[4:])) is None
        )
    assert exif_orientation(b"II+\0" + bytes(20)) is None
