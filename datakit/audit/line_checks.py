"""The checks on one label line that need no picture."""

from __future__ import annotations

from datakit.audit.check import Check
from datakit.audit.facts import LineFacts
from datakit.audit.file_checks import NOTE_CHECKS
from datakit.audit.path_checks import PATH_CHECKS
from datakit.audit.script_checks import SCRIPT_CHECKS
from datakit.audit.text_checks import TEXT_CHECKS
from datakit.labels import DetLine, RecLine

# How the line is written, and its path.
WRITING_CHECKS: dict[str, Check[RecLine | DetLine]] = {**NOTE_CHECKS, **PATH_CHECKS}
# The text of a recognition line.
REC_CHECKS: dict[str, Check[LineFacts]] = {**TEXT_CHECKS, **SCRIPT_CHECKS}
