"""Mends of one field of a label line that change nothing a picture shows.

Each step is called by the id of the check that reports the fault, and is left out where it would be a loss: a
character that the dictionary holds is not taken out, and none is replaced by one that it lacks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from datakit.audit.text_checks import BIDI, WIDE_SPACE, ZERO_WIDTH
from datakit.charset import Charset

ODD_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f"
_INVISIBLE = "".join(sorted(ZERO_WIDTH | BIDI))
SEPARATORS = "\u2028\u2029"

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_ODD_SPACE = re.compile(f"[{ODD_SPACES}]")
_RUN = re.compile("  +")
_ODD = re.compile(f"{_CONTROL.pattern}|[{_INVISIBLE}{WIDE_SPACE}{ODD_SPACES}{SEPARATORS}]|  |^ | \\Z")
# Joiners shape letters in Arabic and Indic scripts and make one sign of several emoji.
_JOINER = "\u200c\u200d"
_JOINED = re.compile(
    "[\u0600-\u109f\u1780-\u18af\ufb1d-\ufdff\ufe70-\ufefc\U0001f000-\U0001faff\u2190-\u2bff\ufe0f]"
)


@dataclass(frozen=True, slots=True)
class Change:
    """One mend: the check it answers, the field ("path" or "text"), and the field before and after."""

    code: str
    field: str
    before: str
    after: str


def _taken_out(chars: Iterable[str]) -> Callable[[str, Charset | None], str]:
    found = re.compile(f"[{''.join(chars)}]")

    def mend(text: str, charset: Charset | None) -> str:
        def kept(match: re.Match[str]) -> str:
            char = match.group()
            joins = char in _JOINER and _JOINED.match(text[match.start() - 1 : match.start()])
            return char if joins or (charset is not None and char in charset) else ""

        return found.sub(kept, text)

    return mend


def _control(text: str, charset: Charset | None) -> str:
    return _CONTROL.sub(lambda match: match[0] if charset and match[0] in charset else "", text)


def _worse(before: str, after: str, charset: Charset | None) -> bool:
    """Whether ``after`` needs a character that the dictionary lacks and ``before`` did not hold."""
    return charset is not None and not set(charset.missing(after)) <= set(charset.missing(before))


def _wide_space(text: str, charset: Charset | None) -> str:
    after = text.replace(WIDE_SPACE, " ")
    return text if _worse(text, after, charset) else after


def _odd_space(text: str, charset: Charset | None) -> str:
    after = _ODD_SPACE.sub(" ", text)
    return text if _worse(text, after, charset) else after


def _double_space(text: str, _charset: Charset | None) -> str:
    return _RUN.sub(" ", text)


def _edge_space(text: str, _charset: Charset | None) -> str:
    return text.strip(" ")


def _nfc(text: str, charset: Charset | None) -> str:
    after = unicodedata.normalize("NFC", text)
    return text if _worse(text, after, charset) else after


# In this order: what is invisible first, since it may part spaces and hide an accent from its letter.
TEXT_MENDS: dict[str, Callable[[str, Charset | None], str]] = {
    "zero-width": _taken_out(ZERO_WIDTH),
    "bidi-mark": _taken_out(BIDI),
    "line-separator": _taken_out(SEPARATORS),
    "control-character": _control,
    "wide-space": _wide_space,
    "odd-space": _odd_space,
    "edge-space": _edge_space,
    "double-space": _double_space,
    "not-nfc": _nfc,
}


def mend_text(text: str, charset: Charset | None = None) -> Iterator[Change]:
    """The changes that mend ``text``, one after another; none where nothing would be left of it."""
    if not _ODD.search(text) and unicodedata.is_normalized("NFC", text):
        return
    changes = []
    for code, mend in TEXT_MENDS.items():
        after = mend(text, charset)
        if after != text:
            changes.append(Change(code, "text", text, after))
            text = after
    if text:
        yield from changes


def mend_path(path: str, data_dir: Path, code: str) -> Iterator[Change]:
    """Slashes for backslashes, unless a picture has that very name, or a drive or share stands before it."""
    if "\\" not in path or "\0" in path or PureWindowsPath(path).drive:
        return
    if not Path(data_dir, path).exists():
        yield Change(code, "path", path, path.replace("\\", "/"))
