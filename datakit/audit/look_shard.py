"""What a worker does with a shard of pictures; imports as little as it can, so that workers start soon."""

from __future__ import annotations

from typing import TYPE_CHECKING

from datakit.executor import Shard

if TYPE_CHECKING:
    from datakit.audit.looks import Looks


def warm_up() -> None:
    """Import what the shards of an audit need: a third of a second."""
    import datakit.audit.alignment
    import datakit.audit.opening  # noqa: F401


def look(shard: Shard) -> Looks:
    """Look at the pictures of a shard: (data_dir, allow_outside, whether copies are searched for, whether to
    keep pixels, paths)."""
    # Here, so that an audit of the labels alone does without OpenCV.
    from datakit.audit.opening import look_at

    data_dir, allow_outside, copies, keep, images = shard.items
    return look_at(data_dir, images, allow_outside=allow_outside, copies=copies, keep=keep)
