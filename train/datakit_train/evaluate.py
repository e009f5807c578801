"""Scores a model, or predictions already made: all lines, and those with texts unseen in training apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datakit.errors import InputError
from datakit.line_sets import read_lines
from datakit.metrics import Score, fold
from datakit.progress import Progress
from datakit.records import Prediction, read_predictions
from datakit_train.framework import import_paddle
from datakit_train.predict import LineReader, read_label_set, score_predictions
from datakit_train.recognizer import Recognizer, load_recognizer


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of one file.

    ``unseen`` covers the lines whose folded text is not in training, None if not asked.
    """

    name: str
    score: Score
    unseen: Score | None = None

    def rows(self) -> Iterator[tuple[str, Score]]:
        """(name, score) for a table."""
        yield self.name, self.score
        if self.unseen is not None:
            yield f"{self.name}, texts not in training", self.unseen

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        unseen = None if self.unseen is None else self.unseen.to_dict()
        return {"name": self.name, "all": self.score.to_dict(), "unseen": unseen}


def training_texts(label_files: Sequence[Path]) -> frozenset[str]:
    """The folded texts of label files."""
    return frozenset(fold(line.text) for path in label_files for line in read_lines(path)[0])


def evaluate_predictions(
    name: str, predictions: Sequence[Prediction], trained: frozenset[str] | None
) -> Evaluation:
    """Score ``predictions``; ``trained`` None leaves the unseen texts out."""
    unseen = None
    if trained is not None:
        unseen = score_predictions([p for p in predictions if fold(p.label) not in trained])
    return Evaluation(name, score_predictions(predictions), unseen)


def evaluate(
    inputs: Sequence[Path],
    model: str | Path | Recognizer,
    *,
    data_dir: Path | None = None,
    train_labels: Sequence[Path] = (),
    threads: int | None = None,
    allow_outside: bool = False,
) -> list[Evaluation]:
    """Score every file of ``inputs``: predictions (``.jsonl``) as they are, label files by running ``model``.

    Raises:
        InputError: a file is missing, empty or not what its suffix says; the model is not there.
    """
    trained = training_texts(train_labels) if train_labels else None
    reader: LineReader | None = None
    evaluations = []
    for path in inputs:
        if path.suffix == ".jsonl":
            predictions = list(read_predictions(path))
            if not predictions:
                raise InputError("holds no prediction", file=path)
        else:
            label_set = read_label_set(path, data_dir)
            if reader is None:
                import_paddle(threads)
                recognizer = model if isinstance(model, Recognizer) else load_recognizer(model)
                reader = LineReader(recognizer, allow_outside=allow_outside)
            with Progress(len(label_set.lines), f"evaluate {path.name}") as progress:
                predictions = reader.read(label_set, progress)
        evaluations.append(evaluate_predictions(str(path), predictions, trained))
    return evaluations
