"""What a format can do, and what it is given to do it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit_synth.shards import SHARD_LINES, ShardDone, shard_pictures


@dataclass(frozen=True, slots=True)
class ShardSet:
    """The finished shards of a run in order; ``texts[i]`` is the label of picture i."""

    out: Path
    shards: Sequence[ShardDone]
    texts: Sequence[str]

    def samples(self, shard: ShardDone) -> Iterator[tuple[bytes, str]]:
        """Picture and label of every line of ``shard``; raises as :func:`shard_pictures` does."""
        texts = self.texts[shard.index * SHARD_LINES :]
        # Pictures first: the checksum is compared when they end, not when the texts do.
        for offset, data in enumerate(shard_pictures(self.out, shard)):
            yield data, texts[offset]


@dataclass(frozen=True, slots=True)
class Format:
    """One way to lay a run on disk; ``result`` is the file or folder in ``out`` that holds the set.

    ``packed``: workers write a pack a shard instead of a folder of files. ``require`` raises
    MissingExtraError. ``present(out, lines)``: the set is there, whole. ``join(set)`` makes it of the
    shards. ``picture(out, index)``: bytes of a picture of the joined set.
    """

    name: str
    result: str
    packed: bool
    require: Callable[[], object]
    present: Callable[[Path, int], bool]
    join: Callable[[ShardSet], None]
    picture: Callable[[Path, int], bytes]
