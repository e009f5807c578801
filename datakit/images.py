"""Opening pictures safely, the one decode and the one resize.

The header is checked (format by content, size) before a pixel is decoded: OpenCV has no guard against image
bombs. Pixels come from OpenCV, as in PaddleOCR; a truncated file is an error, whatever the version of OpenCV
makes of it. Only :class:`ImageError` comes out of here.
"""

from __future__ import annotations

import errno
import math
import os
import re
import stat
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Literal

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
from datakit.headers import HEADER_BYTES, ORIENTATION_TAG, SIDEWAYS, ImageInfo, plain_header
from datakit.whole import damage

MAX_PIXELS = 50_000_000
MAX_BYTES = 512 * 1024 * 1024
# A named pipe would be waited for without end.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
WIDTH_TAG, HEIGHT_TAG, BITS_TAG = 256, 257, 258
_TRANSPARENT = frozenset({"LA", "La", "PA", "RGBA", "RGBa"})

# First bytes -> format. The classes are called rather than Image.open, which would try other formats too and
# warn about large pictures before their size can be asked.
_MAGIC = re.compile(
    rb"(?P<JPEG>\xff\xd8\xff)|(?P<PNG>\x89PNG\r\n\x1a\n)|(?P<BMP>BM)|(?P<WebP>RIFF....WEBP)"
    rb"|(?P<TIFF>II[*+]\0|MM\0[*+])|(?P<GIF>GIF8[79]a)",
    re.DOTALL,
)
# Pictures that OpenCV may read on one machine and not on the next, and that PaddleOCR does not name.
_FOREIGN = re.compile(
    rb"....ftyp(?P<HEIF>hei[cfmsx]|hev[cmsx]|mif1|msf1)|....ftyp(?P<AVIF>avi[fs])"
    rb"|(?P<JPEG_2000>\0\0\0\x0cjP {2}\r\n|\xff\x4f\xff\x51)|(?P<JPEG_XL>\xff\x0a|\0\0\0\x0cJXL )"
    rb"|(?P<PDF>%PDF-)|(?P<PSD>8BPS)|(?P<icon>\0\0[\1\2]\0.\0)|(?P<Netpbm>P[1-7][\s#])"
    rb"|(?P<SVG>\s*(<\?xml[^>]*>\s*)?<svg)|(?P<OpenEXR>v/1\x01)|(?P<DDS>DDS )"
    rb"|(?P<Sun_raster>\x59\xa6\x6a\x95)",
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
# From this many times the wanted height on, with these pixels; libjpeg scales while it transforms.
_REDUCED = (
    (8, cv2.IMREAD_REDUCED_GRAYSCALE_8),
    (4, cv2.IMREAD_REDUCED_GRAYSCALE_4),
    (2, cv2.IMREAD_REDUCED_GRAYSCALE_2),
)
_TURNS: dict[int, Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]] = {
    1: lambda image: image,
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: image.swapaxes(0, 1)[:, ::-1],
    7: lambda image: image.swapaxes(0, 1)[::-1, ::-1],
    8: lambda image: image.swapaxes(0, 1)[::-1],
}


Fault = Literal["missing", "unreadable", "truncated", "bomb", "format"]


class ImageError(InputError):
    """A picture that is missing, broken, of another format, or too large; ``fault`` says which."""

    def __init__(self, message: str, *, file: str | Path, fault: Fault = "unreadable") -> None:
        super().__init__(message, file=file)
        self.fault: Fault = fault


class LinkError(ImageError):
    """The file is a symbolic link, and was to be opened only if it is none."""


def probe(path: str | Path, *, follow: bool = True) -> ImageInfo:
    """Read the header of a picture, whatever its suffix.

    Raises:
        ImageError: the file is missing, no JPEG, PNG, BMP, WebP, TIFF or GIF, over :data:`MAX_PIXELS`, or its
            header is broken.
        LinkError: the file is a symbolic link and ``follow`` is False.
    """
    data, size = _read(path, HEADER_BYTES, follow)
    info = plain_header(data, size)
    if info is None and len(data) < size:
        data = read_picture(path, follow=follow)
    return header(path, data) if info is None else _small_enough(path, info)


