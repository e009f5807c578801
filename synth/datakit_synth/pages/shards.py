"""A shard of pages on disk, in the files of a shard of lines: pictures, label file, marker."""

from __future__ import annotations

import json
import zlib
from collections import Counter
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from datakit.errors import InputError, OutputError
from datakit.executor import Shard, sign_of_life
from datakit.files import atomic_write
from datakit.labels import encode_det
from datakit_synth.pages.render import Page, PageJob, PageRenderer
from datakit_synth.pictures import write_folder
from datakit_synth.shards import ShardDone, ShardFiles, shard_whole

SHARD_PAGES = 8


@dataclass(frozen=True, slots=True)
class PageShardJob:
    """What a worker needs beside the numbers of its pages."""

    pages: PageJob
    out: str


def page_name(index: int) -> str:
    """Path of page ``index`` inside the output folder, with forward slashes."""
    return f"images/{index // SHARD_PAGES:05d}/{index:06d}.jpg"


@lru_cache(maxsize=1)
def _renderer(job: PageJob) -> PageRenderer:
    return PageRenderer(job)


def encode_page(page: Page) -> bytes:
    """The picture as JPEG bytes."""
    done, data = cv2.imencode(".jpg", page.image, [cv2.IMWRITE_JPEG_QUALITY, page.quality])
    if not done:
        raise InputError(f"a picture of {page.image.shape} cannot be written as JPEG")
    return np.asarray(data).tobytes()


def render_pages(job: PageShardJob, shard: Shard) -> ShardDone:
    """Draw and write a shard, whose items are page numbers; an earlier, unfinished try is removed first.

    In the account ``lines`` are pages, ``redrawn`` those that got milder effects than drawn for them.

    Raises:
        OutputError: the disk is full or the folder cannot be written.
        InputError: a page on which no line fits.
    """
    cv2.setNumThreads(1)
    files = ShardFiles(Path(job.out), shard.index)
    renderer, tally = _renderer(job.pages), _Tally()
    try:
        files.marker.unlink(missing_ok=True)
        with write_folder(files.folder) as add:
            for index in shard.items:
                sign_of_life(f"page {index}")
                page = renderer.render(index)
                data = encode_page(page)
                add(f"{index:06d}.jpg", data)
                tally.add(index, page, data)
    except OSError as error:
        where = f"after {len(tally.labels)} pages, {tally.bytes:,} bytes of this shard"
        raise OutputError(f"{files.folder}: cannot be written ({error.strerror}, {where})") from error
    atomic_write(files.labels, b"".join(tally.labels))
    done = tally.done(shard.index)
    atomic_write(files.marker, json.dumps(asdict(done)) + "\n")
    return done


class _Tally:
    """Label lines and counts of a shard."""

    def __init__(self) -> None:
        self.labels: list[bytes] = []
        self.bytes = self.checksum = self.milder = 0
        self._counts: dict[str, Counter[str]] = {}

    def add(self, index: int, page: Page, data: bytes) -> None:
        self.labels.append(encode_det(page_name(index), page.boxes))
        self.bytes += len(data)
        self.checksum = zlib.crc32(data, self.checksum)
        self.milder += page.milder
        for name, numbers in page.counts().items():
            self._counts.setdefault(name, Counter()).update(numbers)

    def done(self, index: int) -> ShardDone:
        counts = {name: dict(sorted(numbers.items())) for name, numbers in self._counts.items()}
        return ShardDone(
            index=index,
            lines=len(self.labels),
            bytes=self.bytes,
            redrawn=self.milder,
            checksum=self.checksum,
            counts=counts,
        )


def read_pages_done(out: Path, shard: Shard) -> ShardDone | None:
    """The account of a shard if all of it is on disk; else None."""
    return shard_whole(ShardFiles(out, shard.index), len(shard.items), packed=False, params=False)
