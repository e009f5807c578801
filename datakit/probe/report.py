"""The result of a probe: recall of every character, and targets for those that are read badly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from datakit.intervals import wilson
from datakit.records import Target, Targets

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class CharacterRecall:
    """One character: drawn in ``lines`` lines, read as itself in ``found`` of them.

    ``low`` and ``high`` bound the recall by Wilson's 95 % interval (Wilson 1927), ``read_as`` counts what
    stood in its place, most frequent first ("" where nothing did).
    """

    char: str
    lines: int
    found: int
    read_as: tuple[tuple[str, int], ...] = ()

    @property
    def recall(self) -> float:
        """Share of lines in which it is read, 0..1."""
        return self.found / self.lines

    @property
    def low(self) -> float:
        """Lower end of the interval."""
        return wilson(self.found, self.lines).low

    @property
    def high(self) -> float:
        """Upper end of the interval."""
        return wilson(self.found, self.lines).high

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        ratios = {name: round(getattr(self, name), 4) for name in ("recall", "low", "high")}
        return {**asdict(self), "read_as": [list(pair) for pair in self.read_as], **ratios}


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """``characters`` from worst recall to best, then by code point; ``not_probed`` maps others to the reason.

    ``fonts`` are the families that were drawn with, ``settings`` what the run was asked for.
    """

    model: str
    characters: tuple[CharacterRecall, ...]
    not_probed: Mapping[str, str]
    fonts: tuple[str, ...]
    settings: Mapping[str, Any]

    @property
    def recall(self) -> float:
        """Mean recall over the characters; 0 where none was probed."""
        return sum(c.recall for c in self.characters) / len(self.characters) if self.characters else 0.0

    def weak(self, below: float) -> tuple[CharacterRecall, ...]:
        """The characters with a recall under ``below``."""
        return tuple(entry for entry in self.characters if entry.recall < below)

    def targets(self, below: float, count: int) -> Targets:
        """``count`` lines for every character with a recall under ``below``, for ``datakit synth``."""
        return Targets(
            tuple(
                Target(entry.char, count, tuple(read for read, _ in entry.read_as if len(read) == 1))
                for entry in self.weak(below)
            )
        )

    def histogram(self) -> tuple[tuple[str, int], ...]:
        """Characters by recall: none, under a half, under 0.8, under 1, all."""
        bins: Counter[str] = Counter(_bin(entry.recall) for entry in self.characters)
        return tuple((name, bins[name]) for name in ("0", "under 0.5", "0.5 to 0.8", "0.8 to 1", "1"))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "schema_version": SCHEMA_VERSION,
            "model": self.model,
            "totals": {
                "characters": len(self.characters),
                "not_probed": len(self.not_probed),
                "recall": round(self.recall, 6),
                "by_recall": dict(self.histogram()),
            },
            "characters": [entry.to_dict() for entry in self.characters],
            "not_probed": dict(self.not_probed),
            "fonts": list(self.fonts),
            "settings": dict(self.settings),
        }


def _bin(recall: float) -> str:
    if recall in (0.0, 1.0):
        return str(int(recall))
    return "under 0.5" if recall < 0.5 else "0.5 to 0.8" if recall < 0.8 else "0.8 to 1"
