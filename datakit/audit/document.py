"""``docs/checks.md``: every check with its question, rationale and fix, as the registry holds them.

python -m datakit.audit.document > docs/checks.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from datakit.audit.registry import GROUPS, Checks

_HEAD = """# Checks of `datakit audit`

Made from the code by `python -m datakit.audit.document > docs/checks.md`, held in step by a test. The id is
the `code` of a finding and never changes. An error loses lines or teaches something wrong, a warning
is worth a look before training, an info is a number to know.
"""


def checks_document() -> str:
    """The document, as Markdown."""
    return "\n".join([_HEAD, *(line for title, groups in GROUPS for line in _section(title, groups))])


def _section(title: str, groups: tuple[Checks, ...]) -> Iterator[str]:
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
