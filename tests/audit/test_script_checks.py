"""Checks on characters from elsewhere: one planted defect each, and near misses that nothing reports."""

import os
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datakit.audit.facts import LineFacts
from datakit.audit.script_checks import SCRIPT_CHECKS
from datakit.audit.scripts import FROM_LATIN, TO_LATIN, foreign_letters, misread_utf8
from datakit.audit.settings import Settings
from datakit.labels import RecLine

REALDATA = Path(os.environ.get("DATAKIT_REALDATA", Path(__file__).parents[2].parent / "shared/data"))
realdata = [
    pytest.mark.realdata,
    pytest.mark.skipif(not REALDATA.is_dir(), reason=f"no real data at {REALDATA} (set DATAKIT_REALDATA)"),
]
TRIGGERS = {code: [frozenset(chars) for chars in check.triggers] for code, check in SCRIPT_CHECKS.items()}


def found(text):
    """Messages by check; also holds every check to its triggers."""
    line = RecLine("f.txt", 1, ("x.png",), text)
    facts = LineFacts(line, (), Settings(), "trained", "", text, (), 0)
    hits = {}
    for code, check in SCRIPT_CHECKS.items():
        messages = list(check.run(facts))
        assert not messages or all(chars.intersection(text) for chars in TRIGGERS[code]), code
        if messages:
            hits[code] = messages
    return hits


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("T\u041eTAL", "look-alike"),  # Cyrillic O
        ("\u0421ash", "look-alike"),  # Cyrillic Es
        ("\u0391pple", "look-alike"),  # Greek Alpha
        ("\u041fo\u043a\u0443\u043f\u043a\u0430", "look-alike"),  # Latin o in a Russian word
        ("\u0394\u0395\u039bT\u0391", "look-alike"),  # Latin T in a Greek word
        ("\uff34OTAL", "mixed-width"),
        ("\uff11\uff120", "mixed-width"),
        ("caf\u00c3\u00a9", "misread-encoding"),
        ("don\u00e2\u20ac\u2122t", "misread-encoding"),
        ("\u00e4\u00b8\u00ad\u00e6\u2013\u2021", "misread-encoding"),  # two Chinese characters
        ("\u00ef\u00bb\u00bfTotal", "misread-encoding"),
        ("TOT\ufffdL", "replacement-character"),
        ("a\ue000b", "private-use"),
        ("a\U000f0001b", "private-use"),
        ("a\uffffb", "no-character"),
        ("a\U0001ffffb", "no-character"),
        ("OK \U0001f44d", "emoji"),
        ("A &amp; B", "html-entity"),
        ("A&#39;s", "html-entity"),
        ("A&#x4e2d;", "html-entity"),
        (r"line one\nline two", "escape-sequence"),
        (r"\u4e2d\u6587", "escape-sequence"),
        (r"caf\xe9", "escape-sequence"),
        ('"1,200.00"', "csv-quotes"),
        ('"say ""no"""', "csv-quotes"),
        ("\u4e00\uff0c\u4e8c,\u4e09", "two-widths"),
        ("\uff08\u4e00)", "two-widths"),
    ],
)
def test_a_planted_label(text, code):
    hits = found(text)
    assert list(hits) == [code]
    assert len(hits[code]) == 1


@pytest.mark.parametrize(
    "text",
    [
        "TOTAL 12.00",
        "\u0418\u0422\u041e\u0413\u041e TOTAL",  # two words, one script each
        "\u043a\u0412\u0442 kW",
        "5\u03bcm 3k\u03a9 \u0394T \u0394\u03a3M",  # units and formulas
        "TNF\u03b1 \u03c1gh",
        "\uff34\uff2f\uff34\uff21\uff2c 12",  # one width a word
        "C\uff0b\uff0b",
        "S\u00c3O PAULO N\u00ba 5",
        "\u00abCAF\u00c9\u00bb",
        "\u201ccaf\u00e9\u2026\u201d",
        "na\u00efve \u00a320 25\u00b0C \u00c2ge",
        "AT&T; R&D",
        "A & B;",
        r"C:\new\table",
        r"\\server\new",
        "1/2 \\ 3",
        '"SCAN"',
        'a 5" disk, 3" wide',
        '"a", "b"',
        "12:30\uff0c\u4e00\u4e8c1,000",
        "http://a.b\uff1a\u4e00",
        "\u2713 \u2605 \u00ae",
        "th\u00f4\u0358 -kha hi\u00e2\u207f",
    ],
)
def test_a_near_miss_is_no_finding(text):
    assert found(text) == {}


def test_the_messages():
    assert found("T\u041eTAL")["look-alike"] == ["'T\u041eTAL': U+041E for 'O'"]
    assert found("A &amp; B")["html-entity"] == ["&amp; for '&' in 'A &amp; B'"]
    assert found("caf\u00c3\u00a9")["misread-encoding"] == ["'\u00c3\u00a9' is '\u00e9' read wrongly"]
    assert found("TOT\ufffdL")["replacement-character"] == ["1 lost: 'TOT<U+FFFD>L'"]


def test_the_table_of_look_alikes_goes_both_ways():
    for other, latin in TO_LATIN.items():
        name = unicodedata.name(other).split()[0]
        assert FROM_LATIN[name][latin] == other
        assert latin.isascii() and latin.isalpha() and latin.isupper() == other.isupper()
    assert not set("\u03b1\u03bd\u03c1\u03ba\u03b9\u03c5\u03c7") & set(TO_LATIN)


def test_the_rarer_script_is_foreign():
    assert list(foreign_letters("C\u041eC\u0410C")) == [("C\u041eC\u0410C", {"\u041e": "O", "\u0410": "A"})]
    word = "\u0416C\u041e\u041e"
    assert list(foreign_letters(word)) == [(word, {"C": "\u0421"})]
    assert list(foreign_letters("\u0416W")) == []


@pytest.mark.parametrize("text", ["\u00e9\u00e8\u00fc", "\u4e2d\u6587", "\u2019\u201c\u20ac", "\ufeff\ufffd"])
@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_every_misread_text_is_read_right_again(text, encoding):
    try:
        wrong = text.encode("utf-8").decode(encoding)
    except UnicodeDecodeError:
        pytest.skip("a byte that Windows-1252 does not define")
    assert "".join(right for _, right in misread_utf8(wrong)) == text


@pytest.mark.parametrize("folder", [pytest.param(name, marks=realdata) for name in ("receipts", "general")])
def test_real_labels_are_clean(folder):
    lines = 0
    for labels in (REALDATA / folder).glob("rec_*.txt"):
        for line in labels.read_text(encoding="utf-8").split("\n")[:-1]:
            assert found(line.partition("\t")[2]) == {}
            lines += 1
    assert lines > 6000


_CHARS = "".join(
    sorted({char for check in SCRIPT_CHECKS.values() for chars in check.triggers for char in chars[:40]})
)


@given(st.text(st.one_of(st.sampled_from(_CHARS), st.characters(exclude_categories=["Cs"])), max_size=30))
@settings(max_examples=300, deadline=None)
def test_no_label_breaks_a_check_or_fires_one_without_its_triggers(text):
    for messages in found(text).values():
        assert len(messages) == 1
