"""What a picture has to do with a failure: size, sharpness, contrast, ink at its ends."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from datakit.badcases.slices import Slice
from datakit.errors import DatakitError
from datakit.records import Prediction

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# Pictures measured at most; the first ones, so that a run is repeatable.
MOST_PICTURES = 20_000
READ_HEIGHT = 48
# Pictures poorer than this share of those that were read right are called poor.
POOR_SHARE = 0.02
LEAST_HEIGHT = 10
# Lines read right that have to be known before "poorer than most" means anything.
LEAST_KNOWN = 50
# A border holds ink where this share of its rows is darker or lighter than the paper by half the contrast.
INK_ROWS = 0.12


@dataclass(frozen=True, slots=True)
class PictureFacts:
    """A line's picture: size in px, sharpness and contrast as in :mod:`datakit.clarity`, and whether ink
    touches its left or right border."""

    width: int
    height: int
    sharpness: float
    contrast: float
    ink_left: bool
    ink_right: bool

    @property
    def width_at_48(self) -> float:
        """Width in px of the line at the height it is read at."""
        return READ_HEIGHT * self.width / self.height


# Gives the facts of a prediction's picture, None where it cannot be read.
Measure = Callable[[Prediction], PictureFacts | None]


@dataclass(slots=True)
class PictureReader:
    """Measures the pictures of predictions; ``folders`` maps label files to their data_dir."""

    folders: Mapping[str, Path] | None = None
    data_dir: Path | None = None
    allow_outside: bool = False

    def __call__(self, prediction: Prediction) -> PictureFacts | None:
        """The facts, None where the picture is missing, broken or outside."""
        from datakit.images import decode_grey, header, read_picture, resolve_image

        folder = (self.folders or {}).get(prediction.file) or self.data_dir or Path(prediction.file).parent
        try:
            path = resolve_image(folder, prediction.image, allow_outside=self.allow_outside)
            data = read_picture(path)
            return measure(decode_grey(path, data, header(path, data)))
        except DatakitError:
            return None


def measure(grey: npt.NDArray[np.uint8]) -> PictureFacts:
    """The facts of a picture of height x width, grey."""
    # Here, so that badcases of texts alone do without OpenCV.
    import numpy as np

    from datakit import clarity

    height, width = grey.shape
    contrast = clarity.contrast(grey)
    middle = float(np.median(grey))
    threshold = max(12.0, contrast * 255 / 2)

    def inked(columns: object) -> bool:
        far = np.abs(np.asarray(columns, dtype=np.float32) - middle) > threshold
        return bool(far.any(axis=1).mean() >= INK_ROWS)

    edge = max(1, round(width * 0.004))
    sharpness = clarity.sharpness(clarity.scaled(grey))
    return PictureFacts(width, height, sharpness, contrast, inked(grey[:, :edge]), inked(grey[:, -edge:]))


@dataclass(slots=True)
class PictureTally:
    """Facts of the measured lines beside whether they were read right (folded), and their sums."""

    rows: list[tuple[PictureFacts, bool, bool, int, int]] = field(default_factory=list)
    asked: int = 0
    unseen: int = 0
    first_unseen: str = ""

    def miss(self, image: str) -> None:
        """Count a line whose picture could not be looked at."""
        self.unseen += 1
        self.first_unseen = self.first_unseen or image

    def add(self, facts: PictureFacts, exact: bool, folded: bool, edits: int, length: int) -> None:
        """Count a line."""
        self.rows.append((facts, exact, folded, edits, length))

    def limits(self) -> tuple[float, float] | None:
        """Sharpness and contrast that 98 % of the lines read right exceed; None where too few are known."""
        right = [facts for facts, _, folded, _, _ in self.rows if folded]
        if len(right) < LEAST_KNOWN:
            return None
        rank = int(POOR_SHARE * len(right))
        return (
            sorted(facts.sharpness for facts in right)[rank],
            sorted(facts.contrast for facts in right)[rank],
        )

    def slices(self) -> tuple[Slice, ...]:
        """By height and aspect in fixed bins, by sharpness and contrast in fifths."""
        if not self.rows:
            return ()
        return (
            *self._by("height", [facts.height for facts, *_ in self.rows], (16, 24, 32, 48, 64)),
            *self._by("aspect", [f.width / f.height for f, *_ in self.rows], (0.67, 1.5, 3, 6, 12, 24)),
            *self._fifths("sharpness", [facts.sharpness for facts, *_ in self.rows]),
            *self._fifths("contrast", [round(facts.contrast, 4) for facts, *_ in self.rows]),
        )

    def _fifths(self, axis: str, values: list[float]) -> list[Slice]:
        ordered = sorted(values)
        cuts = sorted({float(f"{ordered[len(ordered) * part // 5]:.3g}") for part in range(1, 5)})
        return self._by(axis, values, cuts)

    def _by(self, axis: str, values: Sequence[float], cuts: Sequence[float]) -> list[Slice]:
        sums = [[0, 0, 0, 0, 0] for _ in range(len(cuts) + 1)]
        for value, (_, exact, folded, edits, length) in zip(values, self.rows, strict=True):
            cell = sums[bisect_right(cuts, value)]
            for number, count in enumerate((1, exact, folded, edits, length)):
                cell[number] += count
        names = [f"under {cuts[0]:g}"] if cuts else ["all"]
        names += [f"{low:g} to {high:g}" for low, high in pairwise(cuts)]
        names += [f"{cuts[-1]:g} and more"] if cuts else []
        return [Slice(axis, name, *cell) for name, cell in zip(names, sums, strict=True) if cell[0]]
