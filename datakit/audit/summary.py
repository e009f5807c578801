"""From the sums of an audit to its report, with the findings on whole files and on all of them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from datakit.audit.beside import Beside
from datakit.audit.box_sizes import BOX_SET_CHECKS
from datakit.audit.dictionary_gaps import DICTIONARY_CHECKS, DictionaryFacts
from datakit.audit.facts import SetFacts
from datakit.audit.label_set import LabelSet
from datakit.audit.measures import Measures, measure, set_findings
from datakit.audit.registry import CHECKS
from datakit.audit.report import AuditReport, CharacterCount, FileReport
from datakit.audit.rule_checks import RULE_CHECKS, RuleFacts
from datakit.audit.set_checks import FILE_CHECKS
from datakit.audit.settings import Settings
from datakit.audit.stats import PictureStats, SourceStats, TextStats
from datakit.audit.tally import Hit, Tally
from datakit.label_rules import CaseShares, RuleShares
from datakit.records import SEVERITIES

ALL_FILES = "(all files)"
# Takes code, file and message of a finding.
Found = Callable[[str, str, str], None]


def file_findings(labels: LabelSet, read: RuleShares | None, found: Found) -> None:
    """Ask the checks on a whole file; ``read`` is what parts its labels from a model's readings."""
    tally = labels.tally
    facts = SetFacts(labels.file, labels.source.task, tally.boxes, tally.ignored)
    for code, check in FILE_CHECKS.items():
        for message in check.run(facts):
            found(code, labels.file, message)
    for code, rule in RULE_CHECKS.items():
        for message in rule.run(RuleFacts(_cases(tally), read)):
            found(code, labels.file, message)
    for code, sizes in BOX_SET_CHECKS.items():
        if labels.source.task == "det":
            for message in sizes.run(tally.box_stats):
                found(code, labels.file, message)


def _cases(tally: Tally) -> CaseShares:
    text = tally.text
    return CaseShares(
        upper=text.upper,
        lower=text.lower,
        mixed=text.cased - text.upper - text.lower,
        none=text.lines - text.cased,
    )


def set_findings_of(
    sets: Sequence[LabelSet],
    total: Tally,
    pictures: PictureStats | None,
    settings: Settings,
    beside: Beside,
    found: Found,
) -> Measures:
    """Ask the checks on all files together; the measures they rest on."""
    place = sets[0].file if len(sets) == 1 else ALL_FILES
    text = total.text.stats()
    if settings.charset is not None and text.lines:
        first = {char: f"{file}:{line}" for char, (file, line) in total.text.missing.items()}
        facts = DictionaryFacts(text, settings.charset, first)
        for code, check in DICTIONARY_CHECKS.items():
            for message in check.run(facts):
                found(code, place, message)
    measures = measure(
        text,
        pictures,
        settings,
        sources=_sources(sets),
        reference=beside.reference,
        new_dictionary=beside.new_dictionary,
    )
    for code, message in set_findings(measures):
        found(code, place, message)
    return measures


def _sources(sets: Sequence[LabelSet]) -> dict[str, list[SourceStats]]:
    by_task: dict[str, list[SourceStats]] = {}
    for labels in sets:
        totals = labels.tally.totals()
        stats = SourceStats(labels.file, labels.source.role, labels.source.ratio, totals.lines, totals.kept)
        by_task.setdefault(labels.source.task, []).append(stats)
    return by_task


def total_of(sets: Sequence[LabelSet]) -> Tally:
    """The sums over all sources."""
    total = Tally(cap=0)
    for labels in sets:
        total.add(labels.tally)
    return total


def report_of(
    sets: Sequence[LabelSet],
    total: Tally,
    findings: Tally,
    settings: Settings,
    measures: Measures,
    pictures: PictureStats | None,
    beside: Beside,
) -> AuditReport:
    """Put the report together."""
    return AuditReport(
        files=tuple(
            FileReport(
                labels.file,
                labels.source.task,
                labels.data_dir,
                labels.tally.totals(),
                labels.tally.text.stats(),
            )
            for labels in sets
        ),
        totals=total.totals(),
        counts={code: findings.counts[code] for code in _ordered(findings.counts)},
        hits=tuple(_hits(findings)),
        characters=_characters(total.text.stats()),
        settings=_shown_settings(settings),
        notes=tuple(_notes(sets, settings)),
        stats=total.text.stats(),
        pictures=pictures,
        measures=measures,
        boxes=total.box_stats,
        readings=beside.readings,
    )


def _ordered(codes: Iterable[str]) -> list[str]:
    order = {code: number for number, code in enumerate(CHECKS)}
    return sorted(codes, key=lambda code: (-SEVERITIES.index(CHECKS[code].severity), order[code]))


def _hits(findings: Tally) -> Iterator[Hit]:
    return itertools.chain.from_iterable(findings.hits[code] for code in _ordered(findings.hits))


def _characters(text: TextStats) -> tuple[CharacterCount, ...]:
    counts = (
        CharacterCount(char, text.occurrences[char], lines, text.trained_with.get(char, 0))
        for char, lines in text.lines_with.items()
    )
    return tuple(sorted(counts, key=lambda count: (count.trained_lines, count.char)))


def _shown_settings(settings: Settings) -> dict[str, Any]:
    return {
        "encoder": settings.encoder,
        "max_text_length": settings.max_text_length,
        "image_shape": list(settings.image_shape),
        "dictionary_classes": settings.charset.num_classes if settings.charset else None,
        "images": settings.images,
        "copies": settings.copies,
    }


def _notes(sets: Sequence[LabelSet], settings: Settings) -> Iterator[str]:
    rec = any(labels.source.task == "rec" for labels in sets)
    if settings.charset is None and rec:
        yield "no dictionary given: characters that the trainer would cut are not looked for (--dict FILE)"
    if settings.charset is not None:
        yield from (f"dictionary: {note}" for note in settings.charset.notes)
    if not settings.images:
        yield "pictures were not looked at (--no-images)"
    elif not settings.copies:
        yield "pictures were not compared with each other (--no-copies)"
