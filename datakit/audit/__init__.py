"""What is in label files, and what the trainer will really do with every line."""

from __future__ import annotations

from datakit.audit.registry import CHECKS
from datakit.audit.report import AuditReport, CharacterCount, FileReport
from datakit.audit.run import audit, text_stats
from datakit.audit.tally import Hit, Totals

__all__ = ["CHECKS", "AuditReport", "CharacterCount", "FileReport", "Hit", "Totals", "audit", "text_stats"]
