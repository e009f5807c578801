"""What makes finished shards a set: labels or container, parameters, contact sheet, page, dataset card.

Every step writes whole files and may be done again, so that a run killed here goes on here.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datakit.effects import Image
from datakit.errors import OutputError
from datakit.files import TEMPORARY, atomic_open
from datakit.images import decode_bgr, header
from datakit_fonts import FontFace
from datakit_synth.account import Account
from datakit_synth.card import write_card
from datakit_synth.formats import Format
from datakit_synth.formats.format import ShardSet
from datakit_synth.page import write_page
from datakit_synth.pictures import PART
from datakit_synth.shards import SHARD_LINES, ShardDone, ShardFiles, image_name, shard_labels
from datakit_synth.sheet import spread, write_sheet

SHEET_LINES = 64
PARAMS = "params.jsonl"
CONTACT = "contact.png"


@dataclass(frozen=True, slots=True)
class Assembly:
    """A run whose shards are all there; ``arguments`` are those of its manifest."""

    out: Path
    format: Format
    texts: Sequence[str]
    faces: tuple[FontFace, ...]
    arguments: Mapping[str, Any]
    keep_params: bool = False


def texts_sha256(texts: Iterable[str]) -> str:
    """One digest of all texts in order."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\n")
    return digest.hexdigest()


def assemble(run: Assembly, shards: Sequence[ShardDone]) -> Path:
    """Make the set; returns the file or folder that holds it.

    Raises:
        OutputError: the shards do not hold what was planned, or something cannot be written.
    """
    remove_leftovers(run.out)
    _require_planned(run, shards)
    joined = ShardSet(run.out, shards, run.texts)
    if not run.format.present(run.out, len(run.texts)):
        run.format.join(joined)
    if run.keep_params:
        _join_params(run.out, shards)
    _show(run, Account.of(shards))
    if run.format.packed:
        for shard in shards:
            ShardFiles(run.out, shard.index).pack.unlink(missing_ok=True)
    return run.out / run.format.result


def _require_planned(run: Assembly, shards: Sequence[ShardDone]) -> None:
    for shard in shards:
        files = ShardFiles(run.out, shard.index)
        planned = run.texts[shard.index * SHARD_LINES :][:SHARD_LINES]
        if files.labels.read_bytes() != shard_labels(shard.index, list(planned)):
            files.marker.unlink(missing_ok=True)
            raise OutputError(
                f"{files.labels}: does not hold the planned lines; the same command draws the shard again"
            )


def _join_params(out: Path, shards: Sequence[ShardDone]) -> None:
    with atomic_open(out / PARAMS) as target:
        for shard in shards:
            with ShardFiles(out, shard.index).params.open("rb") as source:
                shutil.copyfileobj(source, target)


def _show(run: Assembly, account: Account) -> None:
    chosen = [(index, _picture(run, index)) for index in spread(len(run.texts), SHEET_LINES)]
    entries = [(picture, run.texts[index]) for index, picture in chosen]
    write_sheet(run.out / CONTACT, entries, run.faces)
    samples = [(index, picture, run.texts[index]) for index, picture in chosen]
    write_page(run.out, run.arguments, account, samples)
    if run.format.name == "parquet":
        write_card(run.out, run.arguments, account, len(run.texts), sum(len(t.encode()) for t in run.texts))


def _picture(run: Assembly, index: int) -> Image:
    name, data = image_name(index), run.format.picture(run.out, index)
    return np.asarray(decode_bgr(name, data, header(name, data)), np.uint8)


def remove_leftovers(out: Path) -> int:
    """Take away what killed processes left unfinished; returns how many there were.

    Nobody else may be writing a shard: the caller owns the whole folder, or all shards are there.
    """
    found = [
        path
        for folder, wanted in ((out, _temporary), (out / "shards", _temporary), (out / "images", _part))
        if folder.is_dir()
        for path in map(Path, os.scandir(folder))
        if wanted(path)
    ]
    found += [path for path in (out / "data").glob(f"{TEMPORARY}*.tmp") if path.is_file()]
    for path in found:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()
    return len(found)


def _temporary(path: Path) -> bool:
    return path.name.startswith(TEMPORARY) and path.suffix == ".tmp"


def _part(path: Path) -> bool:
    return path.name.endswith(PART)
