"""A split as label files, as JSON, and as lines for a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from datakit.errors import InputError, OutputError
from datakit.files import Manifest, atomic_open, atomic_write, read_manifest, write_manifest
from datakit.labels import LabelFault
from datakit.records import SCHEMA_VERSION
from datakit.report.text import visible
from datakit.split.plan import TEST, TRAIN, VAL, Split
from datakit.split.read import SplitLine

DROPPED = "dropped.jsonl"
_SHOWN = 5


def write_split(
    split: Split,
    lines: Sequence[SplitLine],
    faults: Sequence[LabelFault],
    out: Path,
    *,
    arguments: Mapping[str, Any],
    seed: int,
) -> dict[str, str]:
    """Write train.txt, val.txt and perhaps test.txt, with the bytes of the lines, and the manifest.

    What could not be used is named in dropped.jsonl. Gives the label file of each part. An earlier split in
    ``out`` is replaced, all of it.

    Raises:
        OutputError: a file cannot be written, or would replace one that is not of an earlier split.
    """
    targets = {part: out / f"{part}.txt" for part in split.parts}
    earlier = _earlier_parts(out)
    sources = {Path(line.file).resolve() for line in lines}
    for part, target in targets.items():
        if target.resolve() in sources or (target.exists() and part not in earlier):
            raise OutputError(f"{target}: is there already and no earlier split; choose another --out")
    inputs = list(dict.fromkeys(line.file for line in lines))
    manifest = Manifest.begin("split", arguments, seed=seed, inputs=inputs)
    write_manifest(out, manifest)
    for part, target in targets.items():
        with atomic_open(target) as stream:
            stream.writelines(lines[at].raw for at in split.parts[part])
    dropped = "".join(json.dumps(asdict(fault), ensure_ascii=False) + "\n" for fault in faults)
    if dropped:
        atomic_write(out / DROPPED, dropped)
    stale = {f"{part}.txt" for part in earlier if part not in split.parts}
    for name in {*stale, DROPPED} if earlier and not dropped else stale:
        (out / name).unlink(missing_ok=True)
    write_manifest(out, manifest.ended("done", _totals(split, lines, faults)))
    return {part: str(target) for part, target in targets.items()}


def _earlier_parts(out: Path) -> set[str]:
    """The parts that an earlier split wrote into ``out``; OutputError if another command wrote there."""
    try:
        manifest = read_manifest(out)
    except InputError:
        return set()
    if manifest.command != "split":
        raise OutputError(f"{out}: holds the output of datakit {manifest.command}; choose another --out")
    # Without counts it was interrupted, and its parts are whole or absent.
    parts = {TRAIN, VAL, TEST}
    return parts.intersection(manifest.counts or parts)


def split_document(
    split: Split, lines: Sequence[SplitLine], faults: Sequence[LabelFault], files: Mapping[str, str] | None
) -> dict[str, Any]:
    """The document of ``--json``; names every unusable line. ``files`` None: nothing was written."""
    return {
        "schema_version": SCHEMA_VERSION,
        "totals": _totals(split, lines, faults),
        "groups": dict(split.groups),
        "loose": split.loose,
        "files": None if files is None else dict(files),
        "findings": [
            {
                "code": fault.code,
                "severity": "error",
                "file": fault.file,
                "line": fault.line,
                "message": fault.message,
                "fix": "",
            }
            for fault in faults
        ],
        "notes": list(split.notes),
    }


def format_split(
    split: Split, lines: Sequence[SplitLine], faults: Sequence[LabelFault], files: Mapping[str, str] | None
) -> str:
    """The split as a few lines of text."""
    rows = []
    for part, members in split.parts.items():
        share = len(members) / len(lines)
        where = f"  {visible(files[part])}" if files else ""
        rows.append(
            f"{part:<6}{len(members):>9,} lines {share:>7.1%}  {split.groups[part]:>7,} groups{where}"
        )
    if split.loose:
        rows.append(f"{split.loose:,} lines without a group, each by itself")
    rows += [f"note: {note}" for note in split.notes]
    if faults:
        rows.append(f"{len(faults):,} lines could not be used:")
        rows += [f"  {visible(f.file)}:{f.line}: {f.code}, {visible(f.message)}" for f in faults[:_SHOWN]]
        if len(faults) > _SHOWN:
            rows.append(f"  and {len(faults) - _SHOWN:,} more")
    return "\n".join(rows) + "\n"


def _totals(split: Split, lines: Sequence[SplitLine], faults: Sequence[LabelFault]) -> dict[str, int]:
    parts = {part: len(members) for part, members in split.parts.items()}
    return {"lines": len(lines) + len(faults), **parts, "dropped": len(faults)}
