"""Label text made safe and visible for a terminal and for HTML.

A label is a stranger's input: it may hold terminal escapes, characters that turn the reading direction, and
characters that nobody sees. They are shown by their number.
"""

from __future__ import annotations

import re
import unicodedata

# Cc control, Cf format (zero width, bidi, soft hyphen), Cs surrogates, Co private, Cn unassigned, Zl and Zp
# separators. Zs except the plain space looks like a space and is none.
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
# Letters and marks by category that nevertheless draw nothing: fillers, blank braille, variation selectors.
_HIDDEN_CHARS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_ODD = re.compile(f"[{''.join(sorted(_HIDDEN_CHARS))}\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def is_hidden(char: str) -> bool:
    """Whether ``char`` draws nothing, moves the cursor or turns the text; False for U+0020."""
    if char == " ":
        return False
    code = ord(char)
    if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or char in _HIDDEN_CHARS:
        return True
    return unicodedata.category(char) in _HIDDEN_CATEGORIES


def visible(text: str) -> str:
    """``text`` with every hidden character written as ``<U+202E>``.

    The result holds no control, format or separator character but U+0020, so that it is safe on a terminal
    line; HTML still has to escape it. Visible characters, combining marks included, stay as they are.
    """
    # What Python prints as it is has none of the categories; most texts end here.
    if text.isprintable() and not _ODD.search(text):
        return text
    return "".join(f"<U+{ord(char):04X}>" if is_hidden(char) else char for char in text)


def shorten(text: str, limit: int = 60) -> str:
    """The first ``limit`` code points of ``text``, with ``...`` where something was left out."""
    return text if len(text) <= limit else text[:limit] + "..."
