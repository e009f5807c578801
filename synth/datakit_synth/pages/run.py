"""A whole run of pages: shards in workers, one label file, manifest, contact sheet, page; restartable."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from datakit.errors import OutputError
from datakit.executor import Shard, Workers, make_shards
from datakit.files import FolderLock, atomic_write, require_space, write_manifest
from datakit.progress import Progress
from datakit_synth.account import Account
from datakit_synth.assemble import remove_leftovers
from datakit_synth.identity import require_ours
from datakit_synth.pages.prepare import COMMAND, PreparedPages, prepare_pages
from datakit_synth.pages.request import PageRequest
from datakit_synth.pages.shards import SHARD_PAGES, PageShardJob, read_pages_done, render_pages
from datakit_synth.pages.show import show
from datakit_synth.pictures import explained
from datakit_synth.shards import ShardDone, ShardFiles, warm_up

LABELS = "labels.txt"
_BYTES_A_PIXEL = 0.4


@dataclass(frozen=True, slots=True)
class PagesResult:
    """What a run left on disk; ``labels`` is None as long as shards are missing, ``failed`` says why."""

    out: Path
    labels: Path | None
    account: Account
    shards: int
    shards_missing: int
    skipped: int
    failed: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def boxes(self) -> int:
        """Boxes of all pages, ignored ones included."""
        return sum(self.account.counts.get("boxes", {}).values())

    @property
    def ignored(self) -> int:
        """Boxes labelled ``###``."""
        return self.boxes - self.account.counts.get("boxes", {}).get("text", 0)

    def counts(self) -> dict[str, int]:
        """The whole numbers, for the manifest."""
        numbers = {"pages": self.account.lines, "boxes": self.boxes, "ignored": self.ignored}
        numbers |= {"bytes": self.account.bytes, "milder": self.account.redrawn}
        return numbers | {"shards": self.shards, "shards_missing": self.shards_missing}

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "schema_version": 1,
            "out": str(self.out),
            "labels": None if self.labels is None else str(self.labels),
            "totals": self.counts(),
            "drawn": self.account.counts,
            "failed": list(self.failed),
            "warnings": list(self.warnings),
        }


def synthesize_pages(
    request: PageRequest, out: Path, *, seed: int = 0, workers: int = 1, progress: bool = False
) -> PagesResult:
    """Draw ``request`` into ``out``: labels.txt for PaddleOCR's detection, images/, contact.png, pages.html.

    Page i is a function of (seed, i) and the inputs: the same bytes for any ``workers``. Shards that an
    earlier run of the same request finished are kept.

    Raises:
        InputError: no text, no font, a page on which no line fits.
        OutputError: ``out`` holds something else, or cannot be written, or the disk is too small.
        LockedError: another process works on ``out``.
        UsageError: a request that makes no sense.
    """
    request.check()
    out = Path(out)
    useful = -(-request.count // SHARD_PAGES)
    # They start while the pages are prepared.
    with Workers(min(workers, useful), warm=partial(warm_up, request.presets, request.backgrounds)) as pool:
        prepared = prepare_pages(request, seed=seed)
        wanted = prepared.fingerprint()
        require_ours(out, wanted, COMMAND)
        with explained(out), FolderLock(out):
            require_ours(out, wanted, COMMAND)
            remove_leftovers(out)
            return _work(prepared, out, pool, progress)


def _work(prepared: PreparedPages, out: Path, pool: Workers, progress: bool) -> PagesResult:
    manifest = prepared.manifest()
    write_manifest(out, manifest)
    shards = list(make_shards(range(prepared.request.count), SHARD_PAGES))
    failed, skipped = _draw(prepared, out, shards, pool, progress)
    done = [kept for shard in shards if (kept := read_pages_done(out, shard)) is not None]
    whole = len(done) == len(shards)
    account = Account.of(done)
    if whole:
        _join(out, done)
        show(out, out / LABELS, manifest.arguments, account)
    result = PagesResult(
        out=out,
        labels=out / LABELS if whole else None,
        account=account,
        shards=len(shards),
        shards_missing=len(shards) - len(done),
        skipped=skipped,
        failed=failed,
        warnings=prepared.warnings,
    )
    write_manifest(out, manifest.ended("done" if whole else "failed", result.counts()))
    return result


def _draw(
    prepared: PreparedPages, out: Path, shards: list[Shard], pool: Workers, progress: bool
) -> tuple[tuple[str, ...], int]:
    """Draw the shards that are not whole yet; returns why some failed, and how many were kept from before."""
    (out / "shards").mkdir(parents=True, exist_ok=True)
    open_shards = [shard for shard in shards if read_pages_done(out, shard) is None]
    pages = sum(len(shard.items) for shard in open_shards)
    width, height = prepared.job.size
    require_space(out, int(pages * width * height * _BYTES_A_PIXEL))
    work = partial(render_pages, PageShardJob(prepared.job, str(out)))
    failed = []
    with Progress(pages, COMMAND, enabled=progress) as bar:
        for result in pool.run(work, open_shards, bar):
            if result.error is not None:
                failed.append(f"shard {result.index}: {result.error}")
    return tuple(failed), len(shards) - len(open_shards)


def _join(out: Path, done: list[ShardDone]) -> None:
    """The shards' label files in order as one."""
    parts = []
    for shard in done:
        files = ShardFiles(out, shard.index)
        labels = files.labels.read_bytes()
        if labels.count(b"\n") != shard.lines:
            files.marker.unlink(missing_ok=True)
            raise OutputError(f"{files.labels}: is damaged; the same command draws the shard again")
        parts.append(labels)
    atomic_write(out / LABELS, b"".join(parts))
