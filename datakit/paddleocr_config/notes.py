"""What is worth saying about a configuration, collected and printed by whoever read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Code = Literal["no-effect", "old-key", "changed", "odd"]


@dataclass(frozen=True, slots=True)
class Note:
    """One remark.

    ``no-effect``: PaddleOCR knows the key and it does nothing here. ``old-key``: a name of an earlier
    version. ``changed``: the value that is used is not the one in the file. ``odd``: it works, and probably
    not as meant. ``key`` is the dotted path in the YAML.
    """

    code: Code
    key: str
    message: str


def describe_notes(notes: tuple[Note, ...]) -> list[str]:
    """One line a remark, the keys without effect together in the first."""
    idle = [note.key for note in notes if note.code == "no-effect"]
    lines = [f"without effect here: {', '.join(idle)}"] if idle else []
    return lines + [f"{note.key}: {note.message}" for note in notes if note.code != "no-effect"]
