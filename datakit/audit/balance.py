"""How evenly the characters of a set are spread, and what its texts are like.

Everything is counted over all readable labels; what a floor asks for is held against the *kept* lines, since
only those are trained. Percentiles are nearest rank: values that occur.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from datakit.audit.lengths import percentile, share_within
from datakit.audit.stats import TextStats
from datakit.charset import Charset
from datakit.report.text import visible

# The FAQ's floor for a usable character, and its advice for fine-tuning, in lines that contain the character.
FLOOR = 200
ADVICE = 300
# The guide asks for short texts where the scene has them and names no length; four characters are a price's
# cents, a quantity, a date's year.
SHORT = 4


def shown(char: str) -> str:
    """A character for a list of them: hidden ones by number, the plain space by name."""
    return "space" if char == " " else visible(char)


def script(char: str) -> str:
    """A coarse group: the script of a letter (first word of its Unicode name), digit, mark, punctuation,
    symbol, space or other.
    """
    kind = unicodedata.category(char)
    if kind[0] == "L":
        name = unicodedata.name(char, "other").split(" ")[0].split("-")[0]
        return name if name in ("CJK", "other") else name.capitalize()
    groups = {"N": "digit", "M": "mark", "P": "punctuation", "S": "symbol", "Z": "space"}
    return groups.get(kind[0], "other")


def entropy(counts: Iterable[int]) -> float:
    """Shannon entropy of a distribution in bits; 0 for no or one value."""
    values = [count for count in counts if count > 0]
    total = sum(values)
    return math.fsum(count / total * math.log2(total / count) for count in values)


def gini(counts: Iterable[int]) -> float:
    """Gini coefficient, 0 (all equal) to below 1 (one has all); 0 for no count."""
    values = sorted(counts)
    total = sum(values)
    if not total:
        return 0.0
    # Integers until the one division at the end.
    weighted = sum((2 * rank - len(values) - 1) * value for rank, value in enumerate(values, start=1))
    return weighted / (len(values) * total)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """The characters that fewer than ``floor`` kept lines contain, with those lines, rarest first."""

    floor: int
    chars: tuple[tuple[str, int], ...]

    @property
    def missing(self) -> int:
        """Lines that are missing, summed over the characters: at most so many have to be made."""
        return sum(self.floor - lines for _, lines in self.chars)

    @property
    def least(self) -> int:
        """Lines that the rarest character lacks: at least so many have to be made."""
        return self.floor - self.chars[0][1] if self.chars else 0

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``: ``missing`` maps each character to the lines it lacks."""
        return {
            "floor": self.floor,
            "characters": len(self.chars),
            "lines_at_least": self.least,
            "lines_at_most": self.missing,
            "missing": {char: self.floor - lines for char, lines in self.chars},
        }


@dataclass(frozen=True, slots=True)
class Lengths:
    """Code points of a label: mean and nearest-rank percentiles; ``short`` is the share of labels with at
    most four.
    """

    mean: float
    median: int
    p80: int
    p95: int
    most: int
    short: float


@dataclass(frozen=True, slots=True)
class Balance:
    """A set in figures.

    ``characters`` are distinct, ``occurrences`` all of them; ``entropy`` (bits) and ``gini`` are those of the
    occurrences. ``head`` and ``tail`` are the kept lines of the characters at the 90th and the 10th
    percentile of kept lines, ``most`` and ``least`` those of the extremes; characters that no kept line holds
    count as 0. ``never_seen`` counts the dictionary's characters that no readable label holds, by script,
    None without a dictionary.
    """

    lines: int
    characters: int
    occurrences: int
    words: int
    spaced: float
    entropy: float
    gini: float
    head: int
    tail: int
    most: int
    least: int
    lengths: Lengths
    under: tuple[Shortfall, ...]
    dictionary: int | None
    never_seen: Mapping[str, int] | None

    @property
    def unseen(self) -> int:
        """Dictionary characters that no readable label holds; 0 without a dictionary."""
        return sum(self.never_seen.values()) if self.never_seen else 0

    def to_dict(self) -> dict[str, Any]:
        """For ``--json``; the counts of single characters are the report's own."""
        return {
            "lines": self.lines,
            "characters": self.characters,
            "occurrences": self.occurrences,
            "words": self.words,
            "spaced_share": round(self.spaced, 4),
            "entropy_bits": round(self.entropy, 4),
            "gini": round(self.gini, 4),
            "lines_of_characters": {
                "p90": self.head,
                "p10": self.tail,
                "most": self.most,
                "least": self.least,
            },
            "head_to_tail": _ratio(self.head, self.tail),
            "most_to_least": _ratio(self.most, self.least),
            "lengths": {
                "mean": round(self.lengths.mean, 3),
                "median": self.lengths.median,
                "p80": self.lengths.p80,
                "p95": self.lengths.p95,
                "max": self.lengths.most,
                "short_share": round(self.lengths.short, 4),
            },
            "under": [shortfall.to_dict() for shortfall in self.under],
            "dictionary_characters": self.dictionary,
            "never_seen": None if self.never_seen is None else dict(self.never_seen),
        }


