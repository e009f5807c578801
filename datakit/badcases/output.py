"""What badcases leaves in its folder: labels to train on, targets to make, reports to read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from datakit.badcases.analysis import BadcaseReport, Failure
from datakit.badcases.inputs.sources import kind_of_file
from datakit.badcases.kinds import TRAINABLE
from datakit.badcases.lists import write_lists
from datakit.badcases.page import html_report
from datakit.badcases.source import write_source
from datakit.errors import DatakitError, InputError
from datakit.files import Manifest, atomic_open, atomic_write, write_manifest
from datakit.labels import LabelFault, encode_rec, scan_rec
from datakit.mix import Source
from datakit.mix.moved import common_folder, moved_path
from datakit.records import SCHEMA_VERSION, Prediction, read_predictions
from datakit.report.text import visible

MOST_LEFT_OUT = 1000


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: ``lines`` in badcases.txt, whose paths are relative to ``data_dir``; ``left_out``
    failures worth training on that could not be written, with the reason (the first thousand); ``relabel``
    lines in relabel.txt."""

    folder: Path
    lines: int
    data_dir: Path
    left_out: tuple[tuple[Failure, str], ...]
    relabel: int = 0


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
        # A file that is no text at all is said to be so, rather than to be broken JSON.
        kind_of_file(file)
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
    lines = foreign = 0
    resolved = {file: folder.resolve() for file, folder in folders.items()}
    for failure in report.trainable():
        lines += 1
        p = failure.prediction
        foreign += resolved[p.file] / p.image not in training.pictures
    if not foreign:
        return report
    note = (
        f"{foreign} of the {lines} lines in badcases.txt are not in the training labels: if they "
        f"come from a test "
        "set, training on them makes its scores worthless"
    )
    return replace(report, notes=(*report.notes, note))


def _label_line(failure: Failure, folder: Path, target: Path, allow_outside: bool) -> tuple[bytes, str]:
    """A failure as a label line, or the reason why it cannot be one."""
    p = failure.prediction
    try:
        return encode_rec(moved_path(p.image, folder, target, allow_outside=allow_outside), p.label), ""
    except DatakitError as error:
        return b"", str(error)


def write_badcases(
    report: BadcaseReport,
    out: Path,
    *,
    folders: Mapping[str, Path],
    manifest: Manifest,
    allow_outside: bool = False,
) -> Written:
    """Write badcases.txt (the lines worth training on, as a label file), badcases.yaml (the same as a source
    of a mix), badcases.jsonl (every failure, with its line in badcases.txt), kinds/ (a list for each kind of
    failure), relabel.txt (labels that are
    probably wrong, most suspicious first), targets.json, report.json, report.html and the manifest into
    ``out``.

    ``folders`` maps each label file of the predictions to its data_dir. Failures from several of them get
    paths relative to the folder that holds all.

    Raises:
        OutputError: a file cannot be written.
    """
    write_manifest(out, manifest)
    files = {f.prediction.file for f in report.failures if f.kind in TRAINABLE or f.kind == "label-suspect"}
    data_dir = common_folder(sorted({folders[file] for file in files}) or [Path()])
    lines, left_out = _write_lines(report, out, folders, data_dir, allow_outside)
    write_source(Source(out / "badcases.txt", data_dir, "badcases", 1.0), lines)
    write_lists(report, out, folders, allow_outside=allow_outside)
    relabel = _write_relabel(report, out, folders, data_dir, allow_outside)
    atomic_write(out / "targets.json", report.targets.to_json())
    atomic_write(out / "report.json", json.dumps(report.to_dict(), ensure_ascii=False, indent=1) + "\n")
    atomic_write(out / "report.html", html_report(report, folders, allow_outside=allow_outside))
    counts: dict[str, int] = {"lines": report.score.lines, "written": lines, "relabel": relabel}
    counts.update(dict(report.kinds.items()))
    write_manifest(out, manifest.ended("done", counts))
    return Written(out, lines, data_dir, tuple(left_out), relabel)


def _write_lines(
    report: BadcaseReport, out: Path, folders: Mapping[str, Path], data_dir: Path, allow_outside: bool
) -> tuple[int, list[tuple[Failure, str]]]:
    """badcases.txt and badcases.jsonl, side by side; gives the lines written and the first left out."""
    number = 0
    left_out: list[tuple[Failure, str]] = []
    with (
        atomic_open(out / "badcases.txt", "wb") as labels,
        atomic_open(out / "badcases.jsonl", "w") as listed,
    ):
        for failure in report.failures:
            place, reason = None, ""
            if failure.kind in TRAINABLE:
                line, reason = _label_line(failure, folders[failure.prediction.file], data_dir, allow_outside)
                if reason and len(left_out) < MOST_LEFT_OUT:
                    left_out.append((failure, reason))
                elif line:
                    labels.write(line)
                    place = number = number + 1
            document: dict[str, Any] = {
                "schema_version": SCHEMA_VERSION,
                **failure.to_dict(),
                "badcases_line": place,
                "left_out": reason,
            }
            listed.write(json.dumps(document, ensure_ascii=False) + "\n")
    return number, left_out


def _write_relabel(
    report: BadcaseReport, out: Path, folders: Mapping[str, Path], data_dir: Path, allow_outside: bool
) -> int:
    """relabel.txt: path and label as in a label file, then what is read, suspicion, place and reasons."""
    written = 0
    with atomic_open(out / "relabel.txt", "wb") as stream:
        for suspect in report.suspects:
            failure = suspect.failure
            p = failure.prediction
            line, _ = _label_line(failure, folders[p.file], data_dir, allow_outside)
            if not line:
                # The label itself may be what no label file can hold.
                line = f"{visible(p.image)}\t{visible(p.label)}\n".encode()
            rest = (
                p.text or "",
                f"{failure.suspicion:.3f}",
                f"{p.file}:{p.line}",
                "; ".join(suspect.reasons),
            )
            cells = "\t".join(visible(cell) for cell in rest)
            stream.write(line.rstrip(b"\n") + f"\t{cells}\n".encode())
            written += 1
    return written
