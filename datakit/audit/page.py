"""The audit as one HTML file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import PurePath

from datakit.audit.check import Check
from datakit.audit.fix import BACKSLASH
from datakit.audit.mends import TEXT_MENDS, mend_text
from datakit.audit.page_charts import charts
from datakit.audit.page_crops import Crops
from datakit.audit.readings import READING_CHECKS
from datakit.audit.registry import CHECKS
from datakit.audit.report import AuditReport, CharacterCount
from datakit.audit.tally import Hit
from datakit.audit.todo import steps
from datakit.charset import Charset
from datakit.records import SEVERITIES
from datakit.report import render
from datakit.suspects import Suspect, edits_of

# Findings shown of a check, first steps, suspects, mended labels of a check, characters of an order.
SHOWN = 25
MOST_STEPS = 8
MOST_SUSPECTS = 150
MOST_MENDED = 5
MOST_CHARACTERS = 600


@dataclass(frozen=True, slots=True)
class Row:
    """A finding with its picture, None where there is none to show, and the one beside it."""

    hit: Hit
    picture: str | None
    beside: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """All findings of one check: the first few as rows, how many there are, and the lines lost to it."""

    code: str
    check: Check[object]
    count: int
    lost: int
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class SuspectRow:
    """A label that is probably wrong: its picture, and label and reading as runs (kind, label, read)."""

    suspect: Suspect
    picture: str | None
    runs: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Mended:
    """What ``--fix`` does about one check: its findings, and some labels before and after."""

    code: str
    count: int
    samples: tuple[tuple[str, int | None, str, str], ...]


def html_report(report: AuditReport, *, charset: Charset | None = None, allow_outside: bool = False) -> str:
    """The page: what to do first, labels that are probably wrong, every check with examples, what ``--fix``
    changes, charts, characters.

    Counts are exact; shown are at most 25 findings a check, 150 suspects, 400 pictures and 4 MB of them, so
    that the page does not grow with the set. ``charset`` is what ``--fix`` would go by.
    """
    crops = Crops(allow_outside=allow_outside)
    suspects = tuple(_suspects(report, crops))
    groups = tuple(_groups(report, crops))
    return render(
        "audit.html",
        report=report,
        steps=steps(report)[:MOST_STEPS],
        suspects=suspects,
        groups=groups,
        orders=_orders(groups),
        mended=tuple(_mended(report, charset)),
        charts=tuple(charts(report)),
        measures=report.measures.lines(),
        character_orders=_character_orders(report.characters),
        names=_names(report),
    )


def _names(report: AuditReport) -> dict[str, str]:
    """What the page calls each file: its name, where no other file has the same."""
    short = {file.file: PurePath(file.file).name for file in report.files}
    several = len(set(short.values())) < len(short)
    return {file: file for file in short} if several else short


def _groups(report: AuditReport, crops: Crops) -> Iterator[Group]:
    tasks = {file.file: file.task for file in report.files}
    for code, of_code in groupby(report.hits, key=lambda hit: hit.finding.code):
        # Suspects have a table of their own.
        hits = [] if code in READING_CHECKS else _shown(list(of_code))
        rows = [
            Row(hit, crops.of(hit, tasks.get(hit.finding.file, "rec")), _beside(hit, crops)) for hit in hits
        ]
        lost = report.totals.reasons.get(code, 0)
        yield Group(code, CHECKS[code], report.counts[code], lost, tuple(rows))


def _beside(hit: Hit, crops: Crops) -> str | None:
    return crops.line(*hit.beside) if hit.beside else None


def _shown(hits: list[Hit]) -> list[Hit]:
    """Some findings from all over the file, in order: the first ones are often of one page."""
    if len(hits) <= SHOWN:
        return hits
    return [hits[number * len(hits) // SHOWN] for number in range(SHOWN)]


def _orders(groups: Sequence[Group]) -> dict[str, list[Group]]:
    """The checks in the orders that the reader chooses from."""

    def worst(group: Group) -> tuple[int, int]:
        return -SEVERITIES.index(group.check.severity), -group.count

    return {
        "lines lost": sorted(groups, key=lambda group: (-group.lost, *worst(group))),
        "severity": sorted(groups, key=worst),
        "findings": sorted(groups, key=lambda group: -group.count),
        "name": sorted(groups, key=lambda group: group.code),
    }


def _character_orders(characters: Sequence[CharacterCount]) -> dict[str, list[CharacterCount]]:
    if not characters:
        return {}
    return {
        "rarest first": list(characters[:MOST_CHARACTERS]),
        "most frequent first": list(islice(reversed(characters), MOST_CHARACTERS)),
        "by code point": sorted(characters, key=lambda count: count.char)[:MOST_CHARACTERS],
    }


def _suspects(report: AuditReport, crops: Crops) -> Iterator[SuspectRow]:
    if report.readings is None:
        return
    folders = {file.file: file.data_dir for file in report.files}
    for suspect in report.readings.suspects[:MOST_SUSPECTS]:
        p = suspect.prediction
        picture = crops.line(folders[p.file], p.image, 64) if p.file in folders else None
        yield SuspectRow(suspect, picture, tuple(_runs(p.label, p.text or "")))


def _runs(label: str, text: str) -> Iterator[tuple[str, str, str]]:
    """Label and reading aligned: ("equal" or "changed", part of the label, part of the reading)."""
    kinds: list[tuple[str, str, str]] = []
    i = j = 0

    def equal(until: int) -> None:
        nonlocal i, j
        if until > i:
            kinds.append(("equal", label[i:until], ""))
            j += until - i
            i = until

    for tag, at, other in edits_of(*_caseless(label, text)):
        equal(at)
        kinds.append(
            ("changed", label[at] if tag != "insert" else "", text[other] if tag != "delete" else "")
        )
        i, j = at + (tag != "insert"), other + (tag != "delete")
    equal(len(label))
    for kind, parts in groupby(kinds, key=lambda run: run[0]):
        joined = list(parts)
        yield kind, "".join(part[1] for part in joined), "".join(part[2] for part in joined)


def _caseless(label: str, text: str) -> tuple[str, str]:
    """Both without case, which is not what makes a label suspect, where that changes no length."""
    folded = label.casefold(), text.casefold()
    return folded if (len(folded[0]), len(folded[1])) == (len(label), len(text)) else (label, text)


def _mended(report: AuditReport, charset: Charset | None) -> Iterator[Mended]:
    tasks = {file.file: file.task for file in report.files}
    by_code: dict[str, list[Hit]] = {}
    for hit in report.hits:
        by_code.setdefault(hit.finding.code, []).append(hit)
    for code in ("bom", "crlf", BACKSLASH, *TEXT_MENDS):
        if report.counts.get(code):
            texts = (hit for hit in by_code.get(code, ()) if tasks.get(hit.finding.file) == "rec")
            yield Mended(
                code, report.counts[code], tuple(islice(_samples(code, texts, charset), MOST_MENDED))
            )


def _samples(
    code: str, hits: Iterable[Hit], charset: Charset | None
) -> Iterator[tuple[str, int | None, str, str]]:
    for hit in hits:
        changes = list(mend_text(hit.text, charset))
        if any(change.code == code for change in changes):
            yield hit.finding.file, hit.finding.line, hit.text, changes[-1].after
