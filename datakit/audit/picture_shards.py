"""The pictures of chunks of lines, looked at in this process or in workers while chunks are read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from datakit.audit.look_shard import look
from datakit.audit.looks import Looks
from datakit.audit.picture_pass import one_thread
from datakit.audit.prepared import Prepared
from datakit.executor import Shard, Workers, run_shards
from datakit.progress import Progress

# Some 20 ms of work: what a worker waits for its next shard is little beside it, and the last ones to finish
# are not far apart.
SHARD_PICTURES = 256


@dataclass(slots=True)
class _Waiting:
    part: Prepared
    shards: deque[tuple[str, ...]]
    looks: list[Looks] = field(default_factory=list)


def looked_at(
    parts: Iterable[Prepared],
    data_dir: str,
    *,
    allow_outside: bool,
    workers: int | Workers,
    progress: Progress,
    copies: bool = True,
    keep: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[Prepared, Looks]]:
    """Every part in its order with what was seen of its pictures.

    ``copies`` False leaves out what only the search for copies asks for. Pictures whose worker died have the
    fault "not-inspected". ``keep`` is asked whether pixels of more pictures are wanted.
    """
    waiting: deque[_Waiting] = deque()

    def shards() -> Iterator[Shard]:
        index = 0
        for part in parts:
            images = part.images
            starts = range(0, len(images), SHARD_PICTURES)
            pieces = [tuple(images[start : start + SHARD_PICTURES]) for start in starts]
            waiting.append(_Waiting(part, deque(pieces)))
            for piece in pieces:
                yield Shard(index, (data_dir, allow_outside, copies, keep(), piece))
                index += 1

    with one_thread():
        for result in run_shards(look, shards(), workers=workers):
            while not waiting[0].shards:
                yield _done(waiting)
            images = waiting[0].shards.popleft()
            looks = result.value if result.value is not None else Looks.lost(images, str(result.error))
            waiting[0].looks.append(looks)
            progress.advance(len(images))
        while waiting:
            yield _done(waiting)


def _done(waiting: deque[_Waiting]) -> tuple[Prepared, Looks]:
    first = waiting.popleft()
    return first.part, Looks.joined(first.looks)
