"""Checks on the text of a recognition line."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

from datakit.audit.check import Check
from datakit.audit.facts import LineFacts
from datakit.audit.settings import Settings
from datakit.report.text import shorten, visible

ZERO_WIDTH = frozenset("\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e")
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Other spaces than U+0020 that a keyboard, an input method or a web page puts in; U+3000 has a check of its
# own.
WIDE_SPACE = "\u3000"


def _quoted(text: str) -> str:
    return f"'{visible(shorten(text, 40))}'"


def _named(chars: set[str] | frozenset[str] | tuple[str, ...]) -> str:
    return ", ".join(f"U+{ord(char):04X}" for char in sorted(set(chars)))


def over_limit(facts: LineFacts) -> Iterator[str]:
    """Labels that the encoder drops for their length."""
    if facts.fate == "dropped" and facts.reason == "over-limit":
        limit = facts.settings.limit
        yield f"{facts.labelled} characters, the limit is {limit}: {_quoted(facts.text)}"


def empty_label(facts: LineFacts) -> Iterator[str]:
    """Labels without a character."""
    if not facts.text:
        yield "no text after the tab"


def _what_is_left(facts: LineFacts) -> str:
    if facts.fate == "cut":
        return f"trained as {_quoted(facts.target)}"
    if facts.reason == "not-in-dictionary":
        return "nothing is left to train"
    return f"in {_quoted(facts.text)}, which is lost anyway"


def missing_chars(text: str, settings: Settings) -> list[str]:
    """The characters of a label that the dictionary lacks, as the label has them, each once."""
    charset = settings.charset
    if charset is None:
        return []
    if not settings.lower:
        return charset.missing(text)
    return [char for char in dict.fromkeys(text) if any(part not in charset for part in char.lower())]


def not_in_dictionary(facts: LineFacts) -> Iterator[str]:
    """Characters that the encoder leaves out of the target."""
    missing = sorted(missing_chars(facts.text, facts.settings))
    if missing:
        shown = " ".join(f"'{visible(char)}' (U+{ord(char):04X})" for char in missing)
        yield f"not in the dictionary: {shown}; {_what_is_left(facts)}"


def too_many_steps(facts: LineFacts) -> Iterator[str]:
    """Labels that CTC cannot place in the time steps there are."""
    if facts.fate == "never_learnable":
        width = facts.settings.image_shape[2]
        given = facts.settings.time_steps
        yield f"needs {facts.steps} time steps, {width} px give {given}: {_quoted(facts.text)}"


def ignore_mark(facts: LineFacts) -> Iterator[str]:
    """A detection file's mark in a recognition file."""
    if facts.text == "###":
        yield "the label is '###', which recognition trains as text"


def lone_star(facts: LineFacts) -> Iterator[str]:
    """The other mark, which may as well be what the picture shows."""
    if facts.text == "*":
        yield "the label is '*', which recognition trains as text"


def control_character(facts: LineFacts) -> Iterator[str]:
    """C0 and C1 controls."""
    found = {char for char in facts.text if unicodedata.category(char) == "Cc"}
    if found:
        yield f"control character {_named(found)} in {_quoted(facts.text)}"


def zero_width(facts: LineFacts) -> Iterator[str]:
    """Characters without width."""
    found = ZERO_WIDTH.intersection(facts.text)
    if found:
        yield f"invisible character {_named(found)} in {_quoted(facts.text)}"


def bidi_mark(facts: LineFacts) -> Iterator[str]:
    """Marks that turn the reading direction."""
    found = BIDI.intersection(facts.text)
    if found:
        yield f"direction mark {_named(found)} in {_quoted(facts.text)}"


def edge_space(facts: LineFacts) -> Iterator[str]:
    """Spaces at the start or the end."""
    text = facts.text
    if text and (text[0].isspace() or text[-1].isspace()):
        sides = [side for side, char in (("starts", text[0]), ("ends", text[-1])) if char.isspace()]
        yield f"{' and '.join(sides)} with a space: {_quoted(text)}"


def double_space(facts: LineFacts) -> Iterator[str]:
    """Runs of two spaces and more inside."""
    if "  " in facts.text.strip(" "):
        yield f"two spaces in a row: {_quoted(facts.text)}"


