"""Which line goes to which part: whole groups, drawn at random."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from datakit.errors import InputError, UsageError
from datakit.groups import Grouping
from datakit.split.read import SplitLine

TRAIN, VAL, TEST = "train", "val", "test"
# A part that misses what was asked for by more than this share of it is spoken of.
_MISSED = 0.2


@dataclass(frozen=True, slots=True)
class Share:
    """How much a part is to hold: a share of the lines (0 to 1), or so many lines."""

    asked: float | int

    def lines(self, count: int) -> int:
        """The number of lines out of ``count``, at least 1."""
        if isinstance(self.asked, int):
            return self.asked
        return max(1, round(self.asked * count))


@dataclass(frozen=True, slots=True)
class Split:
    """Every line in one part.

    ``parts`` are line indexes, in the order of the lines, by part; ``groups`` the number of groups of each
    part, ``loose`` the lines that the rule knew no group for, each a group of its own.
    """

    parts: dict[str, tuple[int, ...]]
    groups: dict[str, int]
    loose: int
    notes: tuple[str, ...] = ()


def share(text: str, option: str) -> Share:
    """A share from the command line: ``0.1`` is a tenth, ``500`` are lines.

    Raises:
        UsageError: it is neither a number between 0 and 1 nor a whole number from 1 on.
    """
    try:
        value: float | int = int(text) if text.strip().isdecimal() else float(text)
    except ValueError as error:
        raise UsageError(f"{option} {text!r} is no number") from error
    if not (value >= 1 if isinstance(value, int) else 0 < value < 1):
        raise UsageError(f"{option} {text}: a share between 0 and 1 (0.1), or a number of lines (500)")
    return Share(value)


def split_labels(
    lines: Sequence[SplitLine],
    group: Grouping,
    *,
    val: Share,
    test: Share | None = None,
    seed: int = 0,
    joined: Iterable[Sequence[int]] = (),
) -> Split:
    """Draw whole groups for validation and test until they hold what was asked for; the rest is trained on.

    ``joined`` are indexes of lines that also stay together, such as copies of a picture, whatever their
    groups. The same lines, rule and seed give the same split.

    Raises:
        InputError: there are fewer groups than parts, or the lines do not suffice.
    """
    groups, loose = _groups(lines, group, joined)
    wanted = {VAL: val.lines(len(lines))} | ({TEST: test.lines(len(lines))} if test else {})
    if len(groups) <= len(wanted):
        raise InputError(
            f"{len(lines)} lines form {len(groups)} groups, too few for {len(wanted) + 1} parts; "
            "choose another rule (--by)"
        )
    if sum(wanted.values()) >= len(lines):
        raise InputError(
            f"{sum(wanted.values())} lines are asked for and none of {len(lines)} is left to train on"
        )
    random.Random(seed).shuffle(groups)
    drawn: dict[str, list[list[int]]] = {}
    for part, count in wanted.items():
        drawn[part] = _draw(groups, count, len(wanted) - len(drawn))
    drawn = {TRAIN: groups, **drawn}
    return Split(
        {part: tuple(sorted(at for members in own for at in members)) for part, own in drawn.items()},
        {part: len(own) for part, own in drawn.items()},
        loose,
        tuple(_notes(drawn, wanted)),
    )


def _groups(
    lines: Sequence[SplitLine], group: Grouping, joined: Iterable[Sequence[int]]
) -> tuple[list[list[int]], int]:
    """The groups, in the order of their first lines, and how many lines the rule knew none for."""
    above = list(range(len(lines)))

    def top(at: int) -> int:
        while above[at] != at:
            above[at] = above[above[at]]
            at = above[at]
        return at

    firsts: dict[str, int] = {}
    loose = 0
    for at, line in enumerate(lines):
        name = group(line.image, line.text)
        loose += name is None
        if name is not None:
            above[at] = firsts.setdefault(name, at)
    for members in joined:
        for at in members[1:]:
            one, other = sorted((top(members[0]), top(at)))
            above[other] = one
    found: dict[int, list[int]] = {}
    for at in range(len(lines)):
        found.setdefault(top(at), []).append(at)
    return list(found.values()), loose


def _draw(groups: list[list[int]], wanted: int, parts_left: int) -> list[list[int]]:
    """Take groups off the list until ``wanted`` lines are there, or a further one would miss by more.

    At least one, and so many stay that each part after this one gets one.
    """
    drawn: list[list[int]] = []
    held = 0
    passed: list[list[int]] = []
    while groups and held < wanted:
        members = groups.pop()
        over = held + len(members) - wanted
        if over > wanted - held or len(groups) + len(passed) < parts_left:
            passed.append(members)
            continue
        drawn.append(members)
        held += len(members)
    if not drawn:
        # Every group is more than twice as large as the part: the smallest does least harm.
        smallest = min(range(len(passed)), key=lambda at: len(passed[at]))
        drawn.append(passed.pop(smallest))
    groups.extend(reversed(passed))
    return drawn


def _notes(drawn: dict[str, list[list[int]]], wanted: dict[str, int]) -> Iterable[str]:
    for part, count in wanted.items():
        held = sum(map(len, drawn[part]))
        if abs(held - count) > _MISSED * count:
            largest = max(len(members) for own in drawn.values() for members in own)
            yield f"{part} holds {held} lines, {count} were asked for: the largest group has {largest} lines"
