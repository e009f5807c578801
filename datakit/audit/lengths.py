"""The 80 % rule: the image_shape and the max_text_length that a set asks for.

PaddleOCR's FAQ chooses the training width so that 80 % of the training pictures keep their aspect ratio, and
the longest text so that 80 % of the labels fit. Everything here is counted, not estimated: a percentile is
the smallest value that at least so many of the lines do not exceed (nearest rank).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from datakit.audit.check import Check
from datakit.audit.settings import STRIDE, Settings
from datakit.audit.stats import PictureStats, TextStats
from datakit.encoders import RESERVED

RULE = 80
COVERS = (80, 95, 99)
# Widths are multiples of this: the backbone halves the width three times, and buckets step by 32 px.
WIDTH_STEP = 32
# Fewer lines than this set no rule.
LEAST_LINES = 20


def percentile(counts: Mapping[int, int], percent: int) -> int:
    """The smallest value that at least ``percent`` of all entries do not exceed; ``counts``: value ->
    entries.

    Raises:
        ValueError: no entry at all.
    """
    total = sum(counts.values())
    if total < 1:
        raise ValueError("no entry to take a percentile of")
    reached = 0
    for value in sorted(counts):
        reached += counts[value]
        if counts[value] and reached * 100 >= percent * total:
            return value
    return max(counts)


def share_within(counts: Mapping[int, int], limit: int) -> float:
    """The share (0..1) of entries whose value is at most ``limit``; 1 for no entry."""
    total = sum(counts.values())
    return sum(count for value, count in counts.items() if value <= limit) / total if total else 1.0


def scaled_widths(pictures: PictureStats, height: int) -> dict[int, int]:
    """Widths in px that the pictures have at ``height``, rounded up as PaddleOCR does, with their numbers."""
    heights = pictures.heights.astype(np.int64)
    scaled = -(-pictures.widths.astype(np.int64) * height // np.maximum(heights, 1))
    values, counts = np.unique(scaled[heights > 0], return_counts=True)
    return {int(value): int(count) for value, count in zip(values, counts, strict=True)}


def padded(width: int) -> int:
    """``width`` rounded up to a multiple of 32 px, at least 32."""
    return max(WIDTH_STEP, -(-width // WIDTH_STEP) * WIDTH_STEP)


@dataclass(frozen=True, slots=True)
class Cover:
    """What ``percent`` of the lines need: ``width`` px (None without pictures), ``characters`` of a label,
    ``max_text_length`` with the places that the encoder keeps for itself.
    """

    percent: int
    width: int | None
    characters: int
    max_text_length: int


@dataclass(frozen=True, slots=True)
class Fit:
    """How a set fits the trainer's shape and limit.

    ``width_share`` of the pictures (None without pictures) keep their aspect ratio at ``width`` px,
    ``length_share`` of the labels have at most ``limit`` characters (``max_text_length`` less the encoder's
    own places). ``repeats`` is what CTC needs for equal neighbours beside a step a label.
    """

    lines: int
    height: int
    width: int
    encoder: str
    max_text_length: int
    limit: int
    repeats: int
    width_share: float | None
    length_share: float
    covers: tuple[Cover, ...]

    def cover(self, percent: int) -> Cover:
        """The cover of one of :data:`COVERS`."""
        return next(cover for cover in self.covers if cover.percent == percent)

    @property
    def ctc(self) -> bool:
        """Whether the encoder trains a CTC head, alone or beside attention."""
        return self.encoder in ("ctc", "multi")

    def width_for(self, characters: int) -> int:
        """The multiple of 32 px whose time steps hold ``characters`` labels and the repeats."""
        return padded(STRIDE * (characters + self.repeats))

    def shape_for(self, percent: int) -> tuple[int, int, int]:
        """The ``image_shape`` (channels, height, width) for ``percent`` of the lines, wide enough for CTC
        too.
        """
        cover = self.cover(percent)
        needed = self.width_for(cover.characters) if self.ctc else WIDTH_STEP
        return (3, self.height, max(needed, cover.width or 0))

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        proposed = [{**asdict(cover), "image_shape": self.shape_for(cover.percent)} for cover in self.covers]
        return {
            "lines": self.lines,
            "width": self.width,
            "width_share": None if self.width_share is None else round(self.width_share, 4),
            "max_text_length": self.max_text_length,
            "limit": self.limit,
            "length_share": round(self.length_share, 4),
            "proposed": proposed,
        }


def fit(text: TextStats, pictures: PictureStats | None, settings: Settings, *, repeats: int = 0) -> Fit:
    """Hold a set against ``settings.image_shape`` and ``settings.max_text_length``.

    ``repeats`` are the equal neighbours that a label at the limit is expected to have.

    Raises:
        ValueError: ``text`` holds no line.
    """
    _, height, width = settings.image_shape
    widths = scaled_widths(pictures, height) if pictures is not None else {}
    reserved = RESERVED[settings.encoder]
    covers = []
    for percent in COVERS:
        characters = percentile(text.lengths, percent)
        needed = padded(percentile(widths, percent)) if widths else None
        covers.append(Cover(percent, needed, characters, characters + reserved))
    return Fit(
        lines=text.lines,
        height=height,
        width=width,
        encoder=settings.encoder,
        max_text_length=settings.max_text_length,
        limit=settings.limit,
        repeats=repeats,
        width_share=share_within(widths, width) if widths else None,
        length_share=share_within(text.lengths, settings.limit),
        covers=tuple(covers),
    )


def fit_lines(fitted: Fit) -> list[str]:
    """The 80 % rule in one line for the limit and one for the width."""
    rule, most = fitted.cover(RULE), fitted.cover(95)
    lines = [
        f"limit: {fitted.length_share:.1%} of the labels have at most {fitted.limit} characters; "
        f"max_text_length {rule.max_text_length} holds {RULE} %, {most.max_text_length} holds 95 %"
    ]
    if fitted.width_share is not None:
        lines.append(
            f"width: {fitted.width_share:.1%} of the pictures fit into {fitted.width} px at height "
            f"{fitted.height}; {rule.width} px hold {RULE} %, {most.width} px 95 %"
        )
    return lines


def narrow(fitted: Fit) -> Iterator[str]:
    """Sets of which more than a fifth is squeezed."""
    share = fitted.width_share
    if share is not None and fitted.lines >= LEAST_LINES and share * 100 < RULE:
        shape = list(fitted.shape_for(RULE))
        cost = shape[2] / fitted.width
        yield (
            f"{share:.1%} of the pictures fit into {fitted.width} px; image_shape {shape} holds {RULE} % "
            f"({cost:.1f} x the time a step), {list(fitted.shape_for(95))} holds 95 %"
        )


def short_limit(fitted: Fit) -> Iterator[str]:
    """Sets of which more than a fifth is over the limit."""
    if fitted.lines >= LEAST_LINES and fitted.length_share * 100 < RULE:
        rule, most = fitted.cover(RULE), fitted.cover(95)
        yield (
            f"{fitted.length_share:.1%} of the labels have at most {fitted.limit} characters; "
            "max_text_length "
            f"{rule.max_text_length} holds {RULE} %, {most.max_text_length} holds 95 % (with image_shape "
            f"{list(fitted.shape_for(95))})"
        )


def limit_over_steps(fitted: Fit) -> Iterator[str]:
    """A limit that lets labels through which CTC cannot place."""
    steps = fitted.width // STRIDE
    if fitted.ctc and fitted.limit + fitted.repeats > steps:
        yield (
            f"max_text_length {fitted.max_text_length} lets {fitted.limit} labels through, "
            f"{fitted.width} px give {steps} time steps: {fitted.width_for(fitted.limit)} px are needed"
        )


LENGTH_CHECKS: dict[str, Check[Fit]] = {
    "width-under-80": Check(
        narrow,
        "warning",
        f"Do {RULE} % of the pictures fit into the width of image_shape?",
        f"PaddleOCR's FAQ chooses the width that {RULE} % of the training pictures fit into; wider ones "
        "are squeezed in training and not where inference uses the line's own width.",
        "the image_shape that the message names",
    ),
    "limit-under-80": Check(
        short_limit,
        "warning",
        f"Are {RULE} % of the labels within the length limit?",
        f"PaddleOCR's FAQ chooses the length that {RULE} % of the labels have; longer ones are dropped.",
        "the max_text_length that the message names, and the width with it",
    ),
    "limit-over-steps": Check(
        limit_over_steps,
        "warning",
        "Has the width as many time steps as the limit has characters?",
        "CTC needs a time step (8 px) a label: a longer label that the limit lets through has loss 0 "
        "and gradient 0.",
        "the width that the message names, or a lower max_text_length",
    ),
}
