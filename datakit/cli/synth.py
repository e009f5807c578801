"""``datakit synth``: the lines that are missing; ``datakit synth-merge``: what several machines drew."""

# ruff: noqa: B006 - Typer reads these defaults and never changes them
from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from datakit.cli.runs import require_run, say_set_aside
from datakit.cli.settings import use_settings
from datakit.errors import InputError, UsageError

if TYPE_CHECKING:
    from datakit.records import Target, Targets
    from datakit_synth import Prepared, Slice, SynthRequest, SynthResult
    from datakit_synth.redraw import Estimate

PRESET_NAMES = "clean, scan, photo, screen, thermal, lcd, plate, copier, handheld"
LOOK_NAMES = (
    "none, spaced, wide-spaces, vertical, jitter, mixed-fonts, italic, curved, underline, table, outline, "
    "shadow, emboss, stamp, seven-segment, dot-matrix"
)

_HEIGHTS = "32-64"


def synth(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for the set; new, empty or of the same run.")],
    chars: Annotated[str, typer.Option("--chars", help="Characters to make.")] = "",
    chars_file: Annotated[
        Path | None, typer.Option("--chars-file", help="Text file whose characters to make.")
    ] = None,
    targets: Annotated[
        Path | None, typer.Option("--targets", help="targets.json of `datakit badcases`.")
    ] = None,
    corpus: Annotated[
        list[Path], typer.Option("--corpus", help="Text file, one text a line. Repeatable.")
    ] = [],
    template: Annotated[
        list[str], typer.Option("--template", help="See `datakit corpora list`. Repeatable.")
    ] = [],
    count: Annotated[int | None, typer.Option("--count", help="Lines in all.")] = None,
    per_char: Annotated[
        int, typer.Option("--per-char", help="Lines that contain each character of --chars.")
    ] = 300,
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
        list[str],
        typer.Option("--background-kind", help="plain, gradient, paper, field, photo, own. Repeatable."),
    ] = [],
    preset: Annotated[
        list[str],
        typer.Option(
            "--preset",
            help=f"{PRESET_NAMES}. Repeatable; one a line. Default: photo; with --style-from clean.",
        ),
    ] = [],
    max_length: Annotated[int, typer.Option("--max-length", help="Characters of a line, at most.")] = 25,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same bytes.")] = 0,
    workers: Annotated[int, typer.Option("--workers", min=0, help="Processes; 0 is one a core.")] = 0,
    shard: Annotated[
        str, typer.Option("--shard", help="k/n: every n-th shard from k on, for several machines.")
    ] = "0/1",
    layout: Annotated[
        str, typer.Option("--format", help="files (labels.txt and images/), lmdb or parquet.")
    ] = "files",
    keep_params: Annotated[
        bool, typer.Option("--keep-params", help="Write params.jsonl: how every picture was drawn.")
    ] = False,
    redraw: Annotated[
        list[int],
        typer.Option(
            "--redraw", help="Draw only this picture again, into OUT/redrawn with its parameters. Repeatable."
        ),
    ] = [],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan, bytes and time of a sample; write nothing.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with --out; the same command does so by itself.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    length_shares: Annotated[
        str, typer.Option("--length-shares", help="Lines by length, such as 1-4:0.2,5-10:0.5,11-25:0.3.")
    ] = "",
    space_share: Annotated[
        float | None, typer.Option("--space-share", min=0, max=1, help="Share of the lines with a space.")
    ] = None,
    lengths_from: Annotated[
        Path | None, typer.Option("--lengths-from", help="Label file to take lengths and spaces from.")
    ] = None,
    encoder: Annotated[
        str, typer.Option("--encoder", help="ctc, sar, nrtr or multi: how much of --max-length it keeps.")
    ] = "ctc",
    max_repeats: Annotated[int, typer.Option("--max-repeats", min=1, help="Lines with the same text.")] = 3,
    keep_spaces: Annotated[
        bool, typer.Option("--keep-spaces", help="Two spaces of a corpus line stay two, drawn and labelled.")
    ] = False,
    look: Annotated[
        list[str], typer.Option("--look", help=f"{LOOK_NAMES}; default: a few of the preset's. Repeatable.")
    ] = [],
    height: Annotated[
        str, typer.Option("--height", help="Pixels of a picture, one number or smallest-largest.")
    ] = _HEIGHTS,
    style_from: Annotated[
        Path | None,
        typer.Option(
            "--style-from", help="Label file of real crops: lines take their looks, one crop's a line."
        ),
    ] = None,
    style_data_dir: Annotated[
        Path | None,
        typer.Option("--style-data-dir", help="Folder of those crops; default: that of the label file."),
    ] = None,
    char_crops: Annotated[
        Path | None,
        typer.Option(
            "--char-crops",
            help="Write lines with pictures of single characters: a folder a character, or a label file.",
        ),
    ] = None,
    join_real: Annotated[
        Path | None,
        typer.Option("--join-real", help="Label file: --count lines of two of its crops, joined by a space."),
    ] = None,
    crops_dir: Annotated[
        Path | None,
        typer.Option("--crops-dir", help="Folder of the pictures of those two; default: the label file's."),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            "-c", "--config", is_eager=True, callback=use_settings, help="YAML of options; flags win over it."
        ),
    ] = None,
) -> None:
    """Render text lines with their labels: these characters, this often, in many fonts."""
    from datakit.charset import load_charset
    from datakit_synth import SynthRequest, synthesize
    from datakit_synth.shares import parse_length_shares

    if resume:
        require_run(out)
    shortfalls = _shortfalls(targets)
    request = SynthRequest(
        targets=_targets(chars, chars_file, targets, per_char),
        corpora=tuple(corpus),
        templates=tuple(template),
        count=count,
        charset=None if dictionary is None else load_charset(dictionary),
        fonts=tuple(fonts),
        backgrounds=tuple(background_kind) or _grounds(backgrounds, style_from),
        photos=backgrounds,
        presets=tuple(preset) or (("photo",) if style_from is None else ("clean",)),
        looks=tuple(look),
        heights=_heights(height, measured=style_from is not None),
        max_length=max_length,
        max_repeats=max_repeats,
        keep_spaces=keep_spaces,
        encoder=encoder,
        length_shares=parse_length_shares(length_shares),
        space_share=space_share,
        lengths_from=lengths_from,
        length_shortfall=tuple(shortfalls.length_shortfall.items()),
        space_shortfall=shortfalls.space_shortfall,
        style_from=style_from,
        style_data_dir=style_data_dir,
        char_crops=char_crops,
        join_real=join_real,
        crops_dir=crops_dir,
    )
    part = _slice(shard)
    workers = workers or os.cpu_count() or 1
    if dry_run:
        _dry_run(request, seed, workers, layout, as_json)
        return
    if redraw:
        _redraw(request, seed, out, redraw)
        return
    result = synthesize(
        request,
        out,
        seed=seed,
        workers=workers,
        part=part,
        progress=True,
        layout=layout,
        keep_params=keep_params,
    )
    say_set_aside(result.warnings)
    _print_result(result, as_json)
    if result.failed:
        raise typer.Exit(1)