def wide_space(facts: LineFacts) -> Iterator[str]:
    """The full-width space."""
    if WIDE_SPACE in facts.text:
        yield f"full-width space U+3000 in {_quoted(facts.text)}"


def odd_space(facts: LineFacts) -> Iterator[str]:
    """No-break, thin and other spaces that are not U+0020."""
    found = {c for c in facts.text if unicodedata.category(c) == "Zs" and c not in (" ", WIDE_SPACE)}
    if found:
        yield f"{_named(found)} in place of a plain space: {_quoted(facts.text)}"


def not_nfc(facts: LineFacts) -> Iterator[str]:
    """Characters written in pieces."""
    if not unicodedata.is_normalized("NFC", facts.text):
        composed = unicodedata.normalize("NFC", facts.text)
        yield f"{len(facts.text)} code points, {len(composed)} when composed (NFC): {_quoted(facts.text)}"


TEXT_CHECKS: dict[str, Check[LineFacts]] = {
    "over-limit": Check(
        over_limit,
        "error",
        "Is the label within max_text_length?",
        "The encoder drops a longer label, and PaddleOCR then trains a random other line in its place.",
        "raise max_text_length (and the width of image_shape with it), or cut the line in two",
    ),
    "empty-label": Check(
        empty_label,
        "error",
        "Does the line have a label?",
        "The encoder drops an empty label, and PaddleOCR then trains a random other line in its place.",
        "label the picture or take the line out",
    ),
    "not-in-dictionary": Check(
        not_in_dictionary,
        "error",
        "Is every character of the label in the dictionary?",
        "PaddleOCR cuts other characters out of the target without a word: the model is taught to skip them.",
        "add the character to the dictionary, or write the one that the dictionary has",
    ),
    "ctc-steps": Check(
        too_many_steps,
        "error",
        "Does the label fit into the time steps of the padded width?",
        "CTC needs a step for each label and one more between equal neighbours; Paddle's loss and gradient "
        "are 0 for a "
        "line that cannot fit.",
        "a wider image_shape, 8 px a step",
    ),
    "ignore-mark": Check(
        ignore_mark,
        "warning",
        "Is the label a mark for text that is not to be read?",
        "### means 'ignore' in detection files only; recognition learns to read the picture as ###.",
        "label the picture or take the line out",
    ),
    "lone-star": Check(
        lone_star,
        "info",
        "Is a lone * an asterisk?",
        "It means 'ignore' in detection files; here it is a character, which receipts do print.",
        "nothing, if the picture shows an asterisk",
    ),
    "control-character": Check(
        control_character,
        "warning",
        "Is the label free of control characters?",
        "They are in no picture and in no dictionary, and still count towards the length limit.",
        "take them out",
    ),
    "zero-width": Check(
        zero_width,
        "warning",
        "Is the label free of characters without width?",
        "They are in no picture, yet count as a character wherever lengths and errors are counted.",
        "take them out",
    ),
    "bidi-mark": Check(
        bidi_mark,
        "warning",
        "Is the label free of direction marks?",
        "They are in no picture, and an editor shows the label in another order than it is trained in.",
        "take them out",
    ),
    "edge-space": Check(
        edge_space,
        "warning",
        "Does the label start and end with ink?",
        "A space at the edge has nothing in the picture to learn it from, and it makes an exact reading "
        "count as wrong.",
        "strip the label",
    ),
    "double-space": Check(
        double_space,
        "warning",
        "Are words parted by one space?",
        "How many spaces a gap is worth is not visible, so the model cannot learn it.",
        "one space",
    ),
    "wide-space": Check(
        wide_space,
        "warning",
        "Is the space a plain one?",
        "PP-OCR's dictionaries end with U+0020; U+3000 looks the same in a picture and is another class or "
        "none.",
        "write U+0020",
    ),
    "odd-space": Check(
        odd_space,
        "warning",
        "Is the space a plain one (no no-break or thin space)?",
        "They look like U+0020 in a picture, and the dictionary does not hold them.",
        "write U+0020",
    ),
    "not-nfc": Check(
        not_nfc,
        "warning",
        "Is every character written as one code point where Unicode has one?",
        "A letter and a loose accent are two labels; dictionaries hold the composed letter.",
        "normalise the label to NFC",
    ),
}
