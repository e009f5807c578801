"""What to do first about an audit: findings that one command answers, the most lines lost first."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from datakit.audit.check import Check
from datakit.audit.distance_checks import DISTANCE_CHECKS
from datakit.audit.file_checks import FAULT_CHECKS
from datakit.audit.image_checks import PICTURE_CHECKS
from datakit.audit.mends import TEXT_MENDS
from datakit.audit.registry import CHECKS, RUN_CHECKS
from datakit.audit.report import AuditReport
from datakit.records import SEVERITIES, Severity
from datakit.report.text import is_hidden

# Characters that a command of datakit synth names; more of them go into a file.
_NAMED = 12


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do: the checks it answers, the worst severity of them, their findings, the lines lost to
    them, a sentence, and the command to type ("" for none).
    """

    codes: tuple[str, ...]
    severity: Severity
    findings: int
    lost: int
    sentence: str
    command: str


@dataclass(frozen=True, slots=True)
class Remedy:
    """What is done about some checks: from a report and the checks that fired to sentence and command."""

    codes: frozenset[str]
    advise: Callable[[AuditReport], tuple[str, str]]


def base_command(report: AuditReport) -> str:
    """The audit as it was typed, or one of the same files."""
    return report.command or shlex.join(["datakit", "audit", *(file.file for file in report.files)])


def _told(report: AuditReport, options: Mapping[str, str]) -> str:
    """The audit with ``options``, in the place of those that were typed."""
    words = shlex.split(base_command(report))
    kept = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if word not in options and before not in options
    ]
    return shlex.join([*kept, *(word for option in options.items() for word in option)])


def _files(report: AuditReport) -> str:
    return shlex.join(file.file for file in report.files)


def _mend(report: AuditReport) -> tuple[str, str]:
    return "Write a mended copy: none of these changes touches what a picture shows", (
        f"{base_command(report)} --fix mended.txt"
    )


def _leave_out(report: AuditReport) -> tuple[str, str]:
    return "Mend the lines that cannot be read, or leave them out: the list names each with its reason", (
        f"{base_command(report)} --clean clean.txt --dropped dropped.jsonl"
    )


def _shape(report: AuditReport) -> tuple[str, str]:
    """The limit and the width that 95 % of the lines need."""
    fitted = report.measures.fit
    if fitted is None:
        return "Raise the limit or the width, or split the lines", f"{base_command(report)}"
    percent = 99 if fitted.length_share >= 0.95 else 95
    limit, wide = fitted.max_text_length, fitted.width
    if "over-limit" in report.counts:
        limit = max(limit, fitted.cover(percent).max_text_length)
    if not report.counts.keys().isdisjoint({"image-squeezed", "width-under-80"}):
        wide = max(wide, fitted.shape_for(95)[2])
    if fitted.ctc:
        wide = max(wide, fitted.width_for(limit))
    cost = wide / fitted.width
    channels, height, _ = report.settings["image_shape"]
    return (
        f"Give the lines room: max_text_length {limit} and image_shape [{channels}, {height}, {wide}] "
        f"({cost:.1f} x the time a step), or split long lines; how many are then lost says",
        _told(report, {"--max-text-length": str(limit), "--image-shape": f"{channels},{height},{wide}"}),
    )


def _dictionary(report: AuditReport) -> tuple[str, str]:
    cut = f" ({report.totals.cut:,} lines are trained with characters cut)" if report.totals.cut else ""
    return (
        f"Append the characters that the dictionary lacks{cut}, write those it has in another form so",
        f"datakit finetune --train {_files(report)} --dict new_dict.txt --dict-mode union --out run",
    )


def _rare(report: AuditReport) -> tuple[str, str]:
    chars = [count.char for count in report.characters if count.trained_lines < 300]
    usable = [char for char in chars if not is_hidden(char) and char != " "]
    named = shlex.quote("".join(usable[:_NAMED]))
    more = f", the {_NAMED} rarest of {len(usable)} first" if len(usable) > _NAMED else ""
    return (
        f"Make lines with the rare characters{more}",
        f"datakit synth --chars {named} --per-char 300 --out synth",
    )


def _more_lines(report: AuditReport) -> tuple[str, str]:
    return "Label more, or render lines in the style of the set", (
        "datakit synth --corpus texts.txt --count 5000 --out synth"
    )


def _suspects(report: AuditReport) -> tuple[str, str]:
    return "Go through the labels that are probably wrong, most suspicious first: the page shows them", (
        f"{base_command(report)} --html audit.html"
    )


