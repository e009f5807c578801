"""Checks on the pictures of a recognition line or a detection page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from datakit.audit.check import Check
from datakit.audit.facts import LineFacts
from datakit.audit.pictures import Picture

# PaddleOCR turns a crop at inference from this height to width on; training does not.
UPRIGHT = 1.5
# Below this, scaling to 48 px leaves nothing of a stroke.
TINY = 8
SLIM = 3


def _with_fault(code: str) -> Callable[[Picture], Iterator[str]]:
    def run(picture: Picture) -> Iterator[str]:
        if picture.fault == code:
            yield picture.message

    return run


def tiny(facts: LineFacts) -> Iterator[str]:
    """Pictures of a few pixels."""
    for picture in facts.pictures:
        # A single character, such as 1 or a colon, is readable at a few px of width.
        least = SLIM if len(facts.text) <= 1 else TINY
        if not picture.fault and (picture.height < TINY or picture.width < least):
            yield f"{picture.image} is {picture.width} x {picture.height} px for {len(facts.text)} characters"


def upright(facts: LineFacts) -> Iterator[str]:
    """Pictures that inference would turn."""
    for picture in facts.pictures:
        # One character can be as slim as that and stand right.
        if not picture.fault and len(facts.text) > 1 and picture.height > UPRIGHT * picture.width:
            yield f"{picture.image} is {picture.width} x {picture.height} px for {len(facts.text)} characters"


def squeezed(facts: LineFacts) -> Iterator[str]:
    """Pictures wider than the training width."""
    _, height, width = facts.settings.image_shape
    for picture in facts.pictures:
        if picture.fault or min(picture.width, picture.height) < 1:
            continue
        scaled = picture.width * height / picture.height
        if scaled > width:
            yield f"{scaled:.0f} px wide at {height} px height, squeezed to {width} ({width / scaled:.0%})"


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
    "image-bomb": Check(
        _with_fault("image-bomb"),
        "error",
        "Is the picture of a size that can be decoded?",
        "A few kilobytes can unpack to gigabytes and end the training.",
        "take the line out",
    ),
}

SHAPE_CHECKS: dict[str, Check[LineFacts]] = {
    "image-tiny": Check(
        tiny,
        "warning",
        f"Is the picture at least {TINY} px high, and wide ({SLIM} px for one character)?",
        "Nothing can be read in it, so the label is learnt as noise.",
        "take the line out or cut it from a larger scan",
    ),
    "image-upright": Check(
        upright,
        "warning",
        f"Is the picture lying (height at most {UPRIGHT:g} x width)?",
        "PaddleOCR turns such a crop by 90 degrees at inference and not in training, so the model learns "
        "what it never sees.",
        "turn the picture as inference does, or keep it out",
    ),
    "image-squeezed": Check(
        squeezed,
        "warning",
        "Does the picture fit into the width of image_shape?",
        "A wider line is squeezed in training, and not where inference uses the line's own width.",
        "a wider image_shape",
    ),
}
