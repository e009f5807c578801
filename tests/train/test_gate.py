from __future__ import annotations

from datakit.metrics import Score
from datakit_train.gate import Candidate, allowed_loss, best_passing, changes, choose, forgotten


def candidate(name: str, domain: int, guard: int, *, edits: int = 10, lines: int = 1000) -> Candidate:
    return Candidate(
        name,
        Score(lines=200, exact=domain, exact_folded=domain, edits=edits, characters=1000),
        {"guard": Score(lines=lines, exact=guard, exact_folded=guard, edits=0, characters=lines)},
    )


BASE = candidate("base", 100, 800)


def test_the_allowance_is_half_a_point_or_two_lines() -> None:
    assert [allowed_loss(lines) for lines in (1, 100, 400, 1000, 2000)] == [2, 2, 2, 5, 10]
    assert allowed_loss(1000, 0.02) == 20
    assert allowed_loss(1000, 0.0) == 2


def test_exactly_the_allowance_passes_and_one_more_line_does_not() -> None:
    assert forgotten(BASE, candidate("c", 120, 795)) == ()
    assert forgotten(BASE, candidate("c", 120, 794)) == ("guard: 6 of 1000 lines lost, 5.0 allowed",)
    small = candidate("base", 100, 80, lines=100)
    assert forgotten(small, candidate("c", 120, 78, lines=100)) == ()
    assert forgotten(small, candidate("c", 120, 77, lines=100)) == (
        "guard: 3 of 100 lines lost, 2.0 allowed",
    )


def test_the_best_that_passes_is_chosen() -> None:
    greedy, modest, best = candidate("a", 150, 700), candidate("b", 110, 800), candidate("c", 120, 796)
    assert choose(BASE, [greedy, modest, best]) is best
    assert choose(BASE, [greedy]) is BASE
    assert choose(BASE, []) is BASE


def test_cer_decides_between_equals_and_a_draw_keeps_the_base() -> None:
    assert choose(BASE, [candidate("same", 100, 900)]) is BASE
    fewer = candidate("fewer edits", 100, 800, edits=9)
    assert choose(BASE, [candidate("more edits", 100, 800, edits=11), fewer]) is fewer


def test_of_those_that_the_domain_cannot_tell_apart_the_guards_decide() -> None:
    """Of 200 lines it cannot tell two; a point of it counts as one of the guards."""
    best, gentle, weak = candidate("a", 120, 796), candidate("b", 118, 807), candidate("c", 117, 900)
    assert choose(BASE, [best, gentle, weak]) is gentle
    assert best_passing(BASE, [best, gentle, weak]) is best
    assert choose(BASE, [best, weak]) is best
    assert choose(BASE, [best, candidate("b", 118, 805)]) is best
    equals = candidate("b", 120, 797)
    assert choose(BASE, [best, equals]) is equals
    assert choose(BASE, [candidate("a", 102, 796), candidate("b", 100, 900)]).name == "a"
    alone = [Candidate(c.name, c.domain, {}) for c in (best, gentle)]
    assert choose(Candidate("base", BASE.domain, {}), alone) is alone[0]


def test_a_guard_set_that_got_better_is_no_loss() -> None:
    assert forgotten(BASE, candidate("c", 100, 900)) == ()


def test_folded_lines_count_and_not_the_labelled_ones() -> None:
    shouting = Candidate("c", Score(200, 190, 100, 10, 1000), {"guard": Score(1000, 1000, 790, 0, 1000)})
    assert len(forgotten(BASE, shouting)) == 1
    assert choose(Candidate("base", BASE.domain, {}), [Candidate("c", shouting.domain, {})]).name == "base"


def test_changes_are_paired() -> None:
    """Ten lines won and two lost of a hundred: the interval is that of the pairs, not of two shares."""
    before = (True,) * 50 + (False,) * 50
    after = (False,) * 2 + (True,) * 58 + (False,) * 40
    base = Candidate("base", Score(), {}, {"": before, "words": before})
    found = changes(base, Candidate("c", Score(), {}, {"": after}))
    assert list(found) == [""]
    change = found[""]
    assert (change.won, change.lost, change.lines, change.gain.value) == (10, 2, 100, 0.08)
    # sqrt(0.12 - 0.08 ** 2) / 10 is 0.034.
    assert 0.00 <= change.gain.low <= 0.03 and 0.13 <= change.gain.high <= 0.16
    assert change.describe().startswith("+8 of 100 (10 won, 2 lost): +8.0 points, 95 % +")
    same = changes(base, base)["words"]
    assert (same.gain.low, same.gain.high) == (0.0, 0.0)
    assert changes(base, Candidate("read from a file", Score(), {})) == {}
