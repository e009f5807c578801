"""``datakit evaluate``: accuracy of a model, or of predictions already made, set by set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    inputs: Annotated[
        list[Path], typer.Argument(metavar="FILES...", help="Label files, or predictions (*.jsonl).")
    ],
    model: Annotated[
        str, typer.Option(help="Model name or checkpoint folder, for label files.")
    ] = "ppocrv3-rec",
    data_dir: Annotated[
        Path | None, typer.Option(help="Root of the picture paths; default: each file's folder.")
    ] = None,
    train_labels: Annotated[
        list[Path] | None,
        typer.Option(help="Training label files: lines with a text not in them are scored apart."),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; default: every core.")] = None,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Follow paths that leave data_dir.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Exact accuracy as labelled and folded, and CER, over exactly the lines given."""
    from datakit_train.evaluate import evaluate as run

    evaluations = run(
        inputs,
        model,
        data_dir=data_dir,
        train_labels=train_labels or (),
        threads=threads,
        allow_outside=allow_outside,
    )
    if json_:
        typer.echo(
            json.dumps({"schema_version": 1, "sets": [e.to_dict() for e in evaluations]}, ensure_ascii=False)
        )
        return
    typer.echo(f"{'lines':>7} {'unread.':>7} {'exact':>7} {'folded':>7} {'CER':>7}  set")
    for evaluation in evaluations:
        for name, score in evaluation.rows():
            typer.echo(
                f"{score.lines:7d} {score.unreadable:7d} {score.accuracy:7.4f} {score.accuracy_folded:7.4f} "
                f"{score.cer:7.4f}  {name}"
            )
