"""A line round a character that no corpus line holds: borrowed text, the character where its like stands."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from random import Random

from datakit_corpora import TEMPLATES, Template
from datakit_synth.kinds import PARTNER, UNITS, is_wide, joint, kind_of, may_be_unit
from datakit_synth.shape import cut_between
from datakit_synth.texts import Rules, clean

_ATTEMPTS = 40
_KNOWN_BASES = 4_000
_BASES_A_KIND = 400
_TEMPLATE_TEXTS = 12
_FRESH_TEXTS = 60
_MEASURES = ("m", "cm", "mm", "km")

Like = dict[str, list[str]]


class Composer:
    """Borrows from the contexts of a character, the corpus, and templates, in this order of likelihood.

    ``templates`` are those asked for. Those of the project help out where neither they nor the corpus has
    text with characters of the kind.
    """

    def __init__(
        self, corpus: Sequence[str], templates: Sequence[Template], rules: Rules, rng: Random
    ) -> None:
        self.rules, self.rng = rules, rng
        self._corpus = _by_kind(corpus[:_KNOWN_BASES])
        self._templates = _Grammars(templates, rules, rng)
        self._spare = _Grammars(list(TEMPLATES.values()), rules, rng)

    def compose(
        self, char: str, contexts: Sequence[str], low: int, high: int, fresh: Callable[[str], bool]
    ) -> str:
        """A text with ``char`` of ``low`` to ``high`` characters if that can be, else of 1 to the limit.

        ``fresh(text)`` says whether it may be used once more. When no text can stand beside ``char`` it
        comes with what shares a font with it, or alone.
        """
        for attempt in range(_ATTEMPTS):
            strict = attempt < _ATTEMPTS // 2
            smallest, largest = (low, high) if strict else (1, self.rules.max_length)
            text = self._attempt(char, contexts, largest)
            if len(text) < smallest or char not in text or self.rules.refusal(text):
                continue
            if fresh(text):
                return text
        return self._alone(char, fresh)

    def _attempt(self, char: str, contexts: Sequence[str], room: int) -> str:
        kind = kind_of(char)
        # Signs have nothing in common but that they are signs: any text is as good.
        base = self._base("" if kind == "sign" else kind, contexts)
        if kind in _TOKENS or may_be_unit(char):
            token = _TOKENS.get(kind, _unit)(char, self.rng)
            return self._beside(token, base, room)
        base = cut_between(base, 1, room, None, self.rng)
        if kind == "trade":
            close = "" if self.rng.random() < 0.7 else " "
            return cut_between(base, 1, room - 1 - len(close), None, self.rng) + close + char
        places = [k for k, other in enumerate(base) if kind_of(other) == kind and other != char]
        if kind == "ending":
            # The dot of 12.50 and of a.com is no end of anything.
            places = [k for k in places if not base[k - 1 : k].isalnum() or not base[k + 1 : k + 2].isalnum()]
        if places and kind != "sign":
            return _replaced(base, self.rng.choice(places), char)
        inside = kind == "ending" or is_wide(char)
        return self._inside(char, base, room) if inside else self._beside(char, base, room)

    def _base(self, kind: str, contexts: Sequence[str]) -> str:
        """A real text, one with characters of ``kind`` if there is any."""
        if contexts and self.rng.random() < 0.4:
            return self.rng.choice(contexts)
        corpus = self._corpus
        if corpus.get(kind):
            return self.rng.choice(corpus[kind])
        for grammars in (self._templates, self._spare):
            if text := grammars.text(kind, self.rng):
                return text
        if corpus[""]:
            return self.rng.choice(corpus[""])
        return self._templates.text("", self.rng) or self._spare.text("", self.rng)

    def _beside(self, sign: str, base: str, room: int) -> str:
        """``sign`` before or behind a part of ``base``, apart by a space where text has spaces."""
        if sign.isspace():
            return self._spaced(sign, base, room)
        between = joint(base, sign)
        part = cut_between(base, 1, room - len(sign) - len(between), None, self.rng)
        if not part or self.rng.random() < 0.3:
            return sign[:room]
        if self.rng.random() < 0.65:
            return part + joint(part, sign) + sign
        return sign + joint(sign, part) + part

    def _spaced(self, space: str, base: str, room: int) -> str:
        part = cut_between(base, 2, room - 1, None, self.rng)
        if space in part or len(part) < 2:
            return part
        place = self.rng.randint(1, len(part) - 1)
        return part[:place] + space + part[place:]

    def _inside(self, char: str, base: str, room: int) -> str:
        """``char`` between two characters of ``base``, at a word's end where it is a letter."""
        base = base[: room - 1]
        if kind_of(char) == "ending":
            places = [k for k in range(1, len(base) + 1) if base[k - 1].isalnum() and _ends(base, k)]
        else:
            places = [k for k in range(len(base) + 1) if k in (0, len(base)) or " " in base[k - 1 : k + 1]]
            places += [k for k in range(1, len(base)) if is_wide(base[k - 1]) and is_wide(base[k])]
        place = self.rng.choice(places or [len(base)])
        return clean(base[:place] + char + base[place:])

    def _alone(self, char: str, fresh: Callable[[str], bool]) -> str:
        company = [other for other in "0123456789aeinorst" if not self.rules.char_refusal(other)]
        company = [other for other in company if self.rules.index.mask(char + other)]
        text = char
        for _ in range(_ATTEMPTS):
            length = self.rng.randint(1, min(6, self.rules.max_length))
            picks = [self.rng.choice([char, *company]) for _ in range(length)]
            picks[self.rng.randrange(length)] = char
            text = clean("".join(picks))
            if char in text and not self.rules.refusal(text) and fresh(text):
                return text
        if char == " ":
            return self.rng.choice(company or ["a"]) + " " + self.rng.choice(company or ["a"])
        return char * self.rng.randint(1, min(4, self.rules.max_length))


