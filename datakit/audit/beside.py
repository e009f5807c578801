"""What a set is held against, beside the trainer's options."""

from __future__ import annotations

from dataclasses import dataclass

from datakit.audit.distance import Side
from datakit.audit.inputs.source import LabelSource
from datakit.audit.readings import Readings


@dataclass(frozen=True, slots=True)
class Beside:
    """Numbers of the ``reference`` set, a model's ``readings`` of the audited lines, whether the dictionary
    is a ``new_dictionary``, not that of the weights to start from, and the sources of the validation set.
    """

    reference: Side | None = None
    readings: Readings | None = None
    new_dictionary: bool = False
    val: tuple[LabelSource, ...] = ()
