"""Recipes as files."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipes import WriteRecipe


@pytest.fixture
def write_recipe(tmp_path: Path) -> WriteRecipe:
    """Write a recipe, texts in it replaced first; every replacement must find its text."""

    def write(text: str, *replacements: tuple[str, str]) -> Path:
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        path = tmp_path / "rec.yml"
        path.write_text(text, encoding="utf-8")
        return path

    return write
