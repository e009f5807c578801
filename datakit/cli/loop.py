"""``datakit loop``: the rounds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from datakit.errors import OutputError, UsageError

if TYPE_CHECKING:
    from datakit.loop.plan import LoopPlan
    from datakit.loop.run import LoopResult

loop = typer.Typer(
    help="Round after round, one folder a round; stop and go on anywhere.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@loop.command("init")
def init(
    file: Annotated[Path, typer.Argument(help="The file to write.")] = Path("loop.yaml"),
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write a commented loop.yaml to fill in."""
    from datakit.files import atomic_write
    from datakit.loop.plan import TEMPLATE

    if file.exists() and not force:
        raise OutputError(f"{file} is there already; --force overwrites it")
    atomic_write(file, TEMPLATE)
    typer.echo(f"wrote {file}; fill it in, then: datakit loop run {file}")


@loop.command("run")
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="loop.yaml, see: datakit loop init")],
    rounds: Annotated[int | None, typer.Option(min=1, help="Overrides rounds of the file.")] = None,
    out: Annotated[Path | None, typer.Option(help="Overrides out of the file.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; default: every core.")] = None,
    ask: Annotated[
        bool, typer.Option("--ask", help="Wait for a yes before a round's plan is carried out.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the file, and that test sets are apart, and stop.")
    ] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Run the rounds, or go on where they stopped.

    Exit code 1: finished, and no round was promoted.
    """
    import sys
    from dataclasses import replace

    from datakit.loop.plan import load_plan

    if ask and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("--ask needs a terminal to ask on")
    plan = load_plan(file)
    plan = replace(plan, rounds=rounds or plan.rounds, out=out or plan.out)
    if dry_run:
        from datakit.loop.apart import require_apart

        require_apart(plan)
        typer.echo(f"{file} is in order: {plan.rounds} rounds from {plan.model} into {plan.out}")
        return
    from datakit.loop.table import format_table
    from datakit_train.framework import import_paddle

    import_paddle(threads)
    result = _run(plan, ask)
    if json_:
        typer.echo(json.dumps(result.to_dict(), ensure_ascii=False))
    else:
        for line in format_table(result):
            typer.echo(line)
        typer.echo(f"model: {result.model}\npage:  {result.out / 'loop.html'}")
    if not result.improved:
        raise typer.Exit(1)


def _run(plan: LoopPlan, ask: bool) -> LoopResult:
    """On a terminal with a table that stays in view, elsewhere with plain lines on stderr."""
    import contextlib
    import sys

    from datakit.loop.run import run_loop
    from datakit.loop.screen import LiveScreen, PlainScreen, Screen

    def plain(line: str) -> None:
        typer.echo(line, err=True)

    live = LiveScreen(sys.stderr) if sys.stderr.isatty() and not ask else None
    screen: Screen = live or PlainScreen(plain)
    with live.shown() if live else contextlib.nullcontext():
        return run_loop(plan, screen=screen, ask=_agreed if ask else None)


def _agreed(question: str) -> bool:
    return typer.confirm(question, err=True)
