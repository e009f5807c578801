"""The document as YAML that PaddleOCR reads, and two of them side by side."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """Block style, lists of scalars on one line, nothing for null, no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _list(dumper: yaml.SafeDumper, value: list[Any]) -> yaml.Node:
    short = all(
        isinstance(item, (int, float)) or (isinstance(item, str) and len(item) < 20) for item in value
    )
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=short and len(value) < 10)


def _nothing(dumper: yaml.SafeDumper, _value: None) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:null", "")


_Dumper.add_representer(list, _list)
_Dumper.add_representer(type(None), _nothing)


def dump_config(document: Mapping[str, Any]) -> str:
    """YAML of ``document``, keys in their order; ``1e-05`` is written ``1.0e-05``, a float everywhere."""
    text: str = yaml.dump(dict(document), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
    return text


def diff_configs(before: Mapping[str, Any], after: Mapping[str, Any], name: str = "rec.yml") -> str:
    """Unified diff of two documents as :func:`dump_config` writes them; "" where they are equal."""
    lines = difflib.unified_diff(
        dump_config(before).splitlines(),
        dump_config(after).splitlines(),
        f"{name} (as given)",
        f"{name} (as trained)",
        lineterm="",
    )
    return "".join(f"{line}\n" for line in lines)
