"""How far a set is from a reference set (the real validation set): Jensen-Shannon distance, base 2.

0 means the same distribution, 1 that nothing is shared (Lin 1991; Endres and Schindelin 2003 for the square
root, which is a metric). Two random halves of one set are not at 0: with k bins the divergence that chance
alone gives is about (k - 1) / (8 ln 2) * (1/n + 1/m), and ``chance`` is its root. What is held against a
threshold is the rest, ``excess``.

Bins never depend on the data, so that figures of different sets compare. A bin goes from its edge up to the
next one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from datakit.audit.balance import SHORT, shown
from datakit.audit.lengths import share_within
from datakit.audit.stats import PictureStats, TextStats

# Code points; 1 to 4 apart, and an edge after 25, PaddleOCR's usual limit.
LENGTH_EDGES = (0, 1, 2, 3, 4, 5, 7, 9, 12, 16, 21, 26, 36, 51, 76, 101)
# Px, before scaling: from hopeless to larger than any recogniser uses.
HEIGHT_EDGES = (0, 8, 12, 16, 20, 24, 28, 32, 40, 48, 64, 96, 128, 192)
# Variance of the Laplacian at height 48; doubling.
SHARPNESS_EDGES = (0, *(2**power for power in range(2, 16)))
CONTRAST_EDGES = tuple(step / 20 for step in range(20))

MOST_PARTS = 10
_NAMED = 5
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Part:
    """A character or a bin: its shares (0..1) in the two sets, and the bits that it adds to the
    divergence.
    """

    key: str
    ours: float
    reference: float
    bits: float


@dataclass(frozen=True, slots=True)
class Aspect:
    """One distribution in both sets.

    ``over`` and ``under`` name at most ten parts that the set has more or less of than the reference, those
    that add most first.
    """

    name: str
    distance: float
    chance: float
    over: tuple[Part, ...]
    under: tuple[Part, ...]

    @property
    def excess(self) -> float:
        """The distance beyond chance, 0..1."""
        return math.sqrt(max(0.0, self.distance**2 - self.chance**2))

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "distance": round(self.distance, 4),
            "chance": round(self.chance, 4),
            "excess": round(self.excess, 4),
            "over": [_rounded(part) for part in self.over],
            "under": [_rounded(part) for part in self.under],
        }


def _rounded(part: Part) -> dict[str, Any]:
    return {
        key: round(value, 6) if isinstance(value, float) else value for key, value in asdict(part).items()
    }


@dataclass(frozen=True, slots=True)
class Distance:
    """A set against a reference set; aspects of pictures are None where either has none.

    ``unseen`` are characters of the reference that no kept line of the set holds, with the reference lines
    that contain them, most frequent first. ``short`` and ``spaced`` are the shares of texts of at most four
    characters and of texts with a space, (set, reference).
    """

    lines: tuple[int, int]
    aspects: Mapping[str, Aspect | None]
    unseen: tuple[tuple[str, int], ...]
    short: tuple[float, float]
    spaced: tuple[float, float]

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "lines": list(self.lines),
            "aspects": {name: aspect.to_dict() if aspect else None for name, aspect in self.aspects.items()},
            "unseen": dict(self.unseen),
            "short_share": [round(share, 4) for share in self.short],
            "spaced_share": [round(share, 4) for share in self.spaced],
        }


def divergence(ours: Floats, reference: Floats) -> Floats:
    """The bits that each bin adds to the Jensen-Shannon divergence of two aligned count vectors.

    Raises:
        ValueError: a vector that sums to 0.
    """
    if not ours.sum() or not reference.sum():
        raise ValueError("an empty distribution has no distance")
    p, q = ours / ours.sum(), reference / reference.sum()
    middle = (p + q) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        left = np.where(p > 0, p * np.log2(p / middle), 0.0)
        right = np.where(q > 0, q * np.log2(q / middle), 0.0)
    bits: Floats = (left + right) / 2
    return bits


def aspect(name: str, keys: Sequence[str], ours: Floats, reference: Floats) -> Aspect:
    """Compare two count vectors over ``keys``."""
    bits = divergence(ours, reference)
    p, q = ours / ours.sum(), reference / reference.sum()
    filled = int(np.count_nonzero(ours + reference))
    by_chance = (filled - 1) / (8 * math.log(2)) * (1 / ours.sum() + 1 / reference.sum())
    # Stable: equal parts stay in the order of the keys.
    order = np.argsort(-bits, kind="stable")
    parts = [
        (i, Part(keys[i], float(p[i]), float(q[i]), float(bits[i]))) for i in map(int, order) if bits[i] > 0
    ]
    return Aspect(
        name,
        distance=math.sqrt(min(1.0, max(0.0, float(bits.sum())))),
        chance=math.sqrt(min(1.0, float(by_chance))),
        over=tuple(part for i, part in parts if p[i] > q[i])[:MOST_PARTS],
        under=tuple(part for i, part in parts if p[i] < q[i])[:MOST_PARTS],
    )


def _of_counts(name: str, ours: Mapping[str, int], reference: Mapping[str, int]) -> Aspect:
    keys = sorted({**ours, **reference})
    left, right = (np.array([counts.get(key, 0) for key in keys], np.float64) for counts in (ours, reference))
    return aspect(name, keys, left, right)


def bin_names(edges: Sequence[float]) -> list[str]:
    """What to call the bins: "5-6" for whole numbers, "0.05-0.1" for fractions, "101+" for the last."""
    whole = all(float(edge).is_integer() for edge in edges)
    names = []
    for low, high in itertools.pairwise(edges):
        if not whole:
            names.append(f"{low:g}-{high:g}")
        else:
            names.append(f"{low:g}" if high - low == 1 else f"{low:g}-{high - 1:g}")
    return [*names, f"{edges[-1]:g}+"]


def binned(values: npt.NDArray[Any], edges: Sequence[float], weights: Floats | None = None) -> Floats:
    """Counts of the bins; a value below the first edge goes into the first bin."""
    where = np.clip(np.searchsorted(np.asarray(edges, np.float64), values, side="right") - 1, 0, None)
    return np.bincount(where, weights=weights, minlength=len(edges)).astype(np.float64)


def _of_values(name: str, edges: Sequence[float], ours: npt.NDArray[Any], other: npt.NDArray[Any]) -> Aspect:
    return aspect(name, bin_names(edges), binned(ours, edges), binned(other, edges))


def _lengths(counts: Mapping[int, int]) -> Floats:
    return binned(np.array(list(counts), np.int64), LENGTH_EDGES, np.array(list(counts.values()), np.float64))


Side = tuple[TextStats, PictureStats | None]

_PICTURE_EDGES: dict[str, Sequence[float]] = {
    "heights": HEIGHT_EDGES,
    "sharpness": SHARPNESS_EDGES,
    "contrast": CONTRAST_EDGES,
}


def _of_pictures(ours: PictureStats | None, reference: PictureStats | None) -> dict[str, Aspect | None]:
    if ours is None or reference is None or not len(ours.heights) or not len(reference.heights):
        return dict.fromkeys(_PICTURE_EDGES)
    return {
        name: _of_values(name, edges, getattr(ours, name), getattr(reference, name))
        for name, edges in _PICTURE_EDGES.items()
    }


def _unseen(ours: TextStats, reference: TextStats) -> tuple[tuple[str, int], ...]:
    missing = [(c, lines) for c, lines in reference.lines_with.items() if not ours.trained_with.get(c)]
    return tuple(sorted(missing, key=lambda item: (-item[1], item[0])))


def distance(ours: Side, reference: Side) -> Distance:
    """Compare a set with a reference set; the characters and lengths of all readable labels.

    Raises:
        ValueError: a set without a single character.
    """
    (text, pictures), (other, other_pictures) = ours, reference
    aspects: dict[str, Aspect | None] = {
        "characters": _of_counts("characters", text.occurrences, other.occurrences),
        "lengths": aspect(
            "lengths", bin_names(LENGTH_EDGES), _lengths(text.lengths), _lengths(other.lengths)
        ),
        **_of_pictures(pictures, other_pictures),
    }
    return Distance(
        lines=(text.lines, other.lines),
        aspects=aspects,
        unseen=_unseen(text, other),
        short=(share_within(text.lengths, SHORT), share_within(other.lengths, SHORT)),
        spaced=(text.spaced / max(text.lines, 1), other.spaced / max(other.lines, 1)),
    )


def distance_lines(found: Distance) -> list[str]:
    """One short line for each aspect."""
    lines = []
    for name, compared in found.aspects.items():
        if compared is not None:
            more, less = (
                " ".join(shown(p.key) for p in parts[:_NAMED]) for parts in (compared.over, compared.under)
            )
            lines.append(
                f"{name}: {compared.distance:.2f} from the reference ({compared.chance:.2f} by chance)"
                + (f"; more {more}" if more else "")
                + (f"; less {less}" if less else "")
            )
    return lines
