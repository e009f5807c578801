"""The command line: one thin module a command, which parses, calls one library function and prints."""

from __future__ import annotations

from collections.abc import Callable

import typer

from datakit.cli import (
    audit,
    badcases,
    demo,
    doctor,
    evaluate,
    export,
    finetune,
    mix,
    predict,
    probe,
    split,
    synth,
    synth_pages,
)
from datakit.cli.corpora import corpora
from datakit.cli.fonts import fonts
from datakit.cli.loop import loop
from datakit.cli.models import models

# Name -> function, in the order of the loop; add a command here and in docs/commands.md.
COMMANDS: dict[str, Callable[..., None]] = {
    "audit": audit.audit,
    "synth": synth.synth,
    "synth-merge": synth.synth_merge,
    "synth-pages": synth_pages.synth_pages,
    "split": split.split,
    "mix": mix.mix,
    "finetune": finetune.finetune,
    "predict": predict.predict,
    "evaluate": evaluate.evaluate,
    "export": export.export,
    "badcases": badcases.badcases,
    "probe": probe.probe,
    "demo": demo.demo,
    "doctor": doctor.doctor,
}

# Name -> commands that have sub-commands.
GROUPS: dict[str, typer.Typer] = {"loop": loop, "fonts": fonts, "corpora": corpora, "models": models}

# What may also be written as two words.
ALIASES: dict[tuple[str, str], str] = {("synth", "merge"): "synth-merge", ("synth", "pages"): "synth-pages"}


def spelled(arguments: list[str]) -> list[str]:
    """``arguments`` with an alias at their beginning replaced by the command's name."""
    name = ALIASES.get((arguments[0], arguments[1])) if len(arguments) > 1 else None
    return arguments if name is None else [name, *arguments[2:]]
