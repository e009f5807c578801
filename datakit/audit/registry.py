"""All checks, by id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datakit.audit.box_checks import BOX_CHECKS
from datakit.audit.box_sizes import BOX_SET_CHECKS
from datakit.audit.check import Check
from datakit.audit.dictionary_gaps import DICTIONARY_CHECKS
from datakit.audit.file_checks import FAULT_CHECKS
from datakit.audit.image_checks import PICTURE_CHECKS, SHAPE_CHECKS
from datakit.audit.line_checks import REC_CHECKS, WRITING_CHECKS
from datakit.audit.measures import MEASURE_CHECKS
from datakit.audit.pair_checks import PAIR_CHECKS
from datakit.audit.path_checks import CASE_CHECK
from datakit.audit.picture_pass import PICTURE_SET_CHECKS
from datakit.audit.readings import READING_CHECKS
from datakit.audit.rule_checks import RULE_CHECKS
from datakit.audit.set_checks import FILE_CHECKS

Checks = Mapping[str, Check[Any]]


def _incomplete(_subject: object) -> Any:
    return iter(())


# What is reported without a check function of its own.
RUN_CHECKS: dict[str, Check[Any]] = {
    "not-inspected": Check(
        _incomplete,
        "error",
        "Was the line looked at?",
        "A worker process died or hung on these lines; they count as unreadable.",
        "audit the file again with --workers 1",
    ),
}

CHECKS: Checks = {
    **FAULT_CHECKS,
    **WRITING_CHECKS,
    **REC_CHECKS,
    **PICTURE_CHECKS,
    **SHAPE_CHECKS,
    **PAIR_CHECKS,
    **CASE_CHECK,
    **PICTURE_SET_CHECKS,
    **BOX_CHECKS,
    **FILE_CHECKS,
    **RULE_CHECKS,
    **DICTIONARY_CHECKS,
    **BOX_SET_CHECKS,
    **READING_CHECKS,
    **MEASURE_CHECKS,
    **RUN_CHECKS,
}
# The same, by subject, for who reads about them.
GROUPS: tuple[tuple[str, tuple[Checks, ...]], ...] = (
    ("Lines that cannot be read", (FAULT_CHECKS,)),
    ("How a line is written", (WRITING_CHECKS, CASE_CHECK)),
    ("Texts", (REC_CHECKS, RULE_CHECKS, DICTIONARY_CHECKS)),
    ("Pictures", (PICTURE_CHECKS, SHAPE_CHECKS)),
    ("The set", (PAIR_CHECKS, PICTURE_SET_CHECKS, FILE_CHECKS)),
    ("Balance, size, distance", (MEASURE_CHECKS,)),
    ("Detection", (BOX_CHECKS, BOX_SET_CHECKS)),
    ("Beside what a model read", (READING_CHECKS,)),
    ("The run", (RUN_CHECKS,)),
)
