"""How many boxes a page has, how large they are, and which side length the detector needs for them.

PaddleOCR's training scales a random crop to a square (EastRandomCropData: 640 px a side in most recipes, 960
for PP-OCRv3), and leaves out of its maps what is then lower or narrower than 8 px (MakeShrinkMap). The
smallest scale is that of the whole page, ``side / longest side of the page``: a box that is too small then is
learned from small crops only. Reading limits the longest side to ``det_limit_side_len`` and never enlarges,
so that the same figure says what has shrunk too far for the detector to know.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from datakit.audit.check import Check
from datakit.audit.facts import PageFacts
from datakit.audit.polygons import polygon_area, rectangle, tame, upright
from datakit.labels import DetBox

# MakeShrinkMap's min_text_size, in px of the scaled crop.
MIN_TEXT_SIZE = 8.0
# The side of the training crop in PP-OCRv3's recipe, and the longest side when reading, by default.
DEFAULT_SIDE = 960
# Sides are multiples of 32, the stride of the network; the detector's time grows with their square.
STEP = 32
MAX_SIDE = 2560
SHARE = 0.95

_BINS = MAX_SIDE // STEP
_Bins = npt.NDArray[np.int64]
_SIZE_EDGES = (2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 512)
_COUNT_EDGES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_LARGEST = 4096


def smaller_side(box: DetBox, width: int = 0, height: int = 0) -> float:
    """The smaller side in px of the upright rectangle around ``box``, clipped to a picture of known size."""
    left, top, right, bottom = upright(box.points) or rectangle(tame(box.points))
    if width and height:
        left, right = (min(max(x, 0.0), width - 1.0) for x in (left, right))
        top, bottom = (min(max(y, 0.0), height - 1.0) for y in (top, bottom))
    return min(right - left, bottom - top)


def needed_side(smaller: float, longest: int) -> float:
    """The side of the scaled page at which ``smaller`` px become 8, for a page ``longest`` px long."""
    return MIN_TEXT_SIZE * longest / smaller if smaller > 0 else math.inf


def lost_boxes(page: PageFacts, side: int) -> Iterator[tuple[int, DetBox, float]]:
    """The counted boxes under 8 px once the whole page is ``side`` px long: number, box, smaller side then.

    Nothing where the size of the picture is not known, and no box without an area.
    """
    picture = page.picture
    if picture is None or picture.fault:
        return
    scale = side / max(picture.width, picture.height)
    for number, box in page.counted:
        smaller = smaller_side(box, picture.width, picture.height)
        if 0 < smaller * scale < MIN_TEXT_SIZE and polygon_area(tame(box.points)) >= 1:
            yield number, box, smaller * scale


@dataclass(slots=True)
class BoxStats:
    """Counts over pages, which add up; nothing in it grows with their number.

    ``sides`` maps whole px, rounded down and at most 4,096, to the counted boxes whose smaller side has them;
    ``per_page`` a number of boxes to the pages that have as many; ``needs[k]`` counts boxes that reach 8 px
    at a side of ``32 * (k + 1)`` px and not at 32 px less, its last entry those that need more than 2,560.
    ``tiny`` boxes have less than 8 px in the picture as it is, ``measured`` ones stand on a picture of known
    size.
    """

    pages: int = 0
    boxes: int = 0
    ignored: int = 0
    measured: int = 0
    tiny: int = 0
    per_page: Counter[int] = field(default_factory=Counter)
    sides: Counter[int] = field(default_factory=Counter)
    needs: _Bins = field(default_factory=lambda: np.zeros(_BINS + 1, np.int64))

    def count(self, page: PageFacts) -> None:
        """Count one page."""
        picture = page.picture if page.picture and not page.picture.fault else None
        width, height = (picture.width, picture.height) if picture else (0, 0)
        self.pages += 1
        self.boxes += len(page.line.boxes)
        self.per_page[len(page.line.boxes)] += 1
        for _, box in page.counted:
            smaller = smaller_side(box, width, height)
            self.sides[min(int(smaller), _LARGEST)] += 1
            self.tiny += smaller < MIN_TEXT_SIZE
            if picture:
                self._need(needed_side(smaller, max(width, height)))
        self.ignored = self.boxes - self.sides.total()

    def _need(self, side: float) -> None:
        self.measured += 1
        self.needs[_BINS if side > MAX_SIDE else max(math.ceil(side / STEP) - 1, 0)] += 1

    def add(self, other: BoxStats) -> None:
        """Add the counts of other pages."""
        self.pages += other.pages
        self.boxes += other.boxes
        self.ignored += other.ignored
        self.measured += other.measured
        self.tiny += other.tiny
        self.per_page.update(other.per_page)
        self.sides.update(other.sides)
        self.needs = self.needs + other.needs

    def lost_share(self, side: int) -> float:
        """The share of measured boxes under 8 px at ``side``, a multiple of 32; 0 where none was measured."""
        kept = int(self.needs[: min(side, MAX_SIDE) // STEP].sum())
        return 1 - kept / self.measured if self.measured else 0.0

    def proposed_side(self, share: float = SHARE) -> int | None:
        """The least multiple of 32 at which ``share`` of the boxes have 8 px, at most 2,560; None where no
        box was measured."""
        if not self.measured:
            return None
        reached = np.cumsum(self.needs[:_BINS]) >= share * self.measured
        return int(np.argmax(reached) + 1) * STEP if reached.any() else MAX_SIDE

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``: counts, histograms as [from, to, number] (``to`` left out at the last), the
        proposal."""
        proposed = self.proposed_side()
        return {
            "pages": self.pages,
            "boxes": self.boxes,
            "ignored": self.ignored,
            "measured": self.measured,
            "under_8_px": self.tiny,
            "boxes_per_page": binned(self.per_page, _COUNT_EDGES),
            "smaller_side_px": binned(self.sides, _SIZE_EDGES),
            "proposed_det_limit_side_len": proposed,
            "lost_share": {str(side): round(self.lost_share(side), 6) for side in (640, DEFAULT_SIDE)},
            "lost_share_proposed": round(self.lost_share(proposed), 6) if proposed else None,
        }

    def lines(self) -> list[str]:
        """For the terminal."""
        counted = self.boxes - self.ignored
        tiny = f"{self.tiny:,} of {counted:,} under 8 px as they are"
        text = [
            f"{self.pages:,} pages, {self.boxes:,} boxes ({self.ignored:,} ignored), "
            f"median {_median(self.per_page):,} a page",
            f"smaller side: median {_median(self.sides)} px, {tiny}",
        ]
        proposed = self.proposed_side()
        if proposed:
            shares = ", ".join(f"{self.lost_share(s):.1%} at {s}" for s in (640, DEFAULT_SIDE, proposed))
            enough = f", the default {DEFAULT_SIDE} is safe" if proposed <= DEFAULT_SIDE else ""
            text.append(f"under 8 px at that longest side: {shares}")
            text.append(f"det_limit_side_len: {proposed} is enough for {SHARE:.0%}{enough}")
        return text


