"""A training set against the figures of PaddleOCR's fine-tuning guide and FAQ.

Sizes are held against the kept lines of the domain's own sources, ratios against the trained lines of one
epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from datakit.audit.check import Check
from datakit.audit.epoch import Epoch, epoch
from datakit.audit.stats import SourceStats

# The guide: so many recognition lines (dictionary unchanged) and detection pages of one's own at least.
LEAST_REC = 5000
LEAST_DET = 500
# The FAQ: basic results of a recogniser need every character in so many lines.
LINES_A_CHARACTER = 200
# The guide says "about 1:1" and gives no range; beyond twice the one or the other it is no longer about one.
ABOUT_ONE = 2.0
# Real lines for each synthetic one where these are made for characters that fail (the guide's original to
# new).
TARGETED = (5, 10)
# Synthetic lines for each real one where they are a part of every batch (the FAQ).
BULK = (1, 3)
_NAMED = 6


def few_lines(found: Epoch) -> Iterator[str]:
    """Recognition sets under the guide's size."""
    if found.task == "rec" and found.own < LEAST_REC:
        yield (
            f"{found.own:,} lines of the domain are kept, the guide asks for {LEAST_REC:,} at least: "
            f"{LEAST_REC - found.own:,} are missing"
        )


def new_classes(found: Epoch) -> Iterator[str]:
    """A dictionary that the weights were not trained with."""
    if found.task == "rec" and found.new_dictionary:
        every = found.dictionary or 0
        yield (
            f"the dictionary ({every:,} characters) is not that of the weights: the guide asks for more than "
            f"{LEAST_REC:,} lines without a figure, the FAQ for {LINES_A_CHARACTER} lines a character; "
            f"{found.own:,} lines are kept"
        )


def few_pages(found: Epoch) -> Iterator[str]:
    """Detection sets under the guide's size."""
    if found.task == "det" and found.own < LEAST_DET:
        yield (
            f"{found.own:,} pages of the domain are kept, the guide asks for {LEAST_DET:,} at least: "
            f"{LEAST_DET - found.own:,} are missing"
        )


def draws(found: Epoch) -> Iterator[str]:
    """What an epoch is made of, where it is more than every line once."""
    if len(found.sources) > 1 or any(part.source.ratio != 1 for part in found.sources):
        parts = [
            f"{part.trained:,} of {part.source.kept:,} from {part.source.file} at {part.source.ratio:g}"
            for part in found.sources[:_NAMED]
        ]
        more = f" and {len(found.sources) - _NAMED} more sources" if len(found.sources) > _NAMED else ""
        yield f"{sum(part.trained for part in found.sources):,} lines: {', '.join(parts)}{more}"


def never_drawn(found: Epoch) -> Iterator[str]:
    """Sources that an epoch takes nothing from."""
    for part in found.sources:
        if not part.trained:
            yield (
                f"{part.source.file}: nothing is trained from its {part.source.lines:,} lines "
                f"({part.source.kept:,} kept) at ratio {part.source.ratio:g}"
            )


def no_general(found: Epoch) -> Iterator[str]:
    """Mixes without general lines."""
    if found.mixed and found.domain and not found.general:
        yield f"an epoch holds {found.domain:,} lines of the domain and no general ones"


def _to_one(left: int, right: int) -> str:
    return f"{left / right:.1f} : 1" if left >= right else f"1 : {right / left:.1f}"


def uneven(found: Epoch) -> Iterator[str]:
    """Domain and general lines that are not about as many."""
    domain, general = found.domain, found.general
    if domain and general and max(domain, general) > ABOUT_ONE * min(domain, general):
        yield (
            f"an epoch holds {domain:,} lines of the domain and {general:,} general ones, "
            f"{_to_one(domain, general)}; the guide: about 1 : 1"
        )


def _synthetic_share(found: Epoch) -> tuple[int, int, str] | None:
    """Real and synthetic lines of an epoch and a sentence with both; None where either is missing."""
    real, synthetic = found.domain + found.general, found.synthetic
    if not real or not synthetic:
        return None
    return (
        real,
        synthetic,
        f"{real:,} real and {synthetic:,} synthetic lines an epoch, {_to_one(real, synthetic)}",
    )


