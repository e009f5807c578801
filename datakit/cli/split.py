"""datakit split: label files in training, validation and test, without a page on two sides."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from datakit.errors import UsageError


def split(
    *,
    labels: Annotated[list[Path], typer.Argument(metavar="LABELS...", help="PaddleOCR label files.")],
    out: Annotated[Path, typer.Option(help="Folder for train.txt, val.txt, test.txt and the manifest.")],
    by: Annotated[
        str, typer.Option(help="What stays together: page (by name), folder, regex, text or none.")
    ] = "page",
    pattern: Annotated[
        str | None, typer.Option(help="Of --by regex: its first group, found in the path, is the group.")
    ] = None,
    val: Annotated[str, typer.Option(help="Share of the lines (0.1), or their number (500).")] = "0.1",
    test: Annotated[str | None, typer.Option(help="The same for a test set; default: none.")] = None,
    keep_copies_together: Annotated[
        bool, typer.Option("--keep-copies-together", help="Look for near copies, and keep them on one side.")
    ] = False,
    data_dir: Annotated[
        Path | None, typer.Option(help="Root of the picture paths; default: the files' folder.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="rec or det; default: what the file looks like.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed draws another split.")] = 0,
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Follow paths that leave data_dir.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the split, write nothing.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Split label files at random by whole groups; every line goes to one part, byte for byte."""
    from datakit.groups import BY, grouping
    from datakit.split import format_split, read_lines, share, split_document, split_labels, write_split

    rule = next((name for name in BY if name == by), None)
    if rule is None:
        raise UsageError(f"--by {by!r} is not known; known are {', '.join(BY)}")
    if task not in (None, "rec", "det"):
        raise UsageError(f"--task {task!r} is not known; known are rec, det")
    group = grouping(rule, pattern)
    parts = share(val, "--val"), share(test, "--test") if test is not None else None
    root = data_dir or _common_folder(labels)
    lines, faults = read_lines(labels, "rec" if task == "rec" else "det" if task == "det" else None)
    joined: list[tuple[int, ...]] = []
    if keep_copies_together:
        from datakit.audit.copy_groups import copy_groups

        joined = copy_groups([line.image for line in lines], str(root), allow_outside=allow_outside)
    drawn = split_labels(lines, group, val=parts[0], test=parts[1], seed=seed, joined=joined)
    arguments = {
        "by": by,
        "pattern": pattern,
        "val": val,
        "test": test,
        "keep_copies_together": keep_copies_together,
        "data_dir": str(root),
    }
    files = None if dry_run else write_split(drawn, lines, faults, out, arguments=arguments, seed=seed)
    if files and root.resolve() != out.resolve():
        typer.echo(f"datakit: the paths are relative to {root}: use --data-dir {root}", err=True)
    if json_:
        import json

        json.dump(split_document(drawn, lines, faults, files), sys.stdout, ensure_ascii=False, indent=1)
        typer.echo()
    else:
        typer.echo(format_split(drawn, lines, faults, files), nl=False)


def _common_folder(labels: list[Path]) -> Path:
    folders = {file.parent.resolve() for file in labels}
    if len(folders) > 1:
        raise UsageError(
            "the label files lie in different folders: say what their paths are relative to (--data-dir)"
        )
    return labels[0].parent
