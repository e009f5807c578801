"""Checks on a detection page and its boxes.

Boxes marked ### or * are ignored in training and scoring, so only the others are asked for their geometry.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from datakit.audit.box_sizes import MIN_TEXT_SIZE, lost_boxes
from datakit.audit.check import Check
from datakit.audit.facts import PageFacts
from datakit.audit.overlap_checks import OVERLAP_CHECKS
from datakit.audit.point_order import counter_clockwise, read_across, upside_down
from datakit.audit.polygons import crosses_itself, polygon_area
from datakit.report.text import shorten, visible

# PaddleOCR ignores a box whose polygon has less than this area in square px.
LEAST_AREA = 1.0
# Labelling tools put the last row at the height itself, half a pixel outside.
SLACK = 1.0
# Boxes named in one message; their number is exact.
_NAMED = 3


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
    for number, box in page.slanted:
        points = list(box.points)
        if crosses_itself(points):
            continue  # the two halves cancel out, which is another defect
        if page.picture and not page.picture.fault:
            points = _clipped(points, page.picture.width, page.picture.height)
        if polygon_area(points) < LEAST_AREA:
            yield f"{_box(number, box.text)} covers less than {LEAST_AREA:g} square px of the picture"


def outside(page: PageFacts) -> Iterator[str]:
    """Boxes that reach out of the picture."""
    picture = page.picture
    if picture is None or picture.fault:
        return
    for number, box in page.slanted:
        over = max(max(-x, x - picture.width, -y, y - picture.height) for x, y in box.points)
        if over >= SLACK:
            size = f"{picture.width} x {picture.height}"
            yield f"{_box(number, box.text)} reaches {over:.0f} px out of the picture ({size} px)"


def self_crossing(page: PageFacts) -> Iterator[str]:
    """Boxes whose outline cuts through itself."""
    for number, box in page.slanted:
        if crosses_itself(box.points):
            yield f"the outline of {_box(number, box.text)} crosses itself"


def against_the_clock(page: PageFacts) -> Iterator[str]:
    """Boxes whose points run counter-clockwise."""
    for number, box in page.slanted:
        if counter_clockwise(box.points):
            yield f"the points of {_box(number, box.text)} run counter-clockwise"


def wrong_first_point(page: PageFacts) -> Iterator[str]:
    """Lying boxes of several characters whose first side is a short one."""
    for number, box in page.slanted:
        if read_across(box.points, box.text):
            yield f"{_box(number, box.text)} begins at another corner than the top left of its text"


def begins_bottom_right(page: PageFacts) -> Iterator[str]:
    """Boxes whose first point is their bottom right corner."""
    for number, box in page.slanted:
        if upside_down(box.points):
            yield f"{_box(number, box.text)} begins at the bottom right: upside-down text, or a wrong order"


def lost_at_scale(page: PageFacts) -> Iterator[str]:
    """Boxes under 8 px when the whole page is the crop; one message a page."""
    side = page.settings.crop_side
    lost = sorted(((size, number, box) for number, box, size in lost_boxes(page, side)), key=lambda b: b[:2])
    if lost:
        named = ", ".join(f"{_box(number, box.text)} {size:.1f} px" for size, number, box in lost[:_NAMED])
        more = ", ..." if len(lost) > _NAMED else ""
        yield (
            f"{len(lost)} of {len(page.counted)} boxes are under {MIN_TEXT_SIZE:g} px once the page is "
            f"{side} px long: {named}{more}"
        )


def lone_star(page: PageFacts) -> Iterator[str]:
    """Boxes that an asterisk takes out of training."""
    stars = [str(number) for number, box in enumerate(page.line.boxes, start=1) if box.text == "*"]
    if stars:
        more = ", ..." if len(stars) > _NAMED else ""
        yield f"ignored for the text '*': box {', '.join(stars[:_NAMED])}{more}"


def empty_text(page: PageFacts) -> Iterator[str]:
    """Boxes without text."""
    for number, box in page.counted:
        if not box.text:
            yield f"box {number} has an empty text and is trained as text"


_CROSSED = (
    "The area of such an outline cancels out, so that the kernel DB is taught has another shape and size "
    "than the text."
)

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
    "box-self-crossing": Check(
        self_crossing,
        "error",
        "Is every outline free of crossings?",
        _CROSSED,
        "write the points in order around the text: top left, top right, bottom right, bottom left",
    ),
    "box-counter-clockwise": Check(
        against_the_clock,
        "warning",
        "Do the points run clockwise?",
        "DB turns the outline round by itself; crops cut by these points are mirrored.",
        "write the points clockwise from the top left",
    ),
    "box-first-point": Check(
        wrong_first_point,
        "warning",
        "Does the box begin at the top left of its text?",
        "DB does not mind; crops cut by these points are turned by a right angle.",
        "begin with the top left point of the text",
    ),
    "box-upside-down": Check(
        begins_bottom_right,
        "info",
        "Is no box written from its bottom right corner?",
        "Right for text that stands on its head; else crops cut by these points do.",
        "look at the picture; begin with the top left point of the text",
    ),
    "box-lost-at-scale": Check(
        lost_at_scale,
        "info",
        f"Are all boxes {MIN_TEXT_SIZE:g} px high and wide at training scale?",
        "DB's shrink map leaves smaller ones out. They are learned only from crops of a part of the page, "
        "which are enlarged.",
        "a larger EastRandomCropData size and det_limit_side_len, or pages cut into parts",
    ),
    "box-lone-star": Check(
        lone_star,
        "info",
        "Is a lone * meant to be ignored?",
        "Detection ignores a box with the text * as it does ###; some pages do print an asterisk.",
        "if the page shows an asterisk, write another text, such as x",
    ),
    **OVERLAP_CHECKS,
}
