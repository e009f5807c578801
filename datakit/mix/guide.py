"""The rules of the fine-tuning guide: ratios from counts, and what lies outside its ranges.

Per epoch: domain to general about 1:1; original to new (targeted synthetic) lines between 10:1 and 5:1; real
to bulk synthetic lines between 1:1 and 1:3. Targeted lines are made for what fails, so they get the largest
share that the guide allows; bulk lines are all taken once where that is within the range.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, get_args

from datakit.errors import UsageError
from datakit.mix.sources import Kind

# What a source is there for; mix.yaml keeps the kind alone.
Role = Literal["domain", "general", "synthetic", "bulk", "badcases"]
ROLES: tuple[Role, ...] = get_args(Role)
KIND_OF: dict[Role, Kind] = {
    "domain": "domain",
    "general": "general",
    "synthetic": "synthetic",
    "bulk": "synthetic",
    "badcases": "badcases",
}

# A general set far smaller than the domain: more repeats than this teach its few lines by heart.
GENERAL_CAP = 4.0
# What is still "about 1:1".
ABOUT = 1.5
OLD_TO_NEW = 5.0
OLD_TO_NEW_LIMIT = 10.0
BULK = (1.0, 3.0)
# Failing lines are real lines once more: together at most a tenth of the real ones, each at most three times.
BADCASE_SHARE = 0.1
BADCASE_CAP = 3.0


def guide_ratios(totals: Mapping[Role, int]) -> dict[Role, float]:
    """A ratio for every role that has lines, from the numbers of lines.

    Raises:
        UsageError: no line of the domain.
    """
    domain = totals.get("domain", 0)
    if not domain:
        raise UsageError("the rule 'guide' starts from the domain's lines: give --domain, or --rule as-is")
    ratios: dict[Role, float] = {"domain": 1.0}
    real = domain
    if general := totals.get("general", 0):
        ratios["general"] = min(domain / general, GENERAL_CAP)
        real += round(general * ratios["general"])
    if synthetic := totals.get("synthetic", 0):
        ratios["synthetic"] = min(real / OLD_TO_NEW / synthetic, 1.0)
    if bulk := totals.get("bulk", 0):
        ratios["bulk"] = min(real * BULK[1] / bulk, 1.0)
    if badcases := totals.get("badcases", 0):
        ratios["badcases"] = min(real * BADCASE_SHARE / badcases, BADCASE_CAP)
    return ratios


def outside(lines: Mapping[Role, int], draws: Mapping[Role, int]) -> Iterator[str]:
    """One sentence for everything in an epoch of ``draws`` that is outside the guide's ranges.

    Half a line more or less, which rounding can make, is no reason.
    """
    domain, general = draws.get("domain", 0), draws.get("general", 0)
    real = domain + general
    if domain and not lines.get("general"):
        yield "general: none given; without general lines a fine-tuned model forgets what it knew"
    elif domain and general and not _about(domain, general):
        ratio = _per(
            domain, general, "domain lines for each general one", "general lines for each domain one"
        )
        most = " (a set is repeated 4 times and no more)" if general >= GENERAL_CAP * lines["general"] else ""
        yield f"general: an epoch holds {ratio}; the guide: about 1:1{most}"
    if real:
        yield from _new_lines(real, lines, draws)


def _new_lines(real: int, lines: Mapping[Role, int], draws: Mapping[Role, int]) -> Iterator[str]:
    new = draws.get("synthetic", 0)
    if new and new + 0.5 < real / OLD_TO_NEW_LIMIT:
        more = "; all are taken once, more would help" if new == lines["synthetic"] else ""
        yield (
            f"synthetic: {new} draws are fewer than 1 for 10 real ones ({real}); the guide: 10:1 to 5:1{more}"
        )
    if new - 0.5 > real / OLD_TO_NEW:
        yield f"synthetic: {new} draws are more than 1 for 5 real ones ({real}); the guide: 10:1 to 5:1"
    bulk = draws.get("bulk", 0)
    if bulk and not BULK[0] * real - 0.5 <= bulk <= BULK[1] * real + 0.5:
        yield f"bulk: {bulk} draws for {real} real ones, {bulk / real:.2f} for each; the guide: 1 to 3"
    failing, given = draws.get("badcases", 0), lines.get("badcases", 0)
    if failing - 0.5 > real * BADCASE_SHARE:
        yield f"badcases: {failing} draws are more than a tenth of the real ones ({real})"
    elif 0 < failing < given:
        yield (
            f"badcases: {given} lines are more than a tenth of the real ones ({real}); an epoch draws "
            f"{failing / given:.0%} of them"
        )
    if given and failing > BADCASE_CAP * given:
        yield f"badcases: each is drawn {failing / given:.1f} times; more than 3 teach them by heart"


def _about(one: int, other: int) -> bool:
    return one <= ABOUT * other + 1 and other <= ABOUT * one + 1


def _per(one: int, other: int, more: str, fewer: str) -> str:
    return f"{one / other:.1f} {more}" if one > other else f"{other / one:.1f} {fewer}"
