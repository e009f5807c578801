"""What fills a plan up to its count: the rest of the dictionary evenly, then corpus and templates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

import numpy as np

from datakit_corpora import Template
from datakit_synth.cover import Cover
from datakit_synth.ledger import Ledger
from datakit_synth.shape import Shaper
from datakit_synth.sources import Deck, template_texts
from datakit_synth.texts import Rules

_DRAWS = 20
_LIVES = 3


class Filler:
    """``texts``: the corpus in random order; ``templates``: those asked for."""

    def __init__(
        self,
        ledger: Ledger,
        rules: Rules,
        rng: Random,
        texts: Sequence[str],
        templates: Sequence[Template],
    ) -> None:
        self._ledger, self._rng = ledger, rng
        self._deck = Deck(texts, ledger)
        self._corpus = bool(texts)
        self._templates = template_texts(templates, rules, ledger, rng) if templates else iter(())
        self._has_templates = bool(templates)

    def fill(self, count: int, cover: Cover, rest: Sequence[str], shaper: Shaper) -> None:
        """Add lines until there are ``count``, or the sources are used up.

        ``rest`` are the characters that shall stand in as many lines as each other, as far as the corpus
        goes. Corpus and templates, where both are given, share the room in halves.
        """
        if rest and self._corpus:
            room = count - len(self._ledger)
            half = len(self._ledger) + room // 2 if self._has_templates else count
            self._even(half, cover, rest)
            # The corpus has had its half.
            self._corpus = self._corpus and not self._has_templates
        if self._ledger.balance.asked:
            self._by_shares(count, shaper)
        self._as_it_comes(count)

    def _even(self, limit: int, cover: Cover, rest: Sequence[str]) -> None:
        """Raise the lines of every character of ``rest`` level by level."""
        ledger = self._ledger
        most = {char: cover.holders(char) * ledger.max_repeats for char in rest}
        level = 1
        while len(ledger) < limit:
            goals = {char: level for char in rest if ledger.held.get(char, 0) < level < 2 * most[char]}
            if not goals and level >= 2 * max(most.values()):
                return
            if goals:
                cover.take(goals, ledger, limit=limit, strict=ledger.balance.asked)
            level += max(1, level // 2)

    def _by_shares(self, count: int, shaper: Shaper) -> None:
        """Lines of the class that lacks most, as long as the sources give any of it."""
        ledger = self._ledger
        lives = np.full(ledger.balance.classes, _LIVES)
        while len(ledger) < count and lives.any():
            wants = np.where(lives > 0, ledger.balance.wants(), -np.inf)
            number = int(np.argmax(wants))
            if wants[number] <= 0:
                return
            text, origin = self._of_class(number, shaper)
            if text:
                ledger.add(text, origin)
            else:
                lives[number] -= 1

    def _of_class(self, number: int, shaper: Shaper) -> tuple[str, str]:
        balance = self._ledger.balance
        if self._corpus and (not self._has_templates or self._rng.random() < 0.5):
            real = self._deck.take(number)
            if real:
                return real, "corpus"
        for text in self._drawn(_DRAWS):
            if balance.class_of(text) == number:
                return text, "template"
        return shaper.make(*balance.bounds(number), self._rng), "joined"

    def _drawn(self, number: int) -> Iterator[str]:
        for _ in range(number):
            text = next(self._templates, "")
            if text:
                yield text

    def _as_it_comes(self, count: int) -> None:
        """Corpus and templates by turns."""
        ledger = self._ledger
        while len(ledger) < count:
            before = len(ledger)
            real = self._deck.any() if self._corpus else ""
            if real:
                ledger.add(real, "corpus")
            text = next(self._templates, "") if len(ledger) < count else ""
            if text:
                ledger.add(text, "template")
            if len(ledger) == before:
                return
