"""What a set is held against, beside the trainer's options."""

from __future__ import annotations

from dataclasses import dataclass

from datakit.audit.distance import Side
from datakit.audit.readings import Readings


@dataclass(frozen=True, slots=True)
class Beside:
    """Numbers of the ``reference`` set, a model's ``readings`` of the audited lines, and whether the
    dictionary is a ``new_dictionary``, not that of the weights to start from.
    """

    reference: Side | None = None
    readings: Readings | None = None
    new_dictionary: bool = False
