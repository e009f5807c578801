"""Checks on boxes that lie on one another."""

from __future__ import annotations

from collections.abc import Iterator

from datakit.audit.check import Check
from datakit.audit.facts import PageFacts
from datakit.audit.overlaps import Overlap, kernels_meet, left_out, overlaps
from datakit.report.text import shorten, visible

# Two boxes that share half of what they cover together stand for one place.
SAME_PLACE = 0.5
# The part of a box that lies in another one; labels are drawn by hand, so not quite all of it.
INSIDE = 0.9
# A box of which an ignored one covers this much has hardly a kernel left.
HIDDEN = 0.5
# A page is crowded where this share of its boxes, and this number, lie on others by a quarter.
CROWDED_SHARE = 0.2
CROWDED_LEAST = 3
_QUARTER = 0.25
_MANY = 600


def _counted(page: PageFacts) -> Iterator[Overlap]:
    return (pair for pair in overlaps(page.line) if not (pair.first.ignored or pair.second.ignored))


def _text(page: PageFacts, number: int) -> str:
    return page.line.boxes[number - 1].text


def _box(page: PageFacts, number: int) -> str:
    return f"box {number} '{visible(shorten(_text(page, number), 30))}'"


def _pair(page: PageFacts, pair: Overlap) -> str:
    return f"{_box(page, pair.first.number)} and {_box(page, pair.second.number)}"


def _same_text(page: PageFacts, pair: Overlap) -> bool:
    return _text(page, pair.first.number) == _text(page, pair.second.number)


def duplicate(page: PageFacts) -> Iterator[str]:
    """Two boxes of one text in one place."""
    for pair in _counted(page):
        if pair.union_share >= SAME_PLACE and _same_text(page, pair):
            yield f"{_pair(page, pair)} share {pair.union_share:.0%} of their area"


def two_texts(page: PageFacts) -> Iterator[str]:
    """Two texts in one place."""
    for pair in _counted(page):
        if pair.union_share >= SAME_PLACE and not _same_text(page, pair):
            yield f"{_pair(page, pair)} share {pair.union_share:.0%} of their area"


def _is_nested(pair: Overlap) -> bool:
    return pair.union_share < SAME_PLACE and pair.smaller_share >= INSIDE


def nested(page: PageFacts) -> Iterator[str]:
    """A box inside another one."""
    for pair in _counted(page):
        if _is_nested(pair):
            inner, outer = (_box(page, outline.number) for outline in (pair.smaller, pair.larger))
            yield f"{inner} lies in {outer} ({pair.smaller_share:.0%} of it)"


def merged(page: PageFacts) -> Iterator[str]:
    """Boxes whose kernels run into each other."""
    for pair in _counted(page):
        if pair.union_share < SAME_PLACE and not _is_nested(pair) and kernels_meet(pair):
            yield f"the kernels of {_pair(page, pair)} run into each other"


def hidden(page: PageFacts) -> Iterator[str]:
    """Boxes that an ignored one covers."""
    for pair in overlaps(page.line):
        if pair.first.ignored == pair.second.ignored:
            continue
        shown, mask = (pair.second, pair.first) if pair.first.ignored else (pair.first, pair.second)
        share = pair.shared / shown.area
        if share >= HIDDEN:
            yield f"{share:.0%} of {_box(page, shown.number)} lies under the ignored box {mask.number}"


def crowded(page: PageFacts) -> Iterator[str]:
    """Pages on which many boxes lie on others; one message a page."""
    found = {
        outline.number
        for pair in _counted(page)
        if pair.smaller_share >= _QUARTER
        for outline in (pair.first, pair.second)
    }
    every = len(page.counted)
    if len(found) >= CROWDED_LEAST and len(found) >= CROWDED_SHARE * every:
        yield f"{len(found)} of {every} boxes lie on others, by a quarter of the smaller one or more"


def uncompared(page: PageFacts) -> Iterator[str]:
    """Pages with more boxes side by side than are compared; one message a page."""
    # So many boxes have to stand there before there can be so many pairs.
    if len(page.line.boxes) >= _MANY and (number := left_out(page.line)):
        yield f"{number:,} pairs of its {len(page.line.boxes):,} boxes were not compared with each other"


OVERLAP_CHECKS: dict[str, Check[PageFacts]] = {
    "box-duplicate": Check(
        duplicate,
        "warning",
        "Is every text boxed once?",
        "A second box counts as a text that is missed, since one box is found.",
        "take one of the two out",
    ),
    "box-two-texts": Check(
        two_texts,
        "warning",
        "Does every place have one text?",
        "One of the two texts stands elsewhere on the page; DB is taught one region, crops two texts.",
        "look at the page and move or take out the wrong box",
    ),
    "box-nested": Check(
        nested,
        "warning",
        "Are boxes free of boxes inside?",
        "The inner text is taught twice, as a text of its own and as a part of the outer one.",
        "keep the boxes of single lines or words, as in the rest of the set",
    ),
    "box-merged": Check(
        merged,
        "warning",
        "Do the kernels of neighbours stay apart?",
        "DB is taught the polygon shrunk inwards; where two of these touch, two texts become one region.",
        "draw the boxes close to the ink; on slanted text follow the slant",
    ),
    "box-hidden": Check(
        hidden,
        "warning",
        "Does no ignored box cover one that counts?",
        "DB masks the whole area of an ignored box, and the text under it is not trained.",
        "draw the ignored box around the illegible text only",
    ),
    "page-crowded": Check(
        crowded,
        "info",
        "Do the boxes of a page lie side by side?",
        "Crops cut from such boxes show parts of their neighbours.",
        "polygons that follow the text, where upright rectangles overlap",
    ),
    "box-pairs-left": Check(
        uncompared,
        "warning",
        "Were all boxes of the page compared?",
        "No page of text holds so many boxes side by side; of some it is not known what lies on what.",
        "look at the page: boxes are repeated, or it has to be cut into several",
    ),
}
