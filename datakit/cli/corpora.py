"""``datakit corpora``: the templates that synth draws texts from."""

from __future__ import annotations

import json
from typing import Annotated

import typer

corpora = typer.Typer(
    no_args_is_help=True, help="Text sources: templates for dates, sums, codes, addresses ..."
)


@corpora.command("list")
def list_corpora(
    *, as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False
) -> None:
    """Every template, its language, how often it comes against others, what it makes, and examples."""
    from datakit_corpora import TEMPLATES

    if as_json:
        rows = [
            {
                "name": template.name,
                "language": template.language,
                "about": template.about,
                "weight": template.weight,
                "example": template.examples[0],
                "examples": template.examples,
            }
            for template in TEMPLATES.values()
        ]
        typer.echo(json.dumps({"schema_version": 1, "templates": rows}, ensure_ascii=False, indent=2))
        return
    for template in TEMPLATES.values():
        examples = " | ".join(template.examples)
        fields = (template.name, template.language, f"{template.weight:g}", template.about, examples)
        typer.echo("\t".join(fields))


@corpora.command("show")
def show(
    *,
    name: Annotated[str, typer.Argument(help="A template; see `datakit corpora list`.")],
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many texts.")] = 20,
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same texts.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Texts of one template, one a line."""
    from datakit_corpora import sample_template

    texts = sample_template(name, number, seed=seed)
    if as_json:
        typer.echo(
            json.dumps({"schema_version": 1, "name": name, "texts": texts}, ensure_ascii=False, indent=2)
        )
        return
    for text in texts:
        typer.echo(text)
