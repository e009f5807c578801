"""Lines with rare characters drawn more often, up to a cap.

The characters are those of the domain that an epoch draws fewer than ``floor`` times, rarest first; the lines
are the domain's own. What is repeated stands in label files of its own, one for each number of repeats, so
that a whole ratio says it exactly.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit.errors import UsageError
from datakit.files import atomic_write
from datakit.labels import LabelFault, sniff_task
from datakit.mix.characters import text_lines, text_of
from datakit.mix.sources import Source

FLOOR = 20
CAP = 3
# Of the real lines of an epoch: more repeats would turn the domain into its exceptions.
SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Lift:
    """Characters of the domain to draw at least ``floor`` times an epoch.

    A line is drawn at most ``cap`` times, and all repeats are at most ``share`` of the real draws. Label
    files go into ``folder``.
    """

    folder: Path
    floor: int = FLOOR
    cap: int = CAP
    share: float = SHARE


@dataclass(frozen=True, slots=True)
class Lifted:
    """A label file of repeated lines: its source in the mix, and its content."""

    source: Source
    lines: tuple[bytes, ...]


@dataclass(slots=True)
class _Line:
    source: int
    raw: bytes
    chars: frozenset[str]
    room: int
    extra: int = 0


def check_lift(lift: Lift) -> None:
    """Refuse what makes no sense.

    Raises:
        UsageError: a negative floor, a cap below 1, a share outside 0..1.
    """
    if lift.floor < 0 or lift.cap < 1 or not 0 <= lift.share <= 1:
        raise UsageError(
            f"floor {lift.floor}, cap {lift.cap}: the floor starts at 0, the cap at 1, the share is 0..1"
        )


def lift_lines(
    sources: Sequence[Source], draws: Mapping[str, float], real: int, lift: Lift, *, allow_outside: bool
) -> list[Lifted]:
    """The label files that lift the domain's rare characters; none if nothing is under the floor.

    ``draws`` are those of the mix without them, ``real`` its draws of domain and general lines.
    """
    rare = {char for char, count in draws.items() if 0 < count < lift.floor}
    lines = _lines_with(sources, rare, lift.cap, allow_outside)
    _repeat(lines, dict(draws), lift.floor, math.floor(real * lift.share))
    groups: defaultdict[tuple[int, int], list[bytes]] = defaultdict(list)
    for line in lines:
        if line.extra:
            groups[line.source, line.extra].append(line.raw)
    return [_lifted(sources[at], at, extra, tuple(raw), lift) for (at, extra), raw in sorted(groups.items())]


def _lines_with(sources: Sequence[Source], rare: set[str], cap: int, allow_outside: bool) -> list[_Line]:
    found = []
    for at, source in enumerate(sources):
        room = cap - math.ceil(source.ratio)
        if source.kind != "domain" or not rare or room < 1 or sniff_task(source.label_file) != "rec":
            continue
        for raw in text_lines(source.label_file, source.data_dir, allow_outside=allow_outside):
            if not isinstance(raw, LabelFault) and (chars := frozenset(text_of(raw)) & rare):
                found.append(_Line(at, raw, chars, room))
    return found


def _repeat(lines: Sequence[_Line], draws: dict[str, float], floor: int, budget: int) -> None:
    """Give lines their repeats, rarest character first and its lines in turn."""
    holding: defaultdict[str, list[_Line]] = defaultdict(list)
    for line in lines:
        for char in line.chars:
            holding[char].append(line)
    for char in sorted(holding, key=lambda char: (draws[char], char)):
        for level in range(max(line.room for line in holding[char])):
            for line in holding[char]:
                if draws[char] >= floor or budget <= 0:
                    break
                if line.extra == level < line.room:
                    line.extra += 1
                    budget -= 1
                    for other in line.chars:
                        draws[other] += 1


def _lifted(source: Source, at: int, extra: int, lines: tuple[bytes, ...], lift: Lift) -> Lifted:
    path = lift.folder / f"{at + 1:02d}_{source.label_file.stem}_x{extra}.txt"
    return Lifted(Source(path, source.data_dir, source.kind, float(extra)), lines)


def write_lifted(lifted: Sequence[Lifted]) -> None:
    """Write the label files of repeated lines.

    Raises:
        OutputError: one cannot be written.
    """
    for group in lifted:
        atomic_write(group.source.label_file, b"".join(group.lines))
