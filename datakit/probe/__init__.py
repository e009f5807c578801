"""What a model reads badly, without any data: every character drawn in several fonts, and read."""

from __future__ import annotations

from datakit.probe.report import CharacterRecall, ProbeReport
from datakit.probe.run import probe

__all__ = ["CharacterRecall", "ProbeReport", "probe"]
