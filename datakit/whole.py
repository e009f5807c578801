"""Whether a picture file is there to its last byte: OpenCV decodes half pictures in silence, or nearly."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from typing import Literal

Damage = Literal["", "truncated", "damaged"]

_segment = struct.Struct(">BBH").unpack_from
# In compressed data 0xff is followed by 0x00 or a restart marker; anything else but fill is a marker.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")


def damage(name: str, data: bytes) -> Damage:
    """What is wrong with the file of a picture, as far as its container tells; ``name`` is the format.

    For JPEG and PNG the answer "" is proof that no byte is missing up to the last pixel; of the others only
    the length that stands in the file is compared.
    """
    return _CONTAINERS[name](data)


def _jpeg(data: bytes) -> Damage:
    """Walk the segments: thumbnails hold end markers too, so searching for one is not enough."""
    position = _first_scan(data)
    if data.endswith(b"\xff\xd9") and position < len(data) - 2:
        return ""
    search = _JPEG_MARKER.search
    try:
        # A progressive file has some twenty segments between its scans.
        while found := search(data, position):
            position = found.end()
            if data[position - 1] == 0xD9:
                return ""
            position += data[position] << 8 | data[position + 1]
    except IndexError:
        # The file ends with the marker or half a length behind it.
        pass
    return "truncated"


def _first_scan(data: bytes) -> int:
    """The end of the last of the segments that follow each other from the start on."""
    position = 2
    last = len(data) - 4
    while position < last:
        mark, marker, length = _segment(data, position)
        if mark != 0xFF or marker < 0xC0 or 0xD0 <= marker <= 0xD9 or marker == 0xFF:
            break
        position += 2 + length
        if marker == 0xDA:
            break
    return position


def _png(data: bytes) -> Damage:
    """Walk the chunks to IEND; the checksum of those that matter has to fit."""
    position = 8
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if kind[0] & 0x20 == 0:
            if end + 4 > len(data):
                return "truncated"
            stored = int.from_bytes(data[end : end + 4], "big")
            if zlib.crc32(memoryview(data)[position + 4 : end]) != stored:
                return "damaged"
        if kind == b"IEND":
            return ""
        position = end + 4
    return "truncated"


def _bmp(data: bytes) -> Damage:
    return "truncated" if int.from_bytes(data[2:6], "little") > len(data) else ""


def _webp(data: bytes) -> Damage:
    return "truncated" if int.from_bytes(data[4:8], "little") + 8 > len(data) else ""


def _gif(data: bytes) -> Damage:
    return "" if data.rstrip(b"\0").endswith(b";") else "truncated"


def _tiff(_data: bytes) -> Damage:
    # The pieces of a TIFF may lie in any order; Pillow says so while decoding.
    return ""


_CONTAINERS: dict[str, Callable[[bytes], Damage]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "BMP": _bmp,
    "WebP": _webp,
    "GIF": _gif,
    "TIFF": _tiff,
}
