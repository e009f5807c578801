"""The test sets are nobody else's: neither their label files nor their pictures occur in another set."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from datakit.errors import InputError, UsageError
from datakit.files import sha256_file
from datakit.labels import LabelFault, scan_rec
from datakit.loop.plan import LoopPlan
from datakit.mix import Part


@dataclass(frozen=True, slots=True)
class _Picture:
    file: Path
    line: int
    path: Path

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def require_apart(plan: LoopPlan) -> None:
    """Refuse test sets of which a step would see something.

    Looked for: the same label file, the same picture, and a copy of a picture byte for byte. Rounds are
    decided by ``val`` and the guards, so that they may not hold test pictures either.

    Raises:
        UsageError: says how many lines of which test set overlap with what, and names the first.
    """
    if not plan.test:
        return
    others = _others(plan)
    tests = [(name, part, list(_pictures(part))) for name, part in plan.test.items()]
    for name, part, pictures in tests:
        for use, other in others:
            if part.label_file.resolve() == other.label_file.resolve():
                raise UsageError(
                    f"test set {name!r} is also {use} ({other.label_file}); hold lines out for it"
                )
        _require_none(name, pictures, others)


def _others(plan: LoopPlan) -> list[tuple[str, Part]]:
    """Every set that a step may see, with what it is called in loop.yaml."""
    uses: list[tuple[str, Iterable[Part]]] = [
        ("domain", plan.domain), ("general", plan.general), ("val", (plan.val,)), ("guard", plan.guard),
    ]  # fmt: skip
    return [(use, part) for use, parts in uses for part in parts]


def _pictures(part: Part) -> Iterator[_Picture]:
    folder = (part.data_dir or part.label_file.parent).resolve()
    for entry in scan_rec(part.label_file):
        if not isinstance(entry, LabelFault):
            for image in entry.images:
                if "\0" not in image:
                    yield _Picture(part.label_file, entry.line, folder / image)


def _require_none(name: str, pictures: list[_Picture], others: list[tuple[str, Part]]) -> None:
    by_path = {picture.path: picture for picture in pictures}
    by_size = _by_size(pictures)
    hashes: dict[Path, str] = {}
    for use, part in others:
        found = [
            (mine, other)
            for other in _pictures(part)
            if (mine := by_path.get(other.path) or _copy(other, by_size, hashes)) is not None
        ]
        if found:
            mine, other = found[0]
            raise UsageError(
                f"test set {name!r} shares {len(found)} pictures with {use}, the first: {mine} and {other}; "
                f"take them out of one ('datakit split' cuts sets that share nothing)"
            )


def _by_size(pictures: Iterable[_Picture]) -> Mapping[int, list[_Picture]]:
    """Pictures by their bytes on disk; one that cannot be looked at has no copy."""
    found: defaultdict[int, list[_Picture]] = defaultdict(list)
    for picture in pictures:
        if size := _size(picture.path):
            found[size].append(picture)
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except (OSError, ValueError):
        return 0


def _copy(other: _Picture, by_size: Mapping[int, list[_Picture]], hashes: dict[Path, str]) -> _Picture | None:
    """The test picture with the same bytes; only files of one size are read."""
    size = _size(other.path)
    if size not in by_size:
        return None
    wanted = _hash(other.path, hashes)
    return next((mine for mine in by_size[size] if wanted and _hash(mine.path, hashes) == wanted), None)


def _hash(path: Path, hashes: dict[Path, str]) -> str:
    if path not in hashes:
        try:
            hashes[path] = sha256_file(path)
        except InputError:
            # What cannot be read is said by the step that reads it.
            hashes[path] = ""
    return hashes[path]
