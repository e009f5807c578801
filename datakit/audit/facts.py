"""What checks look at: a line with its pictures and the verdict on it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from datakit.audit.pictures import Picture
from datakit.audit.polygons import upright
from datakit.audit.settings import Settings
from datakit.labels import DetBox, DetLine, RecLine

Fate = Literal["trained", "cut", "dropped", "never_learnable", "unreadable"]


@dataclass(frozen=True, slots=True)
class LineFacts:
    """A recognition line.

    ``target`` is the text that is trained (empty if none is), ``cut`` the characters of the label that the
    target lacks, ``labels`` and ``steps`` the labels of the target and the CTC time steps they need.
    """

    line: RecLine
    pictures: tuple[Picture, ...]
    settings: Settings
    fate: Fate
    reason: str
    target: str
    cut: tuple[str, ...]
    steps: int

    @property
    def text(self) -> str:
        """The label."""
        return self.line.text

    @property
    def labelled(self) -> int:
        """Characters that the trainer counts: those of the label, and the carriage return of a CR LF."""
        return len(self.line.trainer_text)


@dataclass(frozen=True, slots=True)
class PageFacts:
    """A detection line; ``picture`` is None where pictures are not looked at.

    ``counted`` are the boxes that are trained as text, with their number from 1; ``slanted`` those of them
    that are no upright rectangles inside the picture, of at least 1 px each way, written clockwise from the
    top left: most boxes are, and nothing is wrong with the geometry of such a one.
    """

    line: DetLine
    picture: Picture | None
    settings: Settings
    fate: Fate
    reason: str
    counted: tuple[tuple[int, DetBox], ...] = field(init=False)
    slanted: tuple[tuple[int, DetBox], ...] = field(init=False)

    def __post_init__(self) -> None:
        counted = tuple([(n, box) for n, box in enumerate(self.line.boxes, start=1) if not box.ignored])
        object.__setattr__(self, "counted", counted)
        picture = self.picture if self.picture and not self.picture.fault else None
        width, height = (picture.width, picture.height) if picture else (math.inf, math.inf)
        slanted = tuple([pair for pair in counted if not _plain_box(pair[1], width, height)])
        object.__setattr__(self, "slanted", slanted)


def _plain_box(box: DetBox, width: float, height: float) -> bool:
    found = upright(box.points)
    if found is None:
        return False
    left, top, right, bottom = found
    # Checks clip to the last column and row: what reaches beyond them is theirs to judge.
    inside = left >= 0 and top >= 0 and right <= width - 1 and bottom <= height - 1
    return inside and right - left >= 1 and bottom - top >= 1


@dataclass(frozen=True, slots=True)
class Where:
    """One place in a label file."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class SetFacts:
    """A whole label file, or all of them, in numbers.

    ``ignored`` counts the boxes that carry each mark.
    """

    file: str
    task: str
    boxes: int = 0
    ignored: Mapping[str, int] = field(default_factory=dict)
