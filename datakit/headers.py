"""Headers of plain JPEG, PNG, BMP and WebP files, read without Pillow: most pictures of a data set are plain.

A header with anything unusual in it is answered with None, and Pillow is asked (see :mod:`datakit.images`):
what is answered here is what Pillow says. Opening a picture with Pillow takes some ten times as long.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

ORIENTATION_TAG = 274
SIDEWAYS = frozenset({5, 6, 7, 8})
# Enough for the header of a crop; a picture with a thumbnail or a profile before its size needs the whole.
HEADER_BYTES = 16 * 1024

_JPEG_MODES = {1: "L", 3: "RGB", 4: "CMYK"}
# Markers whose segment Pillow and OpenCV do not look into: DHT, DRI, COM.
_JPEG_SKIPPED = frozenset({0xC4, 0xDD, 0xFE})
_JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
_PNG_MODES = {
    (1, 0): "1",
    (2, 0): "L",
    (4, 0): "L",
    (8, 0): "L",
    (16, 0): "I;16",
    (8, 2): "RGB",
    (16, 2): "RGB",
    (1, 3): "P",
    (2, 3): "P",
    (4, 3): "P",
    (8, 3): "P",
    (8, 4): "LA",
    (8, 6): "RGBA",
    (16, 6): "RGBA",
}
# Chunks before the pixels that change nothing here, with the only length that is plain.
_PNG_SKIPPED = {b"pHYs": 9, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32}
_EXIF_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
_u16 = struct.Struct(">H").unpack_from


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a header says: size in pixels after EXIF orientation, format, Pillow's mode, orientation 1..8.

    ``depth`` is the bits a channel are stored with (of a palette: of its index), ``alpha`` whether there is
    transparency, which OpenCV drops.
    """

    width: int
    height: int
    format: str
    mode: str
    orientation: int
    depth: int = 8
    alpha: bool = False


def plain_header(data: bytes, size: int) -> ImageInfo | None:
    """The header of a file of ``size`` bytes that begins with ``data``; None unless all of it is plain."""
    read = _READERS.get(data[:2])
    try:
        return read(data, size) if read else None
    except (IndexError, struct.error):
        # The header is longer than what was given, or broken.
        return None


def _jpeg(data: bytes, _size: int) -> ImageInfo | None:
    if data[2] != 0xFF:
        return None
    position = 2
    frame = 0
    exif = b""
    while data[position] == 0xFF:
        marker = data[position + 1]
        start = position + 4
        length = _u16(data, position + 2)[0]
        position += 2 + length
        if length < 2 or position >= len(data):
            return None
        if marker == 0xDA:
            return _jpeg_info(data, frame, exif)
        if marker in _JPEG_FRAMES:
            if frame or length != 8 + 3 * data[start + 5]:
                return None
            frame = start
        elif marker == 0xDB:
            if not _plain_quantization(data, start, position):
                return None
        elif marker == 0xE1 and data.startswith(b"Exif\0\0", start):
            if exif:
                return None
            exif = data[start + 6 : position]
        elif marker not in _JPEG_SKIPPED and not _plain_application(data, marker, start, position):
            return None
    return None


def _plain_quantization(data: bytes, start: int, end: int) -> bool:
    """Whether a DQT segment holds whole tables of 8 bits."""
    return (end - start) % 65 == 0 and all(data[at] < 16 for at in range(start, end, 65))


def _plain_application(data: bytes, marker: int, start: int, end: int) -> bool:
    if marker == 0xE0:
        return data.startswith(b"JFIF", start) and end - start >= 12
    if marker == 0xE1:
        return data.startswith(b"http://ns.adobe.com/xap/1.0/\0", start)
    return marker == 0xEE and data.startswith(b"Adobe", start) and end - start >= 12


def _jpeg_info(data: bytes, frame: int, exif: bytes) -> ImageInfo | None:
    if not frame:
        return None
    depth, height, width, layers = struct.unpack_from(">BHHB", data, frame)
    mode = _JPEG_MODES.get(layers)
    orientation = exif_orientation(exif) if exif else 1
    if depth != 8 or not width or not height or mode is None or orientation is None:
        return None
    if orientation in SIDEWAYS:
        width, height = height, width
    return ImageInfo(width, height, "JPEG", mode, orientation)


