"""Checks on how a line is written: what the label scanner refused, and what it put up with."""

from __future__ import annotations

from collections.abc import Iterator

from datakit.audit.check import Check
from datakit.audit.path_checks import in_place_of_tab
from datakit.labels import DetLine, LabelFault, RecLine
from datakit.records import Severity

_LOST = "PaddleOCR fails on the line and trains a random other one in its place."


def _fault(question: str, fix: str, rationale: str = _LOST) -> Check[LabelFault]:
    def run(fault: LabelFault) -> Iterator[str]:
        yield fault.message

    return Check(run, "error", question, rationale, fix)


def _no_tab(fault: LabelFault) -> Iterator[str]:
    parted = in_place_of_tab(fault.raw)
    places = {"spaces": "; spaces stand in its place", "escape": r"; \t is written in its place", None: ""}
    yield fault.message + places[parted]


def _note(
    code: str, message: str, severity: Severity, question: str, *, rationale: str, fix: str
) -> Check[RecLine | DetLine]:
    def run(line: RecLine | DetLine) -> Iterator[str]:
        if code in line.notes:
            yield message

    return Check(run, severity, question, rationale, fix)


# Keys are the codes of labels.LabelFault.
FAULT_CHECKS: dict[str, Check[LabelFault]] = {
    "blank-line": _fault("Does every line hold something?", "take the line out"),
    "line-too-long": _fault("Is the line of a sane length?", "look for a missing newline"),
    "invalid-utf8": _fault("Is the line UTF-8?", "convert the file to UTF-8"),
    "missing-tab": Check(
        _no_tab, "error", "Is there a tab between path and label?", _LOST, "write path, tab, label"
    ),
    "empty-path": _fault("Is there a path before the tab?", "write path, tab, label"),
    "broken-json": _fault("Is the JSON of the line whole?", "mend the JSON"),
    "bad-image-list": _fault("Is the list of pictures a list of paths?", 'write ["a.jpg", "b.jpg"]'),
    "not-a-list": _fault(
        "Is the detection label a list of boxes?", 'write [{"transcription": ..., "points": ...}]'
    ),
    "bad-box": _fault("Does every box have transcription and points?", "complete the box or take it out"),
    "bad-points": _fault("Are the points pairs of finite numbers?", "draw the box again or take it out"),
    "missing-key": _fault(
        "Does the LMDB set hold picture and label of every sample?",
        "write the set again; keys run from 1 to num-samples",
    ),
}

# Keys are the codes of labels.RecLine.notes and labels.DetLine.notes; empty-text has a check of its own.
NOTE_CHECKS: dict[str, Check[RecLine | DetLine]] = {
    "bom": _note(
        "bom",
        "the file starts with a byte order mark",
        "error",
        "Does the file start with its first path?",
        rationale="PaddleOCR takes the mark for a part of the first path and does not find that picture.",
        fix="save the file as UTF-8 without BOM",
    ),
    "extra-tab": _note(
        "extra-tab",
        "what follows the second tab is not trained",
        "error",
        "Is there one tab only?",
        rationale="PaddleOCR takes the field after the first tab and drops the rest.",
        fix="write a space for a tab inside the label",
    ),
    "crlf": _note(
        "crlf",
        "the line ends with CR LF",
        "warning",
        "Do lines end with a newline only?",
        rationale="PaddleOCR keeps the carriage return as the last character of the label, which counts it.",
        fix="save the file with Unix line ends",
    ),
    "carriage-return": _note(
        "carriage-return",
        "a carriage return stands inside the line",
        "warning",
        "Is the line free of carriage returns?",
        rationale="It is in no picture and no dictionary.",
        fix="take it out",
    ),
    "nul": _note(
        "nul",
        "a NUL byte stands inside the line",
        "error",
        "Is the line free of NUL?",
        rationale="No path can hold it, and no dictionary does.",
        fix="take it out",
    ),
    "line-separator": _note(
        "line-separator",
        "a line separator other than the newline stands inside (U+2028, U+2029, U+0085, VT, FF, FS, GS, RS)",
        "warning",
        "Is the line one line for every program?",
        rationale="Programs that split at these characters count other lines than the trainer does.",
        fix="take it out",
    ),
    "bracket-path": _note(
        "bracket-path",
        "the path starts with [ and is no JSON list; it is taken as it stands",
        "info",
        "Is a path in brackets meant as one?",
        rationale="PaddleOCR first tries such a path as a JSON list of pictures.",
        fix="rename the picture",
    ),
    "text-type": _note(
        "text-type",
        "a transcription is no string",
        "warning",
        "Are all transcriptions strings?",
        rationale="A number or null is trained as a box with text, whatever was meant.",
        fix="write the transcription as a string",
    ),
    "surrogate": _note(
        "surrogate",
        "a transcription holds half a surrogate pair",
        "warning",
        "Are transcriptions whole characters?",
        rationale="Half a pair is no character and cannot be written out again.",
        fix="type the transcription anew",
    ),
    "difficult": _note(
        "difficult",
        "a box is marked as difficult, and trained as text all the same",
        "warning",
        "Does the mark for illegible text count?",
        rationale="PPOCRLabel writes difficult: true; PaddleOCR passes over it and ignores ### and * alone.",
        fix="write ### as the transcription of boxes that shall not count",
    ),
}
