"""The command line: one thin module a command, which parses, calls one library function and prints."""

from __future__ import annotations

from collections.abc import Callable

import typer

# Name -> function, in the order of the loop; add a command here and in docs/commands.md.
COMMANDS: dict[str, Callable[..., None]] = {}

# Name -> commands that have sub-commands.
GROUPS: dict[str, typer.Typer] = {}
