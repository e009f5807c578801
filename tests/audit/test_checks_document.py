"""docs/checks.md is what the registry holds."""

from pathlib import Path

from datakit.audit import CHECKS
from datakit.audit.document import checks_document


def test_every_check_stands_in_the_document_once():
    text = checks_document()
    assert [text.count(f"\n| `{code}` |") for code in CHECKS] == [1] * len(CHECKS)
    written = Path(__file__).parents[2] / "docs/checks.md"
    assert written.read_text(encoding="utf-8") == text, "python -m datakit.audit.document > docs/checks.md"
