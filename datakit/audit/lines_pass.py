"""Pages and samples of LMDB sets looked at one by one, with their pictures, here or in workers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from datakit.audit.inspect import Entry, Piece, inspect_piece
from datakit.audit.label_set import LabelSet
from datakit.audit.settings import Settings
from datakit.audit.tally import Tally
from datakit.executor import Shard, Workers, run_shards
from datakit.progress import Progress

# Small enough that two workers share a few hundred pages, or a few thousand samples.
PIECE_LINES = {"det": 16, "rec": 256}


def inspect_lines(
    labels: LabelSet,
    entries: Iterable[Entry],
    settings: Settings,
    *,
    cap: int | None,
    workers: int | Workers,
    progress: bool,
    note_lost: bool,
) -> Iterator[Tally]:
    """What is found on ``entries``, by pieces in their order; no more of them are held than workers need.

    The lines of a piece whose worker died count as not inspected.
    """
    waiting: dict[int, Piece] = {}
    size = PIECE_LINES[labels.source.task]

    def shards() -> Iterator[Shard]:
        lines = iter(entries)
        for index in itertools.count():
            part = tuple(itertools.islice(lines, size))
            if not part:
                return
            waiting[index] = Piece(labels.number, labels.data_dir, part, settings, cap, note_lost)
            yield Shard(index, (waiting[index],))

    with Progress(0, f"audit {labels.file}, {size} lines each", enabled=progress) as bar:
        for result in run_shards(_inspect_shard, shards(), workers=workers, progress=bar):
            piece = waiting.pop(result.index)
            yield result.value if result.value is not None else _not_inspected(piece, str(result.error))


def _inspect_shard(shard: Shard) -> Tally:
    (piece,) = shard.items
    return inspect_piece(piece)


def _not_inspected(piece: Piece, reason: str) -> Tally:
    tally = Tally(cap=piece.cap)
    for entry in piece.entries:
        tally.fates["unreadable"] += 1
        tally.reasons["not-inspected"] += 1
        if piece.note_lost:
            tally.lost.append((entry.line, "unreadable", "not-inspected"))
        tally.find("not-inspected", entry.file, entry.line, reason)
    return tally
