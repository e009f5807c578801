"""A training set's sources counted, given ratios by a rule, and told with what one epoch draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from datakit.errors import UsageError
from datakit.labels import LabelFault
from datakit.mix.characters import CharacterDraws, Counted, count_lines, mean_draws, text_of
from datakit.mix.draws import draws_of
from datakit.mix.guide import KIND_OF, ROLES, Role, guide_ratios, outside
from datakit.mix.lift import Lift, Lifted, check_lift, lift_lines
from datakit.mix.sources import Mix, Source, checked_ratio

RULES = ("guide", "as-is")


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
    guide's ranges. ``roles`` say what each source is there for. ``characters`` are those of the domain,
    fewest draws first. The last sources of the mix are the ``lifted`` ones, whose label files are yet to be
    written (:func:`datakit.mix.lift.write_lifted`).
    """

    mix: Mix
    lines: tuple[int, ...]
    draws: tuple[int, ...]
    faults: tuple[LabelFault, ...]
    notes: tuple[str, ...]
    roles: tuple[Role, ...] = ()
    characters: tuple[CharacterDraws, ...] = ()
    lifted: tuple[Lifted, ...] = ()

    def shares(self) -> dict[Role, float]:
        """The share of each role in an epoch, which is its mean share of a batch; 0..1."""
        total = sum(self.draws)
        sums: Counter[Role] = Counter()
        for role, drawn in zip(self.roles, self.draws, strict=True):
            sums[role] += drawn
        return {role: sums[role] / total for role in ROLES if role in sums and total}


def _as_part(entry: Part | Path | str) -> Part:
    return entry if isinstance(entry, Part) else Part(Path(entry))


def _count(part: Part, allow_outside: bool) -> Counted:
    counted = count_lines(
        part.label_file, part.data_dir or part.label_file.parent, allow_outside=allow_outside
    )
    if not counted.lines:
        raise UsageError(f"{part.label_file}: no usable line, nothing to mix")
    return counted


def _override(sources: list[Source], roles: Sequence[Role], ratios: Mapping[str, float]) -> list[Source]:
    """Ratios by role or by label file; an unknown name is an error, not a wish."""
    for name, value in ratios.items():
        hit = [
            name in (role, str(source.label_file), source.label_file.name)
            for source, role in zip(sources, roles, strict=True)
        ]
        if not any(hit):
            known = sorted({*roles} | {str(source.label_file) for source in sources})
            raise UsageError(f"--ratio {name}={value:g} names no source; known are {', '.join(known)}")
        # To six decimals, as drawn (split_ratio) and as printed.
        ratio = round(checked_ratio(value), 6)
        sources = [replace(s, ratio=ratio) if chosen else s for s, chosen in zip(sources, hit, strict=True)]
    return sources


def _by_role(roles: Sequence[Role], counts: Sequence[int]) -> Counter[Role]:
    sums: Counter[Role] = Counter()
    for role, count in zip(roles, counts, strict=True):
        sums[role] += count
    return sums


def make_plan(
    *,
    domain: Iterable[Part | Path | str] = (),
    general: Iterable[Part | Path | str] = (),
    synthetic: Iterable[Part | Path | str] = (),
    bulk: Iterable[Part | Path | str] = (),
    badcases: Iterable[Part | Path | str] = (),
    rule: str = "guide",
    ratios: Mapping[str, float] | None = None,
    lift: Lift | None = None,
    allow_outside: bool = False,
) -> Plan:
    """Count the sources and give each a ratio by ``rule``: "guide" (see :mod:`datakit.mix.guide`) or "as-is"
    (every line once).

    ``synthetic`` lines were made for what fails, ``bulk`` ones in general. A line whose picture lies outside
    its ``data_dir`` is a fault unless ``allow_outside``. ``ratios`` overrules by role, path or file name.
    Sources of one role share one ratio. ``lift`` repeats lines with rare characters of the domain.

    Raises:
        InputError: a label file cannot be read.
        UsageError: no source, no domain under "guide", a source without a usable line, a name in ``ratios``
        that fits no source, a ``lift`` that makes no sense.
    """
    if rule not in RULES:
        raise UsageError(f"rule {rule!r} is not known; known are {', '.join(RULES)}")
    if lift is not None:
        check_lift(lift)
    given = zip(ROLES, (domain, general, synthetic, bulk, badcases), strict=True)
    parts = [(role, _as_part(entry)) for role, entries in given for entry in entries]
    if not parts:
        raise UsageError(
            "nothing to mix: give at least one of --domain, --general, --synthetic, --bulk, --badcases"
        )
    roles = [role for role, _ in parts]
    counted = [_count(part, allow_outside) for _, part in parts]
    totals = _by_role(roles, [found.lines for found in counted])
    by_role: Mapping[Role, float] = guide_ratios(totals) if rule == "guide" else dict.fromkeys(ROLES, 1.0)
    sources = [
        Source(p.label_file, p.data_dir or p.label_file.parent, KIND_OF[role], round(by_role[role], 6))
        for role, p in parts
    ]
    sources = _override(sources, roles, ratios or {})
    return _planned(sources, roles, counted, lift, allow_outside)


