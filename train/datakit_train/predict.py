"""Reads the pictures of a recognition label file, each line at its own width.

Lines are batched with lines of exactly the same padded width, so that what is read from a line never depends
on its neighbours. Every input line gets a record, also one that cannot be read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from datakit.errors import InputError, UsageError
from datakit.files import atomic_open, require_writable
from datakit.images import line_width, resize_norm
from datakit.labels import LabelFault, RecLine
from datakit.line_sets import Picture, data_dir_of, finder, probe, read_bgr, read_lines
from datakit.metrics import Score, score_pairs
from datakit.progress import Progress
from datakit.records import Prediction
from datakit_train.decode import greedy_decode
from datakit_train.forward import BATCH_SIZES, FORWARDS, Forward, paddle_forward
from datakit_train.framework import import_paddle
from datakit_train.recognizer import Recognizer, load_recognizer

# Padded pixels of width a batch: 32 lines of 320 px, fewer where lines are longer.
_BATCH_WIDTH = 32 * 320


@dataclass(frozen=True, slots=True)
class LabelSet:
    """What a label file holds, faults included: ``lines`` in file order, so that N in = N out."""

    path: Path
    data_dir: Path
    lines: tuple[RecLine | LabelFault, ...]


def read_label_set(path: Path, data_dir: Path | None = None) -> LabelSet:
    """Read a recognition label file, LMDB or Parquet set; ``data_dir`` defaults to the label file's folder.

    Raises:
        InputError: missing, without any usable line, or for detection.
    """
    lines, faults = read_lines(path)
    entries: list[RecLine | LabelFault] = [*lines, *faults]
    if not lines:
        raise InputError(f"holds no usable line; the first: {faults[0].code}: {faults[0].message}", file=path)
    merged = sorted(entries, key=lambda entry: entry.line)
    return LabelSet(path, data_dir or data_dir_of(path), tuple(merged))


def _failed(entry: RecLine | LabelFault, error: str) -> Prediction:
    if isinstance(entry, LabelFault):
        return Prediction(entry.file, entry.line, "", "", None, error)
    return Prediction(entry.file, entry.line, entry.image, entry.text, None, error)


def read_pictures(
    recognizer: Recognizer, pictures: Sequence[np.ndarray], forward: Forward | None = None
) -> list[tuple[str, tuple[float, ...]]]:
    """Text and character scores of pictures that are resized and normalised to one width."""
    best, scores = (forward or paddle_forward(recognizer))(np.stack(pictures))
    return [
        greedy_decode(classes, line_scores, recognizer.charset)
        for classes, line_scores in zip(best.tolist(), scores.tolist(), strict=True)
    ]


class LineReader:
    """Reads many lines in batches of equal width; the results come back in the order of the input."""

    def __init__(
        self,
        recognizer: Recognizer,
        *,
        batch_size: int = 32,
        allow_outside: bool = False,
        forward: Forward | None = None,
    ) -> None:
        self.recognizer = recognizer
        self.forward = forward or paddle_forward(recognizer)
        self.batch_size = batch_size
        self.allow_outside = allow_outside

    def read(self, label_set: LabelSet, progress: Progress | None = None) -> list[Prediction]:
        """One prediction a line of ``label_set``."""
        results: dict[int, Prediction] = {}
        groups: dict[int, list[tuple[int, RecLine, Picture]]] = defaultdict(list)
        find = finder(label_set.path, label_set.data_dir, allow_outside=self.allow_outside)
        for index, entry in enumerate(label_set.lines):
            if isinstance(entry, LabelFault):
                results[index] = _failed(entry, f"{entry.code}: {entry.message}")
                continue
            try:
                path = find(entry.image)
                info = probe(path)
            except InputError as error:
                results[index] = _failed(entry, str(error))
                continue
            groups[line_width(info.width, info.height, target_height=self.recognizer.height)].append(
                (index, entry, path)
            )
        if progress is not None:
            progress.advance(len(results))
        import_paddle()
        from datakit_train.models.banded import kept_matrices

        # The weights stay as they are until all is read.
        with kept_matrices():
            for width in sorted(groups):
                for batch in self._batches(groups[width], width):
                    results.update(self._read_group(batch, width))
                    if progress is not None:
                        progress.advance(len(batch))
        return [results[index] for index in range(len(label_set.lines))]

    def _batches(
        self, group: list[tuple[int, RecLine, Picture]], width: int
    ) -> Iterator[list[tuple[int, RecLine, Picture]]]:
        size = max(1, min(self.batch_size, _BATCH_WIDTH // width))
        for start in range(0, len(group), size):
            yield group[start : start + size]

    def _read_group(self, batch: list[tuple[int, RecLine, Picture]], width: int) -> dict[int, Prediction]:
        results: dict[int, Prediction] = {}
        pictures: list[np.ndarray] = []
        readable: list[tuple[int, RecLine]] = []
        for index, entry, path in batch:
            try:
                pictures.append(resize_norm(read_bgr(path), self.recognizer.height, width))
                readable.append((index, entry))
            except InputError as error:
                results[index] = _failed(entry, str(error))
        if not pictures:
            return results
        for (index, entry), (text, scores) in zip(
            readable, read_pictures(self.recognizer, pictures, self.forward), strict=True
        ):
            score = sum(scores) / len(scores) if scores else 0.0
            results[index] = Prediction(
                entry.file, entry.line, entry.image, entry.text, text, None, score, scores
            )
        return results


def score_predictions(predictions: Sequence[Prediction]) -> Score:
    """Score over all N predictions; an unreadable one counts as read "" and stays in the denominator."""
    return score_pairs((prediction.label, prediction.text) for prediction in predictions)


@dataclass(frozen=True, slots=True)
class PredictResult:
    """Totals of a prediction run."""

    out: Path | None
    score: Score
    unreadable: tuple[Prediction, ...]


def predict(
    label_files: Sequence[Path],
    model: str | Path | Recognizer,
    *,
    out: Path | None = None,
    data_dir: Path | None = None,
    batch_size: int | None = None,
    engine: str = "paddle",
    threads: int | None = None,
    allow_outside: bool = False,
    show_progress: bool = True,
) -> PredictResult:
    """Run a recogniser over label files; writes predictions.jsonl to ``out`` if given.

    ``engine`` is one of :data:`datakit_train.forward.FORWARDS`, ``batch_size`` None what is best for it;
    ``threads`` are those of onnxruntime (Paddle's are set when it is imported).

    Raises:
        InputError: a label file is missing or empty, or the model is not there.
        UsageError: an unknown engine.
        MissingExtraError: onnxruntime is asked for and not installed.
        OutputError: ``out`` cannot be written.
    """
    if engine not in FORWARDS:
        raise UsageError(f"--engine {engine!r} is not one of {', '.join(FORWARDS)}")
    if out is not None:
        require_writable(out)
    sets = [read_label_set(path, data_dir) for path in label_files]
    recognizer = model if isinstance(model, Recognizer) else load_recognizer(model)
    forward = FORWARDS[engine](recognizer, threads)
    size = batch_size or BATCH_SIZES[engine]
    reader = LineReader(recognizer, batch_size=size, allow_outside=allow_outside, forward=forward)
    total = sum(len(label_set.lines) for label_set in sets)
    predictions: list[Prediction] = []
    with Progress(total, "predict", enabled=show_progress) as progress:
        for label_set in sets:
            predictions.extend(reader.read(label_set, progress))
    if out is not None:
        with atomic_open(out, "w") as stream:
            stream.writelines(prediction.to_json() + "\n" for prediction in predictions)
    unreadable = tuple(prediction for prediction in predictions if prediction.text is None)
    return PredictResult(out, score_predictions(predictions), unreadable)
