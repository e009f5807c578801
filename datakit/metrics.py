"""Recognition metrics: exact accuracy as labelled and folded, and CER.

A character is one code point. Folded means ``text.replace(" ", "").casefold()``: PP-OCR's own metric ignores
spaces, and labels of one set are often all upper case whatever the picture shows, so that only the folded
figure tells reading from habit. CER is the sum of edits over the sum of label lengths (not a mean of ratios).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass


def fold(text: str) -> str:
    """``text`` without spaces and without case."""
    return text.replace(" ", "").casefold()


@dataclass(frozen=True, slots=True)
class Score:
    """Totals over a set of lines; the ratios are derived from whole numbers."""

    lines: int = 0
    exact: int = 0
    exact_folded: int = 0
    edits: int = 0
    characters: int = 0
    unreadable: int = 0

    @property
    def accuracy(self) -> float:
        """Share of lines read exactly as labelled, 0..1; 0 for an empty set."""
        return self.exact / self.lines if self.lines else 0.0

    @property
    def accuracy_folded(self) -> float:
        """Share of lines whose folded texts agree, 0..1; 0 for an empty set."""
        return self.exact_folded / self.lines if self.lines else 0.0

    @property
    def cer(self) -> float:
        """Edits over label characters; 0 for an empty set, and may exceed 1."""
        return self.edits / self.characters if self.characters else 0.0

    def to_dict(self) -> dict[str, float | int]:
        """Counts and ratios, for JSON."""
        ratios = {"accuracy": self.accuracy, "accuracy_folded": self.accuracy_folded, "cer": self.cer}
        return {**asdict(self), **{name: round(value, 6) for name, value in ratios.items()}}


class RecMetric:
    """Accumulates a :class:`Score`: ``update`` a line, ``summary``, ``reset``."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        self._counts = dict.fromkeys(
            ("lines", "exact", "exact_folded", "edits", "characters", "unreadable"), 0
        )

    def update(self, label: str, text: str | None) -> None:
        """Count one line; ``text`` is None where the picture could not be read, which counts as read ""."""
        from rapidfuzz.distance import Levenshtein

        read = text or ""
        counts = self._counts
        counts["lines"] += 1
        counts["unreadable"] += text is None
        counts["exact"] += text is not None and read == label
        counts["exact_folded"] += text is not None and fold(read) == fold(label)
        counts["edits"] += Levenshtein.distance(label, read)
        counts["characters"] += len(label)

    def summary(self) -> Score:
        """The score so far."""
        return Score(**self._counts)


def score_pairs(pairs: Iterable[tuple[str, str | None]]) -> Score:
    """Score (label, text) pairs; ``text`` None means an unreadable picture."""
    metric = RecMetric()
    for label, text in pairs:
        metric.update(label, text)
    return metric.summary()
