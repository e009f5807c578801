"""datakit badcases: what fails, why, and what to make next."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def badcases(
    *,
    predictions: Annotated[
        list[Path], typer.Argument(metavar="PREDICTIONS...", help="From datakit predict.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for badcases.txt, targets.json and the reports.")],
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
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Follow paths that leave data_dir.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Align predictions with labels: kinds of failure, confusions, and targets for the next synth."""
    from datakit.badcases.analysis import analyse
    from datakit.badcases.output import folders_of, read_all, read_training, with_leak_note, write_badcases
    from datakit.charset import load_charset
    from datakit.files import Manifest

    train_labels = train_labels or []
    training = read_training(train_labels) if train_labels else None
    report = analyse(
        read_all(predictions),
        charset=load_charset(dict_) if dict_ else None,
        train_lines=training.lines_with if training else None,
        per_char=per_char,
        max_targets=max_targets,
        max_text_length=max_text_length,
    )
    folders = folders_of((failure.prediction.file for failure in report.failures), data_dir)
    if training:
        report = with_leak_note(report, folders, training)
    arguments = {"per_char": per_char, "max_targets": max_targets, "max_text_length": max_text_length}
    inputs = [*predictions, *train_labels, *([dict_] if dict_ else [])]
    manifest = Manifest.begin("badcases", arguments, inputs=inputs)
    written = write_badcases(report, out, folders=folders, manifest=manifest, allow_outside=allow_outside)
    if json_:
        import json

        json.dump(report.to_dict(), sys.stdout, ensure_ascii=False, indent=1)
        typer.echo()
    else:
        from datakit.badcases.terminal import format_report

        typer.echo(format_report(report, written), nl=False)
