"""The audit of a recognition label file: a chunk at a time, all lines of it at once.

Somebody else looks at the pictures, between the two halves of a chunk's way. What is exact on arrays is
counted there. Messages are made by the checks on single lines, and only for findings that are kept; lines
that are odd are parsed and checked one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from datakit.audit.char_classes import CharClasses
from datakit.audit.char_counts import CharCounts, add_lengths, note_missing
from datakit.audit.check import Check
from datakit.audit.chunks import Chunk
from datakit.audit.columns import Columns, Ints, Mask, columns_of
from datakit.audit.facts import LineFacts
from datakit.audit.image_checks import SHAPE_CHECKS
from datakit.audit.inspect import Piece, inspect_piece, line_facts, picture_findings
from datakit.audit.line_checks import REC_CHECKS, WRITING_CHECKS
from datakit.audit.line_facts import EXACT, NEVER, POSSIBLE, TextFacts, text_facts
from datakit.audit.looks import Looks
from datakit.audit.path_columns import EXACT_PATHS, POSSIBLE_PATHS
from datakit.audit.path_hashes import NO_PATH, Hashes, hash_columns, hash_paths
from datakit.audit.plain_pictures import EXACT_SHAPES, POSSIBLE_SHAPES, PlainPictures, plain_pictures
from datakit.audit.prepared import Prepared, picture_rows, prepared
from datakit.audit.settings import Settings
from datakit.audit.tally import Tally
from datakit.labels import LabelFault, RecLine, rec_entry

LINE_CHECKS: dict[str, Check[LineFacts]] = {**REC_CHECKS, **SHAPE_CHECKS}


@dataclass(slots=True)
class TextPass:
    """Audits one file; ``total`` says which findings are still wanted.

    ``checks`` False counts fates and texts alone. ``number`` is that of the source, ``seed`` keeps the hashes
    of files of different folders apart.
    """

    file: str
    data_dir: str
    settings: Settings
    total: Tally
    number: int = 0
    seed: int = 0
    checks: bool = True
    note_lost: bool = False
    classes: CharClasses = field(init=False)
    chars: CharCounts = field(init=False)
    least: int = field(init=False, default=-1)
    noted: set[int] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        triggers = [chars for check in REC_CHECKS.values() for chars in check.triggers] if self.checks else []
        self.classes = CharClasses(self.settings, triggers)
        self.chars = CharCounts()

    def run(self, chunk: Chunk) -> tuple[Tally, Hashes]:
        """Findings and counts of a chunk but for its characters, and the hash of every line's path."""
        return self.judge(self.prepare(chunk), None)

    def prepare(self, chunk: Chunk) -> Prepared:
        """Take a chunk apart, as far as its pictures need not be known; chunks in their order."""
        columns = columns_of(chunk, self.classes)
        entries = [self._entry(chunk, columns, index) for index in columns.odd.tolist()]
        return prepared(chunk, columns, entries, with_images=self.settings.images)

    def judge(self, part: Prepared, looks: Looks | None) -> tuple[Tally, Hashes]:
        """As :meth:`run`, with what was seen of the pictures ``part.images``."""
        chunk, columns = part.chunk, part.columns
        facts = text_facts(columns, self.classes, self.settings, words=self.checks)
        seen = plain_pictures(columns, looks, part.plain_images) if looks is not None else None
        if seen is not None:
            facts = facts.without(seen.faults)
        tally = inspect_piece(self._odd_piece(part, looks))
        _count_fates(tally, columns, facts)
        if self.note_lost:
            tally.lost += _lost(columns, facts, chunk.first)
        self.chars.add(columns, facts.lost)
        add_lengths(tally.text, columns, facts, self.file, chunk.first, self.least)
        # The twentieth of a chunk cannot be longer than the twentieth of the file.
        self.least = max(self.least, tally.text.least)
        note_missing(tally.text, columns, self.classes, self.file, chunk.first, self.noted)
        if not self.checks:
            return tally, np.zeros(0, np.uint64)
        if len(columns.plain):
            self._find(chunk, columns, facts, seen, tally)
        if looks is not None and seen is not None:
            tally.pictures.extend_rows(picture_rows(part, looks, seen.rooms, self.number))
        return tally, self._hashes(chunk, columns, part.entries)

    def finish(self, tally: Tally) -> None:
        """Add the characters of all chunks to the sums of the file."""
        self.chars.pour(tally.text)

    def _entry(self, chunk: Chunk, columns: Columns, index: int) -> RecLine | LabelFault:
        raw = chunk.raw(int(columns.starts[index]), int(columns.ends[index]))
        return rec_entry(self.file, chunk.first + index, raw)

    def _odd_piece(self, part: Prepared, looks: Looks | None) -> Piece:
        seen = None if looks is None else part.odd_pictures(looks)
        cap = self.total.cap
        return Piece(
            self.number, self.data_dir, tuple(part.entries), self.settings, cap, self.note_lost, seen
        )

    def _hashes(self, chunk: Chunk, columns: Columns, entries: list[RecLine | LabelFault]) -> Hashes:
        hashes = np.full(len(columns.ends), NO_PATH, np.uint64)
        hashes[columns.plain] = hash_columns(chunk, columns, self.seed)
        lines = [entry for entry in entries if isinstance(entry, RecLine)]
        if lines:
            places = np.array([line.line - chunk.first for line in lines])
            hashes[places] = hash_paths([line.image for line in lines], self.seed)
        return hashes

    def _find(
        self, chunk: Chunk, columns: Columns, facts: TextFacts, seen: PlainPictures | None, tally: Tally
    ) -> None:
        """Count the findings on plain lines and keep those that are wanted, by line among the odd lines'
        own.
        """
        mixed = set(tally.hits)
        for code, mask, exact in self._masks(chunk, columns, facts, seen):
            rows = np.flatnonzero(mask)
            if not len(rows):
                continue
            if exact:
                tally.counts[code] += len(rows)
                rows = rows[: self.total.room(code)]
            for line, row in zip(self._lines(chunk, columns, rows), rows.tolist(), strict=True):
                pictures = () if seen is None else (seen.picture(row, line.image),)
                subject = (
                    line_facts(line, pictures, self.settings)
                    if exact and code not in SHAPE_CHECKS
                    else LineFacts(line, pictures, self.settings, *facts.fate(row), "", (), 0)
                )
                self._ask(code, subject, tally, counted=exact)
        if seen is not None:
            self._find_odd(chunk, columns, seen, tally)
        for code in mixed:
            tally.hits[code].sort(key=lambda hit: hit.finding.line or 0)

    def _find_odd(self, chunk: Chunk, columns: Columns, seen: PlainPictures, tally: Tally) -> None:
        """What is wrong with pictures by themselves."""
        rows = np.array(list(seen.odd), np.int64)
        for line, picture in zip(self._lines(chunk, columns, rows), seen.odd.values(), strict=True):
            for code, message in picture_findings(picture):
                tally.counts[code] += 1
                self._keep(code, line, message, tally)

    def _ask(self, code: str, facts: LineFacts, tally: Tally, *, counted: bool) -> None:
        text: Check[LineFacts] | None = LINE_CHECKS.get(code)
        messages = text.run(facts) if text else WRITING_CHECKS[code].run(facts.line)
        for message in messages:
            if not counted:
                tally.counts[code] += 1
            self._keep(code, facts.line, message, tally)

    def _keep(self, code: str, line: RecLine, message: str, tally: Tally) -> None:
        # What the chunk keeps beyond the room that is left is cut off when it is added.
        if self.total.room(code):
            shown: dict[str, Any] = {"data_dir": self.data_dir, "images": line.images, "text": line.text}
            tally.keep(code, line.file, line.line, message, **shown)

    def _lines(self, chunk: Chunk, columns: Columns, rows: Ints) -> Iterator[RecLine]:
        """Plain lines as the parser gives them."""
        index = columns.plain[rows]
        ends = columns.ends[index] - columns.returns[rows]
        fields = (index, columns.starts[index], columns.tabs[rows], ends, columns.returns[rows])
        data = chunk.data
        for place, start, tab, end, returns in zip(*(values.tolist() for values in fields), strict=True):
            text = data[tab + 1 : end].decode()
            notes = (*(("crlf",) if returns else ()), *(() if text else ("empty-text",)))
            yield RecLine(self.file, chunk.first + place, (data[start:tab].decode(),), text, notes)

    def _masks(
        self, chunk: Chunk, columns: Columns, facts: TextFacts, seen: PlainPictures | None
    ) -> Iterator[tuple[str, Mask, bool]]:
        """(code, plain lines, whether these are exactly the lines that the check yields on)."""
        if seen is not None:
            for code, exact_shape in EXACT_SHAPES.items():
                yield code, exact_shape(seen, self.settings), True
            for code, possible_shape in POSSIBLE_SHAPES.items():
                yield code, possible_shape(seen, self.settings), False
        for code in (*WRITING_CHECKS, *REC_CHECKS):
            if code in NEVER:
                continue
            if code in EXACT:
                yield code, EXACT[code](columns, facts), True
            elif code in EXACT_PATHS:
                yield code, EXACT_PATHS[code](chunk, columns), True
            elif code in POSSIBLE_PATHS:
                yield code, POSSIBLE_PATHS[code](chunk, columns), False
            else:
                yield code, self._possible(code, facts), False

    def _possible(self, code: str, facts: TextFacts) -> Mask:
        """The lines that hold what the check needs; all lines for a check that names nothing."""
        mask = np.ones(len(facts.bits), bool)
        if code in POSSIBLE:
            mask &= (facts.bits & POSSIBLE[code]) != 0
        elif code in REC_CHECKS:
            for chars in REC_CHECKS[code].triggers:
                mask &= (facts.bits & self.classes.trigger(chars)) != 0
        return mask


def _lost(columns: Columns, facts: TextFacts, first: int) -> Iterator[tuple[int, str, str]]:
    """(line, fate, reason) of every plain line that is not trained as labelled."""
    for row, fault in facts.faults.items():
        yield first + int(columns.plain[row]), "unreadable", fault
    for mask, fate, reason in facts.fates:
        for row in np.flatnonzero(mask).tolist():
            cut = "not-in-dictionary" if facts.missing[row] else "crlf"
            yield first + int(columns.plain[row]), fate, reason or cut


def _count_fates(tally: Tally, columns: Columns, facts: TextFacts) -> None:
    left = len(columns.plain) - len(facts.faults)
    tally.fates["unreadable"] += len(facts.faults)
    tally.reasons.update(facts.faults.values())
    for mask, fate, reason in facts.fates:
        count = _number(mask)
        tally.fates[fate] += count
        if count and reason:
            tally.reasons[reason] += count
        left -= count
    tally.fates["trained"] += left


def _number(mask: Mask) -> int:
    return int(np.count_nonzero(mask))
