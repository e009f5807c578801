"""Pictures: header first, whole or an error, upright, and the one resize."""

from __future__ import annotations

import io
import os
import random
import struct
import time
import warnings
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from datakit.files import UnsafePathError
from datakit.images import (
    ImageError,
    ImageInfo,
    line_width,
    probe,
    read_bgr,
    resize_norm,
    resolve_image,
)

DATA = Path(os.environ.get("DATAKIT_REALDATA", Path(__file__).parents[2].parent / "shared" / "data"))
HEIGHT, WIDTH = 60, 91
FORMATS: dict[str, dict[str, Any]] = {
    "jpeg": {"format": "JPEG"},
    "progressive": {"format": "JPEG", "progressive": True},
    "png": {"format": "PNG"},
    "bmp": {"format": "BMP"},
    "webp": {"format": "WEBP"},
    "lossless": {"format": "WEBP", "lossless": True},
    "tiff": {"format": "TIFF"},
    "lzw": {"format": "TIFF", "compression": "tiff_lzw"},
    "gif": {"format": "GIF"},
}
NAMES = {
    "jpeg": "JPEG",
    "progressive": "JPEG",
    "png": "PNG",
    "bmp": "BMP",
    "webp": "WebP",
    "lossless": "WebP",
    "tiff": "TIFF",
    "lzw": "TIFF",
    "gif": "GIF",
}


