"""The report as one HTML file."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit.badcases.alignment import diff
from datakit.badcases.analysis import BadcaseReport, Failure
from datakit.badcases.characters import Confusion
from datakit.badcases.kinds import KINDS, Kind
from datakit.report import render, thumbnail_or_none

# Failures shown of each kind: 3 kB a picture.
SHOWN = 150
MOST_ROWS = 60
MOST_CHANGED = 60
# Characters a side of the heat-map.
HEAT = 24
# What can be mended by training or relabelling comes first, habits and broken files last.
ORDER: tuple[Kind, ...] = (
    "label-suspect", "misread", "look-alike", "rare-in-training", "not-in-dictionary", "squeezed", "cut-crop",
    "turned", "poor-picture", "rule-only", "unreadable",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """A failure with its picture (None where there is none) and the runs of its difference."""

    failure: Failure
    picture: str | None
    runs: tuple[tuple[str, str, str], ...]
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """All failures of one kind: the first few as rows, and how many there are."""

    kind: str
    remedy: str
    count: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Confusions as a table: ``cells[i][j]`` is how often ``expected[i]`` was read as ``read[j]``, with its
    share (0..1) of the largest."""

    expected: tuple[str, ...]
    read: tuple[str, ...]
    cells: tuple[tuple[tuple[int, float], ...], ...]


def heat_map(confusions: Sequence[Confusion], size: int = HEAT) -> HeatMap:
    """The characters that are confused most, at most ``size`` a side; "" stands for nothing."""
    counts = {(c.expected, c.read): c.count for c in confusions}
    rows, columns = Counter[str](), Counter[str]()
    for (expected, read), count in counts.items():
        rows[expected] += count
        columns[read] += count
    left = tuple(sorted(heapq.nlargest(size, rows, key=lambda char: (rows[char], char))))
    top = tuple(sorted(heapq.nlargest(size, columns, key=lambda char: (columns[char], char))))
    most = max((counts.get((a, b), 0) for a in left for b in top), default=0) or 1
    cells = tuple(
        tuple((counts.get((a, b), 0), round(counts.get((a, b), 0) / most, 3)) for b in top) for a in left
    )
    return HeatMap(left, top, cells)


def _row(
    failure: Failure, folders: Mapping[str, Path], allow_outside: bool, reasons: tuple[str, ...] = ()
) -> Row:
    p = failure.prediction
    picture = thumbnail_or_none(folders[p.file], p.image, allow_outside=allow_outside)
    # Where more than the case is wrong, case would only hide what it is.
    runs = diff(p.label, p.text or "", ignore_case=failure.kind != "rule-only")
    return Row(failure, picture, tuple(runs), reasons)


def _groups(report: BadcaseReport, folders: Mapping[str, Path], allow_outside: bool) -> tuple[Group, ...]:
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for suspect in report.suspects[:SHOWN]:
        rows["label-suspect"].append(_row(suspect.failure, folders, allow_outside, suspect.reasons))
    wanted = sum(min(SHOWN, count) for kind, count in report.kinds.items() if kind != "label-suspect")
    for failure in report.failures:
        if not wanted:
            break
        if failure.kind != "label-suspect" and len(rows[failure.kind]) < SHOWN:
            rows[failure.kind].append(_row(failure, folders, allow_outside))
            wanted -= 1
    return tuple(
        Group(kind, KINDS[kind], report.kinds[kind], tuple(rows[kind]))
        for kind in ORDER
        if report.kinds[kind]
    )


def html_report(report: BadcaseReport, folders: Mapping[str, Path], *, allow_outside: bool = False) -> str:
    """The page: scores, rules, targets, slices, confusions, changes, and failing lines with pictures and
    differences (150 of each kind, filtered by kind without a script).

    ``folders`` maps each label file of the predictions to its data_dir.
    """
    return render(
        "badcases.html",
        report=report,
        measures=report.measures.to_dict(),
        groups=_groups(report, folders, allow_outside),
        confusions=report.confusions[:MOST_ROWS],
        heat=heat_map([c for c in report.confusions if c.count > 1] or report.confusions),
        characters=[c for c in report.characters if c.missed_lines][:MOST_ROWS],
        clusters=[c for c in report.clusters if c.missed][:MOST_ROWS],
        slices=[part.to_dict() for part in report.slices],
        places=report.places.to_dict(),
        pages=[page.to_dict() for page in report.pages[:20]],
        changed=MOST_CHANGED,
    )
