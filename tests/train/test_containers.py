"""A set as label file, LMDB and Parquet: the same samples, the same batches, the same run."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from datakit.charset import Charset
from datakit.cli.main import app
from datakit.errors import InputError, TooManyBadError
from datakit.labels import read_rec
from datakit.line_sets import find_sets, read_lines, set_files
from datakit.lmdb_set import write_lmdb
from datakit.mix import Mix, Source
from datakit_train.batches import Batch, stream_batches
from datakit_train.evaluate import training_texts
from datakit_train.finetune import finetune
from datakit_train.label_sets import sources_of
from datakit_train.predict import LineReader, predict, read_label_set
from datakit_train.recognizer import load_recognizer
from datakit_train.samples import SampleSet, load_samples
from datakit_train.settings import Settings

HAS_ARROW = importlib.util.find_spec("pyarrow") is not None
CONTAINERS = ["lmdb", "parquet"] if HAS_ARROW else ["lmdb"]
needs_arrow = pytest.mark.skipif(not HAS_ARROW, reason="the extra hf (pyarrow) is not installed")

CHARSET = Charset(tuple("0123456789AB"))
Rows = list[tuple[bytes | None, str | None]]


def rows_of(labels: Path) -> list[tuple[bytes, str]]:
    return [((labels.parent / line.image).read_bytes(), line.text) for line in read_rec(labels)[0]]


def write_parquet(path: Path, rows: Iterable[tuple[bytes | None, str | None]]) -> Path:
    """One file with row groups of seven rows."""
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    kind = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
    pictures, texts = zip(*rows, strict=True)
    table = arrow.table(
        {
            "image": arrow.array([{"bytes": data, "path": None} for data in pictures], kind),
            "text": arrow.array(texts, arrow.string()),
        }
    )
    parquet.write_table(table, path, row_group_size=7)
    return path


@pytest.fixture
def sets(draw_lines: Callable[..., Path], tmp_path: Path) -> dict[str, Path]:
    """Twenty lines in every container there is; the Parquet set has two files."""
    labels = draw_lines("lines")
    rows = rows_of(labels)
    write_lmdb(tmp_path / "lmdb", rows)
    found = {"lines": labels, "lmdb": tmp_path / "lmdb"}
    if HAS_ARROW:
        write_parquet(tmp_path / "hf" / "data" / "train-00000-of-00002.parquet", rows[:9])
        write_parquet(tmp_path / "hf" / "data" / "train-00001-of-00002.parquet", rows[9:])
        found["parquet"] = tmp_path / "hf"
    return found


def samples_of(path: Path) -> SampleSet:
    return load_samples(sources_of([path]), CHARSET)


def batches_of(samples: SampleSet) -> list[Batch]:
    return list(stream_batches(samples, batch_size=4, seed=3, first_step=0, last_step=12, augment=True))


def test_the_same_samples_and_batches_to_the_bit(sets: dict[str, Path]) -> None:
    samples = {name: samples_of(path) for name, path in sets.items()}
    wanted = [(s.line.line, s.line.text, s.labels, s.width) for s in samples["lines"].samples[0]]
    assert len(wanted) == 20
    batches = {name: batches_of(found) for name, found in samples.items()}
    for name in CONTAINERS:
        assert [(s.line.line, s.line.text, s.labels, s.width) for s in samples[name].samples[0]] == wanted
        for ours, theirs in zip(batches[name], batches["lines"], strict=True):
            np.testing.assert_array_equal(ours.images, theirs.images)
            np.testing.assert_array_equal(ours.labels, theirs.labels)
            np.testing.assert_array_equal(ours.lengths, theirs.lengths)


@needs_arrow
def test_a_mix_names_all_three_with_ratios(sets: dict[str, Path], tmp_path: Path) -> None:
    kinds = ("domain", "general", "synthetic")
    entries = [
        {"label_file": str(path.relative_to(tmp_path)), "kind": kind, "ratio": ratio}
        for path, kind, ratio in zip(sets.values(), kinds, (1, 0.5, 2), strict=True)
    ]
    (tmp_path / "mix.yaml").write_text(yaml.safe_dump({"sources": entries}))
    samples = load_samples(sources_of([tmp_path / "mix.yaml"]), CHARSET)
    assert list(map(len, samples.samples)) == [20, 20, 20]
    lines = sum(len(b.lengths) for b in stream_batches(
        samples, batch_size=7, seed=0, first_step=0, last_step=10, augment=False
    ))  # fmt: skip
    assert lines == 20 + 10 + 40


@needs_arrow
def test_broken_samples_are_named_by_key_and_row(sets: dict[str, Path], tmp_path: Path) -> None:
    rows = rows_of(sets["lines"])[:5]
    flawed: Rows = [rows[0], (b"no picture", "12"), (None, "34"), (rows[3][0], None), rows[4]]
    write_parquet(tmp_path / "flawed.parquet", flawed)
    samples = samples_of(tmp_path / "flawed.parquet")
    assert [sample.line.line for sample in samples.samples[0]] == [1, 5]
    assert samples.lines_in == 5
    assert {entry.line: entry.reason.partition(":")[0] for entry in samples.dropped} == {
        2: str(tmp_path / "flawed.parquet"), 3: "missing-key", 4: "missing-key",
    }  # fmt: skip
    write_lmdb(tmp_path / "flawed", [rows[0], (b"no picture", "12"), rows[4]])
    samples = samples_of(tmp_path / "flawed")
    assert [sample.line.line for sample in samples.samples[0]] == [1, 3]
    assert [entry.line for entry in samples.dropped] == [2]
    assert "image-000000002" in samples.dropped[0].reason


def torn(rows: list[tuple[bytes, str]]) -> list[tuple[bytes, str]]:
    """The pictures of two lines end too early: their headers are whole."""
    return [(data[: len(data) // 2] if n in (2, 5) else data, text) for n, (data, text) in enumerate(rows)]


@pytest.mark.parametrize("container", CONTAINERS)
def test_pictures_that_end_early_stop_a_run_over_max_bad(
    container: str, sets: dict[str, Path], tiny_model: Path, tmp_path: Path
) -> None:
    rows = torn(rows_of(sets["lines"]))
    target = tmp_path / "torn.parquet"
    if container == "lmdb":
        target = tmp_path / "torn"
        write_lmdb(target, rows)
    else:
        write_parquet(target, rows)
    settings = Settings(steps=5, batch_size=4, learning_rate=1e-4, shares=(), max_bad=0.05)
    with pytest.raises(TooManyBadError, match="2 of 20 pictures cannot be read, over --max-bad"):
        finetune(sources_of([target]), val=sets["lines"], out=tmp_path / "run", pretrained=tiny_model,
                 settings=settings)  # fmt: skip
    broken = [
        json.loads(line)["line"] for line in (tmp_path / "run" / "broken.jsonl").read_text().splitlines()
    ]
    assert sorted(broken) == [3, 6]


def test_a_run_from_each_container_trains_the_same_weights(
    sets: dict[str, Path], tiny_model: Path, draw_lines: Callable[..., Path], tmp_path: Path
) -> None:
    val = draw_lines("val", 4, seed=9)
    losses = {}
    for name, path in sets.items():
        arguments = ["finetune", "--train", path, "--val", val, "--out", tmp_path / f"run-{name}",
                     "--pretrained", tiny_model, "--steps", 3, "--batch-size", 8, "--average", 0]  # fmt: skip
        result = CliRunner().invoke(app, list(map(str, arguments)))
        assert result.exit_code in (0, 1), result.output
        journal = (tmp_path / f"run-{name}" / "train.jsonl").read_text().splitlines()
        losses[name] = [json.loads(line)["loss"] for line in journal]
        recipe = yaml.safe_load((tmp_path / f"run-{name}" / "config.yml").read_text())
        expected = {"lmdb": "LMDBDataSet"}.get(name, "SimpleDataSet")
        assert recipe["Train"]["dataset"]["name"] == expected
        assert ("cannot read" in result.output) == (name == "parquet")
    assert len(losses["lines"]) == 3
    assert all(losses[name] == losses["lines"] for name in CONTAINERS)


def test_predictions_and_texts_are_the_same(sets: dict[str, Path], tiny_model: Path) -> None:
    model = load_recognizer(tiny_model)
    read = {}
    for name, path in sets.items():
        predictions = LineReader(model, batch_size=8).read(read_label_set(path))
        read[name] = [(p.line, p.label, p.text, p.score) for p in predictions]
        assert predict([path], model, show_progress=False).score.lines == 20
        assert training_texts([path]) == training_texts([sets["lines"]])
    assert len(read["lines"]) == 20
    assert all(read[name] == read["lines"] for name in CONTAINERS)


@needs_arrow
def test_a_folder_stands_for_the_sets_under_it(sets: dict[str, Path], tmp_path: Path) -> None:
    many = tmp_path / "many"
    for name in ("one", "two"):
        write_lmdb(many / name, rows_of(sets["lines"])[:2])
    assert find_sets(many) == (many / "one", many / "two")
    assert find_sets(sets["parquet"]) == (sets["parquet"],)
    assert [file.name for file in set_files(sets["parquet"])] == [
        "train-00000-of-00002.parquet", "train-00001-of-00002.parquet",
    ]  # fmt: skip
    assert set_files(sets["lmdb"]) == (sets["lmdb"] / "data.mdb",)
    write_parquet(many / "x.parquet", rows_of(sets["lines"])[:2])
    with pytest.raises(InputError, match=r"holds LMDB .* and Parquet .*; name one"):
        find_sets(many)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="without an LMDB set"):
        find_sets(tmp_path / "empty")


@needs_arrow
def test_parquet_of_another_kind_is_refused_with_its_columns(tmp_path: Path) -> None:
    import pyarrow as arrow
    import pyarrow.parquet as parquet

    path = tmp_path / "other.parquet"
    parquet.write_table(arrow.table({"image": [b"x"], "label": ["1"]}), path)
    with pytest.raises(InputError, match=r"has no column 'text' \(a string\); it has image, label"):
        read_lines(path)
    parquet.write_table(arrow.table({"image": ["a.jpg"], "text": ["1"]}), path)
    with pytest.raises(InputError, match="column 'image' is string, not a picture's bytes"):
        read_lines(path)
    parquet.write_table(arrow.table({"image": [b"x"], "text": [1]}), path)
    with pytest.raises(InputError, match="column 'text' is int64, not a string"):
        read_lines(path)
    path.write_bytes(b"PAR1 nothing")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        read_lines(path)


@needs_arrow
def test_a_set_that_has_changed_is_read_again(sets: dict[str, Path], tmp_path: Path) -> None:
    rows = rows_of(sets["lines"])
    path = write_parquet(tmp_path / "set.parquet", rows[:3])
    first = [line.text for line in read_lines(path)[0]]
    write_parquet(path, rows[3:8])
    assert first == [text for _, text in rows[:3]]
    assert [line.text for line in read_lines(path)[0]] == [text for _, text in rows[3:8]]
    source = Source(path, path, "domain", 1.0)
    assert len(load_samples(Mix((source,)), CHARSET).samples[0]) == 5
