"""Parts of one run, drawn on several machines into folders of their own, become the undivided run."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit.errors import InputError
from datakit.files import FolderLock, Manifest, atomic_write, read_manifest, write_manifest
from datakit_synth.account import Account
from datakit_synth.assemble import Assembly, assemble, remove_leftovers, texts_sha256
from datakit_synth.formats import Format, find_format
from datakit_synth.identity import manifest_faces, require_ours
from datakit_synth.pictures import PART, explained, write_folder, write_pack
from datakit_synth.shards import (
    SHARD_LINES,
    ShardDone,
    ShardFiles,
    read_marker,
    shard_pictures,
    shard_whole,
)

_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Merged:
    """The set that was made; ``data`` as in :class:`datakit_synth.SynthResult`."""

    out: Path
    data: Path
    account: Account
    shards: int


@dataclass(frozen=True, slots=True)
class _Parts:
    """Folders of one run, and where its shards shall go."""

    folders: tuple[Path, ...]
    out: Path
    manifest: Manifest
    format: Format

    @property
    def keep_params(self) -> bool:
        return bool(self.manifest.arguments["keep_params"])

    @property
    def lines(self) -> int:
        return int(self.manifest.arguments["lines"])

    def is_out(self, folder: Path) -> bool:
        """Whether ``folder`` is the one that all shards go to."""
        return folder.resolve() == self.out.resolve()

    def holder(self, index: int) -> Path | None:
        """The first folder that holds shard ``index`` whole."""
        lines = min(SHARD_LINES, self.lines - index * SHARD_LINES)
        for folder in self.folders:
            files = ShardFiles(folder, index)
            joined = self.is_out(folder) and self.format.present(folder, self.lines)
            done = shard_whole(
                files, lines, packed=self.format.packed, params=self.keep_params, joined=joined
            )
            if done is not None:
                return folder
        return None


def merge_parts(parts: Sequence[Path], out: Path) -> Merged:
    """Join the folders of ``--shard k/n`` runs of one command into ``out``, which may be one of them.

    Pictures are linked where disks allow, else copied, and compared with the checksum that their worker
    noted. Label files and pictures are those of the undivided run. A merge that was killed goes on.

    Raises:
        InputError: a folder is no run of synth, or of another run than the first; shards are missing; texts
            are not those planned.
        OutputError: ``out`` holds something else, or cannot be written; a picture is damaged.
        LockedError: another process works on ``out``.
    """
    found = _read_parts(parts, out)
    require_ours(out, found.manifest.arguments["fingerprint"])
    holders = _holders(found)
    with explained(out), FolderLock(out):
        require_ours(out, found.manifest.arguments["fingerprint"])
        remove_leftovers(out)
        write_manifest(out, found.manifest)
        done = [_bring(found, holder, index) for index, holder in enumerate(holders)]
        assembly = Assembly(
            out=out,
            format=found.format,
            texts=_texts(found, out, len(holders)),
            faces=manifest_faces(found.manifest),
            arguments=found.manifest.arguments,
            keep_params=found.keep_params,
        )
        data = assemble(assembly, done)
        merged = Merged(out, data, Account.of(done), len(done))
        write_manifest(out, found.manifest.ended("done", _counts(merged)))
    return merged


def _counts(merged: Merged) -> dict[str, int]:
    account = merged.account
    counts = {name: getattr(account, name) for name in ("lines", "bytes", "redrawn", "flattened")}
    return counts | {"shards": merged.shards, "shards_missing": 0}


def _read_parts(parts: Sequence[Path], out: Path) -> _Parts:
    manifests = [read_manifest(folder) for folder in parts]
    for folder, manifest in zip(parts, manifests, strict=True):
        if manifest.command != "synth" or "fingerprint" not in manifest.arguments:
            raise InputError(f"is a run of {manifest.command!r}, not of synth", file=folder)
        if manifest.arguments["fingerprint"] != manifests[0].arguments["fingerprint"]:
            why = _difference(manifests[0], manifest)
            raise InputError(f"is part of another run than {parts[0]}: {why}", file=folder)
    layout = find_format(manifests[0].arguments["format"])
    return _Parts(tuple(parts), out, manifests[0], layout)


def _difference(first: Manifest, other: Manifest) -> str:
    """What two manifests disagree about, for people."""
    if first.seed != other.seed:
        return f"seed {first.seed} and {other.seed}"
    named = [name for name in first.arguments if first.arguments[name] != other.arguments.get(name)]
    named = [name for name in named if name not in {"fingerprint", "warnings", "plan"}]
    named += [name for name in first.versions if first.versions[name] != other.versions.get(name)]
    return f"they differ in {', '.join(named)}" if named else "photos or looks differ"


def _holders(parts: _Parts) -> list[Path]:
    """For every shard the folder that holds it.

    Raises:
        InputError: shards are nowhere; names them.
    """
    holders = [parts.holder(index) for index in range(-(-parts.lines // SHARD_LINES))]
    missing = [index for index, holder in enumerate(holders) if holder is None]
    if missing:
        named = ", ".join(map(str, missing[:_MOST_NAMED]))
        more = f" and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        raise InputError(
            f"of {len(holders)} shards {len(missing)} are missing in {', '.join(map(str, parts.folders))}: "
            f"{named}{more}; shard i belongs to --shard k/n with k = i modulo n: run that part (again)"
        )
    return [holder for holder in holders if holder is not None]


def _bring(parts: _Parts, holder: Path, index: int) -> ShardDone:
    """Have shard ``index`` in ``out``; its marker comes last."""
    source, target = ShardFiles(holder, index), ShardFiles(parts.out, index)
    done = read_marker(source)
    if done is None:
        raise InputError("was there a moment ago and is not now", file=source.marker)
    if parts.is_out(holder):
        return done
    if not parts.format.present(parts.out, parts.lines):
        _bring_pictures(parts, holder, done)
    atomic_write(target.labels, source.labels.read_bytes())
    if parts.keep_params:
        atomic_write(target.params, source.params.read_bytes())
    atomic_write(target.marker, source.marker.read_bytes())
    return done


def _bring_pictures(parts: _Parts, holder: Path, done: ShardDone) -> None:
    source, target = ShardFiles(holder, done.index), ShardFiles(parts.out, done.index)
    if parts.format.packed:
        with write_pack(target.pack) as add:
            for data in shard_pictures(holder, done):
                add("", data)
        return
    # Reads every picture, and raises where one is not what was written.
    for _ in shard_pictures(holder, done):
        pass
    with write_folder(target.folder):
        part = target.folder.with_name(target.folder.name + PART)
        for picture in sorted(source.folder.iterdir()):
            _link(picture, part / picture.name)


def _link(source: Path, target: Path) -> None:
    with contextlib.suppress(OSError):
        os.link(source, target)
        return
    shutil.copyfile(source, target)


def _texts(parts: _Parts, out: Path, shards: int) -> list[str]:
    """The labels of all shards.

    Raises:
        InputError: they are not the planned ones.
    """
    texts: list[str] = []
    for index in range(shards):
        lines = ShardFiles(out, index).labels.read_bytes().split(b"\n")[:-1]
        texts.extend(line.partition(b"\t")[2].decode("utf-8", "replace") for line in lines)
    if texts_sha256(texts) != parts.manifest.arguments["texts_sha256"]:
        raise InputError("the label files do not hold the planned texts", file=out / "shards")
    return texts
