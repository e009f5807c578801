"""Label lines whose picture paths are seen from another folder."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from datakit.errors import InputError, OutputError
from datakit.files import safe_join
from datakit.labels import (
    DetLine,
    LabelFault,
    RecLine,
    encode_det,
    encode_rec,
    scan_det,
    scan_rec,
    sniff_task,
)


def common_folder(folders: Sequence[Path]) -> Path:
    """The deepest folder that holds all ``folders``, links resolved."""
    return Path(os.path.commonpath([folder.resolve() for folder in folders]))


def moved_path(image: str, source: Path, target: Path, *, allow_outside: bool = False) -> str:
    """``image``, a path relative to the data_dir ``source``, as seen from ``target`` (resolved).

    Raises:
        UnsafePathError: the path leaves ``source``.
    """
    safe_join(source, image, allow_outside=allow_outside)
    return Path(os.path.relpath(source.resolve() / image, target)).as_posix()


def _rewritten(
    entry: RecLine | DetLine, source: Path, target: Path, allow_outside: bool
) -> bytes | LabelFault:
    """The line with its paths seen from ``target``; a fault where a path may not be followed."""
    try:
        if isinstance(entry, DetLine):
            return encode_det(
                moved_path(entry.image, source, target, allow_outside=allow_outside), entry.boxes
            )
        images = tuple(
            moved_path(image, source, target, allow_outside=allow_outside) for image in entry.images
        )
        return encode_rec(images if len(images) > 1 else images[0], entry.text)
    except InputError as error:
        return LabelFault(entry.file, entry.line, "path-outside", str(error), entry.image)
    except OutputError as error:
        return LabelFault(entry.file, entry.line, "line-break", str(error), entry.image)


def moved_lines(
    label_file: Path, source: Path, target: Path, *, allow_outside: bool = False
) -> Iterator[bytes | LabelFault]:
    """Every line of ``label_file`` as bytes with the newline, picture paths changed from ``source`` to
    ``target``.

    ``source`` and ``target`` are data_dirs, ``target`` resolved. What cannot be used comes as a fault.
    """
    scan = scan_rec if sniff_task(label_file) == "rec" else scan_det
    for entry in scan(label_file):
        yield entry if isinstance(entry, LabelFault) else _rewritten(entry, source, target, allow_outside)
