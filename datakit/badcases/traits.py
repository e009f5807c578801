"""What kind of text a label is, in a few words each: the slices that accuracy is told by."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right

# Upper ends of the length bins, in code points.
LENGTHS = (0, 5, 10, 15, 25, 40)
LENGTH_NAMES = ("0", "1-5", "6-10", "11-15", "16-25", "26-40", "41 and more")
_LENGTH_OF = [LENGTH_NAMES[bisect_right(LENGTHS, n - 1)] for n in range(42)]

# First words of Unicode names that mean a script by another name, or none.
_SCRIPTS = {"CJK": "Han", "HIRAGANA": "Kana", "KATAKANA": "Kana", "HANGUL": "Hangul", "LATIN": "Latin"}
_SCRIPTS |= {"GREEK": "Greek", "CYRILLIC": "Cyrillic", "ARABIC": "Arabic", "HEBREW": "Hebrew", "THAI": "Thai"}
_SCRIPTS |= {"DEVANAGARI": "Devanagari", "FULLWIDTH": "Latin", "HALFWIDTH": "Kana", "IDEOGRAPHIC": "Han"}

Traits = tuple[str, str, str, str, str]
AXES = ("length", "spaces", "case", "width", "script")


def length_name(length: int) -> str:
    """The bin of a length in code points."""
    return _LENGTH_OF[min(length, 41)]


def traits(label: str) -> Traits:
    """The values of :data:`AXES`."""
    case, spaces = case_name(label), "with" if " " in label else "without"
    if label.isascii():
        script, width = ("no letters" if case == "none" else "Latin"), "plain"
    else:
        script = script_of(label)
        width = "plain" if unicodedata.is_normalized("NFKC", label) else "variants"
    return _LENGTH_OF[min(len(label), 41)], spaces, case, width, script


def case_name(label: str) -> str:
    """upper, lower, mixed, or none where no letter has a case."""
    if label.isupper():
        return "upper"
    return "lower" if label.islower() else "mixed" if label.upper() != label.lower() else "none"


def script_of(text: str) -> str:
    """The script of the letters; ``mixed`` for several, ``no letters`` for none."""
    found = {_script(char) for char in set(text) if char.isalpha()}
    if not found:
        return "no letters"
    return found.pop() if len(found) == 1 else "mixed"


def _script(char: str) -> str:
    if char.isascii():
        return "Latin"
    word = unicodedata.name(char, "").split(" ", 1)[0]
    return _SCRIPTS.get(word, "other")
