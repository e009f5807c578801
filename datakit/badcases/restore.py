"""Labels that follow the picture again, where a model shows how a labelling rule changed them.

Only lines whose label and reading agree once case, spaces and width are ignored (and marks, where they are to
be restored) are touched, and only in what was asked for: the characters stay those of the label.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from datakit.badcases.alignment import Step, agree, align_folded
from datakit.badcases.rules import only_marks
from datakit.badcases.source import write_source
from datakit.errors import DatakitError
from datakit.files import atomic_open
from datakit.labels import encode_rec
from datakit.mix import Source
from datakit.mix.moved import common_folder, moved_path
from datakit.records import SCHEMA_VERSION, Prediction

Restored = Literal["case", "space", "marks"]
# The spaces that a label file writes; others are characters of their own.
SPACE = " "


@dataclass(frozen=True, slots=True)
class RestoreCounts:
    """Lines in = ``written`` + ``left_out``; ``changed`` of those written differ from their label."""

    written: int
    changed: int
    left_out: int


def restored(label: str, text: str, what: Collection[Restored]) -> str:
    """``label`` with the case, the spaces, the marks of ``text``; unchanged where they do not agree.

    Marks that the label has and the reading lacks stay.
    """
    if "marks" in what and not agree(label, text):
        steps = align_folded(label, text)
        if only_marks([(step.expected, step.read) for step in steps]):
            label = _marked(label, steps)
    if label == text or not agree(label, text):
        return label
    chars = [char for char in label if char != SPACE]
    read = [char for char in text if char != SPACE]
    if len(chars) != len(read):
        # A width variant of several characters: there is no one to one.
        return label
    if "case" in what:
        pairs = zip(chars, read, strict=True)
        chars = [b if a != b and a.casefold() == b.casefold() else a for a, b in pairs]
    return _spaced(chars, text if "space" in what else label)


def _marked(label: str, steps: Iterable[Step]) -> str:
    """``label`` with the marks that were read, at their places."""
    chars = [*label, ""]
    for step in steps:
        if step.operation == "insert":
            chars[step.position] = step.read + chars[step.position]
        elif step.operation == "replace":
            chars[step.position] = step.read
    return "".join(chars)


def _spaced(chars: Sequence[str], like: str) -> str:
    """``chars`` with spaces where ``like`` has them."""
    following = iter(chars)
    return "".join(SPACE if char == SPACE else next(following) for char in like).strip(SPACE)


def write_restored(
    predictions: Iterable[Prediction],
    out: Path,
    what: Sequence[Restored],
    folders: Mapping[str, Path],
    *,
    allow_outside: bool = False,
) -> RestoreCounts:
    """Write the labels into ``out``; one pass over ``predictions``.

    ``restored.txt`` holds every line; ``restored.yaml`` is the same as a source for mix and finetune, with
    the folder of its pictures; ``restored.jsonl`` lists each change, and each line that cannot be written,
    with old and new label.

    ``folders`` maps each label file to its data_dir; with several, paths become relative to the folder that
    holds all.

    Raises:
        OutputError: a file cannot be written.
    """
    target = common_folder(sorted(set(folders.values())) or [Path()])
    written = changed = left_out = 0
    with (
        atomic_open(out / "restored.txt", "wb") as labels,
        atomic_open(out / "restored.jsonl", "w") as listed,
    ):
        for p in predictions:
            label = p.label if p.text is None else restored(p.label, p.text, what)
            reason = ""
            try:
                path = moved_path(p.image, folders[p.file], target, allow_outside=allow_outside)
                labels.write(encode_rec(path, label))
                written += 1
                changed += label != p.label
            except DatakitError as error:
                reason, left_out = str(error), left_out + 1
            if reason or label != p.label:
                document = {
                    "schema_version": SCHEMA_VERSION,
                    "file": p.file,
                    "line": p.line,
                    "image": p.image,
                }
                document |= {"label": p.label, "restored": label, "score": round(p.score, 6)}
                listed.write(json.dumps({**document, "left_out": reason}, ensure_ascii=False) + "\n")
    write_source(Source(out / "restored.txt", target, "domain", 1.0), written)
    return RestoreCounts(written, changed, left_out)
