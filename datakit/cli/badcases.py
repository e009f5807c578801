"""datakit badcases: what fails, why, and what to make next."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from datakit.errors import UsageError

if TYPE_CHECKING:
    from datakit.badcases.inputs import Unmatched
    from datakit.records import Prediction

SHOWN = 20


class Restore(str, Enum):
    """What a label takes from the reading."""

    case = "case"
    space = "space"
    marks = "marks"


def badcases(
    *,
    predictions: Annotated[
        list[Path],
        typer.Argument(
            metavar="PREDICTIONS...",
            help="predictions.jsonl of datakit predict; with --labels also PaddleOCR's predicts_*.txt, "
            "system_results.txt and JSON, RapidOCR's JSON, or TSV.",
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for badcases.txt, targets.json and the reports.")],
    labels: Annotated[
        list[Path] | None,
        typer.Option(help="Label files to compare with, joined by picture path; repeatable."),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="Older predictions of the same lines: what got better and worse.")
    ] = None,
    second: Annotated[
        Path | None, typer.Option(help="Another model's predictions of the same lines, as second opinion.")
    ] = None,
    restore: Annotated[
        list[Restore] | None,
        typer.Option(
            help="Write restored.txt: labels with the case, the spaces or the marks (punctuation) that are "
            "read; repeatable."
        ),
    ] = None,
    dict_: Annotated[
        Path | None, typer.Option("--dict", help="The model's dictionary; none: not checked.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Root of the picture paths; default: the label file's folder.")
    ] = None,
    train_labels: Annotated[
        list[Path] | None, typer.Option(help="Label files of the training set; repeatable.")
    ] = None,
    per_char: Annotated[int, typer.Option(min=1, help="Lines that a character should have.")] = 300,
    max_targets: Annotated[int, typer.Option(min=0, help="Characters in targets.json at most.")] = 50,
    max_text_length: Annotated[
        int, typer.Option(min=1, help="Length of contexts in targets.json at most.")
    ] = 25,
    images: Annotated[bool, typer.Option("--images/--no-images", help="Look at the pictures.")] = True,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 0,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Follow paths that leave data_dir.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Align predictions with labels: kinds of failure, confusions, and targets for the next synth."""
    from datakit.badcases.analysis import analyse
    from datakit.badcases.compare import compare
    from datakit.badcases.inputs import Unmatched
    from datakit.badcases.output import folders_of, read_training, with_leak_note, write_badcases
    from datakit.badcases.pictures import PictureReader
    from datakit.charset import load_charset
    from datakit.files import Manifest

    train_labels, label_files = train_labels or [], labels or []
    training = read_training(train_labels) if train_labels else None
    reader = PictureReader(data_dir=data_dir, allow_outside=allow_outside) if images else None
    unmatched = Unmatched()
    comparison = None
    if baseline is not None:
        new, old = _read(predictions, label_files, Unmatched()), _read([baseline], label_files, Unmatched())
        comparison = compare(new, old, seed=seed)
    report = analyse(
        _read(predictions, label_files, unmatched),
        charset=load_charset(dict_) if dict_ else None,
        train_lines=training.lines_with if training else None,
        per_char=per_char,
        max_targets=max_targets,
        max_text_length=max_text_length,
        measure=reader,
        second=_read([second], label_files, Unmatched()) if second else None,
        comparison=comparison,
        seed=seed,
    )
    folders = folders_of((failure.prediction.file for failure in report.failures), data_dir)
    if training:
        report = with_leak_note(report, folders, training)
    arguments = {"per_char": per_char, "max_targets": max_targets, "max_text_length": max_text_length}
    inputs = [*predictions, *label_files, *train_labels, *(p for p in (dict_, baseline, second) if p)]
    manifest = Manifest.begin("badcases", arguments, inputs=[path for path in inputs if path.is_file()])
    written = write_badcases(report, out, folders=folders, manifest=manifest, allow_outside=allow_outside)
    _name_unmatched(unmatched, out)
    if restore:
        _restore(predictions, label_files, restore, out, data_dir, allow_outside)
    if json_:
        import json

        json.dump(report.to_dict(), sys.stdout, ensure_ascii=False, indent=1)
        typer.echo()
    else:
        from datakit.badcases.terminal import format_report

        typer.echo(format_report(report, written), nl=False)


def _read(files: list[Path], labels: list[Path], unmatched: Unmatched) -> Iterator[Prediction]:
    """The predictions, joined with labels where they are given."""
    from datakit.badcases.inputs import join_labels
    from datakit.badcases.inputs.sources import kind_of_file
    from datakit.badcases.output import read_all

    if labels:
        return join_labels(files, labels, unmatched)
    for file in files:
        folder = file.is_dir() and any(file.glob("*.json"))
        if folder or (file.is_file() and kind_of_file(file) in ("json", "jsonl")):
            raise UsageError(f"{file}: holds readings without labels: name the label files with --labels")
    return read_all(files)


def _name_unmatched(unmatched: Unmatched, out: Path) -> None:
    """Every line without a partner into unmatched.txt, the first ones on stderr."""
    from datakit.files import atomic_write
    from datakit.report.text import visible

    sentences = [visible(sentence) for sentence in unmatched.sentences]
    if not sentences:
        (out / "unmatched.txt").unlink(missing_ok=True)
        return
    atomic_write(out / "unmatched.txt", "".join(f"{sentence}\n" for sentence in sentences))
    for sentence in sentences[:SHOWN]:
        typer.echo(sentence, err=True)
    typer.echo(f"{len(sentences)} without a partner, all named in {out / 'unmatched.txt'}", err=True)


def _restore(
    predictions: list[Path],
    labels: list[Path],
    restore: list[Restore],
    out: Path,
    data_dir: Path | None,
    allow_outside: bool,
) -> None:
    from datakit.badcases.inputs import Unmatched
    from datakit.badcases.output import folders_of
    from datakit.badcases.restore import write_restored

    # Two passes: the folder that holds all pictures has to be known before the first line is written.
    folders = folders_of((p.file for p in _read(predictions, labels, Unmatched())), data_dir)
    counts = write_restored(
        _read(predictions, labels, Unmatched()),
        out,
        [entry.value for entry in restore],
        folders,
        allow_outside=allow_outside,
    )
    kept = f"{counts.written} lines, {counts.changed} changed, {counts.left_out} left out"
    typer.echo(f"wrote {out / 'restored.txt'}: {kept} (each named in restored.jsonl)", err=True)
    if counts.written:
        typer.echo(f"to train on them: datakit finetune --train {out / 'restored.yaml'}", err=True)
