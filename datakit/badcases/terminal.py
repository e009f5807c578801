"""The report as a few lines for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from datakit.badcases.analysis import BadcaseReport
from datakit.badcases.kinds import KINDS
from datakit.badcases.output import Written
from datakit.report.text import visible

SHOWN = 12


def format_report(report: BadcaseReport, written: Written) -> str:
    """Scores, kinds of failure, confusions, targets, and what to type next; ends with a newline."""
    parts = [*_score(report), "", *_kinds(report), "", *_confusions(report), *_targets(report)]
    parts += [f"note: {note}" for note in report.notes]
    parts += [*_written(written), *_next(report, written)]
    return "\n".join(parts) + "\n"


def _score(report: BadcaseReport) -> Iterator[str]:
    score = report.score
    exact = f"exact {score.accuracy_folded:.3f} folded, {score.accuracy:.3f} as labelled"
    yield f"{score.lines} lines: {exact}, CER {score.cer:.4f}"


def _kinds(report: BadcaseReport) -> Iterator[str]:
    yield f"  {'right':<18}{report.score.exact:>8}"
    for kind, remedy in KINDS.items():
        if report.kinds[kind]:
            yield f"  {kind:<18}{report.kinds[kind]:>8}  {remedy}"


def _confusions(report: BadcaseReport) -> Iterator[str]:
    if report.confusions:
        shown = [f"{_char(c.expected)}>{_char(c.read)} {c.count}" for c in report.confusions[:SHOWN]]
        yield "read as (label>read, spaces and case ignored): " + "  ".join(shown)
    if report.missing:
        shown = [f"{visible(char)} {count}" for char, count in list(report.missing.items())[:SHOWN]]
        yield f"not in the dictionary ({len(report.missing)} characters, lines with them): " + "  ".join(
            shown
        )


def _char(char: str) -> str:
    return visible(char) if char.strip(" ") else ("nothing" if not char else "space")


def _targets(report: BadcaseReport) -> Iterator[str]:
    targets = report.targets.targets
    if targets:
        shown = [f"{visible(target.char)} {target.count}" for target in targets[:SHOWN]]
        more = f"  ... {len(targets)} characters" if len(targets) > SHOWN else ""
        yield "to make (character, lines): " + "  ".join(shown) + more
        yield f"  rule: {report.rule}"


def _written(written: Written) -> Iterator[str]:
    files = f"badcases.txt ({written.lines} lines), badcases.jsonl, targets.json, report.html, report.json"
    yield f"wrote {visible(str(written.folder))}: {files}"
    for failure, reason in written.left_out[:SHOWN]:
        p = failure.prediction
        yield f"  not in badcases.txt: {visible(p.file)}:{p.line}: {visible(reason)}"
    if len(written.left_out) > SHOWN:
        yield f"  ... {len(written.left_out)} in all, named in badcases.jsonl"


def _next(report: BadcaseReport, written: Written) -> Iterator[str]:
    if report.targets.targets:
        targets = shlex.quote(str(written.folder / "targets.json"))
        yield f"next: datakit synth --targets {targets} --out synthetic"