def _reference(report: AuditReport) -> tuple[str, str]:
    """The characters that the reference has and the set lacks, where there are any."""
    distance = report.measures.distance
    unseen = [char for char, _ in distance.unseen if not is_hidden(char)] if distance else []
    sentence = (
        "Bring the set closer to the reference: other sources or ratios, or lines like those that are short"
    )
    if not unseen:
        return sentence, ""
    named = shlex.quote("".join(unseen[:_NAMED]))
    return sentence, f"datakit synth --chars {named} --per-char 200 --out synth"


def _rules(report: AuditReport) -> tuple[str, str]:
    if report.readings is not None:
        which = "case" if "case-rule" in report.counts else "space"
        return "Decide on one rule: take it from the pictures, or keep it and compare results folded", (
            f"datakit badcases predictions.jsonl --labels {_files(report)} --restore {which} --out bad"
        )
    return "Read the pictures, then see whether the labels or the model break the rule", (
        f"datakit predict {_files(report)} --out predictions.jsonl && "
        f"{base_command(report)} --predictions predictions.jsonl --html audit.html"
    )


def _split(report: AuditReport) -> tuple[str, str]:
    return "Split again by page, copies kept together: a score on lines that were trained on means nothing", (
        f"datakit split {_files(report)} --out split"
    )


def _side(report: AuditReport) -> tuple[str, str]:
    side = report.boxes.proposed_side()
    return f"Read pages at det_limit_side_len {side}, train on crops as large, or cut pages into parts", ""


REMEDIES: dict[str, Remedy] = {
    "mend": Remedy(frozenset({*TEXT_MENDS, "bom", "crlf", "path-backslash"}), _mend),
    "leave-out": Remedy(
        frozenset(
            {
                *FAULT_CHECKS,
                *RUN_CHECKS,
                *(code for code, check in PICTURE_CHECKS.items() if check.severity == "error"),
                "empty-label",
            }
        ),
        _leave_out,
    ),
    "shape": Remedy(
        frozenset(
            {
                "over-limit",
                "ctc-steps",
                "limit-under-80",
                "limit-over-steps",
                "width-under-80",
                "image-squeezed",
                "text-dense",
            }
        ),
        _shape,
    ),
    "dictionary": Remedy(frozenset({"not-in-dictionary", "dictionary-gaps"}), _dictionary),
    "rare": Remedy(frozenset({"chars-under-200", "chars-under-300"}), _rare),
    "more-lines": Remedy(frozenset({"guide-rec-size", "guide-new-dictionary"}), _more_lines),
    "reference": Remedy(frozenset(DISTANCE_CHECKS), _reference),
    "suspects": Remedy(frozenset({"label-suspect"}), _suspects),
    "rules": Remedy(frozenset({"case-rule", "space-rule", "width-rule"}), _rules),
    "split": Remedy(frozenset({"leak-copy", "leak-near-copy", "leak-page", "split-page"}), _split),
    "side": Remedy(frozenset({"box-lost-at-scale", "det-side-length"}), _side),
}
_REMEDY_OF = {code: name for name, remedy in REMEDIES.items() for code in remedy.codes}


def steps(report: AuditReport) -> list[Step]:
    """Everything to do: most lines lost first, then the worst, then the most findings.

    What is only worth knowing is left out.
    """
    by_name: dict[str, list[str]] = {}
    for code in report.counts:
        by_name.setdefault(_REMEDY_OF.get(code, code), []).append(code)
    found = [_step(name, codes, report) for name, codes in by_name.items()]
    wanted = [step for step in found if step.lost or step.severity != "info"]
    return sorted(wanted, key=lambda s: (-s.lost, -SEVERITIES.index(s.severity), -s.findings))


def _step(name: str, codes: list[str], report: AuditReport) -> Step:
    worst = max((CHECKS[code].severity for code in codes), key=SEVERITIES.index)
    sentence, command = (
        REMEDIES[name].advise(report) if name in REMEDIES else _single(CHECKS[name], name, report)
    )
    return Step(
        tuple(codes),
        worst,
        sum(report.counts[code] for code in codes),
        sum(report.totals.reasons.get(code, 0) for code in codes),
        sentence,
        command,
    )


def _single(check: Check[object], code: str, report: AuditReport) -> tuple[str, str]:
    """A check with no remedy of its own: its fix, and the list of its lines."""
    sentence = check.fix[:1].upper() + check.fix[1:]
    on_lines = any(hit.finding.line is not None for hit in report.hits if hit.finding.code == code)
    listed = f"{base_command(report)} --format jsonl | grep '\"{code}\"'"
    return sentence, listed if on_lines else ""


def next_commands(report: AuditReport, most: int = 3) -> Iterator[Step]:
    """The first steps that have a command, each command once."""
    seen: set[str] = set()
    for step in steps(report):
        if step.command and step.command not in seen and len(seen) < most:
            seen.add(step.command)
            yield step
