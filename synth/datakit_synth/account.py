"""The account of a whole run: the sums of its shards' accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from datakit_synth.shards import ShardDone


@dataclass(frozen=True, slots=True)
class Account:
    """``counts``: lines by font, preset, background and look, the most frequent first."""

    lines: int
    bytes: int
    redrawn: int
    flattened: int
    counts: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, shards: Iterable[ShardDone]) -> Account:
        """The sums over ``shards``."""
        done = list(shards)
        counts: dict[str, Counter[str]] = {}
        for shard in done:
            for name, numbers in shard.counts.items():
                counts.setdefault(name, Counter()).update(numbers)
        return cls(
            lines=sum(shard.lines for shard in done),
            bytes=sum(shard.bytes for shard in done),
            redrawn=sum(shard.redrawn for shard in done),
            flattened=sum(shard.flattened for shard in done),
            counts={
                name: dict(sorted(counter.items(), key=lambda entry: (-entry[1], entry[0])))
                for name, counter in counts.items()
            },
        )

    def rate(self, count: int) -> float:
        """``count`` as a share of all lines; 0 for no line."""
        return count / self.lines if self.lines else 0.0
