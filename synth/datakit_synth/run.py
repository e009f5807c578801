"""A whole run: plan, shards in workers, one label file, manifest, contact sheet; restartable at any time."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from datakit.effects import check_preset
from datakit.errors import InputError, LockedError, OutputError, UsageError
from datakit.executor import Shard, make_shards, run_shards
from datakit.files import (
    LOCK,
    MANIFEST,
    TEMPORARY,
    FolderLock,
    Manifest,
    library_versions,
    read_manifest,
    remove_temporaries,
    require_space,
    sha256_file,
    write_manifest,
)
from datakit.progress import Progress
from datakit_fonts import BrokenFont, CoverageIndex, FontFace, find_fonts, font_sha256
from datakit_synth.backgrounds import check_grounds, find_photos
from datakit_synth.plan import Plan, make_plan
from datakit_synth.render import RenderJob
from datakit_synth.request import SynthRequest
from datakit_synth.shards import SHARD_LINES, ShardDone, image_name, merge_labels, read_done, render_shard
from datakit_synth.sheet import spread, write_sheet
from datakit_synth.texts import Rules

# Strokes of faces lighter than this vanish at line height 32.
MIN_WEIGHT = 300
BYTES_A_LINE = 9_000
SHEET_LINES = 64
_BYTE_LIBRARIES = ("datakit", "numpy", "opencv-python-headless", "freetype-py", "uharfbuzz", "albumentations")


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
class Prepared:
    """All that is known before anything is drawn; ``warnings`` name fonts and photos that were set aside."""

    plan: Plan
    job: RenderJob
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SynthResult:
    """What a run left on disk.

    ``labels`` is None as long as shards are missing (``shards_missing`` > 0), be it for ``--shard`` or
    because they failed; ``failed`` then says why.
    """

    out: Path
    labels: Path | None
    lines: int
    bytes: int
    shards: int
    shards_missing: int
    skipped: int
    redrawn: int
    flattened: int
    failed: tuple[str, ...]
    warnings: tuple[str, ...]
    plan: Plan

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "schema_version": 1,
            "out": str(self.out),
            "labels": None if self.labels is None else str(self.labels),
            "totals": self.counts(),
            "failed": list(self.failed),
            "warnings": list(self.warnings),
            "plan": self.plan.to_dict(),
        }

    def counts(self) -> dict[str, int]:
        """The whole numbers, for the manifest."""
        names = ("lines", "bytes", "shards", "shards_missing", "redrawn", "flattened")
        return {name: getattr(self, name) for name in names}


def prepare(request: SynthRequest, *, seed: int = 0) -> Prepared:
    """Find fonts and photos and plan; impossible characters stand in the plan and raise nothing yet.

    Raises:
        InputError: no usable font, an unreadable corpus, no background photo.
        UsageError: a request that makes no sense.
    """
    request.check()
    for preset in request.presets:
        check_preset(preset)
    if not request.presets:
        raise UsageError("no preset is chosen")
    photos, broken_photos = find_photos(request.photos) if request.photos else ((), ())
    check_grounds(request.backgrounds, photos)
    catalogue = find_fonts(request.fonts).require()
    faces = _strong_enough(catalogue.faces)
    rules = Rules(CoverageIndex(faces), request.charset, request.max_length)
    plan = make_plan(request, rules, seed)
    broken = {font.path for font in rules.index.broken}
    kept = tuple(face for face in faces if face.path not in broken)
    job = RenderJob(seed, kept, request.backgrounds, photos, request.presets, request.heights)
    aside: tuple[BrokenFont, ...] = (*catalogue.broken, *rules.index.broken)
    return Prepared(plan, job, (*(font.reason for font in aside), *broken_photos))


def _strong_enough(faces: Sequence[FontFace]) -> tuple[FontFace, ...]:
    strong = tuple(face for face in faces if face.axes or face.weight >= MIN_WEIGHT)
    return strong or tuple(faces)


def synthesize(
    request: SynthRequest,
    out: Path,
    *,
    seed: int = 0,
    workers: int = 1,
    part: Slice | None = None,
    progress: bool = False,
) -> SynthResult:
    """Draw ``request`` into ``out``: labels.txt, images/, shards/, contact.png, manifest.json.

    Picture i is a function of (seed, i) and the inputs: the same bytes for any ``workers`` and ``part``.
    Shards that an earlier run of the same request finished are kept, so that a killed run goes on where
    it stopped.

    Raises:
        InputError: a character or text that cannot be rendered, no font, an unreadable corpus.
        OutputError: ``out`` holds something else, or cannot be written, or the disk is too small.
        LockedError: another process works on ``out``.
        UsageError: a request that makes no sense.
    """
    part = (part or Slice()).check()
    prepared = prepare(request, seed=seed)
    prepared.plan.require()
    out = Path(out)
    shards = list(make_shards([line.text for line in prepared.plan.lines], SHARD_LINES))
    manifest = _manifest(request, prepared, seed)
    _require_ours(out, manifest)
    with _locked(out, part):
        _require_ours(out, manifest)
        write_manifest(out, manifest)
        failed, skipped = _draw(prepared.job, out, shards[part.index :: part.count], workers, progress)
        result = _finish(prepared, out, shards, failed=failed, skipped=skipped, part=part)
        if not failed:
            write_manifest(
                out, manifest.ended("running" if result.labels is None else "done", result.counts())
            )
        else:
            write_manifest(out, manifest.ended("failed", result.counts()))
    return result


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


def _fingerprint(prepared: Prepared) -> str:
    """What decides the bytes of a run."""
    job = prepared.job
    versions = library_versions()
    document = {
        "seed": job.seed,
        "texts": [line.text for line in prepared.plan.lines],
        "faces": [(face.index, face.family, face.style, font_sha256(face.path)) for face in job.faces],
        "photos": [sha256_file(path) for path in job.photos],
        "looks": [job.backgrounds, job.presets, job.heights, SHARD_LINES],
        "versions": [versions.get(name) for name in _BYTE_LIBRARIES],
    }
    return hashlib.sha256(json.dumps(document, ensure_ascii=True).encode()).hexdigest()


def _manifest(request: SynthRequest, prepared: Prepared, seed: int) -> Manifest:
    arguments = {
        "fingerprint": _fingerprint(prepared),
        "plan": prepared.plan.to_dict(),
        "backgrounds": request.backgrounds,
        "photos": request.photos,
        "presets": request.presets,
        "heights": request.heights,
        "max_length": request.max_length,
        "fonts": [
            {**{k: v for k, v in asdict(face).items() if k != "axes"}, "sha256": font_sha256(face.path)}
            for face in prepared.job.faces
        ],
        "warnings": prepared.warnings,
    }
    return Manifest.begin("synth", arguments, seed=seed, inputs=request.corpora)


def _require_ours(out: Path, manifest: Manifest) -> None:
    """``out`` is absent, empty, or the unfinished or finished output of the same run."""
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(f"{out}: is a file, not a folder")
    names = {path.name for path in out.iterdir() if path.name != LOCK and not path.name.startswith(TEMPORARY)}
    if names <= {"slices"}:
        return
    if MANIFEST not in names:
        raise OutputError(
            f"{out}: holds other files ({', '.join(sorted(names)[:3])}); choose an empty folder"
        )
    try:
        found = read_manifest(out)
    except InputError as error:
        raise OutputError(
            f"{out}: holds a manifest that cannot be read; choose an empty folder ({error})"
        ) from error
    if found.command != "synth" or found.arguments.get("fingerprint") != manifest.arguments["fingerprint"]:
        raise OutputError(
            f"{out}: holds another run (command {found.command}, seed {found.seed}): other texts, fonts, "
            "looks or library versions; choose an empty folder"
        )


def _draw(
    job: RenderJob, out: Path, shards: Sequence[Shard], workers: int, progress: bool
) -> tuple[tuple[str, ...], int]:
    """Draw the shards that are not whole yet; returns why some failed, and how many were kept from before."""
    if (out / "shards").is_dir():
        remove_temporaries(out / "shards")
    (out / "shards").mkdir(parents=True, exist_ok=True)
    open_shards = [shard for shard in shards if read_done(out, shard) is None]
    lines = sum(len(shard.items) for shard in open_shards)
    require_space(out, lines * BYTES_A_LINE)
    failed = []
    with Progress(lines, "synth", enabled=progress) as bar:
        work = partial(render_shard, job, str(out))
        for result in run_shards(work, open_shards, workers=min(workers, len(open_shards)), progress=bar):
            if result.error is not None:
                failed.append(f"shard {result.index}: {result.error}")
    return tuple(failed), len(shards) - len(open_shards)


def _finish(
    prepared: Prepared,
    out: Path,
    shards: Sequence[Shard],
    *,
    failed: tuple[str, ...],
    skipped: int,
    part: Slice,
) -> SynthResult:
    found = [read_done(out, shard) for shard in shards]
    done: list[ShardDone] = [account for account in found if account is not None]
    labels = None
    if len(done) == len(shards):
        labels = _merge(prepared, out, shards, part)
    return SynthResult(
        out=out,
        labels=labels,
        lines=sum(account.lines for account in done),
        bytes=sum(account.bytes for account in done),
        shards=len(shards),
        shards_missing=len(shards) - len(done),
        skipped=skipped,
        redrawn=sum(account.redrawn for account in done),
        flattened=sum(account.flattened for account in done),
        failed=failed,
        warnings=prepared.warnings,
        plan=prepared.plan,
    )


def _merge(prepared: Prepared, out: Path, shards: Sequence[Shard], part: Slice) -> Path:
    """Join the shards; of slices that end together one does it, and the others have nothing left to do."""
    guard = FolderLock(out) if part.count > 1 else contextlib.nullcontext()
    try:
        with guard:
            labels = merge_labels(out, shards)
            lines = prepared.plan.lines
            chosen = [(out / image_name(k), lines[k].text) for k in spread(len(lines), SHEET_LINES)]
            write_sheet(out / "contact.png", chosen, prepared.job.faces)
    except LockedError:
        return out / "labels.txt"
    return labels
