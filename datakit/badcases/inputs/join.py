"""Readings and labels brought together; what has no partner is named."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from datakit.badcases.inputs.reading import Points, Reading
from datakit.badcases.inputs.sources import read_any
from datakit.errors import InputError
from datakit.labels import DetLine, LabelFault, scan_det, scan_rec, sniff_task
from datakit.records import Prediction

# Boxes of label and reading are the same line from this share of intersection over union on.
LEAST_OVERLAP = 0.5


@dataclass(slots=True)
class Unmatched:
    """What found no partner, in sentences with file and line."""

    sentences: list[str] = field(default_factory=list)


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part for part in PurePosixPath(path.replace("\\", "/")).parts if part not in (".", "/"))


class Index:
    """Readings by the picture that they were read from, however much of its path was written."""

    def __init__(self, readings: Iterable[Reading]) -> None:
        self._by_name: defaultdict[str, list[tuple[tuple[str, ...], Reading]]] = defaultdict(list)
        self._used: set[int] = set()
        self.all: list[Reading] = []
        for reading in readings:
            parts = _parts(reading.image) or ("",)
            self._by_name[parts[-1]].append((parts, reading))
            self._by_name[PurePosixPath(parts[-1]).stem].append((parts, reading))
            self.all.append(reading)

    def find(self, image: str) -> list[Reading]:
        """The readings of ``image``: those that share the longest end of its path; all of one picture.

        Empty where there is none, or where several pictures fit equally well.
        """
        wanted = _parts(image)
        if not wanted:
            return []
        found = self._by_name.get(wanted[-1]) or self._stems(wanted[-1])
        scored = [(_common(wanted, parts), parts, reading) for parts, reading in found]
        best = max((score for score, _, _ in scored), default=0)
        if len({parts for score, parts, _ in scored if score == best}) != 1:
            return []
        return [reading for score, _, reading in scored if score == best]

    def _stems(self, name: str) -> list[tuple[tuple[str, ...], Reading]]:
        """Readings that name the picture without its suffix."""
        stem = PurePosixPath(name).stem
        return [entry for entry in self._by_name.get(stem, ()) if entry[0][-1] == stem]

    def use(self, reading: Reading) -> None:
        """Mark a reading as joined."""
        self._used.add(id(reading))

    def left(self) -> Iterator[Reading]:
        """Readings that nothing was joined with."""
        return (reading for reading in self.all if id(reading) not in self._used)


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Path parts that agree, from the end."""
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count


def join_labels(
    files: Sequence[Path], label_files: Sequence[Path], unmatched: Unmatched
) -> Iterator[Prediction]:
    """A prediction for every line (recognition) or counted box (detection) of ``label_files``, in order.

    A label without a reading gets text None and says so, and stays in every denominator. Readings without a
    label, and pictures that were read twice, are named in ``unmatched`` when the iteration ends. Memory grows
    with the number of readings.

    Raises:
        InputError: a file cannot be read, no reading at all, or not one that belongs to the labels.
    """
    index = Index(_as_reading(entry) for file in files for entry in read_any(file))
    if not index.all:
        raise InputError("holds no prediction", file=files[0])
    joined = 0
    for label_file in label_files:
        scan = _boxes if sniff_task(label_file) == "det" else _lines
        for prediction in scan(label_file, index, unmatched):
            joined += prediction.text is not None
            yield prediction
    if not joined:
        example = index.all[0].image
        raise InputError(
            f"no picture of the labels was read (the first one read is {example!r})", file=files[0]
        )
    unmatched.sentences += [
        f"{reading.file}:{reading.line}: {reading.image}: read, and no label is left for it"
        for reading in index.left()
    ]


def _as_reading(entry: Prediction | Reading) -> Reading:
    if isinstance(entry, Reading):
        return entry
    p = entry
    return Reading(p.file, p.line, p.image, p.text, p.score, p.char_scores, error=p.error)


def _prediction(file: str, line: int, image: str, label: str, reading: Reading | None) -> Prediction:
    if reading is None:
        return Prediction(file, line, image, label, None, "no prediction for this label")
    error = None if reading.text is not None else reading.error or "not read"
    return Prediction(file, line, image, label, reading.text, error, reading.score, reading.char_scores)


def _lines(label_file: Path, index: Index, unmatched: Unmatched) -> Iterator[Prediction]:
    for entry in scan_rec(label_file):
        if isinstance(entry, LabelFault):
            yield Prediction(entry.file, entry.line, "", "", None, f"{entry.code}: {entry.message}")
            continue
        found = index.find(entry.image)
        if found:
            index.use(found[0])
        else:
            unmatched.sentences.append(f"{entry.file}:{entry.line}: {entry.image}: no prediction")
        yield _prediction(entry.file, entry.line, entry.image, entry.text, found[0] if found else None)


def _boxes(label_file: Path, index: Index, unmatched: Unmatched) -> Iterator[Prediction]:
    """Boxes of a page, each with the reading that overlaps it most; the dearest pairs first."""
    for entry in scan_det(label_file):
        if isinstance(entry, LabelFault):
            yield Prediction(entry.file, entry.line, "", "", None, f"{entry.code}: {entry.message}")
            continue
        readings = [reading for reading in index.find(entry.image) if reading.box]
        chosen = _matched(entry, readings)
        for number, box in enumerate(entry.boxes):
            reading = chosen.get(number)
            if reading is not None:
                index.use(reading)
            if box.ignored:
                continue
            if reading is None:
                place = f"{entry.file}:{entry.line}: {entry.image}: box {number + 1}"
                unmatched.sentences.append(f"{place} ({box.text}): no prediction")
            yield _prediction(entry.file, entry.line, entry.image, box.text, reading)


def _matched(entry: DetLine, readings: Sequence[Reading]) -> dict[int, Reading]:
    overlaps = sorted(
        (
            (_overlap(box.points, reading.box or ()), number, at)
            for number, box in enumerate(entry.boxes)
            for at, reading in enumerate(readings)
        ),
        key=lambda item: (-item[0], item[1], item[2]),
    )
    chosen: dict[int, Reading] = {}
    taken: set[int] = set()
    for overlap, number, at in overlaps:
        if overlap < LEAST_OVERLAP:
            break
        if number not in chosen and at not in taken:
            chosen[number] = readings[at]
            taken.add(at)
    return chosen


def _overlap(one: Points, other: Points) -> float:
    """Intersection over union of the upright rectangles around two polygons, 0..1."""
    left, top, right, bottom = _upright(one)
    left2, top2, right2, bottom2 = _upright(other)
    width, height = min(right, right2) - max(left, left2), min(bottom, bottom2) - max(top, top2)
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((right - left) * (bottom - top) + (right2 - left2) * (bottom2 - top2) - both)


def _upright(points: Points) -> tuple[float, float, float, float]:
    if not points:
        return (0.0, 0.0, 0.0, 0.0)
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)