def pixels() -> npt.NDArray[np.uint8]:
    """A soft picture, RGB, other in every corner."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([x * 2, y * 4, (x + y) % 256], axis=2).astype(np.uint8)


def encode(picture: Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, **options)
    return stream.getvalue()


def picture_bytes(kind: str) -> bytes:
    return encode(Image.fromarray(pixels()), **FORMATS[kind])


def write(folder: Path, data: bytes, name: str = "picture.jpg") -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


@pytest.fixture(autouse=True)
def no_warning_leaks() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.parametrize("kind", FORMATS)
def test_formats_go_by_content_whatever_the_suffix(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, picture_bytes(kind), "漢 字.txt")
    info = probe(path)
    image = read_bgr(path)

    assert (info.width, info.height, info.format, info.orientation) == (WIDTH, HEIGHT, NAMES[kind], 1)
    assert (image.shape, image.dtype, image.flags.c_contiguous) == ((HEIGHT, WIDTH, 3), np.uint8, True)
    worst = np.abs(image[:, :, ::-1].astype(int) - pixels()).max()
    assert worst <= {"png": 0, "bmp": 0, "lossless": 0, "tiff": 0, "lzw": 0}.get(kind, 60)


@pytest.mark.parametrize("kind", ["jpeg", "progressive", "png", "bmp", "webp", "tiff", "lzw"])
def test_pixels_are_those_of_opencv(tmp_path: Path, kind: str) -> None:
    data = picture_bytes(kind)

    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(read_bgr(write(tmp_path, data)), expected)


@pytest.mark.parametrize("kind", FORMATS)
def test_half_a_picture_is_an_error(tmp_path: Path, kind: str) -> None:
    data = picture_bytes(kind)
    whole = read_bgr(write(tmp_path, data, "whole"))
    for cut in [1, *range(2, len(data), max(1, len(data) // 40))]:
        path = write(tmp_path, data[:-cut])
        if kind == "gif" and cut <= 2:
            # The end of the block and of the file, after the last pixel.
            assert np.array_equal(read_bgr(path), whole)
            continue
        with pytest.raises(ImageError):
            read_bgr(path)


@pytest.mark.parametrize("kind", ["jpeg", "progressive", "png"])
def test_a_file_cut_and_filled_up_is_an_error(tmp_path: Path, kind: str) -> None:
    data = picture_bytes(kind)
    half = data[: len(data) // 2]
    # Pillow 12 stumbles itself over this JPEG, where Pillow 13 leaves it to us.
    with pytest.raises(ImageError, match=r"is truncated or damaged|has a broken picture"):
        read_bgr(write(tmp_path, half + bytes(len(data) - len(half))))


def test_an_end_marker_in_a_thumbnail_does_not_count(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[270] = "\u00ff\u00d9"
    data = encode(Image.fromarray(pixels()), format="JPEG", exif=exif.tobytes() + b"\xff\xd9\xff\xd9")
    path = write(tmp_path, data)
    assert read_bgr(path).shape == (HEIGHT, WIDTH, 3)

    with pytest.raises(ImageError, match="is truncated or damaged"):
        read_bgr(write(tmp_path, data[:-2]))


def test_what_follows_a_picture_does_not_matter(tmp_path: Path) -> None:
    for kind in ("jpeg", "png"):
        path = write(tmp_path, picture_bytes(kind) + b"trailing")
        assert read_bgr(path).shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["jpeg", "png", "lossless", "tiff"])
def test_exif_orientation(tmp_path: Path, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    data = encode(Image.fromarray(pixels()), exif=exif, **FORMATS[kind])
    path = write(tmp_path, data)
    sideways = orientation >= 5

    info = probe(path)
    image = read_bgr(path)

    assert info.orientation == orientation
    assert (info.width, info.height) == ((HEIGHT, WIDTH) if sideways else (WIDTH, HEIGHT))
    assert image.shape == (info.height, info.width, 3)
    if kind == "jpeg":
        assert np.array_equal(image, cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR))
    else:
        turned = [None, *(np.asarray(_upright(o))[:, :, ::-1] for o in range(1, 9))]
        assert np.array_equal(image, turned[orientation])


def _upright(orientation: int) -> Image.Image:
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }
    picture = Image.fromarray(pixels())
    return picture.transpose(turns[orientation]) if orientation in turns else picture


@pytest.mark.parametrize("value", [0, 9, 65535])
def test_an_orientation_that_does_not_exist_is_none(tmp_path: Path, value: int) -> None:
    exif = Image.Exif()
    exif[274] = value
    path = write(tmp_path, encode(Image.fromarray(pixels()), format="JPEG", exif=exif))

    assert probe(path) == ImageInfo(WIDTH, HEIGHT, "JPEG", "RGB", 1)
    assert read_bgr(path).shape == (HEIGHT, WIDTH, 3)


def test_broken_exif_is_no_reason_to_lose_a_picture(tmp_path: Path) -> None:
    for exif in (b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0II*\0\x08\0\0\0\xff\xff"):
        path = write(tmp_path, encode(Image.fromarray(pixels()), format="JPEG", exif=exif))
        assert probe(path).orientation == 1
        assert read_bgr(path).shape == (HEIGHT, WIDTH, 3)


def other_modes() -> dict[str, tuple[bytes, npt.NDArray[np.uint8]]]:
    rgb = Image.fromarray(pixels())
    grey = rgb.convert("L")
    palette = rgb.quantize(16)
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 257)

    def as_rgb(picture: Image.Image) -> npt.NDArray[np.uint8]:
        return np.asarray(picture.convert("RGB"))

    frames = encode(palette, format="GIF", save_all=True, append_images=[Image.new("P", palette.size)])
    return {
        "grey jpeg": (encode(grey, format="JPEG", quality=100), as_rgb(grey)),
        "16 bit png": (encode(deep, format="PNG"), as_rgb(grey)),
        "palette png": (encode(palette, format="PNG"), as_rgb(palette)),
        "transparent palette": (encode(palette, format="PNG", transparency=b"\0\x7f"), as_rgb(palette)),
        "rgba png": (encode(rgb.convert("RGBA"), format="PNG"), pixels()),
        "grey and alpha": (encode(grey.convert("LA"), format="PNG"), as_rgb(grey)),
        "bilevel png": (encode(rgb.convert("1"), format="PNG"), as_rgb(rgb.convert("1"))),
        "bilevel tiff": (
            encode(rgb.convert("1"), format="TIFF", compression="group4"),
            as_rgb(rgb.convert("1")),
        ),
        "16 bit tiff": (encode(deep, format="TIFF"), as_rgb(grey)),
        "cmyk jpeg": (encode(rgb.convert("CMYK"), format="JPEG", quality=100), pixels()),
        "animated gif": (frames, as_rgb(palette)),
        "palette bmp": (encode(palette, format="BMP"), as_rgb(palette)),
    }


@pytest.mark.parametrize("kind", other_modes())
def test_every_mode_becomes_bgr(tmp_path: Path, kind: str) -> None:
    data, expected = other_modes()[kind]

    image = read_bgr(write(tmp_path, data))

    assert (image.shape, image.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)
    difference = np.abs(image[:, :, ::-1].astype(int) - expected)
    assert difference.max() <= (12 if "jpeg" in kind else 0)


def test_pixels_of_a_kind_that_nobody_reads(tmp_path: Path) -> None:
    path = write(tmp_path, encode(Image.fromarray(pixels()).convert("F").convert("F"), format="TIFF"))
    try:
        image = read_bgr(path)
    except ImageError as error:
        assert str(error) == f"{path}: cannot be decoded"
    else:
        assert (image.shape, image.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a picture",
        b"%PDF-1.4",
        b"\x00\x00\x01\x00",
        b"P6 1 1 255 abc",
        b"<svg/>",
        b"8BPS",
        b"\xff\xd8",
    ],
)
def test_what_is_no_picture(tmp_path: Path, data: bytes) -> None:
    path = write(tmp_path, data)
    for function in (probe, read_bgr):
        with pytest.raises(ImageError, match=r"picture.jpg: is no JPEG, PNG, BMP, WebP, TIFF or GIF"):
            function(path)


def test_formats_of_pillow_that_are_not_ours(tmp_path: Path) -> None:
    for name in ("PPM", "TGA", "ICO", "PCX", "DDS"):
        path = write(tmp_path, encode(Image.fromarray(pixels()), format=name))
        with pytest.raises(ImageError, match="is no JPEG"):
            probe(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, reason in (
        ("gone.jpg", "no such picture"),
        (".", "is no regular file"),
        ("pipe", "is no regular file"),
        ("a\0b", "cannot be opened|no such"),
        ("x" * 5000, "cannot be read"),
    ):
        for function in (probe, read_bgr):
            with pytest.raises(ImageError, match=reason):
                function(tmp_path / name)


def png_header(width: int, height: int) -> bytes:
    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def bombs() -> dict[str, bytes]:
    gif = b"GIF89a" + struct.pack("<HHBBB", 30000, 30000, 0, 0, 0)
    gif += b"," + struct.pack("<HHHHB", 0, 0, 30000, 30000, 0) + b"\x02\x00;"
    bmp = encode(Image.new("RGB", (1, 1)), format="BMP")
    entries = [_tiff_tag(256, 30000), _tiff_tag(257, 30000), _tiff_tag(258, 8), _tiff_tag(259, 1)]
    entries += [_tiff_tag(262, 1), _tiff_tag(273, 8), _tiff_tag(277, 1), _tiff_tag(278, 30000)]
    tiff = b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(entries) + bytes(4)
    vp8x = b"VP8X" + struct.pack("<IB3x", 10, 2) + (29999).to_bytes(3, "little") * 2
    return {
        "png": png_header(30000, 30000),
        "gif": gif,
        "bmp": bmp[:18] + struct.pack("<ii", 30000, 30000) + bmp[26:],
        "tiff": tiff,
        "webp": b"RIFF" + struct.pack("<I", len(vp8x) + 4) + b"WEBP" + vp8x,
    }


def _tiff_tag(tag: int, value: int) -> bytes:
    return struct.pack("<HHIHxx", tag, 3, 1, value)


@pytest.mark.parametrize("kind", bombs())
def test_a_bomb_is_refused_by_its_header(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path, bombs()[kind])
    begun = time.monotonic()
    for function in (probe, read_bgr):
        with pytest.raises(ImageError) as refused:
            function(path)
        # Pillow refuses the WebP itself, by its size or, in older versions, for want of a frame.
        assert kind == "webp" or "has 30000 x 30000 pixels, over the limit of 50,000,000" in str(
            refused.value
        )
    assert time.monotonic() - begun < 1


def test_a_picture_of_eighty_million_pixels_warns_nobody(tmp_path: Path) -> None:
    path = write(tmp_path, png_header(9000, 10_000))
    with pytest.raises(ImageError, match="has 9000 x 10000 pixels"):
        probe(path)
    with pytest.raises(ImageError, match="has 50000001 x 1 pixels"):
        probe(write(tmp_path, png_header(50_000_001, 1)))
    assert probe(write(tmp_path, png_header(50_000, 1000))).width == 50_000


def test_hostile_bytes_raise_nothing_else(tmp_path: Path) -> None:
    rng = random.Random(7)
    kinds = {kind: picture_bytes(kind) for kind in FORMATS}
    broken = 0
    for _ in range(900):
        data = bytearray(rng.choice(list(kinds.values())))
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data) if rng.random() < 0.5 else min(100, len(data)))] = rng.randrange(256)
        path = write(tmp_path, bytes(data))
        for function in (probe, read_bgr):
            try:
                function(path)
            except ImageError:
                broken += 1
    assert broken > 300


def test_resize_is_that_of_paddleocr() -> None:
    with np.load(Path(__file__).parents[1] / "data" / "resize.npz") as figures:
        for width in (160, 320):
            ours = resize_norm(figures["resize/image"], 48, width)
            theirs = figures[f"resize/{width}"]
            assert (ours.shape, ours.dtype) == ((3, 48, width), np.float32)
            assert np.abs(ours - theirs).max() <= 2**-11


def test_resize_pads_with_zeros_and_squeezes_what_is_too_wide() -> None:
    white = np.full((10, 20, 3), 255, dtype=np.uint8)
    padded = resize_norm(white, 48, 128)
    assert (padded[:, :, :96] == 1).all()
    assert (padded[:, :, 96:] == 0).all()
    assert (resize_norm(white, 48, 64) == 1).all()
    assert (resize_norm(np.zeros((300, 1, 3), np.uint8), 48, 32)[:, :, 0] == -1).all()


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (10, 48, 320),
        (320, 48, 320),
        (321, 48, 352),
        (352, 48, 352),
        (2400, 48, 2400),
        (9000, 48, 2400),
        (200, 20, 480),
    ],
)
def test_the_width_a_line_is_read_at(width: int, height: int, expected: int) -> None:
    assert line_width(width, height) == expected


def test_the_width_never_squeezes_a_line_below_the_maximum() -> None:
    for height in range(1, 80):
        for width in range(1, 400, 7):
            own = line_width(width, height, minimum=1, multiple=1, maximum=10**9)
            wide = line_width(width, height)
            assert wide % 32 == 0
            assert own <= wide or wide == 2400


def test_a_picture_of_a_label_file_stays_in_its_folder(tmp_path: Path) -> None:
    assert resolve_image(tmp_path, "a/b.jpg") == tmp_path / "a" / "b.jpg"
    with pytest.raises(UnsafePathError):
        resolve_image(tmp_path, "../b.jpg")
    assert resolve_image(tmp_path, "../b.jpg", allow_outside=True) == tmp_path / "../b.jpg"


@pytest.mark.realdata
@pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data at {DATA} (set DATAKIT_REALDATA)")
def test_real_pictures_are_those_of_opencv() -> None:
    paths = sorted(DATA.glob("*/*/*.jpg"))[::97] + sorted((DATA / "backgrounds").glob("*.jpg"))

    assert len(paths) > 200
    for path in paths:
        image = read_bgr(path)
        info = probe(path)
        assert np.array_equal(image, cv2.imread(str(path), cv2.IMREAD_COLOR))
        assert image.shape == (info.height, info.width, 3)
