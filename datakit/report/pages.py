"""The one place that turns a template into a page."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from datakit import __version__
from datakit.report.text import shorten, visible


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        # True, not select_autoescape: no suffix may switch it off.
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = visible
    environment.filters["shorten"] = shorten
    environment.filters["ord"] = ord
    environment.globals["version"] = __version__
    return environment


def render(template_name: str, **context: Any) -> str:
    """The page of ``templates/<template_name>``; every value is escaped.

    Raises:
        jinja2.UndefinedError: a name that the template uses is not in ``context``.
    """
    page = _environment().get_template(template_name).render(**context)
    # Lone surrogates cannot be written as UTF-8; ``visible`` replaces them, values without the filter may
    # not.
    return page.encode("utf-8", "replace").decode("utf-8")
