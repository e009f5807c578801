"""What checks look at: a line with its pictures and the verdict on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from datakit.audit.pictures import Picture
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
    """A detection line; ``picture`` is None where pictures are not looked at."""

    line: DetLine
    picture: Picture | None
    settings: Settings
    fate: Fate
    reason: str

    @property
    def counted(self) -> tuple[tuple[int, DetBox], ...]:
        """The boxes that are trained as text, with their number from 1."""
        return tuple((n, box) for n, box in enumerate(self.line.boxes, start=1) if not box.ignored)


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
