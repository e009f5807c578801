"""Audit label files: read them in chunks, look at every line, add up."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from datakit.audit import chunks
from datakit.audit.beside import Beside
from datakit.audit.chunks import open_labels
from datakit.audit.copy_checks import RowFinding
from datakit.audit.inputs.source import LabelSource
from datakit.audit.label_set import Entry, LabelSet, label_source, size_of
from datakit.audit.lines_pass import inspect_lines
from datakit.audit.look_shard import warm_up
from datakit.audit.looks import Looks
from datakit.audit.pair_checks import PAIR_CHECKS
from datakit.audit.pair_index import Batch, Line, PairIndex, Twin
from datakit.audit.path_checks import CASE_CHECK
from datakit.audit.path_hashes import NO_PATH, Hashes, hash_paths, normalized
from datakit.audit.picture_pass import set_findings
from datakit.audit.picture_shards import looked_at
from datakit.audit.picture_table import PictureTable
from datakit.audit.prepared import Prepared
from datakit.audit.readings import READING_CHECKS, Readings
from datakit.audit.report import AuditReport
from datakit.audit.settings import Settings
from datakit.audit.stats import TextStats
from datakit.audit.summary import file_findings, report_of, set_findings_of, total_of
from datakit.audit.tally import CAP, Hit, Tally
from datakit.audit.text_counts import TextCounts
from datakit.audit.text_pass import TextPass
from datakit.charset import Charset
from datakit.encoders import RESERVED
from datakit.errors import InputError, UsageError
from datakit.executor import Workers
from datakit.labels import LabelFault, RecLine, Task
from datakit.progress import Progress

# Bytes of a chunk whose pictures are looked at: workers wait while the parent adds one up.
PICTURE_CHUNK = 256 * 1024
# Bytes of a label file that is done before a worker has started.
ALONE_BYTES = 16 * 1024

# Called with the number of the source, the line, its fate and the check that says why.
Lost = Callable[[int, int, str, str], None]


def audit(
    label_files: Sequence[str | Path | LabelSource],
    *,
    data_dir: str | Path | None = None,
    task: Task | None = None,
    charset: Charset | None = None,
    encoder: str = "ctc",
    max_text_length: int = 25,
    image_shape: tuple[int, int, int] = (3, 48, 320),
    images: bool = True,
    copies: bool = True,
    allow_outside: bool = False,
    workers: int = 1,
    progress: bool = False,
    lower: bool = False,
    crop_side: int = 960,
    beside: Beside | None = None,
    sink: Callable[[Hit], None] | None = None,
    lost: Lost | None = None,
) -> AuditReport:
    """Say for every line of ``label_files`` what the trainer will do with it, and what is wrong with it.

    ``data_dir`` defaults to each file's own folder (the working folder for stdin), ``task`` to what the
    file looks like; both are those of the source for a :class:`LabelSource`. Without a ``charset`` no
    character counts as missing. ``max_text_length`` is in code points, ``image_shape`` in (channels, height,
    width) px, ``lower`` and ``crop_side`` as in :class:`Settings`. ``images`` False leaves the pictures
    closed, ``copies`` False does not search them for copies of each other. ``beside`` is what the set is held
    against. The result does not depend on ``workers``; ``progress`` draws a bar on stderr.

    The report keeps 1,000 findings a check; ``sink`` gets every one, as they are found. ``lost`` is told of
    every line that is not trained as labelled. Memory does not grow with the files but for 8 bytes a line.

    Raises:
        InputError: a label file is missing, a folder, or holds no line; it changed while it was read.
        UsageError: no label file, an unknown encoder or task, a limit below 1, a shape below 1 px.
    """
    _require(label_files, encoder, task, max_text_length, image_shape)
    settings = Settings(
        charset,
        encoder,
        max_text_length,
        image_shape,
        images,
        copies,
        allow_outside,
        crop_side=crop_side,
        lower=lower,
    )
    beside = beside or Beside()
    sources = [label_source(file, task, data_dir) for file in label_files]
    with contextlib.ExitStack() as stack:
        every = list(_opened([*sources, *beside.val], stack))
        sets, val = every[: len(sources)], every[len(sources) :]
        pool = stack.enter_context(Workers(_useful(every, images, workers), warm=warm_up))
        run = _Run(settings, pool, progress, sink, lost, beside.readings or Readings())
        for labels in sets:
            run.read(labels)
        run.find_pairs(sets)
        run.find_suspects(sets)
        pictures = run.table.stats() if len(run.table) else None
        run.find_copies(sets, val)
    total = total_of(sets)
    measures = set_findings_of(sets, total, pictures, settings, beside, run.found)
    return report_of(sets, total, run.findings, settings, measures, pictures, beside)


def text_stats(
    label_files: Sequence[str | Path | LabelSource],
    *,
    charset: Charset | None = None,
    encoder: str = "ctc",
    max_text_length: int = 25,
) -> TextStats:
    """The counts of recognition label files alone, without checks and pictures.

    Raises:
        InputError: a label file is missing, a folder, or holds no line.
    """
    settings = Settings(charset, encoder, max_text_length, images=False)
    total = TextCounts()
    with contextlib.ExitStack() as stack:
        for labels in _opened([label_source(file, "rec", None) for file in label_files], stack):
            text_pass = TextPass(labels.file, labels.data_dir, settings, Tally(cap=0), checks=False)
            for chunk in labels.chunks():
                labels.tally.add(text_pass.run(chunk)[0])
            text_pass.finish(labels.tally)
            _require_lines(labels)
            total.add(labels.tally.text)
    return total.stats()


def _require(
    label_files: Sequence[object],
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


def _opened(sources: Sequence[LabelSource], stack: contextlib.ExitStack) -> Iterator[LabelSet]:
    """Every source, opened before any is read, so that a missing file is named at once."""
    folders: dict[str, int] = {}
    for number, source in enumerate(sources):
        stream = open_labels(source.file, stack) if source.kind == "lines" else None
        seed = folders.setdefault(str(source.data_dir.resolve()), len(folders))
        yield LabelSet(number, source, stream, seed)


def _useful(sets: Iterable[LabelSet], images: bool, workers: int) -> int:
    """How many of ``workers`` there is work for: one for every piece that would not be done before it has
    started."""
    lines = [labels for labels in sets if images or labels.source.task == "det" or labels.stream is None]
    if any(labels.stream is None for labels in lines):
        return workers
    return min(workers, sum(labels.size() // ALONE_BYTES for labels in lines))


def _require_lines(labels: LabelSet) -> None:
    if not labels.tally.fates.total():
        raise InputError("holds no line", file=labels.file)


@dataclass(slots=True)
class _Run:
    """What goes on over all sources: findings, their pictures, and the hashes of their paths."""

    settings: Settings
    workers: Workers
    progress: bool
    sink: Callable[[Hit], None] | None
    lost: Lost | None
    readings: Readings
    findings: Tally = field(default_factory=Tally)
    table: PictureTable = field(default_factory=PictureTable)
    index: PairIndex = field(default_factory=PairIndex)

    @property
    def cap(self) -> int | None:
        """Findings of a check that a part has to keep."""
        return None if self.sink else CAP

    def read(self, labels: LabelSet) -> None:
        """Look at every line of a source."""
        if labels.source.task == "rec" and labels.stream is not None:
            self._read_texts(labels)
        else:
            for part in self._parts(labels):
                self._add(labels, part)
        _require_lines(labels)
        file_findings(labels, self.readings.shares.get(str(Path(labels.file))), self.found)

    def find_pairs(self, sets: Sequence[LabelSet]) -> None:
        """Find the lines that name a picture a second time."""
        folders = [str(labels.source.data_dir.resolve()) for labels in sets]
        twins = self.index.pairs(lambda batch, numbers: sets[batch.source].again(batch, numbers), folders)
        for twin in twins:
            for code, message in _twin_findings(twin):
                self.found(code, twin.line, message, sets[twin.source].data_dir)

    def find_copies(self, sets: Sequence[LabelSet], val: Sequence[LabelSet]) -> None:
        """Look at all pictures together, and at those of the validation set beside them."""
        if not self.settings.images:
            return
        table = self.table
        for labels in val:
            # Its findings and sums are no part of the report.
            aside = _Run(self.settings, self.workers, self.progress, None, None, Readings())
            aside.read(labels)
            table.extend(aside.table)
        if not len(table):
            return
        every = [*sets, *val]
        found = set_findings(
            table,
            [labels.file for labels in every],
            [labels.data_dir for labels in every],
            val_sources={labels.number for labels in val},
            allow_outside=self.settings.allow_outside,
            copies=self.settings.copies,
            workers=self.workers,
        )
        for finding in found:
            self._found_row(finding, every)

    def _found_row(self, finding: RowFinding, sets: Sequence[LabelSet]) -> None:
        place = self.table.place(finding.row)
        labels = sets[place.source]
        line = RecLine(labels.file, place.line, (place.image,), place.text)
        beside = None
        if finding.beside is not None:
            other = self.table.place(finding.beside)
            beside = (sets[other.source].data_dir, other.image)
        self.found(finding.code, line, finding.message, labels.data_dir, beside)

    def find_suspects(self, sets: Sequence[LabelSet]) -> None:
        """Report the labels that are probably wrong, most suspicious first."""
        folders = {str(Path(labels.file)): labels.data_dir for labels in sets}
        for suspect in self.readings.suspects:
            p = suspect.prediction
            line = RecLine(p.file, p.line, (p.image,), p.label)
            for code, check in READING_CHECKS.items():
                for message in check.run(suspect):
                    self.found(code, line, message, folders.get(p.file, ""))

    def _read_texts(self, labels: LabelSet) -> None:
        room = self.findings if self.sink is None else Tally(cap=None)
        text_pass = TextPass(
            labels.file,
            labels.data_dir,
            self.settings,
            room,
            labels.number,
            labels.seed,
            note_lost=self.lost is not None,
        )
        for part, looks in self._prepared(labels, text_pass):
            tally, hashes = text_pass.judge(part, looks)
            chunk = part.chunk
            self.index.add(Batch(labels.number, chunk.first, hashes, chunk.offset, size_of(chunk)))
            self._add(labels, tally)
        text_pass.finish(labels.tally)

    def _prepared(self, labels: LabelSet, text_pass: TextPass) -> Iterator[tuple[Prepared, Looks | None]]:
        """The chunks of a file, with their pictures where these are wanted."""
        size = labels.size()
        if self.settings.images:
            with Progress(0, f"audit {labels.file}, pictures", enabled=self.progress) as bar:
                yield from looked_at(
                    map(text_pass.prepare, labels.chunks(min(chunks.CHUNK_BYTES, PICTURE_CHUNK))),
                    labels.data_dir,
                    allow_outside=self.settings.allow_outside,
                    workers=self.workers,
                    progress=bar,
                    copies=self.settings.copies,
                    keep=lambda: self.settings.copies and self.table.has_room,
                )
            return
        with Progress(size // 1000, f"audit {labels.file}, kB", enabled=self.progress) as bar:
            for chunk in labels.chunks():
                yield text_pass.prepare(chunk), None
                bar.advance(size_of(chunk) // 1000)

    def _parts(self, labels: LabelSet) -> Iterator[Tally]:
        return inspect_lines(
            labels,
            self._entries(labels),
            self.settings,
            cap=self.cap,
            workers=self.workers,
            progress=self.progress,
            note_lost=self.lost is not None,
        )

    def _entries(self, labels: LabelSet) -> Iterator[Entry]:
        """Every line, its hash taken on the way."""
        if labels.stream is None:
            yield from self._samples(labels)
            return
        for chunk in labels.chunks():
            entries = labels.entries(chunk)
            hashes_of = _hashes(entries, labels.seed)
            self.index.add(Batch(labels.number, chunk.first, hashes_of, chunk.offset, size_of(chunk)))
            yield from entries

    def _samples(self, labels: LabelSet) -> Iterator[Entry]:
        """The samples of an LMDB set, one batch in all: it cannot be read from the middle."""
        samples, hashes = labels.samples(), []
        while entries := list(itertools.islice(samples, 10_000)):
            hashes.append(_hashes(entries, labels.seed))
            yield from entries
        if hashes:
            self.index.add(Batch(labels.number, 1, np.concatenate(hashes)))

    def _add(self, labels: LabelSet, part: Tally) -> None:
        # Kept once, for all sources together: it is the largest part of a sum.
        self.table.extend(part.pictures)
        part.pictures = PictureTable()
        labels.tally.add(part)
        self.findings.add_findings(part)
        if self.sink is not None:
            hits = itertools.chain.from_iterable(part.hits.values())
            for hit in sorted(hits, key=lambda hit: hit.finding.line or 0):
                self.sink(hit)
        if self.lost is not None:
            for line, fate, reason in sorted(part.lost):
                self.lost(labels.number, line, fate, reason)

    def found(
        self,
        code: str,
        line: Line | str,
        message: str,
        data_dir: str = "",
        beside: tuple[str, str] | None = None,
    ) -> None:
        """Take one finding, on a line or on the file named; ``beside`` as in :class:`Hit`."""
        part = Tally(cap=None)
        if isinstance(line, str):
            part.find(code, line, None, message)
        else:
            images = line.images if isinstance(line, RecLine) else (line.image,)
            text = line.text if isinstance(line, RecLine) else ""
            shown = {"data_dir": data_dir, "images": images, "text": text, "beside": beside}
            part.find(code, line.file, line.line, message, **shown)
        self.findings.add_findings(part)
        if self.sink is not None:
            self.sink(part.hits[code][0])


def _hashes(entries: Sequence[Entry], seed: int) -> Hashes:
    hashes = np.full(len(entries), NO_PATH, np.uint64)
    usable = [
        (place, entry.image) for place, entry in enumerate(entries) if not isinstance(entry, LabelFault)
    ]
    if usable:
        hashes[[place for place, _ in usable]] = hash_paths([image for _, image in usable], seed)
    return hashes


def _twin_findings(twin: Twin) -> Iterable[tuple[str, str]]:
    if twin.pair is not None:
        for code, check in PAIR_CHECKS.items():
            for message in check.run(twin.pair):
                yield code, message
    if twin.spelling is not None:
        for code, spelling in CASE_CHECK.items():
            for message in spelling.run((twin.spelling, normalized(twin.line.image))):
                yield code, message
