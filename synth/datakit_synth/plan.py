"""The plan: which lines are drawn, so that every character asked for stands in as many lines as asked.

Corpus lines that hold the character come first, then the contexts of the targets, then strings composed
round it. Nothing is rendered here, and the same request and seed give the same plan.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Any

from datakit.errors import InputError, UsageError
from datakit.records import Target
from datakit_corpora import TEMPLATES, Template, find_templates, read_corpus
from datakit_synth.request import SynthRequest
from datakit_synth.texts import Rules, clean, cut_to_length

_ATTEMPTS = 40


@dataclass(frozen=True, slots=True)
class PlannedLine:
    """A text and where it comes from: ``given``, ``corpus``, ``context``, ``composed`` or ``template``."""

    text: str
    origin: str


@dataclass(frozen=True, slots=True)
class CharPlan:
    """One character: lines asked for, lines planned with it, its occurrences, and why it is impossible."""

    char: str
    asked: int
    planned: int
    occurrences: int
    impossible: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All lines of a run in order, the account of every character asked for, and the corpus lines refused."""

    lines: tuple[PlannedLine, ...]
    characters: tuple[CharPlan, ...]
    refused: dict[str, int]
    impossible_texts: tuple[tuple[str, str], ...] = ()

    def require(self) -> Plan:
        """Itself.

        Raises:
            InputError: a character or a given text is impossible; names every one and why.
        """
        reasons = [
            f"{c.char!r} (U+{ord(c.char):04X}) {c.impossible}" for c in self.characters if c.impossible
        ]
        reasons += [f"text {text!r}: {reason}" for text, reason in self.impossible_texts]
        if reasons:
            more = f"; and {len(reasons) - 50} more" if len(reasons) > 50 else ""
            raise InputError("cannot be rendered: " + "; ".join(reasons[:50]) + more)
        return self

    def to_dict(self) -> dict[str, Any]:
        """For ``--json`` and the manifest; without the lines themselves."""
        return {
            "lines": len(self.lines),
            "origins": dict(sorted(Counter(line.origin for line in self.lines).items())),
            "characters": [
                {
                    "char": entry.char,
                    "asked": entry.asked,
                    "planned": entry.planned,
                    "occurrences": entry.occurrences,
                    "impossible": entry.impossible,
                }
                for entry in self.characters
            ],
            "impossible_texts": [{"text": text, "reason": reason} for text, reason in self.impossible_texts],
            "corpus_refused": self.refused,
        }


def make_plan(request: SynthRequest, rules: Rules, seed: int) -> Plan:
    """Plan a run.

    Raises:
        UsageError: an unknown template; fewer lines asked in all than the characters need, or more than
        the sources
            can give without repeating themselves too often.
        InputError: a corpus that cannot be read or holds no usable line.
    """
    return _Planner(request.check(), rules, Random(f"plan:{seed}")).plan()


