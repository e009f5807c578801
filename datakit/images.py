"""Opening pictures safely, the one decode and the one resize.

The header is checked (format by content, size) before a pixel is decoded: OpenCV has no guard against image
bombs. Pixels come from OpenCV, as in PaddleOCR; a truncated file is an error, whatever the version of OpenCV
makes of it. Only :class:`ImageError` comes out of here.
"""

from __future__ import annotations

import math
import re
import stat
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFile
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from datakit.errors import InputError
from datakit.files import safe_join

MAX_PIXELS = 50_000_000
MAX_BYTES = 512 * 1024 * 1024
WIDTH_TAG, HEIGHT_TAG, ORIENTATION_TAG = 256, 257, 274
SIDEWAYS = frozenset({5, 6, 7, 8})

# First bytes -> format. The classes are called rather than Image.open, which would try other formats too and
# warn about large pictures before their size can be asked.
_MAGIC = re.compile(
    rb"(?P<JPEG>\xff\xd8\xff)|(?P<PNG>\x89PNG\r\n\x1a\n)|(?P<BMP>BM)|(?P<WebP>RIFF....WEBP)"
    rb"|(?P<TIFF>II[*+]\0|MM\0[*+])|(?P<GIF>GIF8[79]a)",
    re.DOTALL,
)
_OPENERS: dict[str, Callable[..., ImageFile.ImageFile]] = {
    "JPEG": JpegImageFile,
    "PNG": PngImageFile,
    "BMP": BmpImageFile,
    "WebP": WebPImageFile,
    "TIFF": TiffImageFile,
    "GIF": GifImageFile,
}
# What Pillow's decoders raise on hostile files (found by fuzzing and in their sources).
_PILLOW_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
    AssertionError,
    EOFError,
    MemoryError,
    struct.error,
    zlib.error,
)
# In compressed data 0xff is followed by 0x00 or a restart marker; anything else but fill is a marker.
_JPEG_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
_TURNS: dict[int, Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]] = {
    1: lambda image: image,
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.transpose(1, 0, 2),
    6: lambda image: image.transpose(1, 0, 2)[:, ::-1],
    7: lambda image: image.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda image: image.transpose(1, 0, 2)[::-1],
}


class ImageError(InputError):
    """A picture that is missing, broken, of another format, or too large."""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """What a header says: size in pixels after EXIF orientation, format, Pillow's mode, orientation 1..8."""

    width: int
    height: int
    format: str
    mode: str
    orientation: int


def probe(path: str | Path) -> ImageInfo:
    """Read the header of a picture, whatever its suffix.

    Raises:
        ImageError: the file is missing, no JPEG, PNG, BMP, WebP, TIFF or GIF, over :data:`MAX_PIXELS`, or its
            header is broken.
    """
    with _opened(path) as stream, _explained(path, "header"), _header(path, stream) as picture:
        return _info(picture)


def read_bgr(path: str | Path) -> npt.NDArray[np.uint8]:
    """Decode a picture to height x width x 3, BGR, EXIF orientation applied; the first frame of several.

    16 bits are scaled to 8, alpha is dropped, palettes, grey and CMYK become BGR, as ``cv2.imread`` does.

    Raises:
        ImageError: as :func:`probe`; the file is truncated, or holds pixels that cannot be decoded.
    """
    with _opened(path) as stream:
        return decode_bgr(stream.read(), path)


def probe_bytes(data: bytes, name: str | Path) -> ImageInfo:
    """:func:`probe` of the bytes of a picture file; ``name`` stands in the error."""
    with _explained(name, "header"), _header(name, BytesIO(data)) as picture:
        return _info(picture)


def decode_bgr(data: bytes, name: str | Path) -> npt.NDArray[np.uint8]:
    """:func:`read_bgr` of the bytes of a picture file; ``name`` stands in the error."""
    with _explained(name, "picture"), _header(name, BytesIO(data)) as picture:
        info = _info(picture)
        _require_whole(name, info.format, data, picture)
        if info.format == "GIF":
            # OpenCV reads GIF from 4.11 on only.
            return np.ascontiguousarray(np.asarray(picture.convert("RGB"))[:, :, ::-1])
    # OpenCV turns TIFF while decoding, and its versions differ in what else they turn.
    turn = _TURNS[1 if info.format == "TIFF" else info.orientation]
    return np.ascontiguousarray(turn(_decode(name, data)))


def resolve_image(data_dir: str | Path, image: str, *, allow_outside: bool = False) -> Path:
    """The file of a path in a label file.

    Raises:
        UnsafePathError: the path leaves ``data_dir``, see :func:`datakit.files.safe_join`.
    """
    return safe_join(data_dir, image, allow_outside=allow_outside)


