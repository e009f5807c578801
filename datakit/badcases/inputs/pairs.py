"""Two files of predictions of the same lines, side by side."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator

from datakit.records import Prediction

Key = tuple[str, int, str]


def key_of(prediction: Prediction) -> Key:
    """What makes two records the same line: file, line and picture as the label file writes them."""
    return prediction.file, prediction.line, prediction.image


def paired(
    first: Iterable[Prediction], second: Iterable[Prediction]
) -> Iterator[tuple[Prediction, Prediction | None]]:
    """Every record of ``first`` with that of ``second`` for the same line, or None.

    Both are read once. In the same order only one record at a time is held; memory grows with how far the
    orders differ. A line that stands in both several times is paired in order.
    """
    waiting: defaultdict[Key, deque[Prediction]] = defaultdict(deque)
    others = iter(second)
    for prediction in first:
        key = key_of(prediction)
        if waiting.get(key):
            queue = waiting[key]
            yield prediction, queue.popleft()
            if not queue:
                del waiting[key]
            continue
        for other in others:
            other_key = key_of(other)
            if other_key == key:
                yield prediction, other
                break
            waiting[other_key].append(other)
        else:
            yield prediction, None
