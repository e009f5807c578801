"""Two models on the same lines: what got better, what got worse, and whether that is chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from datakit.badcases.inputs.pairs import paired
from datakit.badcases.traits import AXES, traits
from datakit.errors import UsageError
from datakit.intervals import Interval, bootstrap_ratio, mcnemar
from datakit.metrics import fold
from datakit.records import Prediction
from datakit.suspects import edits_of

# Changed lines kept as examples, each way.
CAP = 1000


@dataclass(frozen=True, slots=True)
class Changed:
    """A line that one of the models reads right (folded) and the other does not."""

    file: str
    line: int
    image: str
    label: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """Lines of one slice: read right by both, only now (``better``), only before (``worse``), by neither."""

    axis: str
    value: str
    both: int
    better: int
    worse: int
    neither: int

    @property
    def p_value(self) -> float:
        """McNemar's exact test, two-sided; not corrected for the number of slices."""
        return mcnemar(self.better, self.worse)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        lines = self.both + self.better + self.worse + self.neither
        return {
            "axis": self.axis,
            "value": self.value,
            "lines": lines,
            "better": self.better,
            "worse": self.worse,
            "change": round((self.better - self.worse) / lines, 6) if lines else 0.0,
            "p_value": float(f"{self.p_value:.6g}"),
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """The model against an older one: totals and slices by folded accuracy, as labelled beside it.

    ``cer`` is the difference now - before with its paired bootstrap interval. ``unpaired`` lines of the new
    predictions are not in the old ones and count nowhere.
    """

    lines: int
    unpaired: int
    folded: Change
    exact: Change
    cer: Interval
    slices: tuple[Change, ...]
    better: tuple[Changed, ...]
    worse: tuple[Changed, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "lines": self.lines,
            "unpaired": self.unpaired,
            "folded": self.folded.to_dict(),
            "exact": self.exact.to_dict(),
            "cer": self.cer.to_dict(),
            "slices": [change.to_dict() for change in self.slices],
            "better": [_changed(entry) for entry in self.better],
            "worse": [_changed(entry) for entry in self.worse],
        }


def _changed(entry: Changed) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in Changed.__slots__}


@dataclass(slots=True)
class _Tally:
    exact: Counter[tuple[bool, bool]] = field(default_factory=Counter)
    cells: dict[tuple[str, str], Counter[tuple[bool, bool]]] = field(default_factory=dict)
    edits: Counter[tuple[int, int]] = field(default_factory=Counter)
    better: list[Changed] = field(default_factory=list)
    worse: list[Changed] = field(default_factory=list)

    def add(self, new: Prediction, old: Prediction) -> None:
        label = new.label
        pair = (_right(label, old.text), _right(label, new.text))
        self.exact[old.text == label, new.text == label] += 1
        for key in (*zip(AXES, traits(label), strict=True), ("source", new.file), ("all", "all")):
            self.cells.setdefault(key, Counter())[pair] += 1
        self.edits[_edits(label, new.text) - _edits(label, old.text), len(label)] += 1
        if pair[0] != pair[1]:
            kept = self.better if pair[1] else self.worse
            if len(kept) < CAP:
                kept.append(Changed(new.file, new.line, new.image, label, old.text, new.text))


def _right(label: str, text: str | None) -> bool:
    return text is not None and (text == label or fold(text) == fold(label))


def _edits(label: str, text: str | None) -> int:
    return 0 if text == label else len(edits_of(label, text or ""))


def _change(axis: str, value: str, counts: Counter[tuple[bool, bool]]) -> Change:
    return Change(
        axis, value, counts[True, True], counts[False, True], counts[True, False], counts[False, False]
    )


def compare(new: Iterable[Prediction], old: Iterable[Prediction], *, seed: int = 0) -> Comparison:
    """What ``new`` reads better and worse than ``old``; labels are those of ``new``.

    Raises:
        UsageError: no line stands in both.
    """
    tally, unpaired = _Tally(), 0
    for prediction, before in paired(new, old):
        if before is None:
            unpaired += 1
        else:
            tally.add(prediction, before)
    if not tally.exact:
        raise UsageError("--baseline: no line (file, line, picture) stands in both predictions")
    slices = sorted(
        (_change(axis, value, counts) for (axis, value), counts in tally.cells.items() if axis != "all"),
        key=lambda change: (change.axis, -(change.better + change.worse), change.value),
    )
    cells = [(edits, length, count) for (edits, length), count in sorted(tally.edits.items())]
    return Comparison(
        tally.exact.total(),
        unpaired,
        _change("all", "all", tally.cells["all", "all"]),
        _change("all", "as labelled", tally.exact),
        bootstrap_ratio(cells, seed=seed),
        tuple(slices),
        tuple(tally.better),
        tuple(tally.worse),
    )