def read_bgr(path: str | Path) -> npt.NDArray[np.uint8]:
    """Decode a picture to height x width x 3, BGR, EXIF orientation applied; the first frame of several.

    16 bits are scaled to 8, alpha is dropped, palettes, grey and CMYK become BGR, as ``cv2.imread`` does.

    Raises:
        ImageError: as :func:`probe`; the file is truncated, or holds pixels that cannot be decoded.
    """
    data = read_picture(path)
    return decode_bgr(path, data, header(path, data))


def read_picture(path: str | Path, *, follow: bool = True) -> bytes:
    """The bytes of a picture file.

    Raises:
        ImageError: it is missing, no regular file, over :data:`MAX_BYTES`, or cannot be read.
        LinkError: the file is a symbolic link and ``follow`` is False.
    """
    return _read(path, MAX_BYTES, follow)[0]


def header(path: str | Path, data: bytes) -> ImageInfo:
    """The header of a picture file that holds ``data``; ``path`` is its name in errors.

    Raises:
        ImageError: as :func:`probe`.
    """
    info = plain_header(data, len(data))
    if info is not None:
        return _small_enough(path, info)
    with _explained(path, "header", data), _pillow(path, data) as picture:
        return _info(picture)


def decode_bgr(path: str | Path, data: bytes, info: ImageInfo) -> npt.NDArray[np.uint8]:
    """The pixels of a picture as :func:`read_bgr` gives them; ``info`` is what :func:`header` said."""
    return _decode(path, data, info, cv2.IMREAD_COLOR)


def decode_grey(path: str | Path, data: bytes, info: ImageInfo) -> npt.NDArray[np.uint8]:
    """The same as height x width, grey (of a JPEG its luma), which is cheaper."""
    return _decode(path, data, info, cv2.IMREAD_GRAYSCALE)


def decode_small(path: str | Path, data: bytes, info: ImageInfo, height: int) -> npt.NDArray[np.uint8]:
    """As :func:`decode_grey`; a JPEG at 1/2, 1/4 or 1/8 of its size where that has ``height`` rows or more.

    Every coefficient is read all the same, and the damage found that decoding finds; only pixels are fewer.
    """
    steps = info.height // height if info.format == "JPEG" else 1
    flag = next(flag for least, flag in _REDUCED if steps >= least) if steps > 1 else cv2.IMREAD_GRAYSCALE
    return _decode(path, data, info, flag)


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


def _read(path: str | Path, limit: int, follow: bool) -> tuple[bytes, int]:
    """At most ``limit`` bytes of a file, and its size."""
    try:
        descriptor = os.open(path, _FLAGS if follow else _FLAGS | os.O_NOFOLLOW)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise ImageError("is no regular file", file=path)
            size = status.st_size
            if size > MAX_BYTES:
                raise ImageError(
                    f"has {size:,} bytes, over the limit of {MAX_BYTES:,}", file=path, fault="bomb"
                )
            wanted = min(size, limit)
            data = os.read(descriptor, wanted)
            while len(data) < wanted and (more := os.read(descriptor, wanted - len(data))):
                data += more
            return data, size
        finally:
            os.close(descriptor)
    except FileNotFoundError as error:
        raise ImageError("no such picture", file=path, fault="missing") from error
    except OSError as error:
        kind = LinkError if error.errno == errno.ELOOP and not follow else ImageError
        raise kind(f"cannot be read ({error.strerror})", file=path) from error
    except ValueError as error:
        raise ImageError(f"cannot be opened ({error})", file=repr(str(path))) from error


