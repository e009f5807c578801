"""One source of labels: a label file, stdin, or an LMDB set."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from datakit.labels import DetLine, LabelFault, RecLine, Task, scan_det, scan_rec
from datakit.lmdb_set import scan_lmdb

SourceKind = Literal["lines", "lmdb"]
Role = Literal["domain", "general", "synthetic", "badcases"]
ROLES: tuple[Role, ...] = ("domain", "general", "synthetic", "badcases")


@dataclass(frozen=True, slots=True)
class LabelSource:
    """A label file with its task and what its paths are relative to.

    ``kind`` "lmdb": ``file`` and ``data_dir`` are the folder of the set, the key stands as the line.
    ``ratio`` is the share of the lines that one epoch draws, ``role`` what they are in the mix. ``notes`` say
    what was taken for granted.
    """

    file: str
    task: Task
    data_dir: Path
    kind: SourceKind = "lines"
    ratio: float = 1.0
    notes: tuple[str, ...] = ()
    role: Role = "domain"


def scan(source: LabelSource) -> Iterator[RecLine | DetLine | LabelFault]:
    """Every line of a source, usable or not.

    Raises:
        InputError: the source is missing or cannot be read.
        MissingExtraError: an LMDB set without the package lmdb.
    """
    if source.kind == "lmdb":
        return scan_lmdb(source.file)
    return scan_rec(source.file) if source.task == "rec" else scan_det(source.file)
