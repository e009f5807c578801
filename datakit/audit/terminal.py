"""The audit as a few lines for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from datakit.audit.registry import CHECKS
from datakit.audit.report import AuditReport
from datakit.report.text import shorten, visible

EXAMPLES = 2
MOST_CODES = 14
_ROWS = (
    ("trained", "trained", "trained as labelled"),
    ("cut", "cut", "trained with characters cut"),
    ("dropped", "dropped", "dropped by the encoder"),
    ("never_learnable", "never learnable", "too many labels for the time steps"),
    ("unreadable", "unreadable", "line or picture cannot be read"),
)


def format_report(report: AuditReport) -> str:
    """Verdict table, the worst findings with file:line, and what to type next; ends with a newline."""
    parts = [*_heading(report), "", *_verdicts(report), "", *_findings(report)]
    parts += [*(f"note: {visible(note)}" for note in report.notes), *_next(report)]
    return "\n".join(parts) + "\n"


def _heading(report: AuditReport) -> Iterator[str]:
    for file in report.files:
        totals = file.totals
        lost = totals.lines - totals.kept
        name = "recognition" if file.task == "rec" else "detection"
        yield f"{visible(file.file)} ({name}): {totals.lines} lines, {totals.kept} trained, {lost} lost"


def _verdicts(report: AuditReport) -> Iterator[str]:
    totals = report.totals
    for field, name, meaning in _ROWS:
        count = getattr(totals, field)
        yield f"  {name:<16}{count:>9}  {meaning if count else ''}".rstrip()
    yield f"  {'lines':<16}{totals.lines:>9}"
    if totals.reasons:
        yield "  lost to: " + ", ".join(f"{code} {count}" for code, count in totals.reasons.items())


def _findings(report: AuditReport) -> Iterator[str]:
    if not report.counts:
        yield "no findings"
        return
    for code in list(report.counts)[:MOST_CODES]:
        check, count = CHECKS[code], report.counts[code]
        yield f"{check.severity:<8}{code:<20}{count:>7}  {check.fix}"
        for finding in [f for f in report.findings if f.code == code][:EXAMPLES]:
            where = finding.file if finding.line is None else f"{finding.file}:{finding.line}"
            yield f"          {visible(where)}  {visible(shorten(finding.message, 140))}"
    if len(report.counts) > MOST_CODES:
        yield f"... and {len(report.counts) - MOST_CODES} more kinds, all in --json"


def _next(report: AuditReport) -> Iterator[str]:
    files = " ".join(shlex.quote(file.file) for file in report.files)
    yield f"next: datakit audit {visible(files)} --html audit.html   (pictures and all counts)"
