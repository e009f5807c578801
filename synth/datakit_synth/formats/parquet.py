"""Parquet files with the features of Hugging Face datasets: ``image: Image()``, ``text: Value("string")``.

A file holds :data:`FILE_SHARDS` shards, a row group is one shard, pictures are stored as their JPEG bytes.
Written with pyarrow, which the extra ``hf`` (datasets) brings along.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from datakit.errors import MissingExtraError
from datakit.files import atomic_open
from datakit_synth.formats.format import Format, ShardSet
from datakit_synth.shards import SHARD_LINES, ShardDone, image_name

FOLDER = "data"
FILE_SHARDS = 50
FEATURES = {"image": {"_type": "Image"}, "text": {"dtype": "string", "_type": "Value"}}


def _pyarrow() -> tuple[Any, Any]:
    """pyarrow and its Parquet module."""
    try:
        return importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingExtraError("pyarrow", "hf") from error


def file_names(shards: int) -> list[str]:
    """The files of a set of ``shards`` shards."""
    count = -(-shards // FILE_SHARDS)
    return [f"{FOLDER}/train-{number:05d}-of-{count:05d}.parquet" for number in range(count)]


def _schema(arrow: Any) -> Any:
    picture = arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())])
    described = json.dumps({"info": {"features": FEATURES}})
    return arrow.schema([("image", picture), ("text", arrow.string())], metadata={"huggingface": described})


def _present(out: Path, lines: int) -> bool:
    return all((out / name).is_file() for name in file_names(-(-lines // SHARD_LINES)))


def _join(joined: ShardSet) -> None:
    for number, name in enumerate(file_names(len(joined.shards))):
        _write(joined, name, joined.shards[number * FILE_SHARDS :][:FILE_SHARDS])


def _write(joined: ShardSet, name: str, shards: Sequence[ShardDone]) -> None:
    arrow, parquet = _pyarrow()
    schema = _schema(arrow)
    # JPEG does not get smaller, and a dictionary of pictures would only be in the way.
    options = {"compression": "none", "use_dictionary": False}
    with atomic_open(joined.out / name) as stream, parquet.ParquetWriter(stream, schema, **options) as writer:
        for shard in shards:
            pictures, texts = zip(*joined.samples(shard), strict=True)
            first = shard.index * SHARD_LINES
            rows = [
                {"bytes": data, "path": Path(image_name(first + offset)).name}
                for offset, data in enumerate(pictures)
            ]
            columns = [arrow.array(rows, schema.field("image").type), arrow.array(texts, arrow.string())]
            writer.write_table(arrow.Table.from_arrays(columns, schema=schema), row_group_size=SHARD_LINES)


def _picture(out: Path, index: int) -> bytes:
    _, parquet = _pyarrow()
    shard, row = divmod(index, SHARD_LINES)
    number, group = divmod(shard, FILE_SHARDS)
    (path,) = (out / FOLDER).glob(f"train-{number:05d}-of-*.parquet")
    with parquet.ParquetFile(path) as file:
        return bytes(file.read_row_group(group, columns=["image"])["image"][row].as_py()["bytes"])


PARQUET = Format("parquet", FOLDER, True, _pyarrow, _present, _join, _picture)
