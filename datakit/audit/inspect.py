"""The checks that look at one line, run over a piece of a label file; this is what a worker process does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from datakit.audit.box_checks import BOX_CHECKS
from datakit.audit.check import Check
from datakit.audit.facts import LineFacts, PageFacts
from datakit.audit.fate import judge
from datakit.audit.file_checks import FAULT_CHECKS, NOTE_CHECKS
from datakit.audit.image_checks import PICTURE_CHECKS, SHAPE_CHECKS
from datakit.audit.pictures import Picture, inspect
from datakit.audit.settings import Settings
from datakit.audit.tally import Tally
from datakit.audit.text_checks import TEXT_CHECKS
from datakit.labels import DetLine, LabelFault, RecLine

Entry = RecLine | DetLine | LabelFault
_Subject = TypeVar("_Subject")
# Four letters in a row of a script that has two cases (Latin, Greek, Cyrillic).
_WORD = re.compile(r"[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u03ff\u0400-\u052f]{4,}")


@dataclass(frozen=True, slots=True)
class Piece:
    """Consecutive lines of one label file; pickles, so that it can go to a worker."""

    number: int
    data_dir: str
    entries: tuple[Entry, ...]
    settings: Settings


def inspect_piece(piece: Piece) -> Tally:
    """Verdicts, findings and counts of a piece."""
    tally = Tally()
    for entry in piece.entries:
        if isinstance(entry, LabelFault):
            _fault(entry, tally)
        elif isinstance(entry, RecLine):
            _rec_line(entry, piece, tally)
        else:
            _det_line(entry, piece, tally)
    return tally


def _ask(
    checks: Mapping[str, Check[_Subject]], subject: _Subject, entry: Entry, data_dir: str, tally: Tally
) -> None:
    """Put every check to ``subject`` and record what they yield against the line of ``entry``."""
    images = (
        ()
        if isinstance(entry, LabelFault)
        else (entry.images if isinstance(entry, RecLine) else (entry.image,))
    )
    text = entry.text if isinstance(entry, RecLine) else ""
    for code, check in checks.items():
        for message in check.run(subject):
            tally.find(code, entry.file, entry.line, message, data_dir=data_dir, images=images, text=text)


def _fault(fault: LabelFault, tally: Tally) -> None:
    tally.fates["unreadable"] += 1
    tally.reasons[fault.code] += 1
    _ask({fault.code: FAULT_CHECKS[fault.code]}, fault, fault, "", tally)


def _pictures(images: Iterable[str], piece: Piece) -> tuple[Picture, ...]:
    if not piece.settings.images:
        return ()
    folder = Path(piece.data_dir)
    return tuple(inspect(folder, image, allow_outside=piece.settings.allow_outside) for image in images)


def _rec_line(line: RecLine, piece: Piece, tally: Tally) -> None:
    pictures = _pictures(line.images, piece)
    judged = judge(line.text, pictures, piece.settings)
    facts = LineFacts(
        line, pictures, piece.settings, judged.fate, judged.reason, judged.target, judged.cut, judged.steps
    )
    tally.fates[judged.fate] += 1
    if judged.reason:
        tally.reasons[judged.reason] += 1
    _ask(NOTE_CHECKS, line, line, piece.data_dir, tally)
    _ask(TEXT_CHECKS, facts, line, piece.data_dir, tally)
    for picture in pictures:
        _ask(PICTURE_CHECKS, picture, line, piece.data_dir, tally)
    _ask(SHAPE_CHECKS, facts, line, piece.data_dir, tally)
    _count_text(line.text, judged.fate in ("trained", "cut"), tally)


def _count_text(text: str, kept: bool, tally: Tally) -> None:
    chars = set(text)
    tally.occurrences.update(text)
    tally.lines_with.update(chars)
    if kept:
        tally.trained_with.update(chars)
    if _WORD.search(text):
        tally.words += 1
        tally.words_upper += not any(char.islower() for char in text)


def _det_line(line: DetLine, piece: Piece, tally: Tally) -> None:
    pictures = _pictures((line.image,), piece)
    picture = pictures[0] if pictures else None
    broken = picture.fault if picture else ""
    reason = broken or ("" if line.boxes else "page-without-boxes")
    facts = PageFacts(
        line, picture, piece.settings, "unreadable" if broken else "dropped" if reason else "trained", reason
    )
    tally.fates[facts.fate] += 1
    if reason:
        tally.reasons[reason] += 1
    _ask(NOTE_CHECKS, line, line, piece.data_dir, tally)
    if picture:
        _ask(PICTURE_CHECKS, picture, line, piece.data_dir, tally)
    _ask(BOX_CHECKS, facts, line, piece.data_dir, tally)
    tally.boxes += len(line.boxes)
    tally.ignored.update(box.text for box in line.boxes if box.ignored)
