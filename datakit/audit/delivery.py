"""The files that an audit leaves behind: checked before the work, written after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit.audit.clean import Audited, Split, split_lines
from datakit.audit.fix import Fixed, changes_path, fix_file
from datakit.audit.inputs.source import LabelSource
from datakit.audit.outputs import output_paths, root_note
from datakit.charset import Charset
from datakit.errors import UsageError
from datakit.files import require_writable
from datakit.labels import STDIN


@dataclass(frozen=True, slots=True)
class Wanted:
    """Outputs as asked for: a mended copy, the kept lines, a list of the others."""

    fix: Path | None = None
    clean: Path | None = None
    dropped: Path | None = None
    drop_cut: bool = False

    @property
    def lost_lines(self) -> bool:
        """Whether the fate of every line has to be kept."""
        return self.clean is not None or self.dropped is not None


@dataclass(frozen=True, slots=True)
class Places:
    """Where they go, one path a source; empty where they are not wanted."""

    fix: tuple[Path, ...] = ()
    clean: tuple[Path, ...] = ()


def places(wanted: Wanted, sources: Sequence[LabelSource]) -> Places:
    """Refuse before long work what could not be written after it.

    Raises:
        UsageError: ``--drop-cut`` alone; an output that is an input or another output; stdin, an LMDB set.
        OutputError: a place that cannot be written to.
    """
    if wanted.drop_cut and not wanted.lost_lines:
        raise UsageError(
            "--drop-cut leaves lines out of --clean and lists them in --dropped: give one of them"
        )
    fix = output_paths("--fix", wanted.fix, sources) if wanted.fix else ()
    clean = output_paths("--clean", wanted.clean, sources) if wanted.clean else ()
    if wanted.dropped:
        if any(source.file == STDIN for source in sources):
            raise UsageError("--dropped reads the labels a second time: give a file, not stdin")
        require_writable(wanted.dropped)
    written = [*fix, *(changes_path(path) for path in fix), *clean, *filter(None, [wanted.dropped])]
    real = [path.resolve() for path in written]
    inputs = {Path(source.file).resolve() for source in sources}
    for number, path in enumerate(real):
        if path in real[:number] or path in inputs:
            raise UsageError(f"{written[number]} is written to by two options, or is a label file")
    return Places(fix, clean)


def deliver(
    wanted: Wanted, where: Places, audited: Sequence[Audited], charset: Charset | None = None
) -> Iterator[str]:
    """Write what is wanted; yields a sentence a file.

    Raises:
        InputError: a source changed since its audit.
        OutputError: an output cannot be written.
    """
    for one, path in zip(audited, where.fix, strict=False):
        yield from _fixed(fix_file(one.source, path, charset), one.source, path)
    if wanted.lost_lines:
        done = split_lines(audited, clean=where.clean, dropped=wanted.dropped, drop_cut=wanted.drop_cut)
        for number, (one, split) in enumerate(zip(audited, done, strict=True)):
            if where.clean:
                yield from _cleaned(split, one.source, where.clean[number])
        if wanted.dropped:
            yield f"wrote {wanted.dropped}: {sum(split.dropped for split in done)} lines left out"


def _fixed(fixed: Fixed, source: LabelSource, path: Path) -> Iterator[str]:
    codes = ", ".join(f"{code} {count}" for code, count in sorted(fixed.counts.items()))
    changes = f" ({codes}; each in {changes_path(path)})" if codes else ""
    yield f"wrote {path}: {fixed.changed} of {fixed.lines} lines mended{changes}"
    yield from filter(None, [root_note(path, source)])


def _cleaned(split: Split, source: LabelSource, path: Path) -> Iterator[str]:
    yield f"wrote {path}: {split.kept} of {split.lines} lines, {split.dropped} left out"
    yield from filter(None, [root_note(path, source)])
