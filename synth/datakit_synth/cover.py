"""Which corpus lines to take so that every character stands in enough of them: a greedy cover.

The corpus is kept as two sparse tables (characters of a line, lines of a character), so that a million lines
and a whole dictionary are planned in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from datakit_synth.ledger import Ledger

# Of the lines that hold a character so many are compared for each that is needed, and at least so many.
_COMPARED = 8
_LEAST_COMPARED = 512
_LEAST_CHUNK = 16
_MOST_SORTED = 50_000  # lines that are looked through for one of the wanted length
_CODES = 0x110000

Ints = npt.NDArray[np.int64]


class Cover:
    """``texts`` (each once, in random order) and the characters that matter, ``chars``."""

    def __init__(self, texts: Sequence[str], chars: Sequence[str]) -> None:
        self.texts = texts
        self.chars = list(chars)
        self._id = {char: number for number, char in enumerate(self.chars)}
        lines, ids = _pairs(texts, self.chars)
        self._ids = ids
        self._starts = np.searchsorted(lines, np.arange(len(texts) + 1))
        order = np.argsort(ids, kind="stable")
        self._lines = lines[order]
        self._char_starts = np.searchsorted(ids[order], np.arange(len(self.chars) + 1))
        self._uses = np.zeros(len(texts), np.int64)
        self._held = np.zeros(len(self.chars), np.int64)
        self._goal = np.zeros(len(self.chars), np.int64)
        self._classes: Ints | None = None

    def holders(self, char: str) -> int:
        """How many different lines hold ``char``."""
        return len(self.lines_with(char))

    def lines_with(self, char: str) -> Ints:
        """The numbers of the lines that hold ``char``; none for a character that does not matter."""
        number = self._id.get(char)
        if number is None:
            return self._lines[:0]
        return self._lines[self._char_starts[number] : self._char_starts[number + 1]]

    def take(
        self, goals: Mapping[str, int], ledger: Ledger, *, limit: int | None = None, strict: bool = False
    ) -> None:
        """Add corpus lines until every character of ``goals`` has as many as it says, or the corpus ends.

        The rarest character comes first, and of its lines those that hold most other characters that
        still lack. Every text is used once before any twice. Stops at ``limit`` lines in all; ``strict``
        takes no line of a class that has its share.
        """
        self._sync(goals, ledger)
        for char in sorted(goals, key=lambda char: (self.holders(char), char)):
            for bound in range(1, ledger.max_repeats + 1):
                while (lacking := self._lacks(char, ledger, limit)) > 0:
                    picks = self._choose(char, bound, lacking, ledger, strict)
                    for line in picks:
                        self._add(line, ledger)
                    if not picks:
                        break

    def _lacks(self, char: str, ledger: Ledger, limit: int | None) -> int:
        number = self._id[char]
        lacking = int(self._goal[number] - self._held[number])
        return lacking if limit is None else min(lacking, limit - len(ledger))

    def _sync(self, goals: Mapping[str, int], ledger: Ledger) -> None:
        self._goal[:] = 0
        for char, goal in goals.items():
            self._goal[self._id[char]] = goal
        self._held[:] = [ledger.held.get(char, 0) for char in self.chars]
        self._uses[:] = np.fromiter((ledger.uses[text] for text in self.texts), np.int64, len(self.texts))
        if ledger.balance.asked and self._classes is None:
            numbers = map(ledger.balance.class_of, self.texts)
            self._classes = np.fromiter(numbers, np.int64, len(self.texts))

    def _add(self, line: int, ledger: Ledger) -> None:
        self._held[self._ids[self._starts[line] : self._starts[line + 1]]] += 1
        self._uses[line] += 1
        ledger.add(self.texts[line], "corpus")

    def _choose(self, char: str, bound: int, lacking: int, ledger: Ledger, strict: bool) -> list[int]:
        """Some of the best lines with ``char``; few at a time, since each changes what the others bring."""
        lines = self.lines_with(char)
        lines = lines[self._uses[lines] < bound]
        chunk = min(lacking, max(_LEAST_CHUNK, lacking // 4))
        if not ledger.balance.asked:
            lines = lines[: max(_LEAST_COMPARED, _COMPARED * lacking)]
            return [int(line) for line in self._best_first(lines)[:chunk]]
        return self._by_class(lines, chunk, ledger, strict)

    def _by_class(self, lines: Ints, chunk: int, ledger: Ledger, strict: bool) -> list[int]:
        """As :meth:`_choose`, each time from the class that lacks most."""
        assert self._classes is not None
        lines = lines[:_MOST_SORTED]
        classes = self._classes[lines]
        wants = ledger.balance.wants()
        present = np.flatnonzero(np.bincount(classes, minlength=len(wants)))
        if strict:
            present = present[wants[present] > 0]
        if not len(present):
            return []
        wanted = int(present[np.argmax(wants[present])])
        # Few of one class at a time: the others fall behind meanwhile.
        number = min(chunk, max(1, int(ledger.balance.room(wanted) / 8)))
        candidates = lines[classes == wanted][:_LEAST_COMPARED]
        return [int(line) for line in self._best_first(candidates)[:number]]

    def _best_first(self, lines: Ints) -> Ints:
        """``lines`` by how many characters that still lack they hold, most first."""
        if len(lines) < 2:
            return lines
        sizes = self._starts[lines + 1] - self._starts[lines]
        ends = np.cumsum(sizes)
        places = np.arange(ends[-1]) + np.repeat(self._starts[lines] - (ends - sizes), sizes)
        lacking = (self._held < self._goal)[self._ids[places]]
        gains = np.add.reduceat(lacking.astype(np.int64), ends - sizes)
        return lines[np.argsort(-gains, kind="stable")]


def _pairs(texts: Sequence[str], chars: Sequence[str]) -> tuple[Ints, Ints]:
    """Every (line, character) once, by line and then by character; other characters are left out."""
    table = np.full(_CODES, -1, np.int64)
    table[[ord(char) for char in chars]] = np.arange(len(chars))
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4")
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    lines = np.repeat(np.arange(len(texts)), lengths)
    ids = table[codes]
    kept = ids >= 0
    size = max(1, len(chars))
    pairs = np.unique(lines[kept] * size + ids[kept])
    return pairs // size, pairs % size
