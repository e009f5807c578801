"""What one epoch takes from each source.

Badcases are real lines of the domain; a source of no stated kind counts as the domain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from datakit.audit.stats import SourceStats
from datakit.mix.draws import draws_of


@dataclass(frozen=True, slots=True)
class Drawn:
    """What one epoch takes from a source: ``drawn`` lines, ``trained`` of them kept on average."""

    source: SourceStats
    drawn: int
    trained: int

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        source = self.source
        return {
            "file": source.file,
            "kind": source.kind,
            "ratio": source.ratio,
            "lines": source.lines,
            "kept": source.kept,
            "drawn": self.drawn,
            "trained": self.trained,
        }


@dataclass(frozen=True, slots=True)
class Epoch:
    """One epoch of a task ("rec" or "det"); ``new_dictionary`` if the model starts from weights of another
    one.
    """

    task: str
    sources: tuple[Drawn, ...]
    new_dictionary: bool = False
    dictionary: int | None = None

    def trained(self, *kinds: str) -> int:
        """Trained lines of an epoch, of the kinds."""
        return sum(part.trained for part in self.sources if part.source.kind in kinds)

    @property
    def general(self) -> int:
        """Trained lines of general sources."""
        return self.trained("general")

    @property
    def synthetic(self) -> int:
        """Trained lines of synthetic sources."""
        return self.trained("synthetic")

    @property
    def domain(self) -> int:
        """Trained lines of everything else: the domain's own, badcases, sources of no stated kind."""
        return sum(part.trained for part in self.sources) - self.general - self.synthetic

    @property
    def own(self) -> int:
        """Kept lines of the domain's own sources, each once: what the guide's sizes are about."""
        others = ("general", "synthetic", "badcases")
        return sum(part.source.kept for part in self.sources if part.source.kind not in others)

    @property
    def mixed(self) -> bool:
        """Whether the kinds are stated, so that their ratios mean something."""
        return any(part.source.kind in ("general", "synthetic", "badcases") for part in self.sources)

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "task": self.task,
            "sources": [part.to_dict() for part in self.sources],
            "domain": self.domain,
            "general": self.general,
            "synthetic": self.synthetic,
        }


def epoch(
    sources: Sequence[SourceStats],
    task: str,
    *,
    new_dictionary: bool = False,
    dictionary: int | None = None,
) -> Epoch:
    """What one epoch takes from each source; PaddleOCR's rounding of ``lines x ratio``.

    ``dictionary`` is the number of characters of the dictionary, None where there is none.
    """
    parts = []
    for source in sources:
        drawn = draws_of(source.lines, source.ratio)
        trained = round(drawn * source.kept / source.lines) if source.lines else 0
        parts.append(Drawn(source, drawn, trained))
    return Epoch(task, tuple(parts), new_dictionary, dictionary)


def epoch_lines(found: Epoch) -> list[str]:
    """What each source gives in one epoch, one short line each, and the ratios."""
    lines = [
        f"epoch: {part.trained:,} of {part.source.kept:,} kept lines from {part.source.file} "
        f"({part.source.kind or 'domain'}, ratio {part.source.ratio:g})"
        for part in found.sources
    ]
    if found.mixed:
        lines.append(
            f"epoch: domain {found.domain:,}, general {found.general:,}, synthetic {found.synthetic:,} lines"
        )
    return lines
