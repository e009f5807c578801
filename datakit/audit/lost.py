"""Which lines are not trained as labelled: one byte a line, so that all of ten million may be lost."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt


class LostLines:
    """Fate and reason of the lines of one source that are not trained as labelled.

    Lines that were never recorded are. A line recorded twice keeps the last.
    """

    def __init__(self) -> None:
        self._marks = bytearray()
        # Mark n stands for pair n - 1; there are some thirty ids of checks.
        self._pairs: list[tuple[str, str]] = []
        self._numbers: dict[tuple[str, str], int] = {}

    def record(self, line: int, fate: str, reason: str) -> None:
        """Note what becomes of ``line`` (from 1): a fate, and the id of the check that says why."""
        if line >= len(self._marks):
            self._marks.extend(bytes(max(line + 1, 2 * len(self._marks)) - len(self._marks)))
        pair = (fate, reason)
        number = self._numbers.get(pair)
        if number is None:
            self._pairs.append(pair)
            number = self._numbers[pair] = len(self._pairs)
        self._marks[line] = number

    def record_all(self, lines: npt.NDArray[np.int64], fate: str, reason: str) -> None:
        """:meth:`record` of many lines at once."""
        if len(lines):
            self.record(int(lines.max()), fate, reason)
            np.frombuffer(self._marks, np.uint8)[lines] = self._numbers[fate, reason]

    def __getitem__(self, line: int) -> tuple[str, str] | None:
        """Fate and reason of a line; None for one that is trained as labelled."""
        number = self._marks[line] if line < len(self._marks) else 0
        return self._pairs[number - 1] if number else None

    def __iter__(self) -> Iterator[int]:
        """The recorded lines in order."""
        return (line for line, mark in enumerate(self._marks) if mark)
