"""Label files with their folders and the names that reports use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from datakit.errors import UsageError
from datakit.line_sets import data_dir_of, find_sets, is_packed
from datakit.mix import Mix, Part, Source, load_mix


def as_part(label_set: Path | Part) -> Part:
    """A label file with its data_dir; None there means its own folder."""
    return label_set if isinstance(label_set, Part) else Part(label_set)


def name_sets(parts: Sequence[Part]) -> dict[str, Part]:
    """Label files by the name that reports use: the stem where stems differ, else the path.

    What synth wrote is called ``labels.txt``: its folder names it.
    """
    stems = [_short_name(part.label_file) for part in parts]
    return {
        stem if stems.count(stem) == 1 else str(part.label_file): part
        for stem, part in zip(stems, parts, strict=True)
    }


def _short_name(path: Path) -> str:
    return path.resolve().parent.name if path.name == "labels.txt" else path.stem


def require_apart(mix: Mix, judges: Sequence[Part]) -> None:
    """Refuse a label file that both trains and judges.

    Raises:
        UsageError: names it.
    """
    trains = {source.label_file.resolve() for source in mix.sources}
    for judge in judges:
        if judge.label_file.resolve() in trains:
            raise UsageError(
                f"{judge.label_file} both trains and judges; hold lines out for --val and --guard"
            )


def _found(source: Source) -> Source:
    """A source as mix.yaml names it; the pictures of an LMDB or Parquet set are inside."""
    return replace(source, data_dir=source.label_file) if is_packed(source.label_file) else source


def sources_of(files: Sequence[Path]) -> Mix:
    """One mix of mix.yaml files, and of label files, LMDB and Parquet sets (each line once)."""
    sources: list[Source] = []
    for path in files:
        if path.suffix in {".yaml", ".yml"}:
            sources.extend(_found(source) for source in load_mix(path).sources)
        else:
            sources.extend(Source(found, data_dir_of(found), "domain", 1.0) for found in find_sets(path))
    return Mix(tuple(sources))
