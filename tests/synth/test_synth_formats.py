"""Files, LMDB and Parquet: the same pictures, readable by whom they are for, and restartable alike."""

from __future__ import annotations

import importlib
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from datakit.errors import MissingExtraError, OutputError, UsageError
from datakit.files import read_manifest
from datakit.lmdb_set import read_lmdb
from datakit_synth import Slice, SynthRequest, SynthResult, synthesize
from datakit_synth.formats import FORMATS, find_format

Digest = Callable[[Path], dict[str, str]]
LINES = 410


def request_of(font: Path) -> SynthRequest:
    return SynthRequest(
        templates=("en",), count=LINES, fonts=(font,), backgrounds=("plain",), presets=("clean",)
    )


def pictures(result: SynthResult) -> list[bytes]:
    return [FORMATS[result.format].picture(result.out, index) for index in range(0, LINES, 31)]


def texts(result: SynthResult) -> list[str]:
    return [line.text for line in result.plan.lines]


def test_lmdb_has_the_pictures_of_the_files_under_keys_from_one(latin_font: Path, tmp_path: Path) -> None:
    lmdb = pytest.importorskip("lmdb", reason="the extra lmdb is not installed")
    files = synthesize(request_of(latin_font), tmp_path / "files")
    packed = synthesize(request_of(latin_font), tmp_path / "lmdb", layout="lmdb")
    assert (packed.data, packed.labels, files.labels) == (tmp_path / "lmdb/lmdb", None, files.data)
    assert pictures(packed) == pictures(files)
    # A copy: this process has the set open already, and LMDB opens none twice.
    shutil.copytree(tmp_path / "lmdb/lmdb", tmp_path / "copy")
    environment = lmdb.open(str(tmp_path / "copy"), readonly=True, lock=False)
    with environment.begin() as transaction:
        assert transaction.get(b"num-samples") == str(LINES).encode()
        assert transaction.get(b"image-000000000") is None
        assert transaction.get(b"label-000000001").decode() == texts(packed)[0]
        first = (tmp_path / "files/images/00000/000000.jpg").read_bytes()
        assert transaction.get(b"image-000000001") == first
        assert transaction.get(f"image-{LINES + 1:09d}".encode()) is None
    environment.close()
    assert [sample.label for sample in read_lmdb(packed.data)] == texts(packed)
    assert not list(tmp_path.rglob("*.pack"))


def test_lmdb_is_the_same_bytes_for_slices_and_a_second_run(
    latin_font: Path, tmp_path: Path, digest: Digest
) -> None:
    pytest.importorskip("lmdb", reason="the extra lmdb is not installed")
    request = request_of(latin_font)
    synthesize(request, tmp_path / "one", layout="lmdb", keep_params=True)
    for k in (1, 0):
        synthesize(request, tmp_path / "two", layout="lmdb", keep_params=True, part=Slice(k, 2))
    expected = digest(tmp_path / "one")
    # labels, parameters and marker of 3 shards; the set, all parameters, sheet and page.
    assert len(expected) == 3 * 3 + 4
    assert digest(tmp_path / "two") == expected
    again = synthesize(request, tmp_path / "one", layout="lmdb", keep_params=True)
    assert again.skipped == 3
    assert digest(tmp_path / "one") == expected
    shutil.rmtree(tmp_path / "one/lmdb")
    assert synthesize(request, tmp_path / "one", layout="lmdb", keep_params=True).skipped == 0
    assert digest(tmp_path / "one") == expected


def test_parquet_has_the_features_of_datasets(latin_font: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra hf is not installed")
    files = synthesize(request_of(latin_font), tmp_path / "files")
    packed = synthesize(request_of(latin_font), tmp_path / "parquet", layout="parquet")
    assert pictures(packed) == pictures(files)
    (path,) = (tmp_path / "parquet/data").iterdir()
    assert path.name == "train-00000-of-00001.parquet"
    table = parquet.read_table(path)
    described = json.loads(table.schema.metadata[b"huggingface"])
    assert described["info"]["features"] == {
        "image": {"_type": "Image"},
        "text": {"dtype": "string", "_type": "Value"},
    }
    assert table["text"].to_pylist() == texts(packed)
    assert table["image"][7].as_py()["path"] == "000007.jpg"
    assert parquet.ParquetFile(path).num_row_groups == 3


def test_datasets_loads_folder_and_files(
    latin_font: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets", reason="the extra hf is not installed")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "hf")
    result = synthesize(request_of(latin_font), tmp_path / "out", layout="parquet")
    features = datasets.Features({"image": datasets.Image(), "text": datasets.Value("string")})
    cache = {"split": "train", "cache_dir": str(tmp_path / "hf")}
    for loaded in (
        datasets.load_dataset(str(result.out), **cache),
        datasets.load_dataset("parquet", data_files=str(result.out / "data/*.parquet"), **cache),
    ):
        assert loaded.features == features
        assert loaded["text"][:] == texts(result)
        assert 32 <= loaded[5]["image"].size[1] <= 64
    card = (result.out / "README.md").read_text(encoding="utf-8")
    assert f"num_examples: {LINES}" in card
    assert f"| Latin Regular | OFL-1.1 | path | {LINES} |" in card


def test_a_missing_extra_answers_with_the_pip_line(
    latin_font: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    for name, extra in (("parquet", "hf"), ("lmdb", "lmdb")):
        with pytest.raises(MissingExtraError, match=rf"pip install 'ocr-datakit\[{extra}\]'"):
            synthesize(request_of(latin_font), tmp_path / "out", layout=name)
    assert not (tmp_path / "out").exists()


def test_an_unknown_format_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no format 'zip': one of files, lmdb, parquet"):
        find_format("zip")


def test_another_format_in_the_folder_is_refused(latin_font: Path, tmp_path: Path) -> None:
    request = replace(request_of(latin_font), count=3)
    synthesize(request, tmp_path / "out")
    for other in ({"layout": "lmdb"}, {"keep_params": True}):
        with pytest.raises(OutputError, match=r"another run .* format"):
            synthesize(request, tmp_path / "out", **other)


def test_a_damaged_pack_is_named_and_drawn_again(latin_font: Path, tmp_path: Path, digest: Digest) -> None:
    pytest.importorskip("lmdb", reason="the extra lmdb is not installed")
    request, out = request_of(latin_font), tmp_path / "out"
    synthesize(request, tmp_path / "whole", layout="lmdb")
    synthesize(request, out, layout="lmdb", part=Slice(0, 2))
    pack = out / "shards/00000.pack"
    data = bytearray(pack.read_bytes())
    data[1000] ^= 1
    pack.write_bytes(data)
    with pytest.raises(OutputError, match=r"00000\.pack: the pictures are damaged"):
        synthesize(request, out, layout="lmdb", part=Slice(1, 2))
    assert not (out / "lmdb").exists()
    result = synthesize(request, out, layout="lmdb")
    assert (result.skipped, read_manifest(out).state) == (2, "done")
    assert digest(out) == digest(tmp_path / "whole")
