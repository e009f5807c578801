"""Checks on a detection page and its boxes.

Boxes marked ### or * are ignored in training and scoring, so only the others are asked for their geometry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from datakit.audit.check import Check
from datakit.audit.facts import PageFacts
from datakit.report.text import shorten, visible

# PaddleOCR ignores a box whose polygon has less than this area in square px.
LEAST_AREA = 1.0
# Labelling tools put the last row at the height itself, half a pixel outside.
SLACK = 1.0


def polygon_area(points: Sequence[tuple[float, float]]) -> float:
    """The area of a polygon in square px, by the shoelace formula, never negative."""
    doubled = 0.0
    for (x0, y0), (x1, y1) in zip(points, (*points[1:], points[0]), strict=True):
        doubled += x0 * y1 - x1 * y0
    return abs(doubled) / 2


def _clipped(points: Sequence[tuple[float, float]], width: int, height: int) -> list[tuple[float, float]]:
    return [(min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)) for x, y in points]


def _box(number: int, text: str) -> str:
    return f"box {number} '{visible(shorten(text, 30))}'"


def no_boxes(page: PageFacts) -> Iterator[str]:
    """Pages without a box."""
    if not page.line.boxes:
        yield "the page has no boxes and is dropped"


def only_ignored(page: PageFacts) -> Iterator[str]:
    """Pages with nothing but ignored boxes."""
    if page.line.boxes and not page.counted:
        yield f"all {len(page.line.boxes)} boxes are ### or *: the page is trained as background"


def few_points(page: PageFacts) -> Iterator[str]:
    """Boxes with fewer than four points."""
    for number, box in page.counted:
        if len(box.points) < 4:
            yield f"{_box(number, box.text)} has {len(box.points)} points"


def no_area(page: PageFacts) -> Iterator[str]:
    """Boxes that hold no area, by themselves or once clipped to the picture."""
    for number, box in page.counted:
        points = list(box.points)
        if page.picture and not page.picture.fault:
            points = _clipped(points, page.picture.width, page.picture.height)
        if polygon_area(points) < LEAST_AREA:
            yield f"{_box(number, box.text)} covers less than {LEAST_AREA:g} square px of the picture"


def outside(page: PageFacts) -> Iterator[str]:
    """Boxes that reach out of the picture."""
    picture = page.picture
    if picture is None or picture.fault:
        return
    for number, box in page.counted:
        over = max(max(-x, x - picture.width, -y, y - picture.height) for x, y in box.points)
        if over >= SLACK:
            size = f"{picture.width} x {picture.height}"
            yield f"{_box(number, box.text)} reaches {over:.0f} px out of the picture ({size} px)"


def empty_text(page: PageFacts) -> Iterator[str]:
    """Boxes without text."""
    for number, box in page.counted:
        if not box.text:
            yield f"box {number} has an empty text and is trained as text"


BOX_CHECKS: dict[str, Check[PageFacts]] = {
    "page-without-boxes": Check(
        no_boxes,
        "error",
        "Does the page have boxes?",
        "PaddleOCR drops a page with an empty list and trains a random other one in its place.",
        "to train it as background, mark one box ###",
    ),
    "page-only-ignored": Check(
        only_ignored,
        "info",
        "Does the page hold text that counts?",
        "Such a page still trains: everything outside its boxes is background.",
        "nothing, if that is meant",
    ),
    "box-few-points": Check(
        few_points,
        "warning",
        "Does every box have four points?",
        "PaddleOCR repeats the last point until all boxes of a page have as many: two points make no area.",
        "draw the box again",
    ),
    "box-no-area": Check(
        no_area,
        "error",
        "Does every box cover some of the picture?",
        "A box of less than one square px is silently ignored in training.",
        "draw the box again or take it out",
    ),
    "box-outside": Check(
        outside,
        "warning",
        "Do all boxes lie in the picture?",
        "Points outside are moved to the edge, which changes the shape; a large overhang means another "
        "picture or scale.",
        "clip the box, or look for a picture that was resized",
    ),
    "box-empty-text": Check(
        empty_text,
        "info",
        "Does every box that counts have a text?",
        "Detection trains it as text; crops cut from it would have no label.",
        "write the text, or ### to ignore the box",
    ),
}
