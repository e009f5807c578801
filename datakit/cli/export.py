"""``datakit export``: a trained recogniser as Paddle inference model, .pdparams and ONNX."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def export(
    model: Annotated[str, typer.Argument(help="Model name or checkpoint folder.")],
    out: Annotated[Path, typer.Option(help="Folder to write; an earlier export there is replaced.")],
    formats: Annotated[
        str, typer.Option(help="Comma-separated, of: paddle, pdparams, onnx.")
    ] = "paddle,pdparams,onnx",
    check: Annotated[
        Path | None, typer.Option(metavar="LABELS", help="Compare with the trained model on these pictures.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Root of the picture paths; default: the label file's folder.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="Pictures to compare on, at most.")] = 200,
    onnx_template: Annotated[
        Path | None, typer.Option(help="ONNX file to write into; default: the one that models pull kept.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; default: every core.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write a model for PaddleOCR, RapidOCR and others; exit 1 where one reads another text."""
    from dataclasses import asdict

    from datakit_train.export.run import export as run
    from datakit_train.framework import import_paddle

    import_paddle(threads)
    result = run(
        model,
        out,
        formats=[form.strip() for form in formats.split(",") if form.strip()],
        labels=check,
        data_dir=data_dir,
        limit=limit,
        template=onnx_template,
        say=lambda line: typer.echo(line, err=True),
    )
    if json_:
        parity = [{**asdict(p), "same": p.same} for p in result.parity]
        document = {"schema_version": 1, "folder": str(out), "files": result.files, "parity": parity}
        typer.echo(json.dumps(document, ensure_ascii=False))
        return
    for name in result.files:
        typer.echo(str(out / name))