def _planned(
    sources: Sequence[Source],
    roles: Sequence[Role],
    counted: Sequence[Counted],
    lift: Lift | None,
    allow_outside: bool,
) -> Plan:
    lines = [found.lines for found in counted]
    draws = [draws_of(count, source.ratio) for source, count in zip(sources, lines, strict=True)]
    before = mean_draws(counted, [source.ratio for source in sources])
    lifted: list[Lifted] = []
    if lift is not None and lift.floor:
        real = sum(drawn for drawn, role in zip(draws, roles, strict=True) if role in ("domain", "general"))
        # A mix of its own domain alone: what the general set shows once is not the domain's want.
        asked = {c: before[c] for c in _domain_characters(roles, counted)}
        lifted = lift_lines(sources, asked, real, lift, allow_outside=allow_outside)
    characters = _characters(roles, counted, before, lifted)
    faults = tuple(fault for found in counted for fault in found.faults)
    sources = [*sources, *(group.source for group in lifted)]
    lines += [len(group.lines) for group in lifted]
    draws += [draws_of(len(group.lines), group.source.ratio) for group in lifted]
    again: Role = "domain"
    all_roles = [*roles, *(again for _ in lifted)]
    notes = [
        *_notes(sources, roles, lines, draws, len(faults)),
        *_lift_notes(characters, draws, lifted, lift),
    ]
    return Plan(
        Mix(tuple(sources)), tuple(lines), tuple(draws), faults, tuple(notes), tuple(all_roles), characters,
        tuple(lifted),
    )  # fmt: skip


def _domain_characters(roles: Sequence[Role], counted: Sequence[Counted]) -> set[str]:
    return {
        char
        for role, found in zip(roles, counted, strict=True)
        if role == "domain"
        for char in found.characters
    }


def _characters(
    roles: Sequence[Role], counted: Sequence[Counted], before: Mapping[str, float], lifted: Sequence[Lifted]
) -> tuple[CharacterDraws, ...]:
    more: Counter[str] = Counter()
    for group in lifted:
        for line in group.lines:
            for char in set(text_of(line)):
                more[char] += round(group.source.ratio)
    lines: Counter[str] = Counter()
    for found in counted:
        lines.update(found.characters)
    rows = [
        CharacterDraws(char, lines[char], before[char], before[char] + more[char])
        for char in _domain_characters(roles, counted)
    ]
    return tuple(sorted(rows, key=lambda row: (row.after, row.before, row.char)))


def _notes(
    sources: Sequence[Source], roles: Sequence[Role], lines: Sequence[int], draws: Sequence[int], faults: int
) -> list[str]:
    given = len(roles)
    notes = list(outside(_by_role(roles, lines[:given]), _by_role(roles, draws[:given])))
    for source, drawn in zip(sources, draws, strict=True):
        if not drawn:
            notes.append(f"{source.label_file}: nothing is drawn from it at ratio {source.ratio:g}")
    if faults:
        notes.append(f"{faults} lines cannot be used and are in no count; 'datakit audit' lists them")
    return notes


def _lift_notes(
    characters: Sequence[CharacterDraws], draws: Sequence[int], lifted: Sequence[Lifted], lift: Lift | None
) -> list[str]:
    if lift is None or not lift.floor or not characters:
        return []
    low = sum(row.before < lift.floor for row in characters)
    still = sum(row.after < lift.floor for row in characters)
    if not low:
        return []
    repeats = sum(draws[len(draws) - len(lifted) :])
    return [
        f"characters: {low} of the domain's {len(characters)} are drawn fewer than {lift.floor} times an "
        f"epoch; {repeats} repeats of lines that hold them (at most {lift.cap} draws of a line, and "
        f"{lift.share:.0%} of the real draws) leave {still}"
    ]


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
