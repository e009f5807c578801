"""From a path on the command line to sources: PaddleOCR's label files, LMDB folders, PPOCRLabel's files."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from datakit.audit.inputs.source import LabelSource
from datakit.errors import InputError, UsageError
from datakit.labels import SNIFFED_LINES, STDIN, LabelFault, Task, scan_det, sniff_task
from datakit.lmdb_set import count_samples, find_lmdb_sets, unread_samples

# PPOCRLabel writes fixed names. Paths in its detection files begin with the name of the folder that holds
# pictures and label file, so they start one folder above it.
_BOX_FILES = frozenset({"label.txt", "cache.cach"})
_CACHE = "cache.cach"
_STATE = "filestate.txt"


def sources_of(
    path: str, *, data_dir: Path | None = None, task: Task | None = None, ratio: float = 1.0
) -> tuple[LabelSource, ...]:
    """The sources that ``path`` stands for: one, or one an LMDB set under a folder.

    ``data_dir`` defaults to the folder of the label file (the working folder for stdin), ``task`` to what
    the file looks like.

    Raises:
        InputError: missing, a folder without an LMDB set, PPOCRLabel's list of states, or unreadable.
        UsageError: stdin without a task; an LMDB set for detection.
        MissingExtraError: an LMDB set without the package lmdb.
    """
    if path == STDIN:
        return (LabelSource(path, task or sniff_task(path), data_dir or Path(), ratio=ratio),)
    if Path(path).is_dir():
        return tuple(_lmdb_source(folder, task, ratio) for folder in _lmdb_sets(path))
    if not Path(path).exists():
        raise InputError("no such label file", file=path)
    name = Path(path).name.lower()
    if name == _STATE:
        raise InputError(
            "is PPOCRLabel's list of checked pictures, not a label file; give Label.txt or rec_gt.txt",
            file=path,
        )
    sniffed = task or sniff_task(path)
    folder = Path(path).parent
    if name in _BOX_FILES and sniffed == "det":
        return (_ppocrlabel(path, data_dir, ratio),)
    return (LabelSource(path, sniffed, folder if data_dir is None else data_dir, ratio=ratio),)


def _lmdb_sets(path: str) -> list[Path]:
    sets = find_lmdb_sets(path)
    if not sets:
        raise InputError("is a folder, not a label file, and holds no LMDB set (data.mdb)", file=path)
    return sets


def _lmdb_source(folder: Path, task: Task | None, ratio: float) -> LabelSource:
    if task == "det":
        raise UsageError(f"{folder}: an LMDB set holds recognition samples (--task det)")
    count_samples(folder)
    beyond = unread_samples(folder)
    notes = (f"{folder}: {beyond} labels under keys above num-samples, which PaddleOCR never reads",)
    return LabelSource(str(folder), "rec", folder, "lmdb", ratio, notes if beyond else ())


def _ppocrlabel(path: str, data_dir: Path | None, ratio: float) -> LabelSource:
    notes = []
    if Path(path).name.lower() == _CACHE:
        notes.append(f"{path}: what PPOCRLabel's model read, not yet checked by a person")
    folder = Path(path).parent
    if data_dir is None and _starts_above(path, folder):
        above = folder.absolute().parent
        notes.append(
            f"{path}: paths begin with {folder.absolute().name}/ and start at {above}, as PPOCRLabel writes"
            " them (PaddleOCR: data_dir)"
        )
        return LabelSource(path, "det", above, ratio=ratio, notes=tuple(notes))
    return LabelSource(path, "det", folder if data_dir is None else data_dir, ratio=ratio, notes=tuple(notes))


def _starts_above(path: str, folder: Path) -> bool:
    """Whether the first paths begin with the folder's own name, and are no pictures inside it."""
    first = [line.image for line in islice(scan_det(path), SNIFFED_LINES) if not isinstance(line, LabelFault)]
    prefix = f"{folder.absolute().name}/"
    return bool(first) and all(
        image.startswith(prefix) and "\0" not in image and not Path(folder, image).exists() for image in first
    )
