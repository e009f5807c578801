"""What another program read, before it is known which label it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One text read from ``image`` (a path, or only a file name, as that program wrote it).

    ``score`` is 0 where the program gives none. ``box`` is the polygon on the page, in its pixels, and None
    for a picture of one line. ``file`` and ``line`` say where the reading stands.
    """

    file: str
    line: int
    image: str
    text: str | None
    score: float = 0.0
    char_scores: tuple[float, ...] = ()
    box: Points | None = None
    error: str | None = None
