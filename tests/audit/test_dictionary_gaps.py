from collections import Counter

import pytest

from datakit.audit.dictionary_gaps import (
    DICTIONARY_CHECKS,
    DictionaryFacts,
    Gap,
    dictionary_gaps,
    proposed_entries,
)
from datakit.audit.stats import TextStats
from datakit.charset import Charset

ASCII = Charset(tuple(chr(code) for code in range(33, 127)))


def stats(*labels):
    occurrences, lines = Counter("".join(labels)), Counter()
    for label in labels:
        lines.update(set(label))
    spaced = sum(" " in label for label in labels)
    return TextStats(len(labels), occurrences, lines, lines, {}, spaced, 0)


@pytest.mark.parametrize(
    ("char", "chars", "twin", "kinship", "append"),
    [
        ("\uff21", "A", "A", "width", False),
        ("(", "\uff08", "\uff08", "width", False),
        ("\u2026", ".", "...", "compatible", False),
        ("\ufb01", "fi", "fi", "compatible", False),
        ("\u2126", "\u03a9", "\u03a9", "compatible", False),
        ("\u00b2", "2", "2", "reduced", True),
        ("\u2460", "1", "1", "reduced", True),
        ("\u0410", "A", "A", "look-alike", False),
        ("A", "\u0391", "\u0391", "look-alike", False),
        ("a", "A", "A", "case", True),
        ("\u00e9", "e", "e", "without accent", True),
        ("\u00c9", "\u00e9E", "\u00e9", "case", True),
        ("\u4e2d", "A", "", "", True),
        ("\u2026", "A", "", "", True),
        ("\u200b", "A", "", "", False),
        ("\ufffd", "A", "", "", False),
    ],
)
def test_a_missing_character_and_its_twin(char, chars, twin, kinship, append):
    (gap,) = dictionary_gaps(stats(char), Charset(tuple(chars)))
    assert (gap.twin, gap.kinship, gap.to_append) == (twin, kinship, append)


def test_gaps_are_counted_and_sorted():
    text = stats("\u4e2d\u4e2dA", "\u4e2d", "\u6587", "B C")
    gaps = dictionary_gaps(text, ASCII, {"\u4e2d": "f.txt:1"})
    assert gaps == [Gap("\u4e2d", 3, 2, "f.txt:1"), Gap(" ", 1, 1), Gap("\u6587", 1, 1)]
    assert proposed_entries(gaps) == ["\u4e2d", "\u6587"]
    assert gaps[0].to_dict() == {
        "char": "\u4e2d",
        "occurrences": 3,
        "lines": 2,
        "first": "f.txt:1",
        "twin": "",
        "kinship": "",
        "append": True,
    }


def messages(text, charset, first=None):
    facts = DictionaryFacts(text, charset, first or {})
    return {code: list(check.run(facts)) for code, check in DICTIONARY_CHECKS.items()}


def test_the_summary_of_a_set():
    found = messages(stats("\uff21\u4e2d", "\u4e2d", "a b"), ASCII, {"\u4e2d": "f.txt:1"})
    assert found == {
        "dictionary-gaps": [
            "2 characters are not in the dictionary (1 to append, 1 it has in another form): "
            "'\u4e2d' U+4E2D in 2 lines, first f.txt:1; '\uff21' U+FF21 in 1 line, has 'A' (width)"
        ],
        "space-not-in-dictionary": ["1 of 3 labels hold a space, the dictionary has none"],
    }


def test_a_dictionary_that_holds_everything():
    whole = Charset((*ASCII.chars, " "))
    assert messages(stats("A b", "c"), whole) == {"dictionary-gaps": [], "space-not-in-dictionary": []}
    assert messages(stats("Ab"), ASCII) == {"dictionary-gaps": [], "space-not-in-dictionary": []}
