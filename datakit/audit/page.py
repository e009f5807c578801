"""The audit as one HTML file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from datakit.audit.balance import ADVICE, FLOOR
from datakit.audit.check import Check
from datakit.audit.registry import CHECKS
from datakit.audit.report import AuditReport
from datakit.audit.tally import Hit
from datakit.report import rank_frequency, render, thumbnail_or_none

# Findings shown of a check, and pictures on the whole page: 3 kB a thumbnail, so the page stays under a few
# MB.
SHOWN = 25
MOST_PICTURES = 300
MOST_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Row:
    """A finding with its picture, None where there is none to show."""

    hit: Hit
    picture: str | None


@dataclass(frozen=True, slots=True)
class Group:
    """All findings of one check: the first few as rows, and how many there are."""

    code: str
    check: Check[object]
    count: int
    rows: tuple[Row, ...]


def _groups(report: AuditReport, allow_outside: bool) -> Iterator[Group]:
    left = MOST_PICTURES
    for code, hits in groupby(report.hits, key=lambda hit: hit.finding.code):
        rows = []
        for hit in list(hits)[:SHOWN]:
            picture = None
            if hit.images and left > 0:
                picture = thumbnail_or_none(Path(hit.data_dir), hit.images[0], allow_outside=allow_outside)
                left -= picture is not None
            rows.append(Row(hit, picture))
        yield Group(code, CHECKS[code], report.counts[code], tuple(rows))


def html_report(report: AuditReport, *, allow_outside: bool = False) -> str:
    """The page: counts, findings with thumbnails (at most 25 a check), character frequency."""
    trained = [count.trained_lines for count in report.characters]
    return render(
        "audit.html",
        report=report,
        groups=tuple(_groups(report, allow_outside)),
        chart=rank_frequency(trained, floors=(FLOOR, ADVICE)),
        characters=report.characters[:MOST_CHARACTERS],
        floors={floor: sum(count < floor for count in trained) for floor in (FLOOR, ADVICE)},
    )