def exif_orientation(exif: bytes) -> int | None:
    """The orientation of EXIF data (a TIFF header and its first directory); None where that is not plain."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return None
    at = struct.unpack_from(order + "I", exif, 4)[0]
    count = struct.unpack_from(order + "H", exif, at)[0]
    found = []
    total = 0
    entry = struct.Struct(order + "HHII").unpack_from
    for number in range(count):
        tag, kind, values, offset = entry(exif, at + 2 + 12 * number)
        bytes_ = _EXIF_SIZES.get(kind, 1 << 32) * values
        total += bytes_
        if total > len(exif) or (bytes_ > 4 and offset + bytes_ > len(exif)):
            return None
        if tag == ORIENTATION_TAG:
            if (kind, values) != (3, 1):
                return None
            found.append(struct.unpack_from(order + "H", exif, at + 2 + 12 * number + 8)[0])
    if len(found) > 1:
        return None
    return found[0] if found and 1 <= found[0] <= 8 else 1


def _png(data: bytes, _size: int) -> ImageInfo | None:
    if data[:16] != b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR":
        return None
    width, height, depth, colour, packing, filtering, interlace = struct.unpack_from(">IIBBBBB", data, 16)
    mode = _PNG_MODES.get((depth, colour))
    plain = mode is not None and width and height and packing == filtering == 0 and interlace < 2
    position = 8
    while plain:
        length, kind = struct.unpack_from(">I4s", data, position)
        if kind == b"IDAT":
            return ImageInfo(width, height, "PNG", mode or "", 1, depth, mode in ("LA", "RGBA"))
        end = position + 8 + length
        known = position == 8 or _PNG_SKIPPED.get(kind) == length or _plain_palette(kind, length, colour)
        checksum = struct.unpack_from(">I", data, end)[0] if known else 0
        plain = known and zlib.crc32(data[position + 4 : end]) == checksum
        position = end + 4
    return None


def _plain_palette(kind: bytes, length: int, colour: int) -> bool:
    return kind == b"PLTE" and colour == 3 and length % 3 == 0 and 0 < length <= 768


def _bmp(data: bytes, size: int) -> ImageInfo | None:
    """Only 24 bits, stored as they are."""
    stored, _, offset, header, width, height, planes, bits, packing = struct.unpack_from(
        "<IIIIiiHHI", data, 2
    )
    plain = (header, planes, bits, packing) == (40, 1, 24, 0) and width > 0 and height > 0
    if not plain or offset != 54 or stored != size or size < 54 + (3 * width + 3) // 4 * 4 * height:
        return None
    return ImageInfo(width, height, "BMP", "RGB", 1)


def _webp(data: bytes, size: int) -> ImageInfo | None:
    """One picture without metadata, lossy or lossless."""
    magic, riff, form, kind, length = struct.unpack_from("<4sI4s4sI", data)
    padded = length + length % 2
    if magic != b"RIFF" or form != b"WEBP" or not riff + 8 == size == 20 + padded:
        return None
    if kind == b"VP8 ":
        return _lossy(data, length)
    return _lossless(data) if kind == b"VP8L" else None


def _lossy(data: bytes, length: int) -> ImageInfo | None:
    tag = int.from_bytes(data[20:23], "little")
    # A key frame that is shown, of a known profile, whose first partition fits.
    if tag & 1 or tag >> 1 & 7 > 3 or not tag & 16 or tag >> 5 >= length or data[23:26] != b"\x9d\x01\x2a":
        return None
    width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", data, 26))
    return ImageInfo(width, height, "WebP", "RGB", 1) if width and height else None


def _lossless(data: bytes) -> ImageInfo | None:
    mark, bits = struct.unpack_from("<BI", data, 20)
    if mark != 0x2F or bits >> 29:
        return None
    alpha = bool(bits >> 28 & 1)
    width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return ImageInfo(width, height, "WebP", "RGBA" if alpha else "RGB", 1, alpha=alpha)


_READERS: dict[bytes, Callable[[bytes, int], ImageInfo | None]] = {
    b"\xff\xd8": _jpeg,
    b"\x89P": _png,
    b"BM": _bmp,
    b"RI": _webp,
}
