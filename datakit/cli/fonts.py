"""``datakit fonts``: what is installed, what it covers, what it looks like."""

# ruff: noqa: B006 - Typer reads these defaults and never changes them
from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datakit_fonts import Catalogue

fonts = typer.Typer(no_args_is_help=True, help="Fonts that synth can use: packages, the system's, folders.")


def _catalogue(wanted: list[str]) -> Catalogue:
    from datakit_fonts import find_fonts

    catalogue = find_fonts(wanted)
    for font in catalogue.broken:
        typer.echo(f"set aside: {font.reason}", err=True)
    return catalogue.require()


@fonts.command("list")
def list_fonts(
    *,
    wanted: Annotated[
        list[str],
        typer.Option("--fonts", help="Font file, folder, family, `package` or `system`. Repeatable."),
    ] = [],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Every usable face: family, style, axes, licence, source, file."""
    from dataclasses import asdict

    catalogue = _catalogue(wanted)
    if as_json:
        document = {"schema_version": 1, "faces": [asdict(face) for face in catalogue.faces]}
        document["broken"] = [asdict(font) for font in catalogue.broken]
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    for face in catalogue.faces:
        axes = " ".join(f"{axis.tag}:{axis.minimum:g}-{axis.maximum:g}" for axis in face.axes)
        place = face.path if face.index == 0 else f"{face.path}#{face.index}"
        typer.echo("\t".join((face.family, face.style, axes or "-", face.licence, face.source, place)))


@fonts.command("coverage")
def coverage(
    *,
    chars: Annotated[str, typer.Option("--chars", help="Characters to look for.")] = "",
    dictionary: Annotated[
        Path | None, typer.Option("--dict", help="Dictionary whose characters to look for.")
    ] = None,
    wanted: Annotated[
        list[str],
        typer.Option("--fonts", help="Font file, folder, family, `package` or `system`. Repeatable."),
    ] = [],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """How many of the characters each face draws, and which none draws (exit code 1 if there is one)."""
    from datakit.charset import load_charset
    from datakit.errors import UsageError
    from datakit_fonts import Coverage

    listed = () if dictionary is None else load_charset(dictionary).chars
    looked_for = [char for char in dict.fromkeys((*chars, *listed)) if len(char) == 1]
    if not looked_for:
        raise UsageError("nothing to look for: give --chars or --dict")
    rows, uncovered = [], set(looked_for)
    for face in _catalogue(wanted).faces:
        missing = Coverage(face).missing("".join(looked_for))
        uncovered &= set(missing)
        rows.append({"font": face.name, "covered": len(looked_for) - len(missing), "missing": missing})
    nowhere = [char for char in looked_for if char in uncovered]
    if as_json:
        document = {"schema_version": 1, "characters": len(looked_for), "fonts": rows, "uncovered": nowhere}
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        for row in rows:
            typer.echo(f"{row['covered']}/{len(looked_for)}\t{row['font']}")
        names = " ".join(
            f"{char} U+{ord(char):04X}" if char.isprintable() else f"U+{ord(char):04X}" for char in nowhere
        )
        typer.echo(f"no font covers: {names or 'none'}")
    if nowhere:
        raise typer.Exit(1)


@fonts.command("sheet")
def sheet(
    *,
    out: Annotated[Path, typer.Option("--out", help="PNG file to write.")],
    chars: Annotated[str, typer.Option("--chars", help="Text to draw.")] = "Total 12.50 漢字汉字 Ω℃",
    wanted: Annotated[
        list[str],
        typer.Option("--fonts", help="Font file, folder, family, `package` or `system`. Repeatable."),
    ] = [],
) -> None:
    """Draw a text in every face that covers something of it; a box stands for what a face lacks."""
    from datakit_fonts.sheet import write_font_sheet

    faces = _catalogue(wanted).faces
    write_font_sheet(out, faces, chars)
    typer.echo(f"{len(faces)} faces: {out}")
