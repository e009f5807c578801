"""``datakit predict``: run a model over label files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer


def predict(
    labels: Annotated[list[Path], typer.Argument(metavar="LABELS...", help="Recognition label files.")],
    out: Annotated[Path, typer.Option(help="predictions.jsonl to write.")] = Path("predictions.jsonl"),
    model: Annotated[str, typer.Option(help="Model name or checkpoint folder.")] = "ppocrv3-rec",
    data_dir: Annotated[
        Path | None, typer.Option(help="Root of the picture paths; default: each file's folder.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Lines of equal width read at once; default: the engine's best.")
    ] = None,
    engine: Annotated[
        str, typer.Option(help="paddle, or onnxruntime: faster on a CPU, needs the extra [export].")
    ] = "paddle",
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; default: every core.")] = None,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Follow paths that leave data_dir.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Read every line of the label files: text, score, score of every character; a record for every line."""
    from datakit_train.framework import import_paddle
    from datakit_train.predict import predict as run

    import_paddle(threads)
    result = run(
        labels,
        model,
        out=out,
        data_dir=data_dir,
        batch_size=batch_size,
        engine=engine,
        threads=threads,
        allow_outside=allow_outside,
    )
    if json_:
        typer.echo(json.dumps({"schema_version": 1, "out": str(out), **result.score.to_dict()}))
        return
    score = result.score
    typer.echo(
        f"{score.lines} lines, {score.unreadable} unreadable; exact {score.accuracy:.4f}, "
        f"folded {score.accuracy_folded:.4f}, CER {score.cer:.4f}"
    )
    for prediction in result.unreadable[:10]:
        typer.echo(f"{prediction.file}:{prediction.line}: {prediction.error}", err=True)
    typer.echo(f"next: datakit badcases {out} --out badcases")
