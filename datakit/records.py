"""The records that stages exchange through files: predictions.jsonl, targets.json, findings.

Every document carries ``schema_version``. Reading refuses what it does not understand, with file and line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from datakit.errors import InputError

SCHEMA_VERSION = 1

Severity = Literal["info", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model read from one line of a recognition label file.

    ``file`` and ``line`` (from 1) say where the label stands; ``image`` is the path as written there.
    ``text`` is None exactly when ``error`` says why the picture (or the line) could not be read.
    ``char_scores`` holds one probability a code point of ``text``, ``score`` their mean (0 for an empty
    text).
    """

    file: str
    line: int
    image: str
    label: str
    text: str | None
    error: str | None = None
    score: float = 0.0
    char_scores: tuple[float, ...] = ()

    def to_json(self) -> str:
        """One line of predictions.jsonl, without the newline."""
        return json.dumps(
            {
                "schema_version": SCHEMA_VERSION,
                "file": self.file,
                "line": self.line,
                "image": self.image,
                "label": self.label,
                "text": self.text,
                "error": self.error,
                "score": round(self.score, 6),
                "char_scores": [round(score, 4) for score in self.char_scores],
            },
            ensure_ascii=False,
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that audit found: ``code`` is stable, ``message`` a sentence, ``fix`` what to do about it."""

    code: str
    severity: Severity
    file: str
    line: int | None
    message: str
    fix: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "code": self.code,
            "severity": self.severity,
            "file": self.file,
            "line": self.line,
            "message": self.message,
            "fix": self.fix,
        }


@dataclass(frozen=True, slots=True)
class Target:
    """One character to make: ``count`` lines that contain it.

    ``confused_with`` lists what it was read as, most frequent first; ``contexts`` holds real text around the
    failures.
    """

    char: str
    count: int
    confused_with: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Targets:
    """What the next synth is asked to make (targets.json)."""

    targets: tuple[Target, ...]
    length_shortfall: dict[str, int] = field(default_factory=dict)
    space_shortfall: int = 0

    def to_json(self) -> str:
        """The document, ready to be written."""
        document = {
            "schema_version": SCHEMA_VERSION,
            "targets": [
                {
                    "char": t.char,
                    "count": t.count,
                    "confused_with": list(t.confused_with),
                    "contexts": list(t.contexts),
                }
                for t in self.targets
            ],
            "length_shortfall": self.length_shortfall,
            "space_shortfall": self.space_shortfall,
        }
        return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _document(raw: str, file: Path, line: int | None) -> dict[str, Any]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InputError(f"is not valid JSON ({error})", file=file, line=line) from error
    if not isinstance(document, dict):
        raise InputError("holds no JSON object", file=file, line=line)
    if document.get("schema_version") != SCHEMA_VERSION:
        found = document.get("schema_version")
        raise InputError(f"has schema_version {found!r}, expected {SCHEMA_VERSION}", file=file, line=line)
    return document


def _prediction(document: dict[str, Any], file: Path, line: int) -> Prediction:
    try:
        text = document["text"]
        return Prediction(
            str(document["file"]),
            int(document["line"]),
            str(document["image"]),
            str(document["label"]),
            None if text is None else str(text),
            document.get("error"),
            float(document.get("score", 0.0)),
            tuple(map(float, document.get("char_scores", ()))),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise InputError(f"is not a prediction record ({error!r})", file=file, line=line) from error


# How a record written by this version begins.
_BEGINS = f'{{"schema_version": {SCHEMA_VERSION}, '.encode()


@lru_cache(maxsize=1)
def _quick() -> tuple[Callable[[bytes], Prediction], type[Exception]]:
    """Decodes a record in a sixth of the time of ``json``, and what it raises at anything unusual."""
    # Here, so that commands without predictions start without it.
    import msgspec

    return msgspec.json.Decoder(Prediction).decode, msgspec.MsgspecError


def _read_text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=path) from error
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 (byte {error.start})", file=path) from error


def read_predictions(path: Path) -> Iterator[Prediction]:
    """Yield the records of a predictions.jsonl.

    Raises:
        InputError: the file is missing or a line is no prediction record (file and line named).
    """
    decode, unusual = _quick()
    try:
        # Line by line: a million records are a third of a gigabyte.
        with path.open("rb") as stream:
            for number, raw in enumerate(stream, start=1):
                if raw.startswith(_BEGINS):
                    try:
                        yield decode(raw)
                        continue
                    except unusual:
                        # What json takes all the same, or a fault that it can name.
                        pass
                if not raw.isspace():
                    yield _prediction(_document(_decoded(raw, path, number), path, number), path, number)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=path) from error


def _decoded(raw: bytes, path: Path, line: int) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 (byte {error.start})", file=path, line=line) from error


def read_targets(path: Path) -> Targets:
    """Read a targets.json.

    Raises:
        InputError: the file is missing, no JSON, of another schema, or holds a target without char and count.
    """
    document = _document(_read_text(path), path, None)
    try:
        targets = tuple(
            Target(
                char=str(entry["char"]),
                count=int(entry["count"]),
                confused_with=tuple(str(char) for char in entry.get("confused_with", ())),
                contexts=tuple(str(text) for text in entry.get("contexts", ())),
            )
            for entry in document["targets"]
        )
        lengths = {str(k): int(v) for k, v in document.get("length_shortfall", {}).items()}
        spaces = int(document.get("space_shortfall", 0))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise InputError(f"is not a targets document ({error!r})", file=path) from error
    for target in targets:
        if len(target.char) != 1 or target.count < 0:
            raise InputError(
                f"target {target.char!r} x {target.count}: one code point and a count >= 0", file=path
            )
    return Targets(targets=targets, length_shortfall=lengths, space_shortfall=spaces)
