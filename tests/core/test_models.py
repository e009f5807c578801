from __future__ import annotations

import re
from pathlib import Path

import pytest

from datakit.errors import UsageError
from datakit.models import MODELS, cache_folder, get_spec, model_folder


@pytest.mark.parametrize("name", sorted(MODELS))
def test_every_model_is_pinned_and_named(name: str) -> None:
    spec = get_spec(name)
    assert spec.name == name
    assert re.fullmatch(r"[0-9a-f]{64}", spec.wheel.sha256)
    assert re.fullmatch(r"[a-z0-9-]+==[0-9.]+", spec.wheel.requirement)
    assert spec.tar.url.startswith("https://") and spec.tar.url.endswith(".tar")
    assert "Apache-2.0" in spec.licence
    assert spec.task in name
    assert (spec.height, spec.stride, spec.encoder) == ((48, 8, "ctc") if spec.task == "rec" else (0, 0, ""))


def test_an_unknown_model_lists_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"'ppocr'; there are: ppocrv3-det, ppocrv3-rec"):
        get_spec("ppocr")
    with pytest.raises(UsageError):
        model_folder("../../etc")


def test_where_the_cache_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATAKIT_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"
    assert model_folder("ppocrv3-rec") == tmp_path / "own" / "models" / "ppocrv3-rec"
    monkeypatch.delenv("DATAKIT_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "datakit"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == tmp_path / ".cache" / "datakit"
