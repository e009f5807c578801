"""Checks on the pictures of a recognition line: size, sharpness, and room for the label."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from datakit.audit.check import Check
from datakit.audit.facts import LineFacts
from datakit.audit.pictures import Picture

# PaddleOCR turns a crop at inference from this height to width on; training does not.
UPRIGHT = 1.5
# Below this, scaling to 48 px leaves nothing of a stroke.
TINY = 8
SLIM = 3
HEIGHT = 48
# Sharpness over contrast squared. The least of 15,241 real crops is 16; lines of 48 px blurred with a sigma
# of 5 px, which nobody reads, have 5 at the median and 18 in one of twenty.
BLURRED = 15.0
# What rounding to whole grey values adds to the sharpness.
ROUNDING = 2.0
LEAST_CONTRAST = 0.02
# Px at height 48 for a narrow character; the recogniser looks at 8 px a time step. Real crops under it are
# words that run upwards or across.
DENSE = 5.0


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


def blurred(facts: LineFacts) -> Iterator[str]:
    """Pictures without an edge."""
    for picture in facts.pictures:
        if picture.contrast < LEAST_CONTRAST or picture.height < TINY:
            continue
        edges = max(0.0, picture.sharpness - ROUNDING) / picture.contrast**2
        if edges < BLURRED:
            yield f"{picture.image}: sharpness {edges:.0f} at the contrast of {picture.contrast:.2f}"


def units(text: str) -> int:
    """The room a text needs, in narrow characters: two for a wide one (CJK), none for a combining mark."""
    if text.isascii():
        return len(text)
    return sum(map(char_units, text))


def char_units(char: str) -> int:
    """The same of one character."""
    return 2 if unicodedata.east_asian_width(char) in "WF" else int(not unicodedata.combining(char))


def room(picture: Picture, text: str) -> float:
    """Px at height 48 that the picture has for a narrow character of ``text``; 0 where that says nothing.

    That is so for pictures that cannot be used, for upright ones, and for an empty text.
    """
    count = units(text)
    if not count or min(picture.width, picture.height) < 1 or picture.height > UPRIGHT * picture.width:
        return 0.0
    return picture.width * HEIGHT / picture.height / count


def dense(facts: LineFacts) -> Iterator[str]:
    """Pictures that are too narrow for their label."""
    for picture in facts.pictures:
        each = room(picture, facts.text)
        if len(facts.text) > 1 and 0 < each < DENSE:
            yield (
                f"{picture.image} is {picture.width} x {picture.height} px for {len(facts.text)} characters: "
                f"{each:.1f} px each at {HEIGHT} px height"
            )


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
    "image-blurred": Check(
        blurred,
        "warning",
        "Does the picture have edges?",
        "Where nobody can tell one letter from another, the model learns to guess from the context.",
        "take the line out, or scan it again",
    ),
    "text-dense": Check(
        dense,
        "warning",
        f"Has every character {DENSE:g} px of width?",
        "The recogniser takes one look every 8 px of a line 48 px high: narrower characters melt into one. "
        "The label may be that of a longer line, or the writing upright.",
        "compare picture and label; cut it from a larger scan",
    ),
}
