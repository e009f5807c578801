"""The checks that look at one line, run over a piece of a label file; this is what a worker process does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from datakit.audit.box_checks import BOX_CHECKS
from datakit.audit.check import Check
from datakit.audit.facts import Fate, LineFacts, PageFacts
from datakit.audit.fate import judge
from datakit.audit.file_checks import FAULT_CHECKS
from datakit.audit.image_checks import PICTURE_CHECKS, SHAPE_CHECKS
from datakit.audit.line_checks import REC_CHECKS, WRITING_CHECKS
from datakit.audit.looks import NOT_INSPECTED
from datakit.audit.pictures import Picture, inspect
from datakit.audit.settings import Settings
from datakit.audit.tally import CAP, Tally
from datakit.audit.text_checks import missing_chars
from datakit.labels import DetLine, LabelFault, RecLine

Entry = RecLine | DetLine | LabelFault
_BOX = re.compile(r"\bbox ([0-9]{1,9})\b")
_Subject = TypeVar("_Subject")


@dataclass(frozen=True, slots=True)
class Piece:
    """Lines of one label file; pickles, so that it can go to a worker.

    ``seen`` are the pictures of every line where somebody has looked at them: they become no rows of the
    table then.
    """

    number: int
    data_dir: str
    entries: tuple[Entry, ...]
    settings: Settings
    cap: int | None = CAP
    note_lost: bool = False
    seen: tuple[tuple[Picture, ...], ...] | None = None


def inspect_piece(piece: Piece) -> Tally:
    """Verdicts, findings and counts of a piece."""
    tally = Tally(cap=piece.cap)
    for number, entry in enumerate(piece.entries):
        if isinstance(entry, LabelFault):
            _fault(entry, piece, tally)
        elif isinstance(entry, RecLine):
            seen = _pictures(entry.images, piece) if piece.seen is None else piece.seen[number]
            _rec_line(entry, seen, piece, tally)
        else:
            _det_line(entry, piece, tally)
    tally.pictures.seal()
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
            shown: dict[str, Any] = {"data_dir": data_dir, "images": images, "text": text}
            if isinstance(entry, DetLine):
                shown["outline"] = _outline(entry, message)
            tally.find(code, entry.file, entry.line, message, **shown)


def _outline(page: DetLine, message: str) -> tuple[tuple[float, float], ...]:
    """The polygon of the first box that a message names; empty for none."""
    named = _BOX.search(message)
    number = int(named[1]) if named else 0
    return page.boxes[number - 1].points if 0 < number <= len(page.boxes) else ()


def _judged(entry: Entry, fate: Fate, reason: str, piece: Piece, tally: Tally) -> None:
    tally.fates[fate] += 1
    if reason:
        tally.reasons[reason] += 1
    if piece.note_lost and reason:
        tally.lost.append((entry.line, fate, reason))


def _fault(fault: LabelFault, piece: Piece, tally: Tally) -> None:
    _judged(fault, "unreadable", fault.code, piece, tally)
    _ask({fault.code: FAULT_CHECKS[fault.code]}, fault, fault, "", tally)


def _pictures(images: Iterable[str], piece: Piece) -> tuple[Picture, ...]:
    if not piece.settings.images:
        return ()
    folder = Path(piece.data_dir)
    return tuple(inspect(folder, image, allow_outside=piece.settings.allow_outside) for image in images)


def line_facts(line: RecLine, pictures: tuple[Picture, ...], settings: Settings) -> LineFacts:
    """What text checks look at, the verdict included."""
    judged = judge(line, pictures, settings)
    return LineFacts(
        line, pictures, settings, judged.fate, judged.reason, judged.target, judged.cut, judged.steps
    )


def picture_findings(picture: Picture) -> Iterator[tuple[str, str]]:
    """(code, message) of what is wrong with a picture by itself."""
    if picture.fault == NOT_INSPECTED:
        yield picture.fault, picture.message
    for code, check in PICTURE_CHECKS.items():
        for message in check.run(picture):
            yield code, message


def _rec_line(line: RecLine, pictures: tuple[Picture, ...], piece: Piece, tally: Tally) -> None:
    facts = line_facts(line, pictures, piece.settings)
    missing = missing_chars(line.text, piece.settings)
    _judged(line, facts.fate, facts.reason, piece, tally)
    if piece.note_lost and facts.fate == "cut":
        tally.lost.append((line.line, "cut", "not-in-dictionary" if missing else "crlf"))
    _ask(WRITING_CHECKS, line, line, piece.data_dir, tally)
    _ask(REC_CHECKS, facts, line, piece.data_dir, tally)
    shown: dict[str, Any] = {"data_dir": piece.data_dir, "images": line.images, "text": line.text}
    for picture in pictures:
        for code, message in picture_findings(picture):
            tally.find(code, line.file, line.line, message, **shown)
        if piece.seen is None:
            tally.pictures.append(piece.number, line.line, line.text, picture)
    _ask(SHAPE_CHECKS, facts, line, piece.data_dir, tally)
    tally.text.count(
        line.text,
        kept=facts.fate in ("trained", "cut"),
        file=line.file,
        line=line.line,
        missing=missing,
    )


def _det_line(line: DetLine, piece: Piece, tally: Tally) -> None:
    pictures = _pictures((line.image,), piece)
    picture = pictures[0] if pictures else None
    broken = "bom" if "bom" in line.notes else picture.fault if picture else ""
    reason = broken or ("" if line.boxes else "page-without-boxes")
    facts = PageFacts(
        line, picture, piece.settings, "unreadable" if broken else "dropped" if reason else "trained", reason
    )
    _judged(line, facts.fate, reason, piece, tally)
    _ask(WRITING_CHECKS, line, line, piece.data_dir, tally)
    if picture:
        _ask(PICTURE_CHECKS, picture, line, piece.data_dir, tally)
    _ask(BOX_CHECKS, facts, line, piece.data_dir, tally)
    tally.box_stats.count(facts)
    tally.boxes += len(line.boxes)
    tally.ignored.update(box.text for box in line.boxes if box.ignored)
