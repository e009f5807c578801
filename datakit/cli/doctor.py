"""``datakit doctor``: what is installed, what is missing, and the line that installs it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datakit.doctor import Diagnosis


def doctor(
    *, json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False
) -> None:
    """Versions, models, fonts, memory, and the install line for what is missing.

    Exit code 1: something that every command needs is missing.
    """
    from datakit.doctor import diagnose, installed_version

    # A doctor must not fall ill of what it looks for.
    faces = None if installed_version("fonttools") is None else _font_faces()
    found = diagnose(font_faces=faces)
    if json_:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=1))
    else:
        for line in _lines(found):
            typer.echo(line)
    if any(finding.severity == "error" for finding in found.findings):
        raise typer.Exit(1)


def _font_faces() -> int:
    from datakit_fonts import find_fonts

    return len(find_fonts().faces)


def _size(number: int | None) -> str:
    return "unknown" if number is None else f"{number / 2**30:.1f} GB"


def _lines(found: Diagnosis) -> Iterator[str]:
    from datakit import __version__
    from datakit.doctor import BASE, OPENCVS, PADDLES, TRAIN

    machine, versions = found.machine, found.versions
    yield f"datakit {__version__}, Python {found.python}"
    shown = dict.fromkeys((*BASE, *OPENCVS, *PADDLES, *TRAIN, "datasets"))
    optional = {*OPENCVS[1:], PADDLES[1]}
    for name in shown:
        if versions[name] is not None or name not in optional:
            yield f"  {name:<26}{versions[name] or '-'}"
    driver = "NVIDIA driver found" if machine.nvidia_driver else "no NVIDIA driver"
    gpu = ", ".join((driver, *machine.gpus))
    yield f"machine: {machine.cores} cores, {_size(machine.memory)} of memory, {gpu}"
    yield f"  shared memory (/dev/shm)  {_size(machine.shared_memory)}"
    yield f"models in {found.cache}"
    for name, folder in found.models.items():
        yield f"  {name:<26}{'here' if folder else '-'}"
    yield f"fonts: {'not looked for' if found.font_faces is None else f'{found.font_faces} faces'}"
    if not found.findings:
        yield "nothing to do"
    for finding in found.findings:
        yield f"{finding.severity:<8}{finding.message}\n        {finding.fix}"
