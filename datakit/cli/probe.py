"""``datakit probe``: what a model reads badly, without any data."""

# ruff: noqa: B006 - Typer reads these defaults and never changes them
from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from datakit.errors import InputError, UsageError

if TYPE_CHECKING:
    from datakit.probe import ProbeReport

SHOWN = 20


def _chars(chars: str, chars_file: Path | None) -> str | None:
    if chars_file is None:
        return chars or None
    try:
        return chars + "".join(chars_file.read_text(encoding="utf-8").split())
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=chars_file) from error
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 (byte {error.start})", file=chars_file) from error


def probe(
    *,
    model: Annotated[str, typer.Option(help="Model name or checkpoint folder.")] = "ppocrv3-rec",
    chars: Annotated[str, typer.Option(help="Characters to probe; default: the model's dictionary.")] = "",
    chars_file: Annotated[Path | None, typer.Option(help="Text file whose characters to probe.")] = None,
    lines: Annotated[int, typer.Option(min=1, help="Lines that contain each character.")] = 6,
    fonts: Annotated[
        list[str],
        typer.Option(help="Font file, folder, family, `package` or `system`. Repeatable."),
    ] = [],
    preset: Annotated[str, typer.Option(help="Effects of the pictures, as for synth.")] = "clean",
    below: Annotated[float, typer.Option(help="Recall under which a character is read badly.")] = 0.8,
    count: Annotated[int, typer.Option(min=1, help="Lines to ask for of each, in targets.json.")] = 300,
    out: Annotated[Path, typer.Option(help="Folder for probe.json, targets.json and probe.html.")] = Path(
        "probe"
    ),
    seed: Annotated[int, typer.Option(help="Same seed, same figures.")] = 0,
    threads: Annotated[int | None, typer.Option(min=1, help="CPU threads; default: every core.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Draw every character of a dictionary in several fonts, read them, and say which are read badly."""
    from datakit.files import atomic_write, require_writable
    from datakit.probe import probe as run
    from datakit.probe.page import html_report
    from datakit_train.framework import import_paddle

    if not 0 < below <= 1:
        raise UsageError(f"--below {below}: over 0 and at most 1")
    for name in ("probe.json", "targets.json", "probe.html"):
        require_writable(out / name)
    wanted = _chars(chars, chars_file)
    import_paddle(threads)
    report = run(model, chars=wanted, lines=lines, fonts=fonts, preset=preset, seed=seed, progress=True)
    document = json.dumps(report.to_dict(), ensure_ascii=False, indent=1) + "\n"
    atomic_write(out / "probe.json", document)
    atomic_write(out / "targets.json", report.targets(below, count).to_json())
    atomic_write(out / "probe.html", html_report(report, below=below))
    if json_:
        typer.echo(document, nl=False)
    else:
        _print(report, below, out)


def _print(report: ProbeReport, below: float, out: Path) -> None:
    from datakit.report import visible

    weak = report.weak(below)
    typer.echo(
        f"{len(report.characters)} characters, mean recall {report.recall:.4f}, {len(weak)} under {below:g}; "
        f"{len(report.not_probed)} not probed"
    )
    for entry in weak[:SHOWN]:
        read = ", ".join(f"{visible(text) if text else 'nothing'} ({n})" for text, n in entry.read_as[:3])
        typer.echo(
            f"  {visible(entry.char)}  U+{ord(entry.char):04X}  {entry.found}/{entry.lines}  read as {read}"
        )
    if len(weak) > SHOWN:
        typer.echo(f"  and {len(weak) - SHOWN} more in {out / 'probe.html'}")
    typer.echo(f"next: datakit synth --targets {out / 'targets.json'} --out synth")