class _Grammars:
    """Templates by the kinds of characters that their texts hold; every text they give is a new one."""

    def __init__(self, templates: Sequence[Template], rules: Rules, rng: Random) -> None:
        self._rules = rules
        self._found: dict[str, list[tuple[Template, str]]] = defaultdict(list)
        for template in templates:
            for _ in range(_TEMPLATE_TEXTS):
                text = template.make(rng)
                if not rules.refusal(text):
                    for kind in _kinds(text):
                        self._found[kind].append((template, text))

    def text(self, kind: str, rng: Random) -> str:
        """A text with a character of ``kind`` ("" for any); "" where no template gives one."""
        if kind not in self._found:
            return ""
        template, known = rng.choice(self._found[kind])
        for _ in range(_FRESH_TEXTS):
            text = template.make(rng)
            if kind in _kinds(text) and not self._rules.refusal(text):
                return text
        return known


def _kinds(text: str) -> set[str]:
    return {"", *map(kind_of, text)}


def _by_kind(texts: Sequence[str]) -> Like:
    """Texts by the kinds of characters they hold; all of them under ""."""
    found: Like = defaultdict(list)
    found[""] = list(texts)
    for text in texts:
        for kind in {kind_of(char) for char in text}:
            if len(found[kind]) < _BASES_A_KIND:
                found[kind].append(text)
    return dict(found)


def _replaced(base: str, place: int, char: str) -> str:
    return clean(base[:place] + char + base[place + 1 :])


def _ends(base: str, place: int) -> bool:
    return place == len(base) or not base[place].isalnum() or is_wide(base[place - 1])


def _number(rng: Random) -> str:
    whole = str(rng.randint(1, 999) if rng.random() < 0.8 else rng.randint(1000, 99_999))
    return whole if rng.random() < 0.6 else f"{whole}.{rng.randrange(10 ** rng.randint(1, 2))}"


def _unit(char: str, rng: Random) -> str:
    close = char in UNITS or rng.random() < 0.6
    return f"{_number(rng)}{'' if close else ' '}{char}"


def _currency(char: str, rng: Random) -> str:
    amount = f"{rng.randint(1, 9_999)}.{rng.randrange(100):02d}"
    return rng.choice((f"{char}{amount}", f"{char}{amount}", f"{char} {amount}", f"{amount} {char}"))


def _operation(char: str, rng: Random) -> str:
    space = rng.choice(("", " "))
    left = rng.choice((_number(rng), rng.choice("xyabnkt")))
    return f"{left}{space}{char}{space}{_number(rng)}"


def _raised(char: str, rng: Random) -> str:
    if char in "²³":
        return f"{_number(rng)} {rng.choice(_MEASURES)}{char}"
    return rng.choice((f"10{char}", f"x{char}", f"{rng.choice('abcnxy')}{char}"))


def _lowered(char: str, rng: Random) -> str:
    if char in "₂₃₄":
        return rng.choice(
            (f"H{char}O", f"CO{char}", f"SO{char}", f"NH{char}", f"{rng.choice('xyaTVR')}{char}")
        )
    return f"{rng.choice('xyaTVRCH')}{char}"


def _bracket(char: str, rng: Random) -> str:
    inside = rng.choice((_number(rng), str(rng.randint(1, 20)), rng.choice(("A", "B", "a", "b", "x", "n"))))
    partner = PARTNER.get(char, "")
    return f"{char}{inside}{partner}" if kind_of(char) == "opening" else f"{partner}{inside}{char}"


def _reference(char: str, rng: Random) -> str:
    number = rng.choice((str(rng.randint(1, 999)), f"{rng.randint(1, 30)}.{rng.randint(1, 12)}"))
    return f"{char}{rng.choice(('', ' '))}{number}"


def _fraction(char: str, rng: Random) -> str:
    measure = rng.choice(("", "", f" {rng.choice(('kg', 'm', 'h', 'cup', 'in'))}", '"'))
    return f"{rng.choice(('', str(rng.randint(1, 40))))}{char}{measure}"


def _dash(char: str, rng: Random) -> str:
    return f"{rng.randint(1, 99)}{char}{rng.randint(100, 999)}"


_TOKENS: dict[str, Callable[[str, Random], str]] = {
    "unit": _unit,
    "currency": _currency,
    "operator": _operation,
    "raised": _raised,
    "lowered": _lowered,
    "fraction": _fraction,
    "reference": _reference,
    "opening": _bracket,
    "closing": _bracket,
    "dash": _dash,
}
