"""``datakit finetune``: fine-tune a recogniser on a mix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from datakit.errors import UsageError


def finetune(
    train: Annotated[list[Path], typer.Option(help="mix.yaml, or a label file (repeatable).")],
    val: Annotated[Path, typer.Option(help="Label file of the domain; picks the best model.")],
    out: Annotated[Path, typer.Option(help="Output folder; an unfinished run in it is gone on with.")],
    guard: Annotated[
        list[Path] | None, typer.Option(help="Label file of what must not be forgotten; repeatable.")
    ] = None,
    pretrained: Annotated[str, typer.Option(help="Model name or checkpoint folder.")] = "ppocrv3-rec",
    task: Annotated[str, typer.Option(help="rec (det comes later).")] = "rec",
    steps: Annotated[int | None, typer.Option(min=1, help="Optimizer steps; overrides --epochs.")] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the mix.")] = 10,
    batch_size: Annotated[int, typer.Option(min=1, help="Lines a step.")] = 32,
    learning_rate: Annotated[
        float | None,
        typer.Option(help="Highest rate; default: the guide's 1e-4 at batch 128, scaled to the batch."),
    ] = None,
    schedule: Annotated[str, typer.Option(help="cosine or piecewise.")] = "cosine",
    warmup_steps: Annotated[
        int | None, typer.Option(min=0, help="Default: a twentieth of the steps.")
    ] = None,
    freeze: Annotated[str, typer.Option(help="none or backbone.")] = "none",
    batch_norm: Annotated[str, typer.Option(help="fixed (keep the running statistics) or moving.")] = "fixed",
    average: Annotated[
        list[float] | None,
        typer.Option(min=0, max=1, help="Share of tuned weights in an average to try; repeatable. 0: none."),
    ] = None,
    max_forget: Annotated[float, typer.Option(min=0, help="Share of a guard set that may be lost.")] = 0.005,
    max_text_length: Annotated[int, typer.Option(min=1, help="Longer labels do not train.")] = 25,
    max_width: Annotated[
        int, typer.Option(min=32, help="Longer lines are squeezed to it in training, px.")
    ] = 320,
    max_bad: Annotated[
        float, typer.Option(min=0, max=1, help="Share of unreadable pictures that stops.")
    ] = 0.01,
    seed: Annotated[int, typer.Option(help="Draws, order, augmentation and dropout.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; default: every core.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Require an unfinished run in --out.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would train, and stop.")] = False,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Follow paths that leave data_dir.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Fine-tune a recogniser, and keep the result only if it is better and has not forgotten.

    Exit code 1: finished, and the base model stays, because nothing beat it within --max-forget.
    """
    if task != "rec":
        raise UsageError(f"--task {task!r}: only rec can be trained so far")
    if batch_norm not in {"fixed", "moving"}:
        raise UsageError(f"--batch-norm {batch_norm!r} is neither fixed nor moving")
    if learning_rate is not None and not learning_rate > 0:
        raise UsageError(f"--learning-rate {learning_rate:g} is not above 0")
    from datakit_train.finetune import finetune
    from datakit_train.framework import import_paddle
    from datakit_train.label_sets import sources_of
    from datakit_train.predict import read_label_set
    from datakit_train.preflight import preflight
    from datakit_train.result import describe
    from datakit_train.settings import Settings

    import_paddle(threads)
    settings = Settings(
        epochs=epochs,
        steps=steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        schedule=schedule,
        warmup_steps=warmup_steps,
        freeze=freeze,
        fixed_batch_norm=batch_norm == "fixed",
        shares=tuple(share for share in (average if average is not None else [0.5]) if share > 0),
        max_text_length=max_text_length,
        max_width=max_width,
        max_forget=max_forget,
        max_bad=max_bad,
        seed=seed,
    )
    mix = sources_of(train)
    for labels in (val, *(guard or ())):
        read_label_set(labels)
    if dry_run:
        typer.echo(preflight(mix, pretrained, settings, allow_outside=allow_outside))
        return
    if resume and not (out / "latest.json").exists():
        raise UsageError(f"--resume: {out} holds no unfinished run")
    result = finetune(
        mix,
        val=val,
        out=out,
        guards=guard or [],
        pretrained=pretrained,
        settings=settings,
        allow_outside=allow_outside,
        say=lambda line: typer.echo(line, err=True),
    )
    if json_:
        typer.echo(json.dumps(result.to_dict(), ensure_ascii=False))
    else:
        typer.echo(f"kept {describe(result.chosen)}")
        for name, reasons in result.refused.items():
            typer.echo(f"refused {name}: {'; '.join(reasons)}")
        typer.echo(f"model: {result.model}")
    if not result.improved:
        typer.echo("nothing beat the base model within --max-forget; the base model stays", err=True)
        raise typer.Exit(1)
