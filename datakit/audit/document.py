"""``docs/checks.md``: every check with its question, rationale and fix, as the registry holds them.

python -m datakit.audit.document > docs/checks.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from datakit.audit import registry
from datakit.audit.check import Check

_Checks = Mapping[str, Check[Any]]
_GROUPS: tuple[tuple[str, tuple[_Checks, ...]], ...] = (
    ("Lines that cannot be read", (registry.FAULT_CHECKS,)),
    ("How a line is written", (registry.WRITING_CHECKS, registry.CASE_CHECK)),
    ("Texts", (registry.REC_CHECKS, registry.RULE_CHECKS, registry.DICTIONARY_CHECKS)),
    ("Pictures", (registry.PICTURE_CHECKS, registry.SHAPE_CHECKS)),
    ("The set", (registry.PAIR_CHECKS, registry.PICTURE_SET_CHECKS, registry.FILE_CHECKS)),
    ("Balance, size, distance", (registry.MEASURE_CHECKS,)),
    ("Detection", (registry.BOX_CHECKS, registry.BOX_SET_CHECKS)),
    ("Beside what a model read", (registry.READING_CHECKS,)),
    ("The run", (registry.RUN_CHECKS,)),
)
_HEAD = """# Checks of `datakit audit`

Made from the code by `python -m datakit.audit.document > docs/checks.md`, held in step by a test. The id is
the `code` of a finding and never changes. An error loses lines or teaches something wrong, a warning
is worth a look before training, an info is a number to know.
"""


def checks_document() -> str:
    """The document, as Markdown."""
    return "\n".join([_HEAD, *(line for title, groups in _GROUPS for line in _section(title, groups))])


def _section(title: str, groups: tuple[_Checks, ...]) -> Iterator[str]:
    yield f"## {title}\n"
    yield "| id | severity | question | why | what to do |\n| --- | --- | --- | --- | --- |"
    for checks in groups:
        for code, check in checks.items():
            cells = (f"`{code}`", check.severity, check.question, check.rationale, check.fix)
            yield "| " + " | ".join(_cell(cell) for cell in cells) + " |"
    yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


if __name__ == "__main__":
    sys.stdout.write(checks_document())
