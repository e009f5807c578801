"""What is measured on a whole set beyond its lines, and the findings that come of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from datakit.audit.balance import Balance, balance, balance_lines
from datakit.audit.balance_checks import BALANCE_CHECKS
from datakit.audit.check import Check
from datakit.audit.distance import Distance, Side, distance, distance_lines
from datakit.audit.distance_checks import DISTANCE_CHECKS
from datakit.audit.epoch import Epoch, epoch, epoch_lines
from datakit.audit.guide import GUIDE_CHECKS
from datakit.audit.lengths import LENGTH_CHECKS, Fit, fit, fit_lines
from datakit.audit.settings import Settings
from datakit.audit.stats import PictureStats, SourceStats, TextStats

MEASURE_CHECKS: Mapping[str, Check[Any]] = {
    **BALANCE_CHECKS,
    **LENGTH_CHECKS,
    **GUIDE_CHECKS,
    **DISTANCE_CHECKS,
}


@dataclass(frozen=True, slots=True)
class Measures:
    """The measures of a set; None where there is nothing to measure.

    ``balance`` and ``fit`` need recognition lines, ``distance`` a reference set as well.
    """

    balance: Balance | None = None
    fit: Fit | None = None
    epochs: tuple[Epoch, ...] = ()
    distance: Distance | None = None

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "balance": self.balance.to_dict() if self.balance else None,
            "lengths": self.fit.to_dict() if self.fit else None,
            "epochs": [found.to_dict() for found in self.epochs],
            "distance": self.distance.to_dict() if self.distance else None,
        }

    def lines(self) -> list[str]:
        """All measures as short lines for the terminal."""
        return [
            *(balance_lines(self.balance) if self.balance else ()),
            *(fit_lines(self.fit) if self.fit else ()),
            *(line for found in self.epochs for line in epoch_lines(found)),
            *(distance_lines(self.distance) if self.distance else ()),
        ]


def measure(
    text: TextStats,
    pictures: PictureStats | None,
    settings: Settings,
    *,
    sources: Mapping[str, Sequence[SourceStats]] | None = None,
    reference: Side | None = None,
    new_dictionary: bool = False,
    repeats: int = 0,
) -> Measures:
    """Measure a set; ``sources`` are those of each task ("rec", "det"), in the order of reporting.

    ``reference`` is the real validation set; ``new_dictionary`` says that ``settings.charset`` is not that of
    the weights to start from; ``repeats`` see :func:`datakit.audit.lengths.fit`.
    """
    known = len(settings.charset.chars) if settings.charset else None
    rec = bool(text.lines)
    compared = rec and reference is not None and text.occurrences and reference[0].occurrences
    return Measures(
        balance=balance(text, settings.charset) if rec else None,
        fit=fit(text, pictures, settings, repeats=repeats) if rec else None,
        epochs=tuple(
            epoch(of_task, task, new_dictionary=new_dictionary, dictionary=known)
            for task, of_task in (sources or {}).items()
            if of_task
        ),
        distance=distance((text, pictures), reference) if compared and reference is not None else None,
    )


def set_findings(measures: Measures) -> Iterator[tuple[str, str]]:
    """(code, message) of everything that is outside its bounds; codes are keys of :data:`MEASURE_CHECKS`."""
    yield from _asked(BALANCE_CHECKS, measures.balance)
    yield from _asked(LENGTH_CHECKS, measures.fit)
    for found in measures.epochs:
        yield from _asked(GUIDE_CHECKS, found)
    yield from _asked(DISTANCE_CHECKS, measures.distance)


def _asked(checks: Mapping[str, Check[Any]], subject: object | None) -> Iterator[tuple[str, str]]:
    if subject is not None:
        for code, check in checks.items():
            for message in check.run(subject):
                yield code, message
