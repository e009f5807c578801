"""README.md beside Parquet files: the dataset card that Hugging Face shows, and `load_dataset` reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from datakit import __version__
from datakit.files import atomic_write
from datakit_synth.account import Account
from datakit_synth.page import used_fonts

CARD = "README.md"


def write_card(
    out: Path, arguments: Mapping[str, Any], account: Account, lines: int, text_bytes: int
) -> None:
    """Write the card: where the files lie, counts, looks, and the licence of every font that was used.

    Raises:
        OutputError: it cannot be written.
    """
    front = yaml.safe_dump(_front(account, lines, text_bytes), sort_keys=False, allow_unicode=True)
    atomic_write(out / CARD, f"---\n{front}---\n\n{_body(arguments, account, lines)}")


def _front(account: Account, lines: int, text_bytes: int) -> dict[str, Any]:
    return {
        "task_categories": ["image-to-text"],
        "tags": ["ocr", "synthetic", "text-recognition"],
        "configs": [
            {"config_name": "default", "data_files": [{"split": "train", "path": "data/train-*.parquet"}]}
        ],
        "dataset_info": {
            "features": [{"name": "image", "dtype": "image"}, {"name": "text", "dtype": "string"}],
            "splits": [
                {"name": "train", "num_bytes": account.bytes + text_bytes, "num_examples": lines},
            ],
        },
    }


def _body(arguments: Mapping[str, Any], account: Account, lines: int) -> str:
    parts = [
        "# Synthetic text lines\n",
        f"{lines} pictures of text lines with their text, rendered by `datakit synth` {__version__}: "
        f"{account.bytes:,} bytes of JPEG. Redrawn because effects had made them illegible: "
        f"{account.redrawn}; ground flattened: {account.flattened}.\n",
        "```python\nfrom datasets import load_dataset\n\n"
        'lines = load_dataset("path/to/this/folder", split="train")\n```\n',
        "## Texts\n",
        _table(("origin", "lines"), arguments["plan"]["origins"].items()),
        "## Looks\n",
        _table(("preset", "lines"), account.counts.get("presets", {}).items()),
        _table(("look", "lines"), account.counts.get("looks", {}).items()),
        _table(("ground", "lines"), account.counts.get("backgrounds", {}).items()),
        "## Fonts\n",
        "The licences are those of the font files; the pictures show their glyphs.\n",
        _table(
            ("font", "licence", "from", "lines"),
            ((f["name"], f["licence"], f["source"], f["lines"]) for f in used_fonts(arguments, account)),
        ),
    ]
    return "\n".join(parts)


def _table(names: tuple[str, ...], rows: Any) -> str:
    head = ["| " + " | ".join(names) + " |", "|" + " --- |" * len(names)]
    return (
        "\n".join([*head, *("| " + " | ".join(_cell(value) for value in row) + " |" for row in rows)]) + "\n"
    )


def _cell(value: object) -> str:
    """A value that stays inside its cell and is no markup."""
    text = " ".join(str(value).split())
    return "".join("\\" + char if char in "\\`*_[]<>|" else char for char in text)
