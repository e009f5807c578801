"""One LMDB set with PaddleOCR's keys, joined from the shards' packs."""

from __future__ import annotations

import importlib.util
from itertools import chain
from pathlib import Path

from datakit.errors import InputError, MissingExtraError
from datakit.lmdb_set import count_samples, image_key, is_lmdb, lmdb_picture, write_lmdb
from datakit_synth.formats.format import Format, ShardSet

FOLDER = "lmdb"


def _require() -> None:
    if importlib.util.find_spec("lmdb") is None:
        raise MissingExtraError("lmdb", "lmdb")


def _present(out: Path, lines: int) -> bool:
    try:
        return is_lmdb(out / FOLDER) and count_samples(out / FOLDER) == lines
    except InputError:
        return False


def _join(joined: ShardSet) -> None:
    write_lmdb(joined.out / FOLDER, chain.from_iterable(map(joined.samples, joined.shards)))


def _picture(out: Path, index: int) -> bytes:
    return lmdb_picture(out / FOLDER, image_key(index + 1))


LMDB = Format("lmdb", FOLDER, True, _require, _present, _join, _picture)
