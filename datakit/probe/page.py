"""The page of a probe."""

from __future__ import annotations

from collections import defaultdict

from datakit.probe.report import ProbeReport
from datakit.report import render

MOST_SHOWN = 2_000


def html_report(report: ProbeReport, *, below: float) -> str:
    """One file: totals, characters with a recall under ``below`` (at most 2,000), what was not probed."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for char, reason in report.not_probed.items():
        reasons[reason].append(char)
    weak = report.weak(below)
    return render(
        "probe.html",
        report=report,
        below=below,
        weak=weak,
        shown=weak[:MOST_SHOWN],
        reasons=sorted(reasons.items()),
        ord=ord,
    )
