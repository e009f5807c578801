"""Grapheme clusters: what a reader sees as one character.

A short form of Unicode's rules (UAX 29) that covers what stands in text lines: combining marks, variation
selectors, joiners, emoji modifiers, flags and conjoining Hangul. Counts and alignments stay with code points;
clusters only group what a report shows.
"""

from __future__ import annotations

import unicodedata

_ZWJ = "\u200d"
_FLAGS = range(0x1F1E6, 0x1F200)
_MODIFIERS = range(0x1F3FB, 0x1F400)
_HANGUL_LEAD = range(0x1100, 0x1160)
_HANGUL_REST = range(0x1160, 0x1200)


def extends(char: str) -> bool:
    """Whether ``char`` belongs to the character before it."""
    code = ord(char)
    if code < 0x300:
        return False
    return char == _ZWJ or code in _MODIFIERS or unicodedata.category(char) in ("Mn", "Mc", "Me")


def is_simple(text: str) -> bool:
    """Whether every code point of ``text`` is a cluster of its own; quick, and never wrongly True."""
    return text.isascii() or not any(
        extends(char) or ord(char) in _FLAGS or ord(char) in _HANGUL_LEAD or ord(char) in _HANGUL_REST
        for char in text
    )


def clusters(text: str) -> list[str]:
    """``text`` cut into clusters; joined they give it back."""
    parts: list[str] = []
    for char in text:
        if parts and _joins(parts[-1], char):
            parts[-1] += char
        else:
            parts.append(char)
    return parts


def _joins(cluster: str, char: str) -> bool:
    last, code = cluster[-1], ord(char)
    if extends(char):
        return True
    if last == _ZWJ and code > 0x2000:
        return True
    if code in _FLAGS:
        return len(cluster) == 1 and ord(last) in _FLAGS
    return code in _HANGUL_REST and (ord(last) in _HANGUL_LEAD or ord(last) in _HANGUL_REST)


def borders(text: str) -> list[int]:
    """The index of the cluster that each code point belongs to."""
    if is_simple(text):
        return list(range(len(text)))
    return [number for number, cluster in enumerate(clusters(text)) for _ in cluster]