class _Planner:
    def __init__(self, request: SynthRequest, rules: Rules, rng: Random) -> None:
        self.request, self.rules, self.rng = request, rules, rng
        self.templates = find_templates(request.templates)
        self.impossible = {t.char: rules.char_refusal(t.char) for t in request.targets}
        self.left = {t.char: t.count for t in request.targets if not self.impossible[t.char]}
        self.lines: list[PlannedLine] = []
        self.uses: Counter[str] = Counter()
        self.corpus = self._corpus()
        self.bases = self._bases()

    def _corpus(self) -> list[str]:
        pieces: list[str] = []
        for path in self.request.corpora:
            usable = self.rules.usable(read_corpus(path))
            if not usable:
                reasons = ", ".join(f"{count} {reason}" for reason, count in self.rules.refused.most_common())
                raise InputError(f"holds no line that can be rendered ({reasons})", file=path)
            pieces.extend(usable)
        return list(dict.fromkeys(pieces))

    def _bases(self) -> list[Template]:
        """Templates to compose from; all of them when the user named neither a template nor a corpus."""
        return self.templates or ([] if self.corpus else list(TEMPLATES.values()))

    def plan(self) -> Plan:
        refused_texts = self._given()
        self._from_corpus()
        self._from_contexts()
        self._composed()
        if self.request.count is not None:
            self._fill(self.request.count)
        elif not self.request.targets:
            self._extend((text, "corpus") for text in self.corpus)
        if self.request.targets or self.request.count is not None:
            self.rng.shuffle(self.lines)
        characters = tuple(self._account(target) for target in self.request.targets)
        return Plan(tuple(self.lines), characters, dict(self.rules.refused), tuple(refused_texts))

    def _account(self, target: Target) -> CharPlan:
        occurrences = [line.text.count(target.char) for line in self.lines]
        planned = sum(count > 0 for count in occurrences)
        return CharPlan(target.char, target.count, planned, sum(occurrences), self.impossible[target.char])

    def _add(self, text: str, origin: str) -> None:
        self.lines.append(PlannedLine(text, origin))
        self.uses[text] += 1
        for char in set(text):
            if char in self.left:
                self.left[char] -= 1

    def _extend(self, texts: Iterator[tuple[str, str]]) -> None:
        for text, origin in texts:
            self._add(text, origin)

    def _given(self) -> list[tuple[str, str]]:
        refused = []
        for text in self.request.texts:
            reason = self.rules.refusal(text)
            if reason:
                refused.append((text, reason))
            else:
                self._add(text, "given")
        return refused

    def _rarest_first(self, holders: dict[str, list[str]]) -> list[str]:
        return sorted(self.left, key=lambda char: (len(holders.get(char, ())), char))

    def _holders(self, texts: Sequence[str]) -> dict[str, list[str]]:
        holders: dict[str, list[str]] = {char: [] for char in self.left}
        for text in texts:
            for char in set(text) & holders.keys():
                holders[char].append(text)
        return holders

    def _take(self, char: str, texts: Sequence[str], origin: str) -> None:
        """Every text once before any text twice, up to the bound on duplicates."""
        shuffled = list(texts)
        self.rng.shuffle(shuffled)
        for bound in range(1, self.request.max_repeats + 1):
            for text in shuffled:
                if self.left[char] <= 0:
                    return
                if self.uses[text] < bound:
                    self._add(text, origin)

    def _from_corpus(self) -> None:
        holders = self._holders(self.corpus)
        for char in self._rarest_first(holders):
            self._take(char, holders[char], "corpus")

    def _from_contexts(self) -> None:
        for target in self.request.targets:
            if target.char in self.left:
                pieces = self.rules.usable(target.contexts)
                with_char = [piece for piece in dict.fromkeys(pieces) if target.char in piece]
                self._take(target.char, with_char, "context")

    def _composed(self) -> None:
        for target in self.request.targets:
            contexts = [piece for piece in target.contexts if piece]
            while self.left.get(target.char, 0) > 0:
                self._add(self._compose(target.char, contexts), "composed")

    def _compose(self, char: str, contexts: Sequence[str]) -> str:
        """A line with ``char`` in it, in borrowed text when a font and the bound on duplicates allow."""
        for _ in range(_ATTEMPTS):
            text = self._joined(char, self._base(contexts))
            if char in text and not self.rules.refusal(text) and self.uses[text] < self.request.max_repeats:
                return text
        return self._alone(char)

    def _base(self, contexts: Sequence[str]) -> str:
        draw = self.rng.random()
        if contexts and draw < 0.4:
            return self.rng.choice(contexts)
        if self.corpus and (draw < 0.8 or not self.bases):
            return self.rng.choice(self.corpus)
        return self.rng.choice(self.bases).make(self.rng) if self.bases else ""

    def _joined(self, char: str, base: str) -> str:
        """``char`` put between two characters of ``base`` or in the place of one, the whole cut to length."""
        room = self.request.max_length - 1
        base = self.rng.choice(cut_to_length(clean(base), room) if room else [""])[:room]
        place = self.rng.choice(_places(char, base))
        gone = 1 if char.isalpha() and self.rng.random() < 0.4 and len(base) > 2 else 0
        return clean(base[:place] + char + base[place + gone :])

    def _alone(self, char: str) -> str:
        """What is left when no text can stand beside ``char``: itself and what shares a font with it."""
        company = [other for other in self.left if other != " " and self.rules.index.mask(char + other)]
        if char == " ":
            company = [c for c in "aeino135" if not self.rules.char_refusal(c)] or company
        for _ in range(_ATTEMPTS):
            length = self.rng.randint(1, min(6, self.request.max_length))
            picks = [self.rng.choice([char, *company, *"0123456789"]) for _ in range(length)]
            text = clean("".join(picks[:-1]) + char + (picks[-1] if char == " " else ""))
            if char in text and not self.rules.refusal(text):
                return text
        return char * self.rng.randint(1, min(4, self.request.max_length))

    def _fill(self, count: int) -> None:
        if len(self.lines) > count:
            raise UsageError(
                f"the characters asked for need {len(self.lines)} lines, more than a count of {count}"
            )
        streams = []
        if self.corpus:
            streams.append(self._corpus_stream())
        if self.templates:
            streams.append(self._template_stream())
        if not streams:
            streams.append(self._target_stream())
        while streams and len(self.lines) < count:
            for stream in list(streams):
                entry = next(stream, None)
                if entry is None:
                    streams.remove(stream)
                elif len(self.lines) < count:
                    self._add(*entry)
        if len(self.lines) < count:
            raise UsageError(
                f"a count of {count} is more than these sources give ({len(self.lines)} lines with each text "
                f"at most {self.request.max_repeats} times): add a corpus or a template"
            )

    def _corpus_stream(self) -> Iterator[tuple[str, str]]:
        order = list(self.corpus)
        self.rng.shuffle(order)
        for bound in range(1, self.request.max_repeats + 1):
            yield from ((text, "corpus") for text in order if self.uses[text] < bound)

    def _template_stream(self) -> Iterator[tuple[str, str]]:
        failures = 0
        for template in cycle(self.templates):
            text = template.make(self.rng)
            if self.rules.refusal(text) or self.uses[text] >= self.request.max_repeats:
                failures += 1
                if failures > 100 * len(self.templates):
                    return
            else:
                failures = 0
                yield text, "template"

    def _target_stream(self) -> Iterator[tuple[str, str]]:
        if self.left:
            for char in cycle(sorted(self.left)):
                yield self._compose(char, ()), "composed"


def _places(char: str, base: str) -> list[int]:
    """Where ``char`` may go into ``base``: letters anywhere, signs at an end, at a space, after a digit."""
    if char.isalpha():
        return list(range(len(base) + 1))
    inside = [k for k in range(1, len(base)) if " " in base[k - 1 : k + 1] or base[k - 1].isdigit()]
    return [0, *inside, len(base)]