def _ratio(head: int, tail: int) -> float | None:
    """None where the tail has no line at all."""
    return round(head / tail, 2) if tail else None


def _lengths(text: TextStats) -> Lengths:
    total = sum(text.lengths.values())
    if not total:
        return Lengths(0.0, 0, 0, 0, 0, 0.0)
    mean = sum(length * count for length, count in text.lengths.items()) / total
    median, p80, p95, most = (percentile(text.lengths, percent) for percent in (50, 80, 95, 100))
    return Lengths(mean, median, p80, p95, most, share_within(text.lengths, SHORT))


def _shortfall(trained: Mapping[str, int], floor: int) -> Shortfall:
    rare = sorted((lines, char) for char, lines in trained.items() if lines < floor)
    return Shortfall(floor, tuple((char, lines) for lines, char in rare))


def balance(text: TextStats, charset: Charset | None = None) -> Balance:
    """Count; a set without a line gives zeros. ``charset`` None: no character counts as never seen."""
    trained = {char: text.trained_with.get(char, 0) for char in text.lines_with}
    spread = Counter(trained.values())
    tail, head = (percentile(spread, percent) if spread else 0 for percent in (10, 90))
    known = {char for char in charset.chars if len(char) == 1} if charset is not None else None
    return Balance(
        lines=text.lines,
        characters=len(text.occurrences),
        occurrences=sum(text.occurrences.values()),
        words=text.words,
        spaced=text.spaced / text.lines if text.lines else 0.0,
        entropy=entropy(text.occurrences.values()),
        gini=gini(text.occurrences.values()),
        head=head,
        tail=tail,
        most=max(spread, default=0),
        least=min(spread, default=0),
        lengths=_lengths(text),
        under=tuple(_shortfall(trained, floor) for floor in (FLOOR, ADVICE)),
        dictionary=None if known is None else len(known),
        never_seen=None if known is None else _groups(known.difference(text.occurrences)),
    )


def _groups(chars: Iterable[str]) -> dict[str, int]:
    counts = Counter(map(script, chars))
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def _to_tail(head: int, tail: int) -> str:
    return f"{head:,} to {tail:,} lines" + (f" ({head / tail:.0f} : 1)" if tail else "")


def balance_lines(found: Balance) -> list[str]:
    """The balance of recognition labels in a few short lines for the terminal."""
    lengths = found.lengths
    floors = ", ".join(f"{len(under.chars)} in fewer than {under.floor} lines" for under in found.under)
    lines = [
        f"characters: {found.characters:,} in {found.occurrences:,} places of {found.lines:,} lines; "
        f"{floors}",
        f"spread: {found.entropy:.2f} bits (as even as {2**found.entropy:.0f} characters), Gini "
        f"{found.gini:.2f}, 90th to 10th percentile {_to_tail(found.head, found.tail)}",
        f"lengths: mean {lengths.mean:.1f}, median {lengths.median}, p80 {lengths.p80}, p95 {lengths.p95}, "
        f"longest {lengths.most}; {lengths.short:.1%} of at most {SHORT}",
        f"words: {found.words:,}; {found.spaced:.1%} of the labels hold a space",
    ]
    if found.never_seen:
        groups = ", ".join(f"{group} {count:,}" for group, count in list(found.never_seen.items())[:4])
        lines.append(f"dictionary: {found.unseen:,} of {found.dictionary:,} characters never seen ({groups})")
    return lines
