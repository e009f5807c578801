"""What a set's labels do with case, spaces and width, told from the labels and from what a model reads.

A label file follows rules that nobody wrote down: receipts are labelled in capitals whatever they show,
spaces are left out, digits are typed full-width. Where a strong model differs from many labels in nothing but
one of these, the difference is a rule of the labels and no mistake of either side.

Width means Unicode's compatibility forms (NFKC): full-width and half-width letters, circled digits,
ligatures, superscripts.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Literal

from datakit.records import Prediction

Difference = Literal["exact", "case", "spaces", "width", "several", "other"]
Case = Literal["upper", "lower", "title", "mixed", "none"]

# Four letters in a row of a script that has two cases (Latin, Greek, Cyrillic): shorter runs are units,
# codes and abbreviations, which are capitals in any text.
WORD = re.compile(r"[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u03ff\u0400-\u052f]{4,}")
_WORDS = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


def without_spaces(text: str) -> str:
    """``text`` without any white space (U+0020, U+3000, no-break and thin spaces)."""
    return "".join(text.split())


def folded_wide(text: str) -> str:
    """``text`` in NFKC, without case and without white space: equal for labels that follow other rules."""
    caseless = unicodedata.normalize("NFKC", text).casefold()
    return without_spaces(unicodedata.normalize("NFKC", caseless).casefold())


def difference(label: str, text: str) -> Difference:
    """What parts ``label`` and ``text``: nothing, one rule alone, ``several`` of them together, or more.

    A space of another kind (U+3000 for U+0020) counts as ``spaces``.
    """
    if label == text:
        return "exact"
    if label.casefold() == text.casefold():
        return "case"
    if without_spaces(label) == without_spaces(text):
        return "spaces"
    if unicodedata.normalize("NFKC", label) == unicodedata.normalize("NFKC", text):
        return "width"
    return "several" if folded_wide(label) == folded_wide(text) else "other"


def case_of(text: str) -> Case:
    """The case of a label: ``none`` without a word of four letters or more in a script that has two cases.

    ``title``: every word begins with a capital and goes on in small letters; ``mixed`` is what is left, a
    plain sentence among it.
    """
    if not WORD.search(text):
        return "none"
    small = any(char.islower() for char in text)
    if not any(char.isupper() or char.istitle() for char in text):
        return "lower" if small else "none"
    if not small:
        return "upper"
    return "title" if all(word == word.capitalize() for word in _WORDS.findall(text)) else "mixed"


@dataclass(frozen=True, slots=True)
class CaseShares:
    """Labels by :func:`case_of`; counts of lines, which add up."""

    upper: int = 0
    lower: int = 0
    title: int = 0
    mixed: int = 0
    none: int = 0

    @property
    def words(self) -> int:
        """Labels that hold a word, the ground of every share."""
        return self.upper + self.lower + self.title + self.mixed

    def share(self, case: Case) -> float:
        """Labels of ``case`` over all that hold a word, 0..1; 0 where none does."""
        return int(getattr(self, case)) / self.words if self.words else 0.0

    def __add__(self, other: CaseShares) -> CaseShares:
        return CaseShares(
            self.upper + other.upper,
            self.lower + other.lower,
            self.title + other.title,
            self.mixed + other.mixed,
            self.none + other.none,
        )

    def to_dict(self) -> dict[str, float | int]:
        """Counts, and shares of the labels with words, for JSON."""
        names: tuple[Case, ...] = ("upper", "lower", "title", "mixed")
        return {**asdict(self), **{f"{name}_share": round(self.share(name), 6) for name in names}}


def case_shares(texts: Iterable[str]) -> CaseShares:
    """Count the case of every label."""
    counts = Counter(case_of(text) for text in texts)
    return CaseShares(counts["upper"], counts["lower"], counts["title"], counts["mixed"], counts["none"])


@dataclass(frozen=True, slots=True)
class RuleShares:
    """Predictions by what parts label and reading; counts of lines.

    ``lines`` = exact + case + spaces + width + several + other + unreadable. Of the lines that only case
    parts, ``label_upper`` have a label without small letters where the reading has some, ``label_lower`` the
    other way round; of those that only spaces part, ``label_joined`` have fewer spaces than the reading,
    ``label_spaced`` more. ``agreed`` lines are equal under all three rules.
    """

    lines: int = 0
    exact: int = 0
    case: int = 0
    spaces: int = 0
    width: int = 0
    several: int = 0
    other: int = 0
    unreadable: int = 0
    label_upper: int = 0
    label_lower: int = 0
    label_joined: int = 0
    label_spaced: int = 0

    @property
    def agreed(self) -> int:
        """Lines whose label and reading are equal, but for case, spaces and width."""
        return self.exact + self.case + self.spaces + self.width + self.several

    def share(self, of: Difference) -> float:
        """Lines parted by ``of`` over the readable ones, 0..1; 0 where nothing was read."""
        read = self.lines - self.unreadable
        return int(getattr(self, of)) / read if read else 0.0

    def to_dict(self) -> dict[str, float | int]:
        """Counts, and shares of the readable lines, for JSON."""
        names: tuple[Difference, ...] = ("exact", "case", "spaces", "width", "several", "other")
        shares = {f"{name}_share": round(self.share(name), 6) for name in names}
        return {**asdict(self), "agreed": self.agreed, **shares}


def rule_shares(predictions: Iterable[Prediction]) -> RuleShares:
    """Count what parts label and reading over ``predictions``; those without a text are unreadable."""
    counts: Counter[str] = Counter()
    for prediction in predictions:
        counts["lines"] += 1
        if prediction.text is None:
            counts["unreadable"] += 1
            continue
        kind = difference(prediction.label, prediction.text)
        counts[kind] += 1
        if kind in ("case", "spaces"):
            counts.update(_direction(kind, prediction.label, prediction.text))
    return RuleShares(**counts)


def _direction(kind: Difference, label: str, text: str) -> list[str]:
    """The field of :class:`RuleShares` that says which side has the capitals, or more spaces."""
    if kind == "spaces":
        more = len(text) - len(label)
        return ["label_joined"] if more > 0 else ["label_spaced"] if more < 0 else []
    if not any(char.islower() for char in label):
        return ["label_upper"]
    return ["label_lower"] if not any(char.isupper() for char in label) else []
