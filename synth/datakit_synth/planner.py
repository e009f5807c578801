"""The stages of a plan, each of which adds lines to the ledger."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from random import Random

import numpy as np

from datakit.errors import UsageError
from datakit_corpora import TEMPLATES, find_templates
from datakit_synth.compose import Composer
from datakit_synth.cover import Cover
from datakit_synth.fill import Filler
from datakit_synth.ledger import Ledger
from datakit_synth.planned import CharPlan, Plan, ShortfallPlan
from datakit_synth.request import SynthRequest
from datakit_synth.shape import Pool, Shaper, cut_between, is_word_list
from datakit_synth.shares import Balance, parse_bin, shares_of_labels
from datakit_synth.sources import Deck, read_texts
from datakit_synth.texts import Rules

_FAILURES = 20
_MOST_SLACK = 200
_TEXTS_A_TEMPLATE = 200


class Planner:
    """Reads the sources of ``request``; :meth:`plan` then runs every stage once."""

    def __init__(self, request: SynthRequest, rules: Rules, rng: Random) -> None:
        self.request, self.rules, self.rng = request, rules, rng
        self.templates = find_templates(request.templates)
        self.impossible = {t.char: rules.char_refusal(t.char) for t in request.targets}
        asked = {t.char: t.count for t in request.targets if not self.impossible[t.char]}
        self.corpus = read_texts(request, rules)
        # In this order the corpus is read ever after: its first lines are a random sample of it.
        self.shuffled = rng.sample(self.corpus, len(self.corpus))
        self.ledger = Ledger(asked, self._balance(sum(asked.values())), request.max_repeats)

    def _balance(self, asked: int) -> Balance:
        lengths, spaces = self.request.length_shares, self.request.space_share
        if self.request.lengths_from is not None:
            found, spaced = shares_of_labels(self.request.lengths_from, self.request.limit)
            lengths, spaces = lengths or found, spaced if spaces is None else spaces
        slack = 1 + min(_MOST_SLACK, asked / 20)
        total = self.request.count or 0
        return Balance(lengths, spaces, self.request.limit, total=total, slack=slack)

    @cached_property
    def composer(self) -> Composer:
        """Made when first needed."""
        return Composer(self.shuffled, self.templates, self.rules, self.rng)

    @cached_property
    def shaper(self) -> Shaper:
        """Draws from the corpus, else from the templates asked for, else from all of them."""
        templates = self.templates or list(TEMPLATES.values())
        texts = self.corpus or [t.make(self.rng) for t in templates for _ in range(_TEXTS_A_TEMPLATE)]
        return Shaper(Pool(texts), self._usable)

    def _usable(self, text: str) -> bool:
        return not self.rules.refusal(text) and self.ledger.fresh(text)

    def plan(self) -> Plan:
        """All stages, and the account of them."""
        refused_texts = self._given()
        cover = Cover(self.shuffled, list({**self.ledger.asked, **dict.fromkeys(self._rest())}))
        self._from_corpus(cover)
        self._from_contexts()
        self._from_words(cover)
        self._composed()
        shortfalls = self._shortfalls()
        if self.request.count is not None:
            self._fill(self.request.count, cover)
        elif not (self.request.targets or shortfalls):
            for text in self.corpus:
                self.ledger.add(text, "corpus")
        if self.request.targets or self.request.count is not None:
            self.rng.shuffle(self.ledger.lines)
        return self._account(tuple(refused_texts), shortfalls)

    def _rest(self) -> list[str]:
        """The dictionary, where a count leaves room for it."""
        charset = self.rules.charset
        return [] if charset is None or self.request.count is None or not self.corpus else sorted(charset)

    def _given(self) -> list[tuple[str, str]]:
        refused = []
        for text in self.request.texts:
            reason = self.rules.refusal(text)
            if reason:
                refused.append((text, reason))
            else:
                self.ledger.add(text, "given")
        return refused

    def _from_corpus(self, cover: Cover) -> None:
        """Real lines; where shares are asked, first whole, cut and joined ones of what lacks."""
        if not (self.corpus and self.ledger.asked):
            return
        if self.ledger.balance.asked:
            cover.take(self.ledger.asked, self.ledger, strict=True)
            self._shaped(cover)
        cover.take(self.ledger.asked, self.ledger)

    def _from_contexts(self) -> None:
        for target in self.request.targets:
            if self.ledger.lacks(target.char) <= 0:
                continue
            pieces = dict.fromkeys(self.rules.usable(target.contexts))
            held = [piece for piece in pieces if target.char in piece]
            for bound in range(1, self.request.max_repeats + 1):
                for text in held:
                    if self.ledger.lacks(target.char) > 0 and self.ledger.uses[text] < bound:
                        self.ledger.add(text, "context")

    def _from_words(self, cover: Cover) -> None:
        """Words that hold the character, joined to lines with others."""
        if is_word_list(self.shuffled):
            self._shaped(cover)

    def _shaped(self, cover: Cover) -> None:
        for char in sorted(self.ledger.asked, key=lambda char: (cover.holders(char), char)):
            holders = cover.lines_with(char)
            failures = 0
            while len(holders) and self.ledger.lacks(char) > 0 and failures < _FAILURES:
                held = self.shuffled[int(holders[self.rng.randrange(len(holders))])]
                text = self._shape(held, failures)
                if char in text:
                    self.ledger.add(text, "corpus" if text == held else "joined")
                failures = 0 if char in text else failures + 1

    def _shape(self, held: str, rank: int) -> str:
        """``held`` cut or joined with others to a length that lacks; "" when it cannot be."""
        low, high, spaced = self.ledger.balance.wanted(rank)
        if self.ledger.balance.asked and low <= len(held) <= high and spaced in (None, " " in held):
            return held if self._usable(held) else ""
        if len(held) <= high and (spaced is not False or " " not in held):
            return self.shaper.around(held, low, high, spaced, self.rng)
        text = cut_between(held, low, high, spaced, self.rng)
        return text if text and self._usable(text) else ""

    def _composed(self) -> None:
        for target in self.request.targets:
            contexts = [piece for piece in target.contexts if piece]
            while self.ledger.lacks(target.char) > 0:
                self._compose(target.char, contexts)

    def _compose(self, char: str, contexts: list[str]) -> None:
        low, high, _ = self.ledger.balance.wanted()
        text = self.composer.compose(char, contexts, low, high, self.ledger.fresh)
        self.ledger.add(text, "composed")

    def _shortfalls(self) -> tuple[ShortfallPlan, ...]:
        """Lines of the lengths, and lines with spaces, that the failures ask for."""
        found = []
        for name, asked in self.request.length_shortfall:
            low, high = (int(name.split()[0]), self.request.limit) if "more" in name else parse_bin(name)
            found.append(self._short(name, asked, low, high, None))
        if self.request.space_shortfall:
            found.append(self._short("spaces", self.request.space_shortfall, 3, self.request.limit, True))
        return tuple(found)

    def _short(self, name: str, asked: int, low: int, high: int, spaced: bool | None) -> ShortfallPlan:
        limit = self.request.limit
        if low > limit:
            return ShortfallPlan(name, asked, 0, f"lines have at most {limit} characters")

        def fits(text: str) -> bool:
            return low <= len(text) <= high and spaced in (None, " " in text)

        planned = sum(fits(line.text) for line in self.ledger.lines)
        deck = Deck([text for text in self.shuffled if fits(text)], self.ledger)
        while planned < asked:
            real = deck.any()
            text = real or self.shaper.make(low, min(high, limit), spaced, self.rng)
            if not text:
                return ShortfallPlan(name, asked, planned, "the sources give no more such texts")
            self.ledger.add(text, "corpus" if real else "joined")
            planned += 1
        return ShortfallPlan(name, asked, planned)

    def _fill(self, count: int, cover: Cover) -> None:
        ledger = self.ledger
        if len(ledger) > count:
            raise UsageError(
                f"the characters asked for need {len(ledger)} lines, more than a count of {count}"
            )
        filler = Filler(ledger, self.rules, self.rng, self.shuffled, self.templates)
        filler.fill(count, cover, self._rest(), self.shaper)
        if not (self.corpus or self.templates):
            chars = sorted(ledger.asked)
            while chars and len(ledger) < count:
                self._compose(chars[len(ledger) % len(chars)], [])
        if len(ledger) < count:
            raise UsageError(
                f"a count of {count} is more than these sources give ({len(ledger)} lines with each text "
                f"at most {self.request.max_repeats} times): add a corpus or a template"
            )

    def _account(self, refused: tuple[tuple[str, str], ...], shortfalls: tuple[ShortfallPlan, ...]) -> Plan:
        ledger = self.ledger
        occurrences = Counter("".join(line.text for line in ledger.lines))
        characters = tuple(
            CharPlan(
                char=t.char,
                asked=t.count,
                planned=ledger.held.get(t.char, 0),
                occurrences=occurrences[t.char],
                impossible=self.impossible[t.char],
            )
            for t in self.request.targets
        )
        return Plan(
            lines=tuple(ledger.lines),
            characters=characters,
            refused=dict(self.rules.refused),
            impossible_texts=refused,
            shortfalls=shortfalls,
            shares=ledger.balance.report(),
            charset=self._charset_report(),
        )

    def _charset_report(self) -> dict[str, float]:
        """How evenly the lines cover the dictionary: lines that hold a character, by quantile."""
        if self.rules.charset is None:
            return {}
        lines = np.array([self.ledger.held.get(char, 0) for char in sorted(self.rules.charset)])
        quantiles = np.quantile(lines, [0.1, 0.5, 0.9]) if len(lines) else np.zeros(3)
        named = zip(("lines_p10", "lines_p50", "lines_p90"), map(float, quantiles), strict=True)
        return {"characters": len(lines), "in_no_line": int((lines == 0).sum()), **dict(named)}
