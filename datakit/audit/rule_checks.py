"""Checks on the rules of a set's labels: case, spaces, width."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from datakit.audit.check import Check
from datakit.label_rules import Case, CaseShares, Difference, RuleShares

# Fewer labels with words, or fewer readings, than this prove no habit.
LEAST_WORDS = 20
LEAST_READ = 50
# A habit has exceptions: a typing slip or two in a hundred.
NEARLY_ALL = 0.98
# A strong model misreads case or spaces in fewer lines than this.
NOTABLE = 0.02


@dataclass(frozen=True, slots=True)
class RuleFacts:
    """The case of a set's labels, and what parts them from a model's readings where there are any."""

    cases: CaseShares
    read: RuleShares | None = None


def one_case(cases: CaseShares) -> Case | None:
    """``upper`` or ``lower`` where nearly all labels that hold a word are; None for a set of both."""
    if cases.words < LEAST_WORDS:
        return None
    for case in ("upper", "lower"):
        if cases.share(case) >= NEARLY_ALL:
            return case
    return None


def _notable(read: RuleShares | None, of: Difference) -> bool:
    return read is not None and read.lines - read.unreadable >= LEAST_READ and read.share(of) >= NOTABLE


def _counted(read: RuleShares, of: Difference) -> str:
    return f"{getattr(read, of)} of {read.lines - read.unreadable} readings ({read.share(of):.1%})"


def case_rule(facts: RuleFacts) -> Iterator[str]:
    """Sets in one case, and sets whose case is not what a model reads."""
    case, read = one_case(facts.cases), facts.read
    habit = ""
    if case:
        share = "all" if facts.cases.share(case) == 1 else f"{facts.cases.share(case):.1%} of"
        habit = (
            f"{share} {facts.cases.words} labels that hold a word of four letters or more are in {case} case"
        )
    if read is not None and _notable(read, "case"):
        side = f" ({read.label_upper} labels all upper, {read.label_lower} all lower)"
        parted = f"{_counted(read, 'case')} differ from the label by case alone{side}"
        yield f"{habit}; {parted}" if habit else parted
    elif habit:
        yield habit


def space_rule(facts: RuleFacts) -> Iterator[str]:
    """Sets whose spaces are not where a model reads them."""
    read = facts.read
    if read is not None and _notable(read, "spaces"):
        side = f"{read.label_joined} labels have fewer spaces, {read.label_spaced} more"
        yield f"{_counted(read, 'spaces')} differ from the label by spaces alone: {side}"


def width_rule(facts: RuleFacts) -> Iterator[str]:
    """Sets written in another width than a model reads."""
    read = facts.read
    if read is not None and _notable(read, "width"):
        yield f"{_counted(read, 'width')} differ from the label by full or half width alone (NFKC)"


RULE_CHECKS: dict[str, Check[RuleFacts]] = {
    "case-rule": Check(
        case_rule,
        "warning",
        "Do the labels keep the case of the pictures?",
        "Labels all in capitals may be right, or a habit: then the model is taught to read Total as TOTAL, "
        "everywhere.",
        "look at pictures with lower case; compare results folded",
    ),
    "space-rule": Check(
        space_rule,
        "info",
        "Do the labels keep the spaces of the pictures?",
        "Where spaces follow no firm rule the model cannot learn one, and exact accuracy counts its errors.",
        "one rule for spaces in the whole set; compare results folded",
    ),
    "width-rule": Check(
        width_rule,
        "info",
        "Do the labels keep the width that the dictionary and the model use?",
        "Full-width and plain forms of a character are two classes for one picture.",
        "one width in the whole set, the one that the stock dictionary reads",
    ),
}
