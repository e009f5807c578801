"""Checks on the distance of a set from a reference set."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from datakit.audit.balance import SHORT, shown
from datakit.audit.check import Check
from datakit.audit.distance import Distance, Part

# Fewer lines in either set tell nothing.
LEAST_LINES = 20
_NAMED = 5

# Excess distances beyond which a set is reported. Measured on the real sets of ../shared/data
# (docs/results.md): training against validation set of one source at most 0.32 (characters), 0.18 (lengths),
# 0.31 (heights), 0.23 (sharpness), 0.44 (contrast; lines of one scanned page share theirs); of different
# sources at least 0.57 (characters), 0.33 (lengths), 0.35 (sharpness), while heights and contrast can agree
# by accident.
THRESHOLDS = {"characters": 0.4, "lengths": 0.25, "heights": 0.35, "sharpness": 0.3, "contrast": 0.5}
# A share of short or spaced texts is reported below half of the reference's, if that is at least one in
# twenty and the difference is beyond three standard errors.
LEAST_SHARE = 0.05


def _named(parts: Sequence[Part]) -> str:
    return " ".join(
        f"{shown(part.key) if len(part.key) == 1 else part.key} ({part.ours:.1%}, there {part.reference:.1%})"
        for part in parts[:_NAMED]
    )


def _enough(found: Distance) -> bool:
    return min(found.lines) >= LEAST_LINES


def _far(name: str, found: Distance) -> Iterator[str]:
    compared = found.aspects.get(name)
    if compared is None or not _enough(found) or compared.excess < THRESHOLDS[name]:
        return
    message = f"{name} are" if name in ("characters", "lengths", "heights") else f"{name} is"
    message += f" {compared.distance:.2f} from the reference ({compared.chance:.2f} by chance)"
    if compared.under:
        message += f"; too little: {_named(compared.under)}"
    if compared.over:
        message += f"; too much: {_named(compared.over)}"
    yield message


def far_characters(found: Distance) -> Iterator[str]:
    """Sets with other characters than the reference."""
    yield from _far("characters", found)


def far_lengths(found: Distance) -> Iterator[str]:
    """Sets with other lengths than the reference."""
    yield from _far("lengths", found)


def far_heights(found: Distance) -> Iterator[str]:
    """Sets with pictures of another size than the reference."""
    yield from _far("heights", found)


def far_sharpness(found: Distance) -> Iterator[str]:
    """Sets with pictures sharper or more blurred than the reference."""
    yield from _far("sharpness", found)


def far_contrast(found: Distance) -> Iterator[str]:
    """Sets with pictures of another contrast than the reference."""
    yield from _far("contrast", found)


def unseen_characters(found: Distance) -> Iterator[str]:
    """Characters that are asked for and not trained."""
    if found.unseen:
        listed = " ".join(f"{shown(char)}:{lines}" for char, lines in found.unseen[:20])
        more = " ..." if len(found.unseen) > 20 else ""
        noun = "character" if len(found.unseen) == 1 else "characters"
        yield (
            f"{len(found.unseen)} {noun} of the reference in no kept line (reference lines that hold "
            f"them): {listed}{more}"
        )


def _fewer(found: Distance, shares: tuple[float, float], what: str) -> Iterator[str]:
    ours, wanted = shares
    error = math.sqrt(wanted * (1 - wanted) / max(found.lines[1], 1))
    if _enough(found) and wanted >= LEAST_SHARE and ours * 2 < wanted and wanted - ours > 3 * error:
        yield f"{ours:.1%} of the texts {what}, {wanted:.1%} in the reference"


def fewer_short(found: Distance) -> Iterator[str]:
    """Sets with far fewer short texts than the reference."""
    yield from _fewer(found, found.short, f"have at most {SHORT} characters")


def fewer_spaced(found: Distance) -> Iterator[str]:
    """Sets with far fewer texts that hold a space than the reference."""
    yield from _fewer(found, found.spaced, "hold a space")


_WHY = "The guide: the data should be spread as in the scene where the model is used."

DISTANCE_CHECKS: dict[str, Check[Distance]] = {
    "reference-characters": Check(
        far_characters,
        "warning",
        "Are the characters spread as in the reference set?",
        _WHY,
        "other sources or ratios; datakit synth --chars for what is short",
    ),
    "reference-lengths": Check(
        far_lengths,
        "warning",
        "Are the texts as long as in the reference set?",
        _WHY,
        "add texts of the lengths that are short",
    ),
    "reference-heights": Check(
        far_heights,
        "info",
        "Are the pictures as large as in the reference set?",
        "Lines scaled up to the training height are blurred, others are not.",
        "cut the lines from scans of the same resolution",
    ),
    "reference-sharpness": Check(
        far_sharpness,
        "warning",
        "Are the pictures as sharp as in the reference set?",
        "A model trained on sharp pictures only fails on blurred ones.",
        "degrade synthetic lines more or less, or take pictures of the same camera",
    ),
    "reference-contrast": Check(
        far_contrast,
        "info",
        "Is the contrast as in the reference set?",
        _WHY,
        "paper, light and degradation as in the reference",
    ),
    "reference-unseen": Check(
        unseen_characters,
        "warning",
        "Is every character of the reference set trained?",
        "What is asked for in the scene and never shown is left to what the model knew before.",
        "datakit synth --chars ... --per-char 200",
    ),
    "reference-short": Check(
        fewer_short,
        "warning",
        "Are there as many short texts as in the reference set?",
        "The guide: where the scene has many short texts, the training data needs them too.",
        "add short texts",
    ),
    "reference-spaces": Check(
        fewer_spaced,
        "warning",
        "Are there as many texts with spaces as in the reference set?",
        "The guide: where spaces matter, the training data needs texts with spaces.",
        "add texts with spaces",
    ),
}
