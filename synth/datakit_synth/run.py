"""A whole run: plan, shards in workers, one set, manifest, contact sheet, page; restartable at any time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from datakit.errors import LockedError, UsageError
from datakit.executor import Shard, Workers, make_shards
from datakit.files import FolderLock, Manifest, require_space, write_manifest
from datakit.progress import Progress
from datakit_synth.account import Account
from datakit_synth.assemble import Assembly, assemble, remove_leftovers
from datakit_synth.formats import Format, find_format
from datakit_synth.formats.files_set import FILES
from datakit_synth.identity import make_manifest, require_ours
from datakit_synth.pictures import explained
from datakit_synth.plan import Plan
from datakit_synth.prepare import Prepared, prepare
from datakit_synth.request import SynthRequest
from datakit_synth.shards import SHARD_LINES, ShardDone, ShardJob, read_done, render_shard, warm_up

BYTES_A_LINE = 9_000

__all__ = ["Prepared", "Slice", "SynthResult", "prepare", "synthesize"]


@dataclass(frozen=True, slots=True)
class Slice:
    """Part ``index`` of ``count`` of a run, for several machines: every ``count``-th shard."""

    index: int = 0
    count: int = 1

    def check(self) -> Slice:
        """Itself; UsageError unless 0 <= index < count."""
        if not 0 <= self.index < self.count:
            raise UsageError(f"shard {self.index}/{self.count}: k/n with k from 0 to n - 1")
        return self


@dataclass(frozen=True, slots=True)
class SynthResult:
    """What a run left on disk.

    ``data`` is the label file, the LMDB folder or the folder of Parquet files; None as long as shards are
    missing (``shards_missing`` > 0), be it for ``--shard`` or because they failed; ``failed`` then says why.
    """

    out: Path
    data: Path | None
    format: str
    account: Account
    shards: int
    shards_missing: int
    skipped: int
    failed: tuple[str, ...]
    warnings: tuple[str, ...]
    plan: Plan

    @property
    def labels(self) -> Path | None:
        """The label file; None as long as it is missing, and in other formats than ``files``."""
        return self.data if self.format == FILES.name else None

    @property
    def lines(self) -> int:
        """Lines that are on disk."""
        return self.account.lines

    @property
    def bytes(self) -> int:
        """Bytes of their pictures."""
        return self.account.bytes

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "schema_version": 1,
            "out": str(self.out),
            "format": self.format,
            "data": None if self.data is None else str(self.data),
            "labels": None if self.labels is None else str(self.labels),
            "totals": self.counts(),
            "drawn": self.account.counts,
            "failed": list(self.failed),
            "warnings": list(self.warnings),
            "plan": self.plan.to_dict(),
        }

    def counts(self) -> dict[str, int]:
        """The whole numbers, for the manifest."""
        account = {name: getattr(self.account, name) for name in ("lines", "bytes", "redrawn", "flattened")}
        return account | {"shards": self.shards, "shards_missing": self.shards_missing}


@dataclass(frozen=True, slots=True)
class _Run:
    """A run that has been planned, and the folder that was found fit for it."""

    out: Path
    prepared: Prepared
    manifest: Manifest
    format: Format
    job: ShardJob
    part: Slice
    shards: list[Shard]

    def done(self) -> list[ShardDone | None]:
        """The account of every shard, None for one that must be drawn."""
        joined = self.format.present(self.out, len(self.prepared.plan.lines))
        return [read_done(self.job, shard.index, len(shard.items), joined=joined) for shard in self.shards]


def synthesize(
    request: SynthRequest,
    out: Path,
    *,
    seed: int = 0,
    workers: int = 1,
    part: Slice | None = None,
    progress: bool = False,
    layout: str = FILES.name,
    keep_params: bool = False,
) -> SynthResult:
    """Draw ``request`` into ``out`` in the format ``layout`` (see :data:`formats.FORMATS`).

    ``out`` gets labels.txt and images/ (or lmdb/, or data/ and README.md), shards/, contact.png, synth.html,
    manifest.json, and params.jsonl with ``keep_params``. Picture i is a function of (seed, i) and the inputs:
    the same bytes for any ``workers``, ``part`` and ``layout``. Shards that an earlier run of the same
    request finished are kept, so that a killed run goes on where it stopped.

    Raises:
        InputError: a character or text that cannot be rendered, no font, an unreadable corpus.
        OutputError: ``out`` holds something else, or cannot be written, or the disk is too small.
        LockedError: another process works on ``out``.
        MissingExtraError: the format needs a package that is not installed.
        UsageError: a request that makes no sense.
    """
    part = (part or Slice()).check()
    chosen = find_format(layout)
    request.check()
    out = Path(out)
    useful = workers if request.count is None else -(-request.count // SHARD_LINES)
    # They start while the lines are planned.
    with Workers(min(workers, useful), warm=partial(warm_up, request.presets, request.backgrounds)) as pool:
        prepared = prepare(request, seed=seed)
        prepared.plan.require()
        manifest = make_manifest(request, prepared, seed=seed, layout=layout, keep_params=keep_params)
        job = ShardJob(prepared.job, str(out), chosen.packed, keep_params)
        shards = list(make_shards([line.text for line in prepared.plan.lines], SHARD_LINES))
        run = _Run(out, prepared, manifest, chosen, job, part, shards)
        wanted = manifest.arguments["fingerprint"]
        require_ours(out, wanted)
        with explained(out), _locked(out, part):
            require_ours(out, wanted)
            return _work(run, pool, progress)


@contextlib.contextmanager
def _locked(out: Path, part: Slice) -> Iterator[None]:
    """The whole folder, or this slice of it: several slices may be drawn into one folder at a time."""
    if part.count == 1:
        with FolderLock(out):
            yield
        return
    slices = out / "slices"
    folder = slices / f"{part.index}-of-{part.count}"
    try:
        with FolderLock(folder):
            yield
    finally:
        for empty in (folder, slices):
            with contextlib.suppress(OSError):
                empty.rmdir()


def _work(run: _Run, pool: Workers, progress: bool) -> SynthResult:
    if run.part.count == 1:
        remove_leftovers(run.out)
    mine = list(zip(run.shards, run.done(), strict=True))[run.part.index :: run.part.count]
    open_shards = [shard for shard, done in mine if done is None]
    lines = sum(len(shard.items) for shard in open_shards)
    # Before the manifest: a run that is refused for want of space must not claim the folder.
    require_space(run.out, lines * BYTES_A_LINE * (2 if run.format.packed else 1))
    write_manifest(run.out, run.manifest)
    failed, skipped = _draw(run, open_shards, pool, progress), len(mine) - len(open_shards)
    result = _finish(run, failed, skipped)
    # Of slices that end together one writes "done"; another must not write "running" after it.
    if failed or result.data is not None:
        write_manifest(run.out, run.manifest.ended("failed" if failed else "done", result.counts()))
    elif run.part.count == 1:
        write_manifest(run.out, run.manifest.ended("running", result.counts()))
    return result


def _draw(run: _Run, shards: Sequence[Shard], pool: Workers, progress: bool) -> tuple[str, ...]:
    """Draw ``shards``; returns why some failed."""
    (run.out / "shards").mkdir(parents=True, exist_ok=True)
    failed = []
    lines = sum(len(shard.items) for shard in shards)
    with Progress(lines, "synth", enabled=progress and lines > 0) as bar:
        work = partial(render_shard, run.job)
        for result in pool.run(work, shards, bar):
            if result.error is not None:
                failed.append(f"shard {result.index}: {result.error}")
    return tuple(failed)


def _finish(run: _Run, failed: tuple[str, ...], skipped: int) -> SynthResult:
    done = [account for account in run.done() if account is not None]
    whole = len(done) == len(run.shards)
    return SynthResult(
        out=run.out,
        data=_assemble(run, done) if whole else None,
        format=run.format.name,
        account=Account.of(done),
        shards=len(run.shards),
        shards_missing=len(run.shards) - len(done),
        skipped=skipped,
        failed=failed,
        warnings=run.prepared.warnings,
        plan=run.prepared.plan,
    )


def _assemble(run: _Run, done: Sequence[ShardDone]) -> Path:
    """Join the shards; of slices that end together one does it, and the others have nothing left to do."""
    texts = [line.text for line in run.prepared.plan.lines]
    assembly = Assembly(
        out=run.out,
        format=run.format,
        texts=texts,
        faces=run.prepared.job.faces,
        arguments=run.manifest.arguments,
        keep_params=run.job.keep_params,
    )
    guard = FolderLock(run.out) if run.part.count > 1 else contextlib.nullcontext()
    try:
        with guard:
            return assemble(assembly, done)
    except LockedError:
        return run.out / run.format.result
