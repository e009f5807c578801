"""datakit audit: what is in these label files, and what will the trainer really do with every line?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from datakit.errors import UsageError


def _shape(text: str) -> tuple[int, int, int]:
    try:
        channels, height, width = (int(part) for part in text.split(","))
    except ValueError as error:
        raise UsageError(f"--image-shape {text!r} is not channels,height,width, such as 3,48,320") from error
    return channels, height, width


def _print_checks(wanted: bool) -> None:
    if not wanted:
        return
    from datakit.audit import CHECKS

    for code, check in CHECKS.items():
        typer.echo(f"{code} ({check.severity})\n  {check.question}\n  {check.rationale}\n  Fix: {check.fix}.")
    raise typer.Exit


def audit(
    *,
    labels: Annotated[
        list[str], typer.Argument(metavar="LABELS...", help="PaddleOCR label files; - is stdin.")
    ],
    dict_: Annotated[
        Path | None, typer.Option("--dict", help="The model's dictionary; none: not checked.")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Root of the picture paths; default: the file's folder.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="rec or det; default: what the file looks like.")] = None,
    encoder: Annotated[str, typer.Option(help="Label encoder: ctc, sar, nrtr or multi.")] = "ctc",
    max_text_length: Annotated[int, typer.Option(help="The trainer's limit in characters.")] = 25,
    image_shape: Annotated[str, typer.Option(help="The trainer's channels,height,width.")] = "3,48,320",
    images: Annotated[
        bool, typer.Option("--images/--no-images", help="Open and decode every picture.")
    ] = True,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Follow paths that leave data_dir.")
    ] = False,
    html: Annotated[Path | None, typer.Option(help="Write a page with pictures.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    fail_on: Annotated[
        str, typer.Option(help="Exit 1 from this severity on: error, warning or info.")
    ] = "error",
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 1,
    _list_checks: Annotated[
        bool,
        typer.Option(
            "--list-checks", help="List all checks and exit.", callback=_print_checks, is_eager=True
        ),
    ] = False,
) -> None:
    """Say for every line of label files what the trainer will do with it, and find what spoils training."""
    from datakit.audit import audit as run
    from datakit.charset import load_charset
    from datakit.files import atomic_write, require_writable
    from datakit.records import SEVERITIES

    severity = next((name for name in SEVERITIES if name == fail_on), None)
    if severity is None:
        raise UsageError(f"--fail-on {fail_on!r} is not known; known are {', '.join(SEVERITIES)}")
    if task not in (None, "rec", "det"):
        raise UsageError(f"--task {task!r} is not known; known are rec, det")
    if html:
        require_writable(html)
    report = run(
        labels,
        data_dir=data_dir,
        task="rec" if task == "rec" else "det" if task == "det" else None,
        charset=load_charset(dict_) if dict_ else None,
        encoder=encoder,
        max_text_length=max_text_length,
        image_shape=_shape(image_shape),
        images=images,
        allow_outside=allow_outside,
        workers=workers,
        progress=True,
    )
    if html:
        from datakit.audit.page import html_report

        atomic_write(html, html_report(report, allow_outside=allow_outside))
        typer.echo(f"datakit: wrote {html}", err=True)
    if json_:
        import json

        json.dump(report.to_dict(), sys.stdout, ensure_ascii=False, indent=1)
        typer.echo()
    else:
        from datakit.audit.terminal import format_report

        typer.echo(format_report(report), nl=False)
    if report.fails_on(severity):
        raise typer.Exit(1)