def much_synthetic(found: Epoch) -> Iterator[str]:
    """More synthetic lines than the FAQ's three for a real one."""
    share = _synthetic_share(found)
    if share and share[1] > BULK[1] * share[0]:
        yield f"{share[2]}; 1 : {BULK[1]} at most"


def between_ranges(found: Epoch) -> Iterator[str]:
    """A share that is neither the one for targeted lines nor the one for bulk."""
    share = _synthetic_share(found)
    if share and BULK[0] * share[1] < share[0] < TARGETED[0] * share[1]:
        yield (
            f"{share[2]}; lines made for what fails: 10 : 1 to 5 : 1, synthetic lines as bulk: 1 : 1 to 1 : 3"
        )


def little_synthetic(found: Epoch) -> Iterator[str]:
    """Fewer synthetic lines than one in ten real ones."""
    share = _synthetic_share(found)
    if share and share[0] > TARGETED[1] * share[1]:
        yield f"{share[2]}; {TARGETED[1]} : 1 at most"


_EPOCH_FIX = "other ratios: datakit mix computes them"

GUIDE_CHECKS: dict[str, Check[Epoch]] = {
    "guide-rec-size": Check(
        few_lines,
        "warning",
        f"Are there {LEAST_REC:,} lines of the domain?",
        f"PaddleOCR's guide asks for {LEAST_REC:,} real lines at least where the dictionary stays.",
        "label more lines, or make some with datakit synth",
    ),
    "guide-new-dictionary": Check(
        new_classes,
        "info",
        "Is the dictionary that of the weights?",
        "With another dictionary the last layer starts anew: all its classes are learnt from these "
        "lines alone.",
        "keep the dictionary (--dict-mode union keeps the old rows), or bring many more lines",
    ),
    "guide-det-size": Check(
        few_pages,
        "warning",
        f"Are there {LEAST_DET:,} pages of the domain?",
        f"PaddleOCR's guide asks for {LEAST_DET:,} pages at least to fine-tune a detector.",
        "label more pages",
    ),
    "guide-epoch": Check(
        draws,
        "info",
        "What does each source give in one epoch?",
        "Ratios decide what is trained, not the sizes of the files.",
        "nothing, if that is meant",
    ),
    "guide-not-drawn": Check(
        never_drawn,
        "warning",
        "Is something trained from every source?",
        "A small ratio, or lines that are all lost, leave a source out of every epoch.",
        _EPOCH_FIX,
    ),
    "guide-no-general": Check(
        no_general,
        "info",
        "Are there general lines beside the domain's?",
        "Without them a fine-tuned model forgets what it could read before.",
        "datakit mix --general LABELS",
    ),
    "guide-domain-general": Check(
        uneven,
        "warning",
        "Are domain and general lines about as many in an epoch?",
        "The guide keeps them at about 1:1; reported are ratios beyond 2:1 and 1:2.",
        _EPOCH_FIX,
    ),
    "guide-synthetic-much": Check(
        much_synthetic,
        "warning",
        "Are there at most three synthetic lines for a real one?",
        "With more the model fits the renderer and reads pictures worse (FAQ).",
        _EPOCH_FIX,
    ),
    "guide-synthetic-between": Check(
        between_ranges,
        "info",
        "Is the share of synthetic lines one that the guide or the FAQ names?",
        "Lines made for what fails are few, so that one scene does not take over; bulk is as much as "
        "the real lines or up to three times that.",
        _EPOCH_FIX,
    ),
    "guide-synthetic-little": Check(
        little_synthetic,
        "info",
        "Are the synthetic lines enough to matter?",
        "The guide takes at least one new line for ten old ones.",
        _EPOCH_FIX,
    ),
}


def guide(
    sources: Sequence[SourceStats],
    task: str,
    *,
    new_dictionary: bool = False,
    dictionary: int | None = None,
) -> list[tuple[str, str]]:
    """All that the guide has to say about one task's sources, as (code, message)."""
    found = epoch(sources, task, new_dictionary=new_dictionary, dictionary=dictionary)
    return [(code, message) for code, check in GUIDE_CHECKS.items() for message in check.run(found)]
