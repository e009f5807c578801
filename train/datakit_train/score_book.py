"""Scores that were counted before, by weights and set.

A run that goes on, and the next round of a loop, do not read the same lines with the same weights again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datakit.errors import InputError
from datakit.files import atomic_write
from datakit.labels import LabelFault, RecLine
from datakit.line_sets import set_files
from datakit.metrics import Score, fold
from datakit.progress import Progress
from datakit_train.predict import LabelSet, LineReader, score_predictions
from datakit_train.recognizer import Recognizer


@dataclass(frozen=True, slots=True)
class Scored:
    """The score of a set, and of each of its lines whether its folded text was read."""

    score: Score
    right: tuple[bool, ...]


def model_key(recognizer: Recognizer) -> str:
    """SHA-256 of what decides about a text: the weights that are in the network now, and the dictionary."""
    known = [dict(recognizer.architecture), list(recognizer.charset.chars)]
    digest = hashlib.sha256(json.dumps(known, sort_keys=True).encode())
    for name, value in sorted(recognizer.network.state_dict().items()):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(value.numpy()).tobytes())
    return digest.hexdigest()


def set_key(label_set: LabelSet, *, allow_outside: bool = False) -> str:
    """SHA-256 of the labels of a set, of size and time of change of its files and pictures, and of whether
    pictures outside its folder may be read."""
    digest = hashlib.sha256(f"{label_set.data_dir.resolve()}\0{allow_outside}".encode())
    for path in set_files(label_set.path):
        digest.update(_stamp(path).encode())
    for entry in label_set.lines:
        digest.update(f"\0{entry.line}\0{_named(entry, label_set.data_dir)}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _named(entry: RecLine | LabelFault, data_dir: Path) -> str:
    if isinstance(entry, LabelFault):
        return entry.code
    # A set that holds its pictures has no such file; its own stamp stands for them.
    return "\0".join([entry.image, entry.text, _stamp(data_dir / entry.image)])


def _stamp(path: Path) -> str:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return ""
    return f"{found.st_size} {found.st_mtime_ns}"


def _entry(record: Mapping[str, Any]) -> tuple[tuple[str, str], Scored]:
    right = tuple(bit == "1" for bit in record["right"])
    return (record["model"], record["set"]), Scored(Score(**record["score"]), right)


def _line(key: tuple[str, str], scored: Scored) -> str:
    record = {"schema_version": 1, "model": key[0], "set": key[1], "score": asdict(scored.score)}
    return json.dumps({**record, "right": "".join("1" if bit else "0" for bit in scored.right)}) + "\n"


class ScoreBook:
    """A file of JSON lines, one a pair of weights and set."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            InputError: the file holds something else.
        """
        self._path = path
        try:
            lines = path.read_text("utf-8").splitlines() if path.exists() else []
            self._known = dict(_entry(json.loads(line)) for line in lines)
        except (ValueError, KeyError, TypeError) as error:
            raise InputError("holds something that is no score; remove it", file=path) from error

    def find(self, model: str, label_set: str) -> Scored | None:
        """What these weights came to on that set, by their keys; None: not counted yet."""
        return self._known.get((model, label_set))

    def add(self, model: str, label_set: str, scored: Scored) -> None:
        """Keep a score; the file is written anew.

        Raises:
            OutputError: it cannot be written.
        """
        self._known[model, label_set] = scored
        atomic_write(self._path, "".join(_line(*entry) for entry in self._known.items()))


def score_sets(
    reader: LineReader, sets: Mapping[str, LabelSet], book: ScoreBook, title: str
) -> dict[str, Scored]:
    """Score the weights that are in the reader's network now; a set that the book holds is not read again."""
    model = model_key(reader.recognizer)
    scored: dict[str, Scored] = {}
    with Progress(sum(len(label_set.lines) for label_set in sets.values()), title) as progress:
        for name, label_set in sets.items():
            key = set_key(label_set, allow_outside=reader.allow_outside)
            found = book.find(model, key)
            if found is None:
                predictions = reader.read(label_set, progress)
                right = tuple(fold(p.text or "") == fold(p.label) for p in predictions)
                found = Scored(score_predictions(predictions), right)
                book.add(model, key, found)
            else:
                progress.advance(len(label_set.lines))
            scored[name] = found
    return scored
