"""A label file for every kind of failure: each is gone through with its own remedy."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from datakit.badcases.analysis import BadcaseReport
from datakit.errors import DatakitError
from datakit.files import atomic_open
from datakit.labels import encode_rec
from datakit.mix.moved import common_folder, moved_path

FOLDER = "kinds"


def write_lists(
    report: BadcaseReport, out: Path, folders: Mapping[str, Path], *, allow_outside: bool = False
) -> dict[str, int]:
    """Write ``kinds/KIND.txt`` for every kind that occurs and return the lines in each.

    The order is that of the predictions; paths are relative to the folder of the pictures, or to the one that
    holds all where there are several. A line that no label file can hold is in badcases.jsonl alone. Lists of
    an earlier run are replaced.

    Raises:
        OutputError: a file cannot be written.
    """
    kinds = [kind for kind, count in report.kinds.items() if count]
    for old in (out / FOLDER).glob("*.txt"):
        if old.stem not in kinds:
            old.unlink(missing_ok=True)
    target = common_folder(sorted(set(folders.values())) or [Path()])
    written = dict.fromkeys(map(str, kinds), 0)
    with contextlib.ExitStack() as stack:
        streams = {
            kind: stack.enter_context(atomic_open(out / FOLDER / f"{kind}.txt", "wb")) for kind in kinds
        }
        for failure in report.failures:
            p = failure.prediction
            try:
                path = moved_path(p.image, folders[p.file], target, allow_outside=allow_outside)
                streams[failure.kind].write(encode_rec(path, p.label))
            except DatakitError:
                # Named with its reason where it is worth training on, see badcases.jsonl.
                continue
            written[failure.kind] += 1
    return written
