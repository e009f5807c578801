"""Ratios from counts: the rules of the fine-tuning guide.

Domain to general about 1:1 in an epoch; original to new (targeted synthetic) lines between 10:1 and 5:1.
Within that range 5:1 is taken: synthetic lines are made for what fails, so they get the largest share that
the guide allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from datakit.errors import UsageError
from datakit.labels import LabelFault
from datakit.mix.draws import draws_of
from datakit.mix.moved import moved_lines
from datakit.mix.sources import KINDS, Kind, Mix, Source, checked_ratio

RULES = ("guide", "as-is")
# A general set far smaller than the domain: more repeats than this teach its few lines by heart.
GENERAL_CAP = 4.0
OLD_TO_NEW = 5.0
OLD_TO_NEW_LIMIT = 10.0
# Failing lines are real lines once more: together at most a tenth of the real ones, each at most three times.
BADCASE_SHARE = 0.1
BADCASE_CAP = 3.0


@dataclass(frozen=True, slots=True)
class Part:
    """A label file and what its picture paths are relative to (None: its own folder)."""

    label_file: Path
    data_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A mix with the counts it was made from.

    ``lines`` holds the usable lines of each source, ``draws`` what one epoch takes from it, ``faults``
    every line that cannot be used, ``notes`` one sentence for everything that was decided or is outside the
    guide's ranges.
    """

    mix: Mix
    lines: tuple[int, ...]
    draws: tuple[int, ...]
    faults: tuple[LabelFault, ...]
    notes: tuple[str, ...]


def _as_part(entry: Part | Path | str) -> Part:
    return entry if isinstance(entry, Part) else Part(Path(entry))


def _count(part: Part, allow_outside: bool) -> tuple[int, list[LabelFault]]:
    folder = part.data_dir or part.label_file.parent
    lines, faults = 0, []
    # Through the same door as the rewritten lists, so that both count the same lines.
    for line in moved_lines(part.label_file, folder, folder.resolve(), allow_outside=allow_outside):
        if isinstance(line, LabelFault):
            faults.append(line)
        else:
            lines += 1
    if not lines:
        raise UsageError(f"{part.label_file}: no usable line, nothing to mix")
    return lines, faults


def _general(old: int, lines: int, notes: list[str]) -> float:
    wanted = old / lines
    if wanted > GENERAL_CAP:
        notes.append(
            f"general: {lines} lines against {old} of the domain; repeated {GENERAL_CAP:g} times and no "
            f"more, so an epoch "
            f"holds {old / (lines * GENERAL_CAP):.1f} domain lines for each general one (the guide: 1:1)"
        )
    return min(wanted, GENERAL_CAP)


def _synthetic(old: int, lines: int, notes: list[str]) -> float:
    wanted = old / OLD_TO_NEW / lines
    if wanted > OLD_TO_NEW_LIMIT / OLD_TO_NEW:
        notes.append(
            f"synthetic: {lines} lines are fewer than 1 for {OLD_TO_NEW_LIMIT:g} real ones ({old}); all are "
            f"taken once, "
            "more would help"
        )
    return min(wanted, 1.0)


def _badcases(old: int, lines: int, notes: list[str]) -> float:
    ratio = min(old * BADCASE_SHARE / lines, BADCASE_CAP)
    if ratio < 1:
        notes.append(
            f"badcases: {lines} lines are more than a tenth of the real ones ({old}); an epoch draws "
            f"{ratio:.0%} of them"
        )
    return ratio


def _guide(totals: Mapping[Kind, int], notes: list[str]) -> dict[Kind, float]:
    if not totals.get("domain"):
        raise UsageError("the rule 'guide' starts from the domain's lines: give --domain, or --rule as-is")
    ratios: dict[Kind, float] = {"domain": 1.0}
    real = totals["domain"]
    if totals.get("general"):
        ratios["general"] = _general(real, totals["general"], notes)
        real += round(totals["general"] * ratios["general"])
    else:
        notes.append("general: none given; without general lines a fine-tuned model forgets what it knew")
    if totals.get("synthetic"):
        ratios["synthetic"] = _synthetic(real, totals["synthetic"], notes)
    if totals.get("badcases"):
        ratios["badcases"] = _badcases(real, totals["badcases"], notes)
    return ratios


