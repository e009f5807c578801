"""A shard of a run: pictures in a folder of their own, a label file, and a marker that says it is whole.

The pictures are written into ``images/NNNNN.part``, which gets its name when the last one is there; the
label file and the marker follow. A killed run leaves at most ``.part`` folders, which the next run of
that shard removes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import cv2

from datakit.errors import OutputError
from datakit.executor import Shard, sign_of_life
from datakit.files import atomic_write
from datakit.labels import encode_rec
from datakit_synth.render import Renderer, RenderJob, encode, sample_rng

SHARD_LINES = 200


@dataclass(frozen=True, slots=True)
class ShardDone:
    """The account of a finished shard; ``redrawn`` lines lost effects that had made them illegible."""

    index: int
    lines: int
    bytes: int
    redrawn: int = 0
    flattened: int = 0


@lru_cache(maxsize=1)
def _renderer(job: RenderJob) -> Renderer:
    return Renderer(job)


def image_name(index: int) -> str:
    """Path of sample ``index`` inside the output folder, with forward slashes."""
    return f"images/{index // SHARD_LINES:05d}/{index:06d}.jpg"


def shard_files(out: Path, index: int) -> tuple[Path, Path, Path]:
    """Picture folder, label file and marker of a shard."""
    name = f"{index:05d}"
    return out / "images" / name, out / "shards" / f"{name}.txt", out / "shards" / f"{name}.json"


def render_shard(job: RenderJob, out: str, shard: Shard) -> ShardDone:
    """Draw and write a shard, whose items are texts; what an earlier, unfinished try left is removed.

    Raises:
        OutputError: the disk is full or the folder cannot be written.
        InputError: a text that no font of the job covers.
    """
    cv2.setNumThreads(1)
    folder, labels, marker = shard_files(Path(out), shard.index)
    try:
        done, lines = _write_pictures(job, folder, shard)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror})") from error
    atomic_write(labels, b"".join(lines))
    atomic_write(marker, json.dumps(asdict(done)) + "\n")
    return done


def _write_pictures(job: RenderJob, folder: Path, shard: Shard) -> tuple[ShardDone, list[bytes]]:
    part = folder.with_name(folder.name + ".part")
    for old in (part, folder):
        if old.exists():
            shutil.rmtree(old)
    part.mkdir(parents=True)
    renderer = _renderer(job)
    lines, size, redrawn, flattened = [], 0, 0, 0
    for offset, text in enumerate(shard.items):
        index = shard.index * SHARD_LINES + offset
        sign_of_life(f"line {index} ({text!r})")
        rendered = renderer.render(text, sample_rng(job.seed, index))
        data = encode(rendered)
        name = image_name(index)
        (part / Path(name).name).write_bytes(data)
        lines.append(encode_rec(name, text))
        size += len(data)
        redrawn += rendered.params["redrawn"]
        flattened += rendered.params["colour"]["flattened"] < 1.0
    part.rename(folder)
    return ShardDone(shard.index, len(lines), size, redrawn, flattened), lines


def read_done(out: Path, shard: Shard) -> ShardDone | None:
    """The account of ``shard`` if all of it is on disk, byte counts included; None when it must be drawn."""
    folder, labels, marker = shard_files(out, shard.index)
    try:
        done = ShardDone(**json.loads(marker.read_bytes()))
        sizes = [path.stat().st_size for path in folder.iterdir()]
    except (OSError, ValueError, TypeError):
        return None
    whole = done.lines == len(shard.items) == len(sizes) and done.bytes == sum(sizes) and labels.is_file()
    return done if whole else None


def merge_labels(out: Path, shards: Sequence[Shard]) -> Path:
    """Join the label files of all shards, in order, into ``labels.txt``; says how many lines do not match.

    Raises:
        OutputError: the label files do not hold what was planned.
    """
    joined = b"".join(shard_files(out, shard.index)[1].read_bytes() for shard in shards)
    planned = b"".join(
        encode_rec(image_name(shard.index * SHARD_LINES + offset), text)
        for shard in shards
        for offset, text in enumerate(shard.items)
    )
    if joined != planned:
        raise OutputError(
            f"{out / 'shards'}: the label files do not hold the planned lines; remove the folder"
        )
    path = out / "labels.txt"
    atomic_write(path, joined)
    return path
