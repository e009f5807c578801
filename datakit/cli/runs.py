"""What the commands that render say and refuse alike."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from datakit.errors import UsageError


def require_run(out: Path) -> None:
    """``--resume``: there has to be a run in ``out``.

    Raises:
        UsageError: there is none.
    """
    if not (out / "manifest.json").is_file():
        raise UsageError(f"--resume: {out} holds no run to go on with (no manifest.json)")


def say_set_aside(warnings: Iterable[str]) -> None:
    """Name on stderr what a run does without."""
    for warning in warnings:
        typer.echo(f"set aside: {warning}", err=True)