def synth_merge(
    *,
    parts: Annotated[
        list[Path], typer.Argument(help="Output folders of `datakit synth --shard k/n`, all of one command.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the whole set; may be left out for one folder.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Join the parts of one run that were drawn on several machines: the bytes of the undivided run."""
    from datakit_synth import merge_parts

    if out is None and len(parts) > 1:
        raise UsageError("several folders need --out, the folder for the whole set")
    merged = merge_parts(parts, out or parts[0])
    account = merged.account
    if as_json:
        totals = {"lines": account.lines, "bytes": account.bytes, "shards": merged.shards}
        totals |= {"redrawn": account.redrawn, "flattened": account.flattened}
        document = {"schema_version": 1, "out": str(merged.out), "data": str(merged.data), "totals": totals}
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        typer.echo(f"{account.lines} lines, {account.bytes / 1e6:.1f} MB: {merged.data}")


def _dry_run(request: SynthRequest, seed: int, workers: int, layout: str, as_json: bool) -> None:
    from datakit_synth import prepare
    from datakit_synth.formats import find_format
    from datakit_synth.redraw import estimate

    find_format(layout)
    prepared = prepare(request, seed=seed)
    say_set_aside(prepared.warnings)
    _print_plan(prepared, estimate(prepared), workers, as_json)
    if any(entry.impossible for entry in prepared.plan.characters) or prepared.plan.impossible_texts:
        raise typer.Exit(1)


def _redraw(request: SynthRequest, seed: int, out: Path, indices: list[int]) -> None:
    from datakit_synth import prepare
    from datakit_synth.redraw import redraw, require_same_run

    prepared = prepare(request, seed=seed)
    say_set_aside(prepared.warnings)
    prepared.plan.require()
    require_same_run(prepared, out)
    for index in indices:
        typer.echo(str(redraw(prepared, index, out / "redrawn")))


def _targets(chars: str, chars_file: Path | None, targets: Path | None, per_char: int) -> tuple[Target, ...]:
    """Targets of all three options; a character named twice gets the larger count."""
    from datakit.records import read_targets
    from datakit_synth import targets_from_chars

    if per_char < 1:
        raise UsageError(f"--per-char {per_char}: at least 1")
    wanted = chars
    if chars_file is not None:
        try:
            wanted += chars_file.read_text(encoding="utf-8")
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror})", file=chars_file) from error
        except UnicodeDecodeError as error:
            raise InputError(f"is not UTF-8 (byte {error.start})", file=chars_file) from error
    found = targets_from_chars(wanted, per_char)
    if targets is None:
        return found
    listed = {target.char: target for target in read_targets(targets).targets}
    extra = tuple(t for t in found if t.char not in listed or listed[t.char].count < t.count)
    kept = {t.char for t in extra}
    return (*(t for t in listed.values() if t.char not in kept), *extra)


def _shortfalls(targets: Path | None) -> Targets:
    """The document of --targets; only what it says of lengths and spaces is wanted here."""
    from datakit.records import Targets, read_targets

    return Targets(()) if targets is None else read_targets(targets)


def _grounds(photos: Path | None, style: Path | None) -> tuple[str, ...]:
    """Kinds of background where none are named: the most real ones that there are."""
    from datakit_synth.backgrounds import OWN, PROCEDURAL

    if photos is not None:
        return ("photo",)
    return PROCEDURAL if style is None else (OWN,)


def _heights(text: str, *, measured: bool) -> tuple[int, int]:
    if measured and text != _HEIGHTS:
        raise UsageError(f"--height {text}: with --style-from heights are those of the crops; leave one away")
    low, dash, high = text.partition("-")
    if not (low.isdecimal() and (high.isdecimal() or not dash)):
        raise UsageError(f"--height {text!r}: pixels, such as 48 or 32-64")
    return int(low), int(high or low)


def _slice(text: str) -> Slice:
    from datakit_synth import Slice

    index, _, count = text.partition("/")
    if not (index.isdecimal() and count.isdecimal()):
        raise UsageError(f"--shard {text!r}: k/n with k from 0 to n - 1")
    return Slice(int(index), int(count)).check()


def _print_plan(prepared: Prepared, cost: Estimate, workers: int, as_json: bool) -> None:
    document = prepared.plan.to_dict()
    seconds = cost.start_seconds + (cost.seconds - cost.start_seconds) / workers
    if as_json:
        document = {"schema_version": 1, "plan": document, "estimate": cost.to_dict()}
        document["estimate"] |= {"workers": workers, "seconds_with_workers": seconds}
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    origins = ", ".join(f"{count} {origin}" for origin, count in document["origins"].items())
    typer.echo(f"{document['lines']} lines ({origins})")
    for entry in prepared.plan.characters:
        shown = f"{ascii(entry.char)[1:-1] if not entry.char.isprintable() else entry.char}"
        fate = entry.impossible or f"{entry.planned} planned ({entry.occurrences} occurrences)"
        typer.echo(f"  {shown}  U+{ord(entry.char):04X}  {entry.asked} asked, {fate}")
    for short in prepared.plan.shortfalls:
        typer.echo(
            f"  {short.name}: {short.asked} asked, {short.planned} planned {short.impossible}".rstrip()
        )
    for name, share in prepared.plan.shares.items():
        typer.echo(f"  {name}: {share['asked']:.1%} asked, {share['planned']:.1%} planned")
    if prepared.plan.charset:
        even = prepared.plan.charset
        typer.echo(
            f"  dictionary: {even['characters']} characters, {even['in_no_line']} in no line; lines of one: "
            f"{even['lines_p50']:g} (median), {even['lines_p10']:g} to {even['lines_p90']:g} (80 %)"
        )
    for text, reason in prepared.plan.impossible_texts:
        typer.echo(f"  text {text!r}: {reason}")
    for reason, number in prepared.plan.refused.items():
        typer.echo(f"  {number} corpus pieces not used: {reason}")
    typer.echo(
        f"about {cost.bytes / 1e6:,.1f} MB of pictures and {seconds:,.1f} s with {workers} workers "
        f"(judged by {cost.sample} lines drawn in memory; {cost.seconds:,.1f} s of CPU time)"
    )


def _print_result(result: SynthResult, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(result.to_dict(), ensure_ascii=False, indent=2))
        return
    for reason in result.failed:
        typer.echo(f"failed: {reason}", err=True)
    for reason, number in result.plan.refused.items():
        typer.echo(f"{number} corpus pieces not used: {reason}", err=True)
    if result.data is None:
        there = result.shards - result.shards_missing
        typer.echo(f"{there} of {result.shards} shards are there; the set is not joined yet")
    else:
        typer.echo(f"{result.lines} lines, {result.bytes / 1e6:.1f} MB: {result.data}")
