"""What a check is.

Severities:
    error: the trainer loses the line, or trains something else than the label says.
    warning: the line is trained, but probably not as meant.
    info: worth knowing; nothing has to be done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from datakit.records import Severity

Subject = TypeVar("Subject")


@dataclass(frozen=True, slots=True)
class Check(Generic[Subject]):
    """One question to a line, a page, or a whole file.

    ``run`` yields one message for each time the answer is bad. The id of a check is its key in a registry;
    it is the ``code`` of its findings and never changes.

    ``triggers`` spare a check most lines: it can only fire on a line whose text (of a path check: whose path)
    holds at least one character of every string. Without triggers it is asked about every line.
    """

    run: Callable[[Subject], Iterator[str]]
    severity: Severity
    question: str
    rationale: str
    fix: str
    triggers: tuple[str, ...] = ()
