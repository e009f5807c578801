"""The charts of the audit page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from markupsafe import Markup

from datakit.audit.balance import ADVICE, FLOOR
from datakit.audit.lengths import percentile, scaled_widths
from datakit.audit.report import AuditReport
from datakit.report.charts import histogram, log_log

# Values beyond this many times the limit, or beyond 99.9 %, would press the rest of a histogram flat.
_TIMES = 3


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart with its heading and sentences."""

    title: str
    sentences: tuple[str, ...]
    svg: Markup


def charts(report: AuditReport) -> Iterator[Picture]:
    """Characters, lengths, widths, boxes: those that there is something to draw of."""
    if report.characters:
        yield _characters(report)
    if report.stats.lengths and report.measures.fit:
        yield _lengths(report)
    if report.pictures is not None and report.measures.fit:
        yield _widths(report)
    if report.boxes.pages:
        yield from _boxes(report)


def _characters(report: AuditReport) -> Picture:
    trained = [count.trained_lines for count in report.characters]
    under = "; ".join(
        f"{sum(count < floor for count in trained):,} in fewer than {floor} trained lines"
        for floor in (FLOOR, ADVICE)
    )
    svg = log_log(trained, floors=(FLOOR, ADVICE), label="trained lines of each character against its rank")
    return Picture(
        "Characters: trained lines against rank, both axes logarithmic",
        (f"{len(trained):,} characters; {under}.",),
        svg,
    )


def _lengths(report: AuditReport) -> Picture:
    fitted = report.measures.fit
    assert fitted is not None
    drawn, left = _cut(report.stats.lengths, fitted.limit)
    within = f"{fitted.length_share:.1%} of the labels have at most {fitted.limit} characters."
    svg = histogram(drawn, mark=fitted.limit, label="labels by length in characters")
    return Picture("Label lengths against the limit, in characters", (within, *left), svg)


def _widths(report: AuditReport) -> Picture:
    fitted, pictures = report.measures.fit, report.pictures
    assert fitted is not None and pictures is not None
    drawn, left = _cut(scaled_widths(pictures, fitted.height), fitted.width)
    share = (
        f"{fitted.width_share or 0:.1%} of the pictures fit into {fitted.width} px; wider ones are squeezed."
    )
    svg = histogram(drawn, mark=fitted.width, label=f"pictures by width at height {fitted.height}")
    return Picture(f"Picture widths at height {fitted.height} px, against image_shape", (share, *left), svg)


def _boxes(report: AuditReport) -> Iterator[Picture]:
    boxes = report.boxes
    pages, more = _cut(boxes.per_page, max(1, percentile(boxes.per_page, 80)))
    yield Picture("Boxes of a page", (*boxes.lines()[:1], *more), histogram(pages, label="pages by boxes"))
    if boxes.sides:
        sides, left = _cut(boxes.sides, 32)
        svg = histogram(sides, label="boxes by smaller side")
        yield Picture(
            "Smaller side of the boxes in px; training masks those under 8", (*boxes.lines()[1:], *left), svg
        )


def _cut(counts: Mapping[int, int], limit: int) -> tuple[dict[int, int], tuple[str, ...]]:
    """The values worth drawing, and a sentence on those that were left out."""
    last = max(_TIMES * limit, percentile(counts, 99))
    beyond = sum(number for value, number in counts.items() if value > last)
    drawn = {value: number for value, number in counts.items() if value <= last}
    return drawn, (
        f"{beyond:,} above {last:,} are not drawn, the largest is {max(counts):,}.",
    ) if beyond else ()
