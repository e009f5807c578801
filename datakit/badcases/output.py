"""What badcases leaves in its folder: labels to train on, targets to make, reports to read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datakit.badcases.analysis import BadcaseReport, Failure
from datakit.badcases.page import html_report
from datakit.errors import DatakitError, InputError
from datakit.files import Manifest, atomic_open, atomic_write, write_manifest
from datakit.labels import LabelFault, encode_rec, scan_rec
from datakit.mix import Mix, Source, write_mix
from datakit.mix.moved import common_folder, moved_path
from datakit.records import SCHEMA_VERSION, Prediction, read_predictions


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: ``lines`` in badcases.txt, whose paths are relative to ``data_dir``; ``left_out``
    failures of kind misread that could not be written, with the reason."""

    folder: Path
    lines: int
    data_dir: Path
    left_out: tuple[tuple[Failure, str], ...]


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """Training labels: how many lines contain each character, and which pictures they name (resolved)."""

    lines_with: Counter[str]
    pictures: frozenset[Path]


def read_training(label_files: Iterable[Path]) -> TrainingSet:
    """Count the usable lines of recognition label files.

    Raises:
        InputError: a file cannot be read.
    """
    lines_with: Counter[str] = Counter()
    pictures: set[Path] = set()
    for label_file in label_files:
        folder = label_file.parent.resolve()
        for entry in scan_rec(label_file):
            if not isinstance(entry, LabelFault):
                lines_with.update(set(entry.text))
                pictures.update(folder / image for image in entry.images)
    return TrainingSet(lines_with, frozenset(pictures))


def read_all(files: Sequence[Path]) -> Iterator[Prediction]:
    """The records of several predictions.jsonl, one after the other.

    Raises:
        InputError: a file cannot be read, or holds no prediction.
    """
    for file in files:
        empty = True
        for prediction in read_predictions(file):
            empty = False
            yield prediction
        if empty:
            raise InputError("holds no prediction", file=file)


def folders_of(files: Iterable[str], data_dir: Path | None) -> dict[str, Path]:
    """What the pictures of each label file are relative to: ``data_dir``, or the file's own folder."""
    return {file: data_dir or Path(file).parent for file in dict.fromkeys(files)}


def with_leak_note(
    report: BadcaseReport, folders: Mapping[str, Path], training: TrainingSet
) -> BadcaseReport:
    """The report, with a note if failing lines do not belong to the training labels."""
    misread = [failure.prediction for failure in report.misread]
    foreign = sum(folders[p.file].resolve() / p.image not in training.pictures for p in misread)
    if not foreign:
        return report
    note = (
        f"{foreign} of the {len(misread)} lines in badcases.txt are not in the training labels: if they "
        f"come from a test "
        "set, training on them makes its scores worthless"
    )
    return replace(report, notes=(*report.notes, note))


def _label_lines(
    failures: Sequence[Failure], folders: Mapping[str, Path], target: Path, allow_outside: bool
) -> Iterator[tuple[Failure, bytes, str]]:
    """Every failure as a label line, or with the reason why it cannot be one."""
    for failure in failures:
        p = failure.prediction
        folder = folders[p.file]
        try:
            path = moved_path(p.image, folder, target, allow_outside=allow_outside)
            yield failure, encode_rec(path, p.label), ""
        except DatakitError as error:
            yield failure, b"", str(error)


def write_badcases(
    report: BadcaseReport,
    out: Path,
    *,
    folders: Mapping[str, Path],
    manifest: Manifest,
    allow_outside: bool = False,
) -> Written:
    """Write badcases.txt (the misread lines, as a label file), badcases.yaml (the same as a source of a
    mix), badcases.jsonl (every failure, with its line in badcases.txt), targets.json, report.json,
    report.html and the manifest into ``out``.

    ``folders`` maps each label file of the predictions to its data_dir. Failures from several of them get
    paths relative to the folder that holds all.

    Raises:
        OutputError: a file cannot be written.
    """
    write_manifest(out, manifest)
    used = sorted({folders[failure.prediction.file] for failure in report.misread}) or [Path()]
    data_dir = common_folder(used)
    numbers: dict[int, int] = {}
    left_out = []
    with atomic_open(out / "badcases.txt", "wb") as stream:
        for failure, line, reason in _label_lines(report.misread, folders, data_dir, allow_outside):
            if reason:
                left_out.append((failure, reason))
            else:
                stream.write(line)
                numbers[id(failure)] = len(numbers) + 1
    _write_list(out / "badcases.jsonl", report.failures, numbers, {id(f): reason for f, reason in left_out})
    if numbers:
        write_mix(out / "badcases.yaml", Mix((Source(out / "badcases.txt", data_dir, "badcases", 1.0),)))
    else:
        (out / "badcases.yaml").unlink(missing_ok=True)
    atomic_write(out / "targets.json", report.targets.to_json())
    atomic_write(out / "report.json", json.dumps(report.to_dict(), ensure_ascii=False, indent=1) + "\n")
    atomic_write(out / "report.html", html_report(report, folders, allow_outside=allow_outside))
    counts: dict[str, int] = {"lines": report.score.lines, "written": len(numbers)}
    counts.update(dict(report.kinds.items()))
    write_manifest(out, manifest.ended("done", counts))
    return Written(out, len(numbers), data_dir, tuple(left_out))


def _write_list(
    path: Path, failures: Sequence[Failure], numbers: Mapping[int, int], reasons: Mapping[int, str]
) -> None:
    with atomic_open(path, "w") as stream:
        for failure in failures:
            document: dict[str, Any] = {
                "schema_version": SCHEMA_VERSION,
                **failure.to_dict(),
                "badcases_line": numbers.get(id(failure)),
                "left_out": reasons.get(id(failure), ""),
            }
            stream.write(json.dumps(document, ensure_ascii=False) + "\n")
