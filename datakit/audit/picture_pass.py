"""Both ends of the picture pass: what a worker does with a line, and what is asked of all rows together."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from datakit.audit.check import Check
from datakit.audit.copies import Load, picture_loader
from datakit.audit.copy_checks import COPY_CHECKS, RowFinding, copy_findings
from datakit.audit.leak import PAGE_CHECKS, SPLIT_CHECKS, page_findings
from datakit.audit.picture_table import PictureTable
from datakit.audit.pictures import Picture, picture_facts
from datakit.audit.room import ROOM_CHECKS, room_findings
from datakit.executor import Workers
from datakit.groups import Grouping

PICTURE_SET_CHECKS: Mapping[str, Check[Any]] = {**COPY_CHECKS, **PAGE_CHECKS, **SPLIT_CHECKS, **ROOM_CHECKS}


def line_pictures(
    data_dir: str,
    images: Iterable[str],
    *,
    allow_outside: bool = False,
    decode: bool = True,
    table: PictureTable | None = None,
    source: int = 0,
    line: int = 0,
    text: str = "",
) -> tuple[Picture, ...]:
    """The pictures of one line, for the checks on it; the usable ones also become rows of ``table``."""
    pictures = tuple(
        picture_facts(data_dir, image, allow_outside=allow_outside, decode=decode) for image in images
    )
    if table is not None:
        for picture in pictures:
            table.append(source, line, text, picture)
    return pictures


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep OpenCV to one thread: crops are too small to share, and the workers have the cores."""
    import cv2

    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def set_findings(
    table: PictureTable,
    files: Sequence[str],
    data_dirs: Sequence[str],
    *,
    val_sources: Collection[int] = (),
    allow_outside: bool = False,
    copies: bool = True,
    load: Load | None = None,
    group: Grouping | None = None,
    workers: int | Workers = 1,
) -> Iterator[RowFinding]:
    """What all pictures together show: copies, leaks, pages on both sides, labels that do not fit.

    ``files`` and ``data_dirs`` are those of the label sources by number, ``val_sources`` the numbers of those
    to measure with. ``copies`` False leaves the search for copies out. ``load`` reads a picture again where
    two have to be compared; by default from its file. The result does not depend on how the rows came into
    the table, only on their order.
    """
    yield from room_findings(table)
    if copies:
        with one_thread():
            reader = load or picture_loader(table, data_dirs, allow_outside)
            yield from copy_findings(table, reader, list(files), val_sources, workers)
    if val_sources:
        yield from page_findings(table, val_sources, group)
