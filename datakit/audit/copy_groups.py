"""Which lines show the same crop, for a split that keeps them on one side."""

from __future__ import annotations

from collections.abc import Sequence

from datakit.audit.copies import find_copies, picture_loader
from datakit.audit.picture_pass import line_pictures, one_thread
from datakit.audit.picture_table import PictureTable


def copy_groups(
    images: Sequence[str], data_dir: str, *, allow_outside: bool = False
) -> list[tuple[int, ...]]:
    """Indexes of ``images``, paths in ``data_dir``, that are exact or near copies of each other.

    A path that stands there twice is a copy as well. Pictures that cannot be used have none.
    """
    table = PictureTable()
    same: dict[str, list[int]] = {}
    for at, image in enumerate(images):
        same.setdefault(image, []).append(at)
    with one_thread():
        for image, places in same.items():
            line_pictures(data_dir, (image,), allow_outside=allow_outside, table=table, line=places[0])
        copies = find_copies(table, picture_loader(table, [data_dir], allow_outside))
    rows = [*copies.exact, *((pair.first, pair.second) for pair in copies.near)]
    groups = [tuple(places) for places in same.values() if len(places) > 1]
    return groups + [tuple(int(table.lines[row]) for row in members) for members in rows]
