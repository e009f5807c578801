"""datakit mix: real, general and synthetic lines at stated ratios, as one training set."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from datakit.errors import UsageError

_SOURCE = "label file, or a mix.yaml whose sources are taken (as badcases writes); repeatable."


def _ratios(given: list[str]) -> dict[str, float]:
    ratios = {}
    for text in given:
        name, sign, value = text.rpartition("=")
        try:
            ratios[name] = float(value)
        except ValueError as error:
            raise UsageError(f"--ratio {text!r} is not NAME=NUMBER") from error
        if not sign or not name:
            raise UsageError(f"--ratio {text!r} is not NAME=NUMBER")
    return ratios


def mix(
    *,
    out: Annotated[Path, typer.Option(help="Folder for mix.yaml, paddleocr_train.yml and labels/.")],
    domain: Annotated[list[Path] | None, typer.Option(help=f"Real lines of the domain: {_SOURCE}")] = None,
    general: Annotated[list[Path] | None, typer.Option(help=f"Real lines of other kinds: {_SOURCE}")] = None,
    synthetic: Annotated[list[Path] | None, typer.Option(help=f"Rendered for what fails: {_SOURCE}")] = None,
    bulk: Annotated[
        list[Path] | None, typer.Option(help=f"Rendered in bulk, 1 to 3 for a real line: {_SOURCE}")
    ] = None,
    badcases: Annotated[list[Path] | None, typer.Option(help=f"Lines that fail: {_SOURCE}")] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Root of the picture paths; default: each file's folder.")
    ] = None,
    rule: Annotated[
        str, typer.Option(help="guide (general 1:1, synthetic 1 for 5 real lines) or as-is.")
    ] = "guide",
    ratio: Annotated[
        list[str] | None, typer.Option(help="NAME=NUMBER for a kind, bulk, or a label file; repeatable.")
    ] = None,
    floor: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Draws an epoch that a character of the domain should have: lines with rarer ones are "
            "repeated. Default: 20, with --rule as-is 0; 0 is off.",
        ),
    ] = None,
    cap: Annotated[int, typer.Option(min=1, help="Draws an epoch of one line, at most, for --floor.")] = 3,
    batch_size: Annotated[int, typer.Option(min=1, help="Lines of the batch whose mean is told.")] = 32,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Follow paths that leave data_dir.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the plan, write nothing.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Choose how much of each label file an epoch draws, and write mix.yaml and PaddleOCR's lists."""
    from datakit.mix import Lift, make_plan
    from datakit.mix.lift import FLOOR
    from datakit.mix.output import format_plan, parts_of, plan_document, write_plan
    from datakit.mix.pictures import without_pictures
    from datakit.report.text import visible

    if floor is None:
        floor = FLOOR if rule == "guide" else 0
    plan = make_plan(
        domain=parts_of(domain or (), data_dir),
        general=parts_of(general or (), data_dir),
        synthetic=parts_of(synthetic or (), data_dir),
        bulk=parts_of(bulk or (), data_dir),
        badcases=parts_of(badcases or (), data_dir),
        rule=rule,
        ratios=_ratios(ratio or []),
        lift=Lift(out / "lifted", floor, cap),
        allow_outside=allow_outside,
    )
    for sentence in without_pictures(plan.mix.sources[: len(plan.mix.sources) - len(plan.lifted)]):
        typer.echo(f"warning: {visible(sentence)}", err=True)
    lists = None if dry_run else write_plan(plan, out, rule=rule, allow_outside=allow_outside)
    if json_:
        import json

        json.dump(plan_document(plan, lists), sys.stdout, ensure_ascii=False, indent=1)
        typer.echo()
    else:
        typer.echo(format_plan(plan, out, lists, batch_size), nl=False)
