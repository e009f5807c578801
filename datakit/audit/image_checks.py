"""Checks on a picture by itself: whether it can be used, and what is unusual about the file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

from datakit.audit.check import Check
from datakit.audit.pictures import Picture
from datakit.audit.shape_checks import SHAPE_CHECKS

__all__ = ["PICTURE_CHECKS", "SHAPE_CHECKS"]

SUFFIXES = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".png": "PNG",
    ".bmp": "BMP",
    ".dib": "BMP",
    ".webp": "WebP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".gif": "GIF",
}


def _with_fault(code: str) -> Callable[[Picture], Iterator[str]]:
    def run(picture: Picture) -> Iterator[str]:
        if picture.fault == code:
            yield picture.message

    return run


def turned(picture: Picture) -> Iterator[str]:
    """Pictures that are stored turned."""
    if picture.orientation != 1:
        size = f"{picture.width} x {picture.height} px"
        yield f"{picture.image} has EXIF orientation {picture.orientation}, turned it is {size}"


def inks(picture: Picture) -> Iterator[str]:
    """Pictures in CMYK."""
    if picture.mode == "CMYK":
        yield f"{picture.image} holds four inks"


def transparent(picture: Picture) -> Iterator[str]:
    """Pictures with transparency."""
    if picture.alpha:
        yield f"{picture.image} holds transparency ({picture.format}, {picture.mode})"


def deep(picture: Picture) -> Iterator[str]:
    """Pictures with more than 8 bits a channel."""
    if picture.depth > 8:
        yield f"{picture.image} holds {picture.depth} bits a channel"


def one_pixel(picture: Picture) -> Iterator[str]:
    """Pictures that are a point or a line."""
    if not picture.fault and min(picture.width, picture.height) == 1:
        yield f"{picture.image} is {picture.width} x {picture.height} px"


def blank(picture: Picture) -> Iterator[str]:
    """Pictures of one colour."""
    if picture.blank and min(picture.width, picture.height) > 1:
        grey = round(picture.spread * 255)
        yield f"{picture.image}: {grey} of 255 grey values between its darkest and its lightest spot"


def other_suffix(picture: Picture) -> Iterator[str]:
    """Files whose suffix names another format."""
    suffix = PurePosixPath(picture.image).suffix.lower()
    if picture.format and SUFFIXES.get(suffix, picture.format) != picture.format:
        yield f"{picture.image} is {picture.format}"


PICTURE_CHECKS: dict[str, Check[Picture]] = {
    "path-outside": Check(
        _with_fault("path-outside"),
        "error",
        "Does the path stay inside data_dir?",
        "A path that leaves its folder (absolute, .., a link) reads other files than the set's, or none on "
        "another machine.",
        "write the path relative to data_dir, or pass --allow-outside",
    ),
    "image-missing": Check(
        _with_fault("image-missing"),
        "error",
        "Does the picture exist?",
        "PaddleOCR trains a random other line in its place, and evaluation scores another one twice.",
        "correct the path or --data-dir, or take the line out",
    ),
    "image-unreadable": Check(
        _with_fault("image-unreadable"),
        "error",
        "Can the picture be decoded to its last row?",
        "A broken file is replaced by a random other line, and half a picture is trained with the whole "
        "label.",
        "restore the file or take the line out",
    ),
    "image-truncated": Check(
        _with_fault("image-truncated"),
        "error",
        "Is the file there to its last byte?",
        "A copy or download broke off. OpenCV decodes such a file in silence, grey from there on, and it is "
        "trained with the whole label.",
        "copy the file again or take the line out",
    ),
    "image-format": Check(
        _with_fault("image-format"),
        "error",
        "Is the file JPEG, PNG, BMP, WebP, TIFF or GIF?",
        "Other formats are read on one machine and not on the next, whatever their suffix says.",
        "convert it to PNG or JPEG",
    ),
    "image-bomb": Check(
        _with_fault("image-bomb"),
        "error",
        "Is the picture of a size that can be decoded?",
        "A few kilobytes can unpack to gigabytes and end the training.",
        "take the line out",
    ),
    "image-one-pixel": Check(
        one_pixel,
        "warning",
        "Is the picture more than one pixel wide and high?",
        "A point or a line shows no character; it is what a box without area leaves when it is cut out.",
        "take the line out, look for the box it was cut from",
    ),
    "image-blank": Check(
        blank,
        "warning",
        "Is there anything on the picture?",
        "Paper without writing teaches the model to read what is not there.",
        "take the line out, or label what it shows",
    ),
    "image-turned": Check(
        turned,
        "info",
        "Is the picture stored as it is seen?",
        "OpenCV applies the EXIF orientation, as datakit does; other tools do not, and PaddleOCR's "
        "ignore_orientation does not: boxes drawn there lie elsewhere here.",
        "save the picture turned, without the mark",
    ),
    "image-cmyk": Check(
        inks,
        "warning",
        "Does the picture hold red, green and blue?",
        "Inks are turned into colours without their profile, by other rules in every library.",
        "convert it to RGB with its profile",
    ),
    "image-alpha": Check(
        transparent,
        "warning",
        "Is the picture without transparency?",
        "OpenCV drops it, and what was hidden comes to light: writing may vanish in its own colour.",
        "lay it on white and save it without alpha",
    ),
    "image-deep": Check(
        deep,
        "info",
        "Does the picture hold at most 8 bits a channel?",
        "OpenCV keeps the upper 8 bits: a scan that uses the lower ones only becomes black.",
        "convert it to 8 bits over its own range",
    ),
    "image-suffix": Check(
        other_suffix,
        "info",
        "Does the suffix name the format?",
        "OpenCV goes by the content; tools that choose files by their suffix do not.",
        "rename the file and its line",
    ),
}
