"""The result of an audit."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from datakit.audit.box_sizes import BoxStats
from datakit.audit.measures import Measures
from datakit.audit.readings import Readings
from datakit.audit.stats import PictureStats, TextStats
from datakit.audit.tally import CAP, Hit, Totals
from datakit.records import SCHEMA_VERSION, SEVERITIES, Finding, Severity

NO_TEXTS = TextStats(0, {}, {}, {}, {}, 0, 0)


@dataclass(frozen=True, slots=True)
class CharacterCount:
    """A character of the recognition labels.

    ``lines`` contain it, ``trained_lines`` of them are kept; occurrences count every time it stands in a
    label.
    """

    char: str
    occurrences: int
    lines: int
    trained_lines: int


@dataclass(frozen=True, slots=True)
class FileReport:
    """One label file: its task ("rec" or "det"), what becomes of its lines, and the counts of its texts."""

    file: str
    task: str
    data_dir: str
    totals: Totals
    stats: TextStats = NO_TEXTS


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What audit found.

    ``counts`` holds the exact number of findings of each check; ``hits`` at most 1,000 of each, by
    severity, then check, then place. ``characters`` are sorted from rare to frequent (trained lines, then
    code point). ``notes`` say what was not looked at, and ``settings`` what the verdicts were made with.
    ``stats`` counts the texts of all recognition files, ``pictures`` has the sizes of their pictures (None
    where none was looked at), ``boxes`` counts the boxes of all pages, ``measures`` hold them against guide
    and dictionary. ``readings`` are a model's, where there are any. ``command`` is what the audit was typed
    as, without what it writes ("" where it was not typed).
    """

    files: tuple[FileReport, ...]
    totals: Totals
    counts: dict[str, int]
    hits: tuple[Hit, ...]
    characters: tuple[CharacterCount, ...]
    settings: dict[str, Any]
    notes: tuple[str, ...]
    stats: TextStats = NO_TEXTS
    pictures: PictureStats | None = None
    measures: Measures = field(default_factory=Measures)
    boxes: BoxStats = field(default_factory=BoxStats)
    readings: Readings | None = None
    command: str = ""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings alone."""
        return tuple(hit.finding for hit in self.hits)

    @property
    def worst(self) -> Severity | None:
        """The highest severity found; None where nothing was."""
        found = {hit.finding.severity for hit in self.hits}
        return max(found, key=SEVERITIES.index) if found else None

    def fails_on(self, severity: Severity) -> bool:
        """Whether something of ``severity`` or above was found."""
        return self.worst is not None and SEVERITIES.index(self.worst) >= SEVERITIES.index(severity)

    def to_dict(self) -> dict[str, Any]:
        """The document of ``--json``."""
        return {
            "schema_version": SCHEMA_VERSION,
            "totals": self.totals.to_dict(),
            "files": [
                {"file": f.file, "task": f.task, "data_dir": f.data_dir, "totals": f.totals.to_dict()}
                for f in self.files
            ],
            "counts": self.counts,
            "truncated": any(count > CAP for count in self.counts.values()),
            "findings": [finding.to_dict() for finding in self.findings],
            "characters": [asdict(character) for character in self.characters],
            "measures": self.measures.to_dict(),
            "boxes": self.boxes.to_dict() if self.boxes.pages else None,
            "readings": self.readings.to_dict() if self.readings else None,
            "settings": self.settings,
            "notes": list(self.notes),
        }
