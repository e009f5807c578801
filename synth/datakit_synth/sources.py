"""Where the texts of a plan come from: the corpus, and the templates drawn by weight."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from random import Random

from datakit.errors import InputError
from datakit_corpora import Template, read_corpus
from datakit_synth.ledger import Ledger
from datakit_synth.request import SynthRequest
from datakit_synth.texts import Rules

_FAILURES_A_TEMPLATE = 100


def read_texts(request: SynthRequest, rules: Rules) -> list[str]:
    """The usable lines of all corpora, each once.

    Raises:
        InputError: a corpus cannot be read, or holds no usable line.
    """
    texts: dict[str, None] = {}
    for path in request.corpora:
        usable = rules.usable(read_corpus(path))
        if not usable:
            reasons = ", ".join(f"{count} {reason}" for reason, count in rules.refused.most_common())
            raise InputError(f"holds no line that can be rendered ({reasons})", file=path)
        texts.update(dict.fromkeys(usable))
    return list(texts)


class Deck:
    """Texts in their order, dealt by class: every text once before any twice, up to the bound on repeats."""

    def __init__(self, texts: Sequence[str], ledger: Ledger) -> None:
        self._ledger = ledger
        self._texts: dict[int, list[str]] = defaultdict(list)
        for text in texts:
            self._texts[ledger.balance.class_of(text) if ledger.balance.asked else 0].append(text)
        self._dealt = {number: self._deal(number) for number in self._texts}

    def _deal(self, number: int) -> Iterator[str]:
        for bound in range(1, self._ledger.max_repeats + 1):
            yield from (text for text in self._texts[number] if self._ledger.uses[text] < bound)

    def take(self, number: int) -> str:
        """The next text of a class; "" when there is none any more."""
        return next(self._dealt.get(number, iter(())), "")

    def any(self) -> str:
        """The next text of the class that lacks most, of those that have one."""
        balance = self._ledger.balance
        wants = balance.wants() if balance.asked else None
        order = sorted(self._dealt, key=lambda number: 0.0 if wants is None else -wants[number])
        return next(filter(None, map(self.take, order)), "")


def template_texts(templates: Sequence[Template], rules: Rules, ledger: Ledger, rng: Random) -> Iterator[str]:
    """Usable texts of ``templates`` by weight, until they hardly give new ones."""
    weights = [template.weight for template in templates]
    failures = 0
    while failures <= _FAILURES_A_TEMPLATE * len(templates):
        text = rng.choices(templates, weights)[0].make(rng)
        if rules.refusal(text) or not ledger.fresh(text):
            failures += 1
        else:
            failures = 0
            yield text
