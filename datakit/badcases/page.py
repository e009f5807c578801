"""The report as one HTML file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from datakit.badcases.alignment import diff
from datakit.badcases.analysis import BadcaseReport, Failure
from datakit.badcases.kinds import KINDS
from datakit.report import render, thumbnail_or_none

# Failures shown of each kind: 3 kB a picture.
SHOWN = 150
MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class Row:
    """A failure with its picture (None where there is none) and the runs of its difference."""

    failure: Failure
    picture: str | None
    runs: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """All failures of one kind: the first few as rows, and how many there are."""

    kind: str
    remedy: str
    count: int
    rows: tuple[Row, ...]


def _row(failure: Failure, folders: Mapping[str, Path], allow_outside: bool) -> Row:
    p = failure.prediction
    picture = thumbnail_or_none(folders[p.file], p.image, allow_outside=allow_outside)
    return Row(failure, picture, tuple(diff(p.label, p.text or "")))


def _groups(report: BadcaseReport, folders: Mapping[str, Path], allow_outside: bool) -> Iterator[Group]:
    # What can be mended by training comes first.
    for kind in reversed(KINDS):
        failures = [failure for failure in report.failures if failure.kind == kind]
        if failures:
            rows = tuple(_row(failure, folders, allow_outside) for failure in failures[:SHOWN])
            yield Group(kind, KINDS[kind], len(failures), rows)


def html_report(report: BadcaseReport, folders: Mapping[str, Path], *, allow_outside: bool = False) -> str:
    """The page: scores, targets, confusions, and failing lines with pictures and differences (150 of each
    kind).

    ``folders`` maps each label file of the predictions to its data_dir.
    """
    return render(
        "badcases.html",
        report=report,
        groups=tuple(_groups(report, folders, allow_outside)),
        confusions=report.confusions[:MOST_ROWS],
        characters=[c for c in report.characters if c.missed_lines][:MOST_ROWS],
    )
