"""Picture files in a folder a shard, and one label file: PaddleOCR's own layout."""

from __future__ import annotations

from pathlib import Path

from datakit.files import atomic_write
from datakit_synth.formats.format import Format, ShardSet
from datakit_synth.shards import ShardFiles, image_name

LABELS = "labels.txt"


def _never(_out: Path, _lines: int) -> bool:
    """The pictures are the shards' own: nothing stands in for them."""
    return False


def _join(joined: ShardSet) -> None:
    """The shards' label files in order; the pictures stay where they are."""
    parts = (ShardFiles(joined.out, shard.index).labels.read_bytes() for shard in joined.shards)
    atomic_write(joined.out / LABELS, b"".join(parts))


def _picture(out: Path, index: int) -> bytes:
    return (out / image_name(index)).read_bytes()


FILES = Format("files", LABELS, False, lambda: None, _never, _join, _picture)
