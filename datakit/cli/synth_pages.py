"""``datakit synth-pages`` (also ``datakit synth pages``): pages with boxes, to train a detector on."""

# ruff: noqa: B006 - Typer reads these defaults and never changes them
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from datakit.cli.runs import require_run, say_set_aside
from datakit.cli.settings import use_settings
from datakit.errors import UsageError

if TYPE_CHECKING:
    from datakit_synth.pages import PageRequest, PagesResult

LAYOUT_NAMES = "columns, receipt, form, scattered"


def synth_pages(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for the set; new, empty or of the same run.")],
    count: Annotated[int, typer.Option("--count", help="Pages.")],
    size: Annotated[str, typer.Option("--size", help="WIDTHxHEIGHT of a page in px.")] = "960x1280",
    lines_per_page: Annotated[
        str, typer.Option("--lines-per-page", help="Lines of a page, at most: 30, or 10-40 (drawn).")
    ] = "10-40",
    layout: Annotated[
        list[str], typer.Option("--layout", help=f"{LAYOUT_NAMES}; default all. Repeatable.")
    ] = [],
    corpus: Annotated[
        list[Path], typer.Option("--corpus", help="Text file, one text a line. Repeatable.")
    ] = [],
    template: Annotated[
        list[str],
        typer.Option("--template", help="See `datakit corpora list`; without --corpus, all. Repeatable."),
    ] = [],
    dictionary: Annotated[
        Path | None, typer.Option("--dict", help="Dictionary that every character must be in.")
    ] = None,
    fonts: Annotated[
        list[str],
        typer.Option("--fonts", help="Font file, folder, family, `package` or `system`. Repeatable."),
    ] = [],
    backgrounds: Annotated[
        Path | None, typer.Option("--backgrounds", help="Folder of photos to cut grounds from.")
    ] = None,
    background_kind: Annotated[
        list[str], typer.Option("--background-kind", help="plain, gradient, paper, field, photo. Repeatable.")
    ] = [],
    preset: Annotated[
        list[str],
        typer.Option("--preset", help="Effects: clean, scan, photo, thermal and so on. Repeatable."),
    ] = ["photo"],
    illegible: Annotated[
        float,
        typer.Option("--illegible", min=0, max=1, help="Share of lines made illegible and labelled ###."),
    ] = 0.05,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same bytes.")] = 0,
    workers: Annotated[int, typer.Option("--workers", min=0, help="Processes; 0 is one a core.")] = 0,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print lines, bytes and time of a sample; write nothing.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with --out; the same command does so by itself.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            "-c", "--config", is_eager=True, callback=use_settings, help="YAML of options; flags win over it."
        ),
    ] = None,
) -> None:
    """Render pages of text lines with a four-point box for every line, to train a detector on."""
    from datakit.charset import load_charset
    from datakit_synth.backgrounds import PROCEDURAL
    from datakit_synth.pages import PageRequest, synthesize_pages
    from datakit_synth.pages.layouts import LAYOUTS

    if resume:
        require_run(out)
    request = PageRequest(
        count=count,
        size=_size(size),
        lines=_lines(lines_per_page),
        corpora=tuple(corpus),
        templates=tuple(template),
        charset=None if dictionary is None else load_charset(dictionary),
        fonts=tuple(fonts),
        backgrounds=tuple(background_kind) or (PROCEDURAL if backgrounds is None else ("photo",)),
        photos=backgrounds,
        presets=tuple(preset),
        layouts=tuple(layout) or tuple(LAYOUTS),
        illegible=illegible,
    )
    workers = workers or os.cpu_count() or 1
    if dry_run:
        _dry_run(request, seed, workers, as_json)
        return
    result = synthesize_pages(request, out, seed=seed, workers=workers, progress=True)
    _print_result(result, as_json)
    if result.failed:
        raise typer.Exit(1)


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise UsageError(f"--size {text!r}: WIDTHxHEIGHT in px, such as 960x1280")
    return int(width), int(height)


def _lines(text: str) -> tuple[int, int]:
    low, _, high = text.partition("-")
    high = high or low
    if not (low.isdecimal() and high.isdecimal()):
        raise UsageError(f"--lines-per-page {text!r}: a number, or least-most such as 10-40")
    return int(low), int(high)


def _dry_run(request: PageRequest, seed: int, workers: int, as_json: bool) -> None:
    from datakit_synth.pages import estimate_pages, prepare_pages

    prepared = prepare_pages(request, seed=seed)
    say_set_aside(prepared.warnings)
    cost = estimate_pages(prepared)
    if as_json:
        document = {"schema_version": 1, "texts": len(prepared.job.texts), "texts_refused": prepared.refused}
        document |= {"fonts": len(prepared.job.faces), "estimate": cost | {"workers": workers}}
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    typer.echo(f"{cost['pages']} pages, {len(prepared.job.texts)} texts, {len(prepared.job.faces)} fonts")
    for reason, number in prepared.refused.items():
        typer.echo(f"  {number} texts not used: {reason}")
    typer.echo(
        f"about {cost['lines']} lines ({cost['ignored']} labelled ###), {cost['bytes'] / 1e6:,.1f} MB and "
        f"{cost['seconds'] / workers:,.1f} s with {workers} workers "
        f"(judged by {cost['sample']} pages drawn in memory)"
    )


def _print_result(result: PagesResult, as_json: bool) -> None:
    say_set_aside(result.warnings)
    if as_json:
        typer.echo(json.dumps(result.to_dict(), ensure_ascii=False, indent=2))
        return
    for reason in result.failed:
        typer.echo(f"failed: {reason}", err=True)
    numbers = result.counts()
    if result.labels is None:
        there = result.shards - result.shards_missing
        typer.echo(f"{there} of {result.shards} shards are there; the set is not joined yet")
        return
    typer.echo(
        f"{numbers['pages']} pages, {numbers['boxes']} boxes ({numbers['ignored']} labelled ###), "
        f"{numbers['bytes'] / 1e6:.1f} MB: {result.labels}"
    )
