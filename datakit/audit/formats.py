"""Findings for machines: lines of JSON, and the workflow commands that GitHub shows beside a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from datakit.labels import STDIN
from datakit.records import SCHEMA_VERSION, Finding, Severity

# What a finding on everything together has for a file.
ALL_FILES = "(all files)"
FORMATS = ("text", "json", "jsonl", "github")
# GitHub knows these three; its notice is our info.
_COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "info": "notice"}


def finding_line(finding: Finding) -> str:
    """A finding as one line of ``--format jsonl``, newline included."""
    return json.dumps({"schema_version": SCHEMA_VERSION, **finding.to_dict()}, ensure_ascii=False) + "\n"


def github_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """``::error file=..,line=..,title=code::message`` for every finding, newline included.

    A finding on stdin or on all files together names no file.
    """
    for finding in findings:
        place = []
        if finding.file not in (STDIN, ALL_FILES):
            place.append(f"file={_property(finding.file)}")
            if finding.line is not None:
                place.append(f"line={finding.line}")
        properties = ",".join([*place, f"title={_property(finding.code)}"])
        yield f"::{_COMMANDS[finding.severity]} {properties}::{_data(finding.message)}\n"


def _data(text: str) -> str:
    """The text of a command: GitHub reads %, CR and LF as escapes and ends."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