def _median(counts: Mapping[int, int]) -> int:
    """The lower median of a histogram; 0 for an empty one."""
    left = (sum(counts.values()) + 1) // 2
    for value in sorted(counts):
        left -= counts[value]
        if left <= 0:
            return value
    return 0


def binned(counts: Mapping[int, int], edges: tuple[int, ...]) -> list[list[int]]:
    """A histogram as [from, to, number] with ``to`` exclusive, from 0; the last entry has no end."""
    starts = (0, *edges)
    totals = [0] * len(starts)
    for value, number in counts.items():
        totals[int(np.searchsorted(starts, value, side="right")) - 1] += number
    ends = [[end] for end in edges] + [[]]
    return [[start, *end, total] for start, end, total in zip(starts, ends, totals, strict=True)]


def side_too_short(stats: BoxStats) -> Iterator[str]:
    """Sets of which the default side loses more than a twentieth."""
    proposed = stats.proposed_side()
    if proposed is None or stats.lost_share(DEFAULT_SIDE) <= 1 - SHARE:
        return
    left = stats.lost_share(proposed)
    lost = f"{stats.lost_share(DEFAULT_SIDE):.1%} of {stats.measured:,} boxes"
    tiny = f" ({stats.tiny:,} have less than 8 px in the picture as it is)" if stats.tiny else ""
    yield f"{lost} are under 8 px at a longest side of {DEFAULT_SIDE}; {proposed} leaves {left:.1%}{tiny}"


BOX_SET_CHECKS: dict[str, Check[BoxStats]] = {
    "det-side-length": Check(
        side_too_short,
        "info",
        "Are the boxes large enough for the default side length?",
        "Training masks what is under 8 px on its 640 or 960 px crop, and reading shrinks pages to 960 px: "
        "smaller text is neither learned nor found.",
        "raise det_limit_side_len (and the size of EastRandomCropData), or cut pages into parts",
    ),
}
