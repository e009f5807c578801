"""The published JSON schemas (draft 2020-12) of what audit writes."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, Literal

SchemaName = Literal["report", "finding", "change", "dropped"]
NAMES: tuple[SchemaName, ...] = ("report", "finding", "change", "dropped")


def load_schema(name: SchemaName) -> dict[str, Any]:
    """The schema of the ``report`` of ``--json``, or of one line: a ``finding`` of ``--format jsonl``, a
    ``change`` of ``--fix``, a line that was ``dropped``.
    """
    text = resources.files(__name__).joinpath(f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
