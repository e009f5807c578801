"""All checks, by id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datakit.audit.box_checks import BOX_CHECKS
from datakit.audit.check import Check
from datakit.audit.file_checks import FAULT_CHECKS, NOTE_CHECKS
from datakit.audit.image_checks import PICTURE_CHECKS, SHAPE_CHECKS
from datakit.audit.pair_checks import PAIR_CHECKS
from datakit.audit.set_checks import FILE_CHECKS, TOTAL_CHECKS
from datakit.audit.text_checks import TEXT_CHECKS


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

CHECKS: Mapping[str, Check[Any]] = {
    **FAULT_CHECKS,
    **NOTE_CHECKS,
    **TEXT_CHECKS,
    **PICTURE_CHECKS,
    **SHAPE_CHECKS,
    **PAIR_CHECKS,
    **BOX_CHECKS,
    **FILE_CHECKS,
    **TOTAL_CHECKS,
    **RUN_CHECKS,
}
