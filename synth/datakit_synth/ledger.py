"""The lines of a plan as it grows: texts, how often each is used, how many lines hold each character."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from datakit_synth.shares import Balance


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """A text and where it comes from.

    ``given``, ``corpus``, ``context``, ``joined`` (words or pieces of the corpus put together or cut to a
    length), ``composed`` (a character put into borrowed text) or ``template``.
    """

    text: str
    origin: str


class Ledger:
    """``asked`` are the characters and the lines that shall hold each."""

    def __init__(self, asked: Mapping[str, int], balance: Balance, max_repeats: int) -> None:
        self.asked = dict(asked)
        self.balance = balance
        self.max_repeats = max_repeats
        self.lines: list[PlannedLine] = []
        self.uses: Counter[str] = Counter()
        self.held: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.lines)

    def add(self, text: str, origin: str) -> None:
        """One more line."""
        self.lines.append(PlannedLine(text, origin))
        self.uses[text] += 1
        self.balance.add(text)
        held = self.held
        for char in set(text):
            held[char] = held.get(char, 0) + 1

    def lacks(self, char: str) -> int:
        """Lines that ``char`` still needs; 0 or less when it has enough."""
        return self.asked.get(char, 0) - self.held.get(char, 0)

    def fresh(self, text: str) -> bool:
        """Whether ``text`` may be used once more."""
        return self.uses[text] < self.max_repeats
