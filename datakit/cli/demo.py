"""``datakit demo``: the whole loop on a small domain of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def demo(
    out: Annotated[Path, typer.Option(help="Folder of the demo; run again, it goes on there.")] = Path(
        "demo-out"
    ),
    seed: Annotated[int, typer.Option(min=0, help="Another seed is another domain.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes that render.")] = 2,
) -> None:
    """Render a domain that PP-OCRv3 reads badly, run two rounds, and print what became better.

    Exit code 1: the last round is not better on the domain, or lost over a point of general accuracy.
    """
    from datakit.demo.run import demo as run
    from datakit_train.framework import import_paddle

    import_paddle()
    result = run(out, seed=seed, workers=workers, say=lambda line: typer.echo(line, err=True))
    typer.echo("round  domain accuracy  lines with a sign  general accuracy  characters targeted")
    for row, signs in zip(result.loop.rounds, result.sign_accuracy, strict=True):
        typer.echo(
            f"{row.number:5d}  {result.accuracy('domain', row.number):15.3f}  {signs:17.3f}  "
            f"{result.accuracy('general', row.number):16.3f}  {''.join(row.targets) or '-'}"
        )
    typer.echo(f"{result.seconds:.0f} s; page to look at: {result.loop.out / 'loop.html'}")
    if not result.passed:
        typer.echo("the last round is not better without forgetting", err=True)
        raise typer.Exit(1)
