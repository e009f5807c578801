"""What the tests of synth share: how a finished run is compared, and a cache of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

Digest = Callable[[Path], dict[str, str]]


def _digest(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


@pytest.fixture
def digest() -> Digest:
    """sha256 of every file but the manifest, which holds paths and versions."""
    return _digest


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> object:
    """Verdicts on the tests' own fonts are not for the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATAKIT_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
