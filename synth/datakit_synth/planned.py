"""What a plan is: its lines, and what became of everything that was asked for."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from datakit.errors import InputError
from datakit_synth.ledger import PlannedLine


@dataclass(frozen=True, slots=True)
class CharPlan:
    """One character: lines asked for, lines planned with it, its occurrences, and why it is impossible."""

    char: str
    asked: int
    planned: int
    occurrences: int
    impossible: str = ""


@dataclass(frozen=True, slots=True)
class ShortfallPlan:
    """Lines of some lengths (``6-10``) or with a space (``spaces``) that targets.json asks for."""

    name: str
    asked: int
    planned: int
    impossible: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All lines of a run in order, and the accounts of it.

    ``characters``: every character asked for. ``refused``: corpus pieces not used, by reason.
    ``shortfalls``: see :class:`ShortfallPlan`. ``shares``: asked and planned, by bin. ``charset``: of the
    dictionary, how many characters stand in no line, in few lines, and so on; empty without one.
    """

    lines: tuple[PlannedLine, ...]
    characters: tuple[CharPlan, ...]
    refused: dict[str, int]
    impossible_texts: tuple[tuple[str, str], ...] = ()
    shortfalls: tuple[ShortfallPlan, ...] = ()
    shares: dict[str, dict[str, float]] = field(default_factory=dict)
    charset: dict[str, float] = field(default_factory=dict)

    def require(self) -> Plan:
        """Itself.

        Raises:
            InputError: a character or a given text is impossible; names every one and why.
        """
        reasons = [
            f"{c.char!r} (U+{ord(c.char):04X}) {c.impossible}" for c in self.characters if c.impossible
        ]
        reasons += [f"text {text!r}: {reason}" for text, reason in self.impossible_texts]
        if reasons:
            more = f"; and {len(reasons) - 50} more" if len(reasons) > 50 else ""
            raise InputError("cannot be rendered: " + "; ".join(reasons[:50]) + more)
        return self

    def to_dict(self) -> dict[str, Any]:
        """For ``--json`` and the manifest; without the lines themselves."""
        return {
            "lines": len(self.lines),
            "origins": dict(sorted(Counter(line.origin for line in self.lines).items())),
            "characters": [asdict(entry) for entry in self.characters],
            "shortfalls": [asdict(entry) for entry in self.shortfalls],
            "shares": self.shares,
            "charset": self.charset,
            "impossible_texts": [{"text": text, "reason": reason} for text, reason in self.impossible_texts],
            "corpus_refused": self.refused,
        }