def _override(sources: list[Source], ratios: Mapping[str, float]) -> list[Source]:
    """Ratios by kind or by label file; an unknown name is an error, not a wish."""
    for name, value in ratios.items():
        hit = [name in (source.kind, str(source.label_file), source.label_file.name) for source in sources]
        if not any(hit):
            known = sorted(
                {source.kind for source in sources} | {str(source.label_file) for source in sources}
            )
            raise UsageError(f"--ratio {name}={value:g} names no source; known are {', '.join(known)}")
        ratio = checked_ratio(value)
        sources = [replace(s, ratio=ratio) if chosen else s for s, chosen in zip(sources, hit, strict=True)]
    return sources


def make_plan(
    *,
    domain: Iterable[Part | Path | str] = (),
    general: Iterable[Part | Path | str] = (),
    synthetic: Iterable[Part | Path | str] = (),
    badcases: Iterable[Part | Path | str] = (),
    rule: str = "guide",
    ratios: Mapping[str, float] | None = None,
    allow_outside: bool = False,
) -> Plan:
    """Count the sources and give each a ratio by ``rule``: "guide" (see the module) or "as-is" (every line
    once).

    A line whose picture lies outside its ``data_dir`` is a fault unless ``allow_outside``. ``ratios``
    overrules by kind, path or file name. Sources of one kind share one ratio.

    Raises:
        InputError: a label file cannot be read.
        UsageError: no source, no domain under "guide", a source without a usable line, a name in ``ratios``
        that fits no source.
    """
    if rule not in RULES:
        raise UsageError(f"rule {rule!r} is not known; known are {', '.join(RULES)}")
    given: dict[Kind, list[Part]] = dict(
        zip(
            KINDS,
            ([_as_part(e) for e in entries] for entries in (domain, general, synthetic, badcases)),
            strict=True,
        )
    )
    counted = [(kind, part, *_count(part, allow_outside)) for kind in KINDS for part in given[kind]]
    if not counted:
        raise UsageError("nothing to mix: give at least one of --domain, --general, --synthetic, --badcases")
    totals: dict[Kind, int] = {kind: sum(lines for k, _, lines, _ in counted if k == kind) for kind in KINDS}
    notes: list[str] = []
    by_kind = _guide(totals, notes) if rule == "guide" else dict.fromkeys(KINDS, 1.0)
    sources = [
        Source(part.label_file, part.data_dir or part.label_file.parent, kind, round(by_kind[kind], 6))
        for kind, part, _, _ in counted
    ]
    sources = _override(sources, ratios or {})
    lines = [count for _, _, count, _ in counted]
    return _finished(sources, lines, [fault for *_, faults in counted for fault in faults], notes)


def _finished(
    sources: Sequence[Source], lines: Sequence[int], faults: Sequence[LabelFault], notes: list[str]
) -> Plan:
    draws = tuple(draws_of(count, source.ratio) for source, count in zip(sources, lines, strict=True))
    for source, drawn in zip(sources, draws, strict=True):
        if not drawn:
            notes.append(f"{source.label_file}: nothing is drawn from it at ratio {source.ratio:g}")
    if faults:
        notes.append(f"{len(faults)} lines cannot be used and are in no count; 'datakit audit' lists them")
    return Plan(Mix(tuple(sources)), tuple(lines), draws, tuple(faults), tuple(notes))


def plan_mix(
    *,
    domain: Iterable[Part | Path | str] = (),
    general: Iterable[Part | Path | str] = (),
    synthetic: Iterable[Part | Path | str] = (),
    badcases: Iterable[Part | Path | str] = (),
    rule: str = "guide",
    ratios: Mapping[str, float] | None = None,
    allow_outside: bool = False,
) -> Mix:
    """The mix of :func:`make_plan`, without the counts."""
    return make_plan(
        domain=domain,
        general=general,
        synthetic=synthetic,
        badcases=badcases,
        rule=rule,
        ratios=ratios,
        allow_outside=allow_outside,
    ).mix
