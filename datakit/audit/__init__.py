"""What is in label files, and what the trainer will really do with every line.

Its names are imported when they are asked for: a worker that looks at pictures needs few of the modules here,
and starts in half the time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datakit.audit.registry import CHECKS
    from datakit.audit.report import AuditReport, CharacterCount, FileReport
    from datakit.audit.run import audit, text_stats
    from datakit.audit.tally import Hit, Totals

__all__ = ["CHECKS", "AuditReport", "CharacterCount", "FileReport", "Hit", "Totals", "audit", "text_stats"]

_HOMES = {
    "CHECKS": "registry",
    "AuditReport": "report",
    "CharacterCount": "report",
    "FileReport": "report",
    "audit": "run",
    "text_stats": "run",
    "Hit": "tally",
    "Totals": "tally",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
