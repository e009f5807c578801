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
