"""What the next round makes, decided from what the rounds before it changed.

Three things are compared: how often each kind of failure occurs now and in the round before, what became of
the characters that the round before made, and why it was not promoted if it was not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from datakit.intervals import wilson
from datakit.records import Target, Targets

# Lines made twice without effect are no cure: the character is left out the third time.
MOST_WITHOUT_EFFECT = 2
MORE, LESS = 2.0, 0.5
# A guard set lost too much: general lines grow by this, up to so many times the guide's.
GENERAL, MOST_GENERAL = 1.5, 3.0
# And the learning rate shrinks by this, down to so much of the plan's.
RATE, LEAST_RATE = 0.5, 0.125
# A rule of the labels -> what of them to restore.
_RESTORE = {"case": "case", "spaces": "space", "marks": "marks"}


@dataclass(frozen=True, slots=True)
class Before:
    """The round before: its badcases report, its decision, and its training's result.json."""

    number: int
    report: Mapping[str, Any]
    targets: tuple[str, ...]
    without_effect: Mapping[str, int]
    general: float
    result: Mapping[str, Any]
    rate: float = 1.0

    @property
    def promoted(self) -> bool:
        """Whether the model is another one since."""
        return bool(self.result["improved"])

    @property
    def forgot(self) -> tuple[str, ...]:
        """Reasons why candidates were refused by the guards, each once."""
        return tuple(
            dict.fromkeys(reason for reasons in self.result["refused"].values() for reason in reasons)
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """Targets of a round, the sentences that explain them, and what the next decision needs.

    ``general`` multiplies the guide's ratio of general lines, ``rate`` the plan's learning rate;
    ``without_effect`` counts, by character, the rounds in a row that made it and did not lower its misses.
    """

    targets: Targets
    sentences: tuple[str, ...]
    general: float = 1.0
    without_effect: Mapping[str, int] = field(default_factory=dict)
    rate: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """For decision.json."""
        return {
            "schema_version": 1,
            "sentences": list(self.sentences),
            "general": self.general,
            "rate": self.rate,
            "without_effect": dict(self.without_effect),
        }


@dataclass(frozen=True, slots=True)
class Missed:
    """Lines with a character, and those in which it is missed."""

    missed: int
    lines: int

    @property
    def rate(self) -> float:
        """0..1."""
        return self.missed / self.lines if self.lines else 0.0

    def __str__(self) -> str:
        return f"{self.missed} of {self.lines}"


def compare(before: Missed, now: Missed) -> str:
    """``fell``, ``grew`` or ``unclear``: whether the 95 % interval of the one excludes the other's rate."""
    low, high = wilson(now.missed, now.lines), wilson(before.missed, before.lines)
    if not now.lines or not before.lines:
        return "unclear"
    if low.high < before.rate or now.rate < high.low:
        return "fell"
    return "grew" if low.low > before.rate or now.rate > high.high else "unclear"


def decide(report: Mapping[str, Any], targets: Targets, before: Before | None) -> Decision:
    """The targets of badcases, scaled by what the round before did to the same characters.

    ``report`` is the report.json of this round's badcases, ``targets`` its targets.json.
    """
    if before is None:
        return Decision(targets, (*_kinds(report, None), *_rules(report), *_asked(targets)))
    sentences = [*_kinds(report, before), *_rules(report)]
    if not before.promoted:
        return _after_refusal(targets, before, sentences)
    now, then = _misses(report), _misses(before.report)
    kept: list[Target] = []
    without: dict[str, int] = {}
    wanted = {target.char: target for target in targets.targets}
    for char in before.targets:
        counts = then.get(char, Missed(0, 0)), now.get(char, Missed(0, 0))
        verdict = compare(*counts)
        if char in wanted and verdict != "fell":
            without[char] = before.without_effect.get(char, 0) + 1
        sentences.append(_sentence(char, *counts, verdict, without.get(char, 0), char in wanted))
    for target in targets.targets:
        tried = without.get(target.char, 0)
        if tried < MOST_WITHOUT_EFFECT:
            factor = MORE if tried else LESS if target.char in before.targets else 1.0
            kept.append(replace(target, count=max(1, round(target.count * factor))))
    chosen = replace(targets, targets=tuple(kept))
    return Decision(chosen, (*sentences, *_asked(chosen)), before.general, without, before.rate)


def _after_refusal(targets: Targets, before: Before, sentences: list[str]) -> Decision:
    """The model is the same: nothing made since has been tried, and why it was refused decides."""
    name = f"round {before.number} was not promoted"
    if not before.forgot:
        sentences.append(f"{name}: no candidate read more of val; the same characters, other lines of them")
        return Decision(
            targets, (*sentences, *_asked(targets)), before.general, before.without_effect, before.rate
        )
    rate = max(before.rate * RATE, LEAST_RATE)
    general = min(before.general * GENERAL, MOST_GENERAL)
    halved = tuple(replace(t, count=max(1, round(t.count * LESS))) for t in targets.targets)
    sentences.append(
        f"{name}, it forgot ({'; '.join(before.forgot[:3])}): half as many new lines of each character, "
        f"general lines at {general:g} x the guide's ratio ({before.general:g} x before), and {rate:g} x the "
        f"plan's learning rate ({before.rate:g} x before)"
    )
    chosen = replace(targets, targets=halved)
    return Decision(chosen, (*sentences, *_asked(chosen)), general, before.without_effect, rate)


def _misses(report: Mapping[str, Any]) -> dict[str, Missed]:
    return {
        str(row["char"]): Missed(int(row["missed_lines"]), int(row["lines"])) for row in report["characters"]
    }


def _kinds(report: Mapping[str, Any], before: Before | None) -> Iterator[str]:
    """One sentence for each kind of failure that occurs, most frequent first."""
    lines = int(report["totals"]["lines"])
    then = None if before is None else before.report
    kinds = dict(report["kinds"])
    seen = set(kinds) | set(then["kinds"] if then else ())
    for kind in sorted(seen, key=lambda kind: (-kinds.get(kind, 0), kind)):
        now = Missed(int(kinds.get(kind, 0)), lines)
        if then is None:
            if now.missed:
                yield f"{kind}: {now} lines ({now.rate:.1%})"
            continue
        was = Missed(int(then["kinds"].get(kind, 0)), int(then["totals"]["lines"]))
        if now.missed or was.missed:
            change = {"fell": "fewer", "grew": "more", "unclear": "no clear change"}[compare(was, now)]
            yield f"{kind}: {now} lines ({now.rate:.1%}), {was} ({was.rate:.1%}) a round before: {change}"


def _rules(report: Mapping[str, Any]) -> Iterator[str]:
    """Rules of the labels: training on them teaches the rule, and no picture that is made changes it."""
    for finding in report.get("labelling_rules", ()):
        if finding["systematic"]:
            what = _RESTORE.get(finding["rule"])
            here = f" (in a loop.yaml: restore: [{what}])" if what else ""
            yield f"labels, {finding['sentence']}{here}"


def _sentence(char: str, was: Missed, now: Missed, verdict: str, tried: int, wanted: bool) -> str:
    figures = f"{char!r}: missed in {now} lines, {was} a round before"
    if not now.lines:
        return f"{figures}: not among the lines read"
    if not wanted:
        return f"{figures}: {'mended' if not now.missed else 'no target any more'}"
    if verdict == "fell":
        return f"{figures}: mended in part, half as many lines"
    if tried >= MOST_WITHOUT_EFFECT:
        return f"{figures}: made in {tried} rounds without effect, left out; look at its pictures"
    return f"{figures}: not mended, twice as many lines"


def _asked(targets: Targets) -> Iterator[str]:
    if not targets.targets:
        yield "no character to make"
        return
    listed = " ".join(f"{target.char!r} x {target.count}" for target in targets.targets)
    lines = sum(target.count for target in targets.targets)
    yield f"to make: {len(targets.targets)} characters in {lines} lines at most: {listed}"
