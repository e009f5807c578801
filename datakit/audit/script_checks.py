"""Checks on characters that came from another script, another encoding or another file format."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from html.entities import html5

from datakit.audit import scripts
from datakit.audit.check import Check
from datakit.audit.facts import LineFacts
from datakit.report.text import shorten, visible

_SHOWN = 4
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});")
_ESCAPE = re.compile(r"\\(?:[nrt]|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})")
# There a backslash before a letter begins a name.
_WINDOWS_PATH = re.compile(r"[A-Za-z]:\\|\\\\")
_CSV_QUOTED = re.compile(r'"(?:[^"]|"")*"')
PRIVATE = scripts.characters(0xE000, 0xF8FF) + scripts.characters(0xF0000, 0xF1FFF)
NO_CHARACTER = scripts.characters(0xFDD0, 0xFDEF) + "".join(
    chr(plane * 0x10000 + end) for plane in range(17) for end in (0xFFFE, 0xFFFF)
)
EMOJI = (
    scripts.characters(0x1F1E6, 0x1F1FF)
    + scripts.characters(0x1F300, 0x1F64F)
    + scripts.characters(0x1F680, 0x1F6FF)
    + scripts.characters(0x1F900, 0x1FAFF)
)
_PRIVATE, _NO_CHARACTER, _EMOJI = frozenset(PRIVATE), frozenset(NO_CHARACTER), frozenset(EMOJI)
# Marks that exist in both widths; brackets count as one mark, because a pair has two sides.
_MARKS = (
    *(("\uff0c", ","), ("\uff1a", ":"), ("\uff1b", ";"), ("\uff1f", "?"), ("\uff01", "!")),
    ("\uff08\uff09", "()"),
)
_WIDE_MARKS = "".join(wide for wide, _ in _MARKS)
_PLAIN_MARKS = "".join(plain for _, plain in _MARKS)
_BETWEEN_ASCII = re.compile(r"(?<=[0-9A-Za-z])[,:](?=[0-9A-Za-z/])")


def _quoted(text: str) -> str:
    return f"'{visible(shorten(text, 40))}'"


def _listed(chars: Iterator[str] | list[str]) -> str:
    return ", ".join(f"U+{ord(char):04X}" for char in sorted(set(chars)))


def look_alike(facts: LineFacts) -> Iterator[str]:
    """Words with single letters of another script that look like their own."""
    words = list(scripts.foreign_letters(facts.text))
    if words:
        told = "; ".join(
            f"{_quoted(word)}: " + ", ".join(f"U+{ord(c):04X} for '{twin}'" for c, twin in twins.items())
            for word, twins in words[:_SHOWN]
        )
        yield told


def mixed_width(facts: LineFacts) -> Iterator[str]:
    """Words of full-width and plain letters or digits."""
    words = list(scripts.mixed_width_words(facts.text))
    if words:
        yield ", ".join(_quoted(word) for word in words[:_SHOWN])


def misread_encoding(facts: LineFacts) -> Iterator[str]:
    """UTF-8 that was read as Latin-1."""
    runs = list(scripts.misread_utf8(facts.text))
    if runs:
        yield ", ".join(f"{_quoted(run)} is {_quoted(right)} read wrongly" for run, right in runs[:_SHOWN])


def replacement_character(facts: LineFacts) -> Iterator[str]:
    """U+FFFD, the mark of a character that was lost."""
    count = facts.text.count("\ufffd")
    if count:
        yield f"{count} lost: {_quoted(facts.text)}".replace("\ufffd", "<U+FFFD>")


def private_use(facts: LineFacts) -> Iterator[str]:
    """Characters that mean something in one font only."""
    found = _PRIVATE.intersection(facts.text)
    if found:
        yield f"{_listed(list(found))} in {_quoted(facts.text)}"


def no_character(facts: LineFacts) -> Iterator[str]:
    """Code points that Unicode keeps from ever being characters."""
    found = _NO_CHARACTER.intersection(facts.text)
    if found:
        yield f"{_listed(list(found))} in {_quoted(facts.text)}"


def emoji(facts: LineFacts) -> Iterator[str]:
    """Pictographs."""
    found = sorted(_EMOJI.intersection(facts.text))
    if found:
        yield f"{_listed(found)} in {_quoted(facts.text)}"


def html_entity(facts: LineFacts) -> Iterator[str]:
    """Entities that a web page would show as one character."""
    found = [name for name in _ENTITY.findall(facts.text) if name[1] == "#" or name[1:] in html5]
    if found:
        shown = ", ".join(f"{name} for {_quoted(unescape(name))}" for name in dict.fromkeys(found))
        yield f"{shown} in {_quoted(facts.text)}"


def escape_sequence(facts: LineFacts) -> Iterator[str]:
    """A backslash and a letter or number, as programs write characters."""
    if _WINDOWS_PATH.search(facts.text):
        return
    found = list(dict.fromkeys(_ESCAPE.findall(facts.text)))
    if found:
        yield f"{', '.join(found[:_SHOWN])} in {_quoted(facts.text)}"


def csv_quotes(facts: LineFacts) -> Iterator[str]:
    """Labels that are wrapped in quotes as a field of a CSV file."""
    text = facts.text
    if len(text) > 2 and _CSV_QUOTED.fullmatch(text) and ("," in text or '""' in text[1:-1]):
        yield f"quotes around the whole label: {_quoted(text)}"


def two_widths(facts: LineFacts) -> Iterator[str]:
    """Marks that stand in the label in both widths."""
    plain = _BETWEEN_ASCII.sub("", facts.text)
    both = [
        (wide, mark)
        for wide, mark in _MARKS
        if any(char in plain for char in wide) and any(char in plain for char in mark)
    ]
    if both:
        shown = ", ".join(f"{wide} and {mark}" for wide, mark in both)
        yield f"{shown} in {_quoted(facts.text)}"


SCRIPT_CHECKS: dict[str, Check[LineFacts]] = {
    "look-alike": Check(
        look_alike,
        "warning",
        "Is every word written in one script?",
        "A Cyrillic or Greek letter that looks like a Latin one is another class, or none: the model learns "
        "two answers for one picture.",
        "type the word in its own script",
        triggers=(scripts.GREEK_CYRILLIC, scripts.LATIN),
    ),
    "mixed-width": Check(
        mixed_width,
        "warning",
        "Is every word written in one width?",
        "Full-width letters and digits are other classes than plain ones, and a picture hardly shows which.",
        "one width in the whole set",
        triggers=(scripts.FULL_WIDTH, scripts.ALPHANUMERIC),
    ),
    "misread-encoding": Check(
        misread_encoding,
        "warning",
        "Was the label read in its own encoding?",
        "UTF-8 read as Latin-1 turns every character outside ASCII into two or three others.",
        "convert the text again from its source, as UTF-8",
        triggers=(scripts.MISREAD_LEADS, scripts.MISREAD_TAILS),
    ),
    "replacement-character": Check(
        replacement_character,
        "warning",
        "Are all characters of the label still there?",
        "U+FFFD stands where a program could not read a character; the picture shows another one.",
        "type the label anew",
        triggers=("\ufffd",),
    ),
    "private-use": Check(
        private_use,
        "warning",
        "Are all characters defined by Unicode?",
        "Characters for private use mean something in one font only (icons, old extensions of GBK or Big5).",
        "write the character that the picture shows",
        triggers=(PRIVATE,),
    ),
    "no-character": Check(
        no_character,
        "warning",
        "Is every code point a character?",
        "Unicode keeps these code points free for ever; they come from damaged files.",
        "type the label anew",
        triggers=(NO_CHARACTER,),
    ),
    "emoji": Check(
        emoji,
        "info",
        "Is the label free of pictographs?",
        "PP-OCR's dictionaries hold hardly any; on a picture they are drawn in many ways.",
        "nothing, if the picture shows it and the dictionary has it",
        triggers=(EMOJI,),
    ),
    "html-entity": Check(
        html_entity,
        "warning",
        "Is the label free of HTML entities?",
        "The picture shows one character where the label has several, such as &amp; for &.",
        "write the character itself",
        triggers=("&", ";"),
    ),
    "escape-sequence": Check(
        escape_sequence,
        "warning",
        "Is the label free of escaped characters?",
        r"A line break written as \n, or a character as \u4e2d, is what a program printed; the picture shows "
        "something else.",
        "write the character itself, a space for a line break",
        triggers=("\\", "nrtux"),
    ),
    "csv-quotes": Check(
        csv_quotes,
        "info",
        "Are the quotes around the label on the picture?",
        "CSV files wrap a field in quotes when it holds a comma, and double the quotes inside.",
        "take the outer quotes off, unless the picture shows them",
        triggers=('"',),
    ),
    "two-widths": Check(
        two_widths,
        "info",
        "Is every mark written in one width?",
        "A full-width and a plain comma are two classes for marks that look much alike.",
        "one width in the whole set",
        triggers=(_WIDE_MARKS, _PLAIN_MARKS),
    ),
}
