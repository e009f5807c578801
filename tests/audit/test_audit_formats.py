"""Findings as GitHub's workflow commands and as lines of JSON."""

from __future__ import annotations

import json

from datakit.audit.formats import finding_line, github_lines
from datakit.records import Finding


def test_githubs_escapes_and_severities() -> None:
    findings = [
        Finding("over-limit", "error", "a,b:c%.txt", 7, "100 % of\r\n'a::b, c'"),
        Finding("chars-under-200", "info", "(all files)", None, "x"),
        Finding("crlf", "warning", "-", 3, "y"),
        Finding("case-rule", "warning", "labels.txt", None, "z"),
    ]
    assert list(github_lines(findings)) == [
        "::error file=a%2Cb%3Ac%25.txt,line=7,title=over-limit::100 %25 of%0D%0A'a::b, c'\n",
        "::notice title=chars-under-200::x\n",
        "::warning title=crlf::y\n",
        "::warning file=labels.txt,title=case-rule::z\n",
    ]


def test_a_line_of_json() -> None:
    line = finding_line(Finding("crlf", "warning", "ä.txt", 3, "a\n\u2028b", "mend"))
    assert line.count("\n") == 1 and line.endswith("}\n")
    assert json.loads(line) == {
        "schema_version": 1,
        "code": "crlf",
        "severity": "warning",
        "file": "ä.txt",
        "line": 3,
        "message": "a\n\u2028b",
        "fix": "mend",
    }
