"""The report as a few lines for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from datakit.badcases.analysis import BadcaseReport
from datakit.badcases.kinds import KINDS
from datakit.badcases.output import Written
from datakit.intervals import wilson
from datakit.report.text import visible

SHOWN = 12


def format_report(report: BadcaseReport, written: Written) -> str:
    """Scores, kinds of failure, confusions, targets, and what to type next; ends with a newline."""
    parts = [*_score(report), "", *_kinds(report), "", *_confusions(report), *_slices(report)]
    parts += [*_targets(report), *_comparison(report)]
    parts += [f"note: {note}" for note in report.notes]
    parts += [*_written(written), *_next(report, written)]
    return "\n".join(parts) + "\n"


def _score(report: BadcaseReport) -> Iterator[str]:
    score, m = report.score, report.measures
    exact = f"exact {score.accuracy_folded:.3f} folded, {score.accuracy:.3f} as labelled"
    yield f"{score.lines} lines: {exact}, CER {score.cer:.4f}"
    rows = (("folded", m.folded), ("as labelled", m.exact), ("no spaces", m.unspaced), ("NFKC", m.nfkc))
    shown = [f"{name} {i.low:.3f}-{i.high:.3f}" for name, i in rows]
    yield f"  95 %: {', '.join(shown)}, CER {m.cer.low:.4f}-{m.cer.high:.4f}, NED {m.ned.value:.4f}"


def _kinds(report: BadcaseReport) -> Iterator[str]:
    yield f"  {'right':<18}{report.score.exact:>8}"
    for kind, remedy in KINDS.items():
        if report.kinds[kind]:
            yield f"  {kind:<18}{report.kinds[kind]:>8}  {remedy}"


def _confusions(report: BadcaseReport) -> Iterator[str]:
    if report.confusions:
        shown = [
            f"{_char(c.expected)}>{_char(c.read)} {c.count} ({c.rate.value:.1%})"
            for c in report.confusions[:SHOWN]
        ]
        yield "read as (label>read; spaces, case, width ignored): " + "  ".join(shown)
    if report.missing:
        shown = [f"{visible(char)} {count}" for char, count in list(report.missing.items())[:SHOWN]]
        yield f"not in the dictionary ({len(report.missing)} characters, lines with them): " + "  ".join(
            shown
        )


def _slices(report: BadcaseReport) -> Iterator[str]:
    """Slices that fail more often than all lines do, for sure."""
    lines = report.score.lines
    overall = (lines - report.score.exact_folded) / lines if lines else 0.0
    rows = [(wilson(s.lines - s.folded, s.lines), s) for s in report.slices if s.lines >= 20]
    worse = sorted((row for row in rows if row[0].low > overall), key=lambda row: -row[0].low)
    if worse:
        shown = [f"{s.axis} {visible(s.value)} {e.value:.1%} of {s.lines}" for e, s in worse[:6]]
        yield f"fail more often than all ({overall:.1%}): " + "  ".join(shown)


def _comparison(report: BadcaseReport) -> Iterator[str]:
    c = report.comparison
    if c is None:
        return
    for name, change in (("folded", c.folded), ("as labelled", c.exact)):
        yield (
            f"against the baseline, {name}: {change.better} better, {change.worse} worse of {c.lines} "
            f"(McNemar p {change.p_value:.2g})"
        )
    yield f"  CER {c.cer.value:+.4f} ({c.cer.low:+.4f} to {c.cer.high:+.4f})"
    for change in c.slices:
        if change.worse > change.better and change.p_value < 0.05:
            turned = f"{change.worse} worse, {change.better} better (p {change.p_value:.2g})"
            yield f"  forgotten: {change.axis} {visible(change.value)}: {turned}"
    if c.unpaired:
        yield f"  {c.unpaired} lines are not in the baseline"


def _char(char: str) -> str:
    return visible(char) if char.strip(" ") else ("nothing" if not char else "space")


def _targets(report: BadcaseReport) -> Iterator[str]:
    targets = report.targets.targets
    if targets:
        shown = [f"{visible(target.char)} {target.count}" for target in targets[:SHOWN]]
        more = f"  ... {len(targets)} characters" if len(targets) > SHOWN else ""
        yield "to make (character, lines): " + "  ".join(shown) + more
        if report.targets.length_shortfall:
            lengths = [f"{name} {count}" for name, count in report.targets.length_shortfall.items()]
            yield "  by length (code points, lines): " + "  ".join(lengths)
        if report.targets.space_shortfall:
            yield f"  with spaces: {report.targets.space_shortfall} lines"
        yield f"  rule: {report.rule}"


def _written(written: Written) -> Iterator[str]:
    files = f"badcases.txt ({written.lines} lines), relabel.txt ({written.relabel}), badcases.jsonl, "
    files += "kinds/ (a list for each kind), targets.json, report.html, report.json"
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