def line_width(
    width: int,
    height: int,
    *,
    target_height: int = 48,
    minimum: int = 320,
    multiple: int = 32,
    maximum: int = 2400,
) -> int:
    """The padded width, in pixels, that a line of ``width`` x ``height`` is read at.

    The line's own width at ``target_height``, at least ``minimum``, rounded up to a multiple of ``multiple``,
    at most ``maximum``.
    """
    wanted = max(minimum, _scaled_width(width, height, target_height))
    return min(maximum, -(-wanted // multiple) * multiple)


def resize_norm(
    image: npt.NDArray[np.uint8], target_height: int, target_width: int
) -> npt.NDArray[np.float32]:
    """PaddleOCR's ``RecResizeImg``: 3 x target_height x target_width in -1..1, zeros right of the line.

    The ratio of the sides is kept unless the line is wider than ``target_width``, which squeezes it.
    """
    height, width = image.shape[:2]
    resized_width = min(target_width, _scaled_width(width, height, target_height))
    resized = cv2.resize(image, (resized_width, target_height))
    padded = np.zeros((3, target_height, target_width), dtype=np.float32)
    padded[:, :, :resized_width] = (resized.astype(np.float32).transpose(2, 0, 1) / 255 - 0.5) / 0.5
    return padded


def _scaled_width(width: int, height: int, target_height: int) -> int:
    # The order of operations is PaddleOCR's: another one rounds some sizes to another pixel.
    return max(1, math.ceil(target_height * (width / height)))


@contextmanager
def _opened(path: str | Path) -> Iterator[BinaryIO]:
    try:
        status = Path(path).stat()
        if not stat.S_ISREG(status.st_mode):
            # A named pipe would be waited for without end.
            raise ImageError("is no regular file", file=path)
        if status.st_size > MAX_BYTES:
            raise ImageError(f"has {status.st_size:,} bytes, over the limit of {MAX_BYTES:,}", file=path)
        with Path(path).open("rb") as stream:
            yield stream
    except FileNotFoundError as error:
        raise ImageError("no such picture", file=path) from error
    except OSError as error:
        raise ImageError(f"cannot be read ({error.strerror})", file=path) from error
    except ValueError as error:
        raise ImageError(f"cannot be opened ({error})", file=repr(str(path))) from error


@contextmanager
def _explained(path: str | Path, what: str) -> Iterator[None]:
    """Pillow's errors as ours; its warnings on broken metadata are not the user's business."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")
            yield
    except Image.DecompressionBombError as error:
        # Pillow's WebP reader asks for itself, and before the size can be asked.
        raise ImageError(f"has too many pixels, over the limit of {MAX_PIXELS:,}", file=path) from error
    except _PILLOW_ERRORS as error:
        raise ImageError(f"has a broken {what} ({str(error) or type(error).__name__})", file=path) from error


def _header(path: str | Path, stream: BinaryIO) -> ImageFile.ImageFile:
    magic = _MAGIC.match(stream.read(16))
    stream.seek(0)
    if magic is None or magic.lastgroup is None:
        raise ImageError("is no JPEG, PNG, BMP, WebP, TIFF or GIF picture", file=path)
    picture = _OPENERS[magic.lastgroup](stream)
    width, height = picture.size
    if width * height > MAX_PIXELS:
        raise ImageError(f"has {width} x {height} pixels, over the limit of {MAX_PIXELS:,}", file=path)
    return picture


def _info(picture: ImageFile.ImageFile) -> ImageInfo:
    width, height = picture.size
    if isinstance(picture, TiffImageFile):
        # Newer versions of Pillow have turned the size already.
        width, height = int(picture.tag_v2[WIDTH_TAG]), int(picture.tag_v2[HEIGHT_TAG])
    orientation = _orientation(picture)
    if orientation in SIDEWAYS:
        width, height = height, width
    name = next(name for name, opener in _OPENERS.items() if opener is type(picture))
    return ImageInfo(width, height, name, picture.mode, orientation)


def _orientation(picture: ImageFile.ImageFile) -> int:
    # Not picture.getexif(): that also believes XMP, which OpenCV does not.
    exif: Any = getattr(picture, "tag_v2", None)
    if exif is None:
        exif = Image.Exif()
        try:
            exif.load(picture.info.get("exif"))
        except _PILLOW_ERRORS:
            return 1
    value = exif.get(ORIENTATION_TAG)
    return value if isinstance(value, int) and value in _TURNS else 1


def _require_whole(path: str | Path, name: str, data: bytes, picture: ImageFile.ImageFile) -> None:
    """Refuse half pictures: OpenCV may decode them in silence, Pillow's ``verify`` accepts them."""
    if name == "JPEG":
        whole = _jpeg_is_whole(data)
    elif name == "PNG":
        whole = _png_is_whole(data)
    else:
        picture.load()
        whole = True
    if not whole:
        raise ImageError("is truncated or damaged", file=path)


def _jpeg_is_whole(data: bytes) -> bool:
    """Walk the segments: thumbnails hold end markers too, so searching for one is not enough."""
    position = 2
    while found := _JPEG_MARKER.search(data, position):
        position = found.end()
        if data[position - 1] == 0xD9:
            return True
        position += int.from_bytes(data[position : position + 2], "big")
    return False


def _png_is_whole(data: bytes) -> bool:
    """Walk the chunks to IEND; the checksum of those that matter has to fit."""
    position = 8
    while position + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        if kind[0] & 0x20 == 0:
            stored = int.from_bytes(data[end : end + 4], "big")
            if end + 4 > len(data) or zlib.crc32(memoryview(data)[position + 4 : end]) != stored:
                return False
        if kind == b"IEND":
            return True
        position = end + 4
    return False


def _decode(path: str | Path, data: bytes) -> npt.NDArray[np.uint8]:
    flags = cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        raise ImageError(f"cannot be decoded ({error.err or error})", file=path) from error
    if image is None or image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ImageError("cannot be decoded", file=path)
    return np.asarray(image)
