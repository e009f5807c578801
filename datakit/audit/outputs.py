"""Where the outputs of ``--fix`` and ``--clean`` go: never onto an input, and no two onto one another."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from datakit.audit.inputs.source import LabelSource
from datakit.errors import UsageError
from datakit.files import require_writable
from datakit.labels import STDIN


def output_paths(option: str, out: Path, sources: Sequence[LabelSource]) -> tuple[Path, ...]:
    """One path a source: ``out`` itself for a single label file, files of the same names in it for several.

    An existing folder is taken as a folder for a single file too. Paths inside the files are not changed.

    Raises:
        UsageError: stdin or an LMDB set among the sources, two files of one name, an output that is an input.
        OutputError: a place that cannot be written to.
    """
    for source in sources:
        if source.file == STDIN:
            raise UsageError(f"{option} reads the labels a second time: give a file, not stdin")
        if source.kind == "lmdb":
            raise UsageError(f"{option} writes label files; {source.file} is an LMDB set")
    names = [Path(source.file).name for source in sources]
    folder = len(sources) > 1 or out.is_dir()
    paths = tuple(out / name for name in names) if folder else (out,)
    _refuse_clashes(option, paths, sources)
    for path in paths:
        require_writable(path)
    return paths


def _refuse_clashes(option: str, paths: Sequence[Path], sources: Sequence[LabelSource]) -> None:
    inputs = {os.path.realpath(source.file): source.file for source in sources}
    seen: dict[str, str] = {}
    for path, source in zip(paths, sources, strict=True):
        real = os.path.realpath(path)
        if real in inputs:
            raise UsageError(f"{option} {path} would overwrite the label file {inputs[real]}")
        if real in seen:
            raise UsageError(f"{option}: {seen[real]} and {source.file} have the same name; audit them apart")
        seen[real] = source.file


def root_note(path: Path, source: LabelSource) -> str:
    """What to say where an output no longer lies where its picture paths start; "" where it does."""
    if path.absolute().parent.resolve() == source.data_dir.resolve():
        return ""
    return f"the paths in {path} start at {source.data_dir} (--data-dir)"
