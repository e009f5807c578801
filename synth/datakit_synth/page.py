"""The page of a run: counts, rates, fonts with licences, looks, samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from datakit.effects import Image
from datakit.files import atomic_write
from datakit.report import render
from datakit.report.pictures import thumbnail
from datakit_synth.account import Account

PAGE = "synth.html"
MOST_CHARACTERS = 500


def write_page(
    out: Path, arguments: Mapping[str, Any], account: Account, samples: Sequence[tuple[int, Image, str]]
) -> None:
    """Write ``synth.html``; ``arguments`` are those of the manifest, ``samples`` (index, picture, text).

    Raises:
        OutputError: it cannot be written.
    """
    characters = arguments["plan"]["characters"]
    page = render(
        "synth.html",
        account=account,
        plan=arguments["plan"],
        characters=characters[:MOST_CHARACTERS],
        more=max(0, len(characters) - MOST_CHARACTERS),
        fonts=used_fonts(arguments, account),
        warnings=arguments["warnings"],
        style=arguments.get("style"),
        samples=[(index, thumbnail(picture), text) for index, picture, text in samples],
        ord=ord,
    )
    atomic_write(out / PAGE, page)


def used_fonts(arguments: Mapping[str, Any], account: Account) -> list[dict[str, Any]]:
    """The fonts that lines were drawn in, by number of lines: name, licence, source, lines."""
    # A look that no font draws comes from tables of datakit's own.
    own = {"licence": "Apache-2.0", "source": "datakit"}
    described = {f"{font['family']} {font['style']}".strip(): font for font in arguments["fonts"]}
    rows = []
    for name, lines in account.counts.get("fonts", {}).items():
        font = described.get(name, own)
        rows.append({"name": name, "licence": font["licence"], "source": font["source"], "lines": lines})
    return rows
