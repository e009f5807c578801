"""Characters of the labels that the dictionary lacks, and what it has in their place."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from datakit.audit.check import Check
from datakit.audit.scripts import FROM_LATIN, TO_LATIN
from datakit.audit.stats import TextStats
from datakit.charset import SPACE, Charset
from datakit.report.text import is_hidden, visible

Kinship = Literal["width", "compatible", "reduced", "look-alike", "case", "without accent", ""]
_SHOWN = 12
_WIDTHS = ("<wide>", "<narrow>")
# NFKC forgets what a picture shows: the ring of a circled digit, the height of a superscript.
_REDUCED = ("<super>", "<sub>", "<circle>", "<fraction>", "<square>")


@dataclass(frozen=True, slots=True)
class Gap:
    """A character outside the dictionary.

    It stands ``occurrences`` times in ``lines`` labels, first at ``first`` ("file:line", "" where not known).
    ``twin`` is what the dictionary has for it, one character or several, and ``kinship`` how they relate:
    ``width`` and ``compatible`` are the same character to Unicode (NFKC), a ``look-alike`` is drawn the same;
    ``reduced`` (NFKC of a superscript, a circled or squared character, a fraction), ``case`` and ``without
    accent`` look otherwise, and a label should take them only if its picture does.
    """

    char: str
    occurrences: int
    lines: int
    first: str = ""
    twin: str = ""
    kinship: Kinship = ""

    @property
    def same(self) -> bool:
        """Whether the twin may be written in its place without a look at the picture."""
        return self.kinship in ("width", "compatible", "look-alike")

    @property
    def to_append(self) -> bool:
        """Whether the dictionary should get the character: it is visible, and no twin stands for it."""
        return not self.same and not is_hidden(self.char) and self.char not in (SPACE, "\ufffd")

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "char": self.char,
            "occurrences": self.occurrences,
            "lines": self.lines,
            "first": self.first,
            "twin": self.twin,
            "kinship": self.kinship,
            "append": self.to_append,
        }


@dataclass(frozen=True, slots=True)
class DictionaryFacts:
    """A dictionary, the labels, and where ("file:line") a character first stands, as far as known."""

    text: TextStats
    charset: Charset
    first: Mapping[str, str] = field(default_factory=dict)


def dictionary_gaps(text: TextStats, charset: Charset, first: Mapping[str, str] | None = None) -> list[Gap]:
    """Every character of the labels that ``charset`` lacks, the one in most lines first, U+0020 included."""
    unwidened = _unwidened(charset)
    gaps = []
    for char, lines in text.lines_with.items():
        if char not in charset:
            twin, kinship = twin_of(char, charset, unwidened)
            place = (first or {}).get(char, "")
            gaps.append(Gap(char, text.occurrences[char], lines, place, twin, kinship))
    return sorted(gaps, key=lambda gap: (-gap.lines, gap.char))


def _unwidened(charset: Charset) -> dict[str, str]:
    """The plain form of every entry that has one, for a label that is plainer than the dictionary."""
    plain = ((unicodedata.normalize("NFKC", char), char) for char in charset.chars if len(char) == 1)
    return {form: char for form, char in plain if form != char and len(form) == 1}


def _kinship(char: str) -> Kinship:
    """How ``char`` and its NFKC form relate."""
    decomposition = unicodedata.decomposition(char)
    if decomposition.startswith(_WIDTHS):
        return "width"
    return "reduced" if decomposition.startswith(_REDUCED) else "compatible"


def twin_of(char: str, charset: Charset, unwidened: Mapping[str, str]) -> tuple[str, Kinship]:
    """What ``charset`` has for ``char``, and how they relate; ("", "") for nothing."""
    form = unicodedata.normalize("NFKC", char)
    if form != char and not form.isspace() and all(part in charset for part in form):
        return form, _kinship(char)
    if char in unwidened:
        return unwidened[char], _kinship(unwidened[char])
    alike = (TO_LATIN.get(char), *(table.get(char) for table in FROM_LATIN.values()))
    for twin in alike:
        if twin and twin in charset:
            return twin, "look-alike"
    if len(char.swapcase()) == 1 and char.swapcase() in charset:
        return char.swapcase(), "case"
    base = unicodedata.normalize("NFD", char)[0]
    return (base, "without accent") if base != char and base in charset else ("", "")


def proposed_entries(gaps: list[Gap]) -> list[str]:
    """What to append to the dictionary, in the order of ``gaps``; appending keeps the classes there are."""
    return [gap.char for gap in gaps if gap.to_append]


def _shown(gap: Gap) -> str:
    twin = f", has '{visible(gap.twin)}' ({gap.kinship})" if gap.twin else ""
    place = f", first {gap.first}" if gap.first else ""
    lines = f"{gap.lines} line{'s' if gap.lines > 1 else ''}"
    return f"'{visible(gap.char)}' U+{ord(gap.char):04X} in {lines}{place}{twin}"


def gaps_summary(facts: DictionaryFacts) -> Iterator[str]:
    """One message for a set: all gaps but the space."""
    gaps = [g for g in dictionary_gaps(facts.text, facts.charset, facts.first) if g.char != SPACE]
    if gaps:
        more = "; ..." if len(gaps) > _SHOWN else ""
        shown = "; ".join(_shown(gap) for gap in gaps[:_SHOWN])
        append, replace = sum(gap.to_append for gap in gaps), sum(gap.same for gap in gaps)
        yield (
            f"{len(gaps)} characters are not in the dictionary ({append} to append, {replace} it has in "
            f"another form): {shown}{more}"
        )


def space_without_class(facts: DictionaryFacts) -> Iterator[str]:
    """Labels with spaces, for a dictionary without one."""
    if facts.text.spaced and SPACE not in facts.charset:
        yield f"{facts.text.spaced} of {facts.text.lines} labels hold a space, the dictionary has none"


DICTIONARY_CHECKS: dict[str, Check[DictionaryFacts]] = {
    "dictionary-gaps": Check(
        gaps_summary,
        "warning",
        "Does the dictionary hold every character of the labels?",
        "PaddleOCR cuts other characters out of the target. Appending keeps the classes of the weights, but "
        "for the space, which use_space_char puts behind the new entries. What the dictionary has in another "
        "form needs no class of its own.",
        "append the missing ones to the dictionary, write those that it has in its form",
    ),
    "space-not-in-dictionary": Check(
        space_without_class,
        "error",
        "Is the space a class where labels hold spaces?",
        "With use_space_char off PaddleOCR cuts every space out of the target: words run together.",
        "use_space_char: true",
    ),
}
