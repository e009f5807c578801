"""Whether a source's pictures are where its data_dir says: told before an epoch is lost on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from datakit.labels import LabelFault, scan_rec, sniff_task
from datakit.mix.sources import Source

# Lines of a source that are looked at.
LOOKED_AT = 10


def without_pictures(sources: Iterable[Source]) -> Iterator[str]:
    """One sentence for every recognition source of whose first ten lines no picture is there.

    Raises:
        InputError: a label file cannot be read.
    """
    for source in sources:
        if sniff_task(source.label_file) != "rec":
            continue
        images = list(islice(_images(source.label_file), LOOKED_AT))
        if images and not any(_is_file(source.data_dir / image) for image in images):
            beside = source.label_file.with_suffix(".yaml")
            hint = f"; {beside} names another folder, give that" if beside.is_file() else ""
            yield (
                f"{source.label_file}: of its first {len(images)} pictures none is in {source.data_dir} (the "
                f"first: {images[0]}){hint}"
            )


def _images(label_file: Path) -> Iterator[str]:
    for entry in scan_rec(label_file):
        if not isinstance(entry, LabelFault):
            yield from entry.images


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
