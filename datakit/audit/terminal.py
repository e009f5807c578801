"""The audit as a few lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from datakit.audit.lengths import fit_lines
from datakit.audit.registry import CHECKS
from datakit.audit.report import AuditReport
from datakit.audit.tally import Hit
from datakit.audit.todo import base_command, next_commands
from datakit.report.text import shorten, visible

# Examples of an error, of anything else; kinds of findings shown.
EXAMPLES = {"error": 2}
MOST_CODES = 10
_ROWS = (
    ("trained", "trained", "trained as labelled"),
    ("cut", "cut", "trained with characters cut"),
    ("dropped", "dropped", "dropped by the encoder"),
    ("never_learnable", "never learnable", "too many labels for the time steps"),
    ("unreadable", "unreadable", "line or picture cannot be read"),
)


def format_report(report: AuditReport, *, page: bool = False) -> str:
    """Verdict table, the worst findings with file:line, what to type next but for a page that is written."""
    parts = [*_heading(report), "", *_verdicts(report), "", *_findings(report)]
    parts += [*_measures(report), *(f"note: {visible(note)}" for note in report.notes), *_next(report, page)]
    return "\n".join(parts) + "\n"


def _heading(report: AuditReport) -> Iterator[str]:
    for file in report.files:
        totals = file.totals
        lost = totals.lines - totals.kept
        name = "recognition" if file.task == "rec" else "detection"
        yield (
            f"{visible(file.file)} ({name}): {totals.lines:,} lines, {totals.kept:,} trained, {lost:,} lost"
        )


def _verdicts(report: AuditReport) -> Iterator[str]:
    totals = report.totals
    for field, name, meaning in _ROWS:
        count = getattr(totals, field)
        yield f"  {name:<16}{count:>12,}  {meaning if count else ''}".rstrip()
    yield f"  {'lines':<16}{totals.lines:>12,}"
    if totals.reasons:
        ordered = sorted(totals.reasons.items(), key=lambda reason: -reason[1])
        yield "  lost to: " + ", ".join(f"{code} {count:,}" for code, count in ordered)


def _findings(report: AuditReport) -> Iterator[str]:
    if not report.counts:
        yield "no findings"
        return
    examples: dict[str, list[Hit]] = {}
    for hit in report.hits:
        of_code = examples.setdefault(hit.finding.code, [])
        if len(of_code) < EXAMPLES.get(hit.finding.severity, 1):
            of_code.append(hit)
    for code in list(report.counts)[:MOST_CODES]:
        check, count = CHECKS[code], report.counts[code]
        yield f"{check.severity:<8} {code:<24}{count:>9,}  {check.fix}"
        for hit in examples.get(code, ()):
            finding = hit.finding
            where = finding.file if finding.line is None else f"{finding.file}:{finding.line}"
            yield f"           {visible(where)}  {visible(shorten(finding.message, 160))}"
    if len(report.counts) > MOST_CODES:
        left = list(report.counts)[MOST_CODES:]
        yield f"... and {len(left)} more kinds: {', '.join(left)}"


def _measures(report: AuditReport) -> Iterator[str]:
    fitted = report.measures.fit
    lines = [*(fit_lines(fitted) if fitted else ()), *(report.boxes.lines() if report.boxes.pages else ())]
    if lines:
        yield ""
        yield from (f"  {visible(line)}" for line in lines)
        yield ""


def _next(report: AuditReport, page: bool) -> Iterator[str]:
    for step in next_commands(report):
        number, what = (step.lost, "line") if step.lost else (step.findings, "finding")
        why = f"{number:,} {what}{'s' if number > 1 else ''}{' lost' if step.lost else ''}"
        yield f"next ({why}): {visible(step.command)}"
    if not page:
        yield f"next: {visible(base_command(report))} --html audit.html   (pictures and all counts)"