@contextmanager
def _explained(path: str | Path, what: str, data: bytes) -> Iterator[None]:
    """Pillow's errors as ours; its warnings on broken metadata are not the user's business."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")
            yield
    except Image.DecompressionBombError as error:
        # Pillow's WebP reader asks for itself, and before the size can be asked.
        raise ImageError(
            f"has too many pixels, over the limit of {MAX_PIXELS:,}", file=path, fault="bomb"
        ) from error
    except _PILLOW_ERRORS as error:
        reason = str(error) or type(error).__name__
        cut = damage(_format(path, data), data) == "truncated" or "truncated" in reason
        raise ImageError(
            f"has a broken {what} ({reason})", file=path, fault="truncated" if cut else "unreadable"
        ) from error


def _format(path: str | Path, data: bytes) -> str:
    magic = _MAGIC.match(data)
    if magic is not None and magic.lastgroup is not None:
        return magic.lastgroup
    foreign = _FOREIGN.match(data[:512])
    if foreign is not None and foreign.lastgroup is not None:
        name = foreign.lastgroup.replace("_", " ")
        raise ImageError(
            f"is no JPEG, PNG, BMP, WebP, TIFF or GIF picture but {name}", file=path, fault="format"
        )
    raise ImageError("is no JPEG, PNG, BMP, WebP, TIFF or GIF picture", file=path)


def _small_enough(path: str | Path, info: ImageInfo) -> ImageInfo:
    _require_size(path, info.width, info.height)
    return info


def _require_size(path: str | Path, width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"has {width} x {height} pixels, over the limit of {MAX_PIXELS:,}", file=path, fault="bomb"
        )


def _pillow(path: str | Path, data: bytes) -> ImageFile.ImageFile:
    picture = _OPENERS[_format(path, data)](BytesIO(data))
    _require_size(path, *picture.size)
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
    alpha = picture.mode in _TRANSPARENT or "transparency" in picture.info
    return ImageInfo(width, height, name, picture.mode, orientation, _depth(picture), alpha)


def _depth(picture: ImageFile.ImageFile) -> int:
    if isinstance(picture, TiffImageFile):
        bits = picture.tag_v2.get(BITS_TAG, 1)
        return int(max(bits) if isinstance(bits, tuple) else bits)
    if isinstance(picture, PngImageFile):
        # The raw mode ends with the bits, as in "RGB;16B"; without them it is 8.
        raw = re.search(r";(\d+)", str(picture.png.im_rawmode if picture.png else ""))
        return int(raw.group(1)) if raw else 1 if picture.mode == "1" else 8
    return 1 if picture.mode == "1" else 8


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


def _decode(path: str | Path, data: bytes, info: ImageInfo, flag: int) -> npt.NDArray[np.uint8]:
    """Refuse half pictures (OpenCV may decode them in silence), decode, turn."""
    harm = damage(info.format, data) if info.format in ("JPEG", "PNG") else ""
    if harm:
        fault: Fault = "truncated" if harm == "truncated" else "unreadable"
        raise ImageError("is truncated or damaged", file=path, fault=fault)
    if info.format not in ("JPEG", "PNG"):
        with _explained(path, "picture", data), _pillow(path, data) as picture:
            picture.load()
            if info.format == "GIF":
                # OpenCV reads GIF from 4.11 on only.
                return _from_pillow(picture, info, flag)
    # OpenCV turns TIFF while decoding, and its versions differ in what else they turn.
    pixels = _pixels(path, data, flag)
    if info.orientation == 1 or info.format == "TIFF":
        return pixels
    return np.ascontiguousarray(_TURNS[info.orientation](pixels))


def _from_pillow(picture: Image.Image, info: ImageInfo, flag: int) -> npt.NDArray[np.uint8]:
    bgr = np.asarray(picture.convert("RGB"))[:, :, ::-1]
    turned = np.ascontiguousarray(_TURNS[info.orientation](bgr))
    return turned if flag == cv2.IMREAD_COLOR else np.asarray(cv2.cvtColor(turned, cv2.COLOR_BGR2GRAY))


def _pixels(path: str | Path, data: bytes, flag: int) -> npt.NDArray[np.uint8]:
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error as error:
        raise ImageError(f"cannot be decoded ({error.err or error})", file=path) from error
    colour = 3 if flag == cv2.IMREAD_COLOR else 1
    if image is None or image.dtype != np.uint8 or image.size != image.shape[0] * image.shape[1] * colour:
        raise ImageError("cannot be decoded", file=path)
    return np.asarray(image)
