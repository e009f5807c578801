"""What kind of character one is, which says where in a text it stands."""

from __future__ import annotations

import unicodedata
from functools import cache

UNITS = frozenset("°℃℉%‰\u2126µ㎡㎥㎏㎎㎜㎝㎞㎖㎧㏄ℓ\u212b′″％")
OPERATORS = frozenset("+×÷=≠≈<>≤≥±∓−*/·∶∝≡∥∠⊥∈∪∩→←↔^~")
REFERENCES = frozenset("§¶№")
TRADE_MARKS = frozenset("®™℠©")
_GREEK_UNITS = frozenset("Ωμ")
_OPENING = {"Ps", "Pi"}
_CLOSING = {"Pe", "Pf"}
_PAIRS = dict(zip("([{<（［｛〈《「『【〔〖‘“«‹｢", ")]}>）］｝〉》」』】〕〗’”»›｣", strict=True))
_BY_MARK = {"<super>": "raised", "<sub>": "lowered", "<fraction>": "fraction"}
PARTNER = _PAIRS | {closing: opening for opening, closing in _PAIRS.items()}


@cache
def kind_of(char: str) -> str:
    """The kind of a code point.

    ``han``, ``kana``, ``hangul``; other letters by script and case (``latin-Lu``, ``greek-Ll``); ``digit``,
    ``unit``, ``currency``, ``operator``, ``raised`` and ``lowered`` (as in m² and H₂O),
    ``fraction`` (½), ``reference`` (§ before a number), ``trade`` (® behind a name), ``opening``,
    ``closing``, ``ending`` (marks behind a word), ``dash``, ``space``, ``sign`` (everything else).
    """
    category = unicodedata.category(char)
    if char in UNITS:
        return "unit"
    if char in OPERATORS:
        return "operator"
    if char in REFERENCES or char in TRADE_MARKS:
        return "reference" if char in REFERENCES else "trade"
    if category[0] == "L":
        return _letter(char, category)
    if category == "Zs":
        return "space"
    if category == "Nd":
        return "digit"
    if category == "Sc":
        return "currency"
    mark = unicodedata.decomposition(char).partition(" ")[0]
    if mark in _BY_MARK:
        return _BY_MARK[mark]
    if category in _OPENING | _CLOSING:
        return "opening" if category in _OPENING else "closing"
    if category == "Pd":
        return "dash"
    if category == "Sm":
        return "operator"
    return "ending" if category == "Po" and unicodedata.bidirectional(char) in ("ON", "CS", "ET") else "sign"


def _letter(char: str, category: str) -> str:
    name = unicodedata.name(char, "").split(" ", 1)[0]
    if name == "CJK":
        return "han"
    if name in ("HIRAGANA", "KATAKANA"):
        return "kana"
    if category in ("Lu", "Ll", "Lt"):
        return f"{name.lower()}-{category}"
    return name.lower() or "letter"


def is_wide(char: str) -> bool:
    """Whether ``char`` is written without spaces to its neighbours (Chinese, kana, full-width forms)."""
    return unicodedata.east_asian_width(char) in "WF"


def may_be_unit(char: str) -> bool:
    """Whether a letter is as often a unit as a letter."""
    return char in _GREEK_UNITS


def joint(left: str, right: str) -> str:
    """What stands between two pieces of text: nothing between wide characters, else a space."""
    return "" if not left or not right or is_wide(left[-1]) or is_wide(right[0]) else " "
