"""Audit label files: read, inspect in pieces, add up."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from datakit.audit.facts import SetFacts
from datakit.audit.inspect import Entry, Piece, inspect_piece
from datakit.audit.pair_checks import PAIR_CHECKS, Pairs
from datakit.audit.registry import CHECKS
from datakit.audit.report import AuditReport, CharacterCount, FileReport
from datakit.audit.set_checks import FILE_CHECKS, TOTAL_CHECKS
from datakit.audit.settings import Settings
from datakit.audit.tally import Hit, Tally
from datakit.charset import Charset
from datakit.encoders import RESERVED
from datakit.errors import InputError, UsageError
from datakit.executor import Shard, run_shards
from datakit.labels import STDIN, LabelFault, RecLine, scan_det, scan_rec, sniff_task
from datakit.progress import Progress
from datakit.records import SEVERITIES

# Small enough that two workers share a file of a few thousand lines.
PIECE_LINES = 500
ALL_FILES = "(all files)"

Task = Literal["rec", "det"]


@dataclass(frozen=True, slots=True)
class LabelSet:
    """A label file with its task and what its paths are relative to."""

    file: str
    task: Task
    data_dir: Path


def audit(
    label_files: Sequence[str | Path],
    *,
    data_dir: str | Path | None = None,
    task: Task | None = None,
    charset: Charset | None = None,
    encoder: str = "ctc",
    max_text_length: int = 25,
    image_shape: tuple[int, int, int] = (3, 48, 320),
    images: bool = True,
    allow_outside: bool = False,
    workers: int = 1,
    progress: bool = False,
) -> AuditReport:
    """Say for every line of ``label_files`` what the trainer will do with it, and what is wrong with it.

    ``data_dir`` defaults to each file's own folder (the working folder for stdin), ``task`` to what the
    file looks like. Without a ``charset`` no character counts as missing. ``max_text_length`` is in code
    points, ``image_shape`` in (channels, height, width) px. ``images`` False leaves the pictures closed.
    The result does not depend on ``workers``; ``progress`` draws a bar on stderr.

    Raises:
        InputError: a label file is missing, a folder, or holds no line.
        UsageError: no label file, an unknown encoder or task, a limit below 1, a shape below 1 px.
    """
    _require(label_files, encoder, task, max_text_length, image_shape)
    settings = Settings(charset, encoder, max_text_length, image_shape, images, allow_outside)
    sets = [_label_set(str(file), task, data_dir) for file in label_files]
    pairs = Pairs()
    read = [_read(labels, pairs) for labels in sets]
    pieces = list(_pieces(sets, [entries for entries, _ in read], settings))
    tallies = [tally for _, tally in read]
    for piece, tally in _inspected(pieces, workers, progress):
        tallies[piece.number].add(tally)
    for labels, tally in zip(sets, tallies, strict=True):
        _ask_file(labels, tally)
    return _report(sets, tallies, settings)


def _require(
    label_files: Sequence[str | Path],
    encoder: str,
    task: str | None,
    max_text_length: int,
    image_shape: tuple[int, int, int],
) -> None:
    if not label_files:
        raise UsageError("no label file given")
    if encoder not in RESERVED:
        raise UsageError(f"encoder {encoder!r} is not known; known are {', '.join(RESERVED)}")
    if task not in (None, "rec", "det"):
        raise UsageError(f"task {task!r} is not known; known are rec, det")
    if max_text_length < 1:
        raise UsageError(f"max_text_length {max_text_length} is below 1")
    if len(image_shape) != 3 or min(image_shape) < 1:
        raise UsageError(f"image_shape {image_shape} is not channels, height, width")


def _label_set(file: str, task: Task | None, data_dir: str | Path | None) -> LabelSet:
    own = Path() if file == STDIN else Path(file).parent
    return LabelSet(file, task or sniff_task(file), Path(data_dir) if data_dir is not None else own)


def _read(labels: LabelSet, pairs: Pairs) -> tuple[list[Entry], Tally]:
    """All lines of a file, and a tally that holds the findings on its pairs."""
    scanned: Iterable[Entry] = (scan_rec if labels.task == "rec" else scan_det)(labels.file)
    entries = list(scanned)
    if not entries:
        raise InputError("holds no line", file=labels.file)
    tally = Tally()
    folder = str(labels.data_dir.resolve())
    for entry in entries:
        if isinstance(entry, LabelFault):
            continue
        pair = pairs.seen(entry, folder)
        if pair is None:
            continue
        images = entry.images if isinstance(entry, RecLine) else (entry.image,)
        text = entry.text if isinstance(entry, RecLine) else ""
        for code, check in PAIR_CHECKS.items():
            for message in check.run(pair):
                tally.find(
                    code,
                    entry.file,
                    entry.line,
                    message,
                    data_dir=str(labels.data_dir),
                    images=images,
                    text=text,
                )
    return entries, tally


def _pieces(sets: Sequence[LabelSet], read: Sequence[list[Entry]], settings: Settings) -> Iterator[Piece]:
    for number, (labels, entries) in enumerate(zip(sets, read, strict=True)):
        for start in range(0, len(entries), PIECE_LINES):
            yield Piece(number, str(labels.data_dir), tuple(entries[start : start + PIECE_LINES]), settings)


def _inspect_shard(shard: Shard) -> Tally:
    (piece,) = shard.items
    return inspect_piece(piece)


def _inspected(pieces: list[Piece], workers: int, progress: bool) -> Iterator[tuple[Piece, Tally]]:
    """Every piece with its tally, in order; if its worker died, with its lines as not inspected."""
    shards = [Shard(index, (piece,)) for index, piece in enumerate(pieces)]
    with Progress(len(shards), f"audit, {PIECE_LINES} lines each", enabled=progress) as bar:
        for result in run_shards(_inspect_shard, shards, workers=workers, progress=bar):
            piece = pieces[result.index]
            yield (
                piece,
                result.value if result.value is not None else _not_inspected(piece, str(result.error)),
            )


def _not_inspected(piece: Piece, reason: str) -> Tally:
    tally = Tally()
    for entry in piece.entries:
        tally.fates["unreadable"] += 1
        tally.reasons["not-inspected"] += 1
        tally.find("not-inspected", entry.file, entry.line, reason)
    return tally


def _facts(file: str, task: str, tally: Tally) -> SetFacts:
    return SetFacts(
        file,
        task,
        {char: tally.trained_with[char] for char in tally.lines_with},
        tally.words,
        tally.words_upper,
        tally.boxes,
        tally.ignored,
    )


def _ask_file(labels: LabelSet, tally: Tally) -> None:
    facts = _facts(labels.file, labels.task, tally)
    for code, check in FILE_CHECKS.items():
        for message in check.run(facts):
            tally.find(code, labels.file, None, message)


def _report(sets: Sequence[LabelSet], tallies: Sequence[Tally], settings: Settings) -> AuditReport:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    place = sets[0].file if len(sets) == 1 else ALL_FILES
    facts = _facts(place, "", total)
    for code, check in TOTAL_CHECKS.items():
        for message in check.run(facts):
            total.find(code, place, None, message)
    return AuditReport(
        files=tuple(
            FileReport(labels.file, labels.task, str(labels.data_dir), tally.totals())
            for labels, tally in zip(sets, tallies, strict=True)
        ),
        totals=total.totals(),
        counts={code: total.counts[code] for code in _ordered(total.counts)},
        hits=tuple(_hits(total)),
        characters=_characters(total),
        settings=_shown_settings(settings),
        notes=tuple(_notes(sets, settings)),
    )


def _ordered(codes: Iterable[str]) -> list[str]:
    order = {code: number for number, code in enumerate(CHECKS)}
    return sorted(codes, key=lambda code: (-SEVERITIES.index(CHECKS[code].severity), order[code]))


def _hits(total: Tally) -> Iterator[Hit]:
    return itertools.chain.from_iterable(total.hits[code] for code in _ordered(total.hits))


def _characters(total: Tally) -> tuple[CharacterCount, ...]:
    counts = (
        CharacterCount(char, total.occurrences[char], lines, total.trained_with[char])
        for char, lines in total.lines_with.items()
    )
    return tuple(sorted(counts, key=lambda count: (count.trained_lines, count.char)))


def _shown_settings(settings: Settings) -> dict[str, Any]:
    return {
        "encoder": settings.encoder,
        "max_text_length": settings.max_text_length,
        "image_shape": list(settings.image_shape),
        "dictionary_classes": settings.charset.num_classes if settings.charset else None,
        "images": settings.images,
    }


def _notes(sets: Sequence[LabelSet], settings: Settings) -> Iterator[str]:
    rec = any(labels.task == "rec" for labels in sets)
    if settings.charset is None and rec:
        yield "no dictionary given: characters that the trainer would cut are not looked for (--dict FILE)"
    if settings.charset is not None:
        yield from (f"dictionary: {note}" for note in settings.charset.notes)
    if not settings.images:
        yield "pictures were not looked at (--no-images)"
