"""The plan of a round, reasons to stop, time, slices, sets apart, the screen."""

from __future__ import annotations

import io
import json
import shutil
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from datakit.errors import UsageError
from datakit.loop.apart import require_apart
from datakit.loop.clock import StepClock, read_seconds, seconds_spent
from datakit.loop.decide import Before, Missed, compare, decide
from datakit.loop.plan import LoopPlan
from datakit.loop.screen import LiveScreen, PlainScreen
from datakit.loop.slices import CharacterChange, Trained, changed_characters, names_of, slice_scores
from datakit.loop.stops import reason_to_stop
from datakit.loop.summary import LoopResult, RoundSummary, summary_from
from datakit.mix import Part
from datakit.records import Prediction, Target, Targets

SCORES = {"t": {"all": {"accuracy_folded": 0.5}}}
ROW = RoundSummary(0, False, "base", (), SCORES, 60.0, "m")


def report(lines: int, kinds: dict[str, int], **missed: tuple[int, int]) -> dict[str, Any]:
    return {
        "totals": {"lines": lines},
        "kinds": kinds,
        "characters": [{"char": c, "missed_lines": m, "lines": n} for c, (m, n) in missed.items()],
    }


def before(was: dict[str, Any], targets: str, improved: bool = True, **more: Any) -> Before:
    result = {"improved": improved, "refused": more.pop("refused", {})}
    return Before(1, was, tuple(targets), more.pop("without_effect", {}), more.pop("general", 1.0), result)


def targets(**counts: int) -> Targets:
    return Targets(tuple(Target(char, count) for char, count in counts.items()))


def made(decision: Any) -> dict[str, int]:
    return {target.char: target.count for target in decision.targets.targets}


@pytest.mark.parametrize(
    ("was", "now", "verdict"),
    [
        ((50, 100), (10, 100), "fell"),
        ((10, 100), (50, 100), "grew"),
        ((10, 100), (12, 100), "unclear"),
        ((3, 4), (2, 4), "unclear"),
        ((5, 10), (0, 0), "unclear"),
        ((0, 100), (0, 100), "unclear"),
    ],
)
def test_what_is_a_change(was: tuple[int, int], now: tuple[int, int], verdict: str) -> None:
    assert compare(Missed(*was), Missed(*now)) == verdict


def test_the_first_round_makes_what_badcases_asks_for() -> None:
    decision = decide(report(10, {"misread": 4, "turned": 0}), targets(a=30, b=20), None)
    assert made(decision) == {"a": 30, "b": 20}
    assert decision.sentences == (
        "misread: 4 of 10 lines (40.0%)",
        "to make: 2 characters in 50 lines at most: 'a' x 30 'b' x 20",
    )


def test_counts_follow_what_became_of_the_characters() -> None:
    was = report(200, {"misread": 80}, a=(50, 100), b=(50, 100), c=(20, 30), d=(5, 9), e=(9, 9))
    now = report(200, {"misread": 20}, a=(10, 100), b=(48, 100), c=(0, 30), e=(9, 9), n=(7, 9))
    decision = decide(now, targets(a=20, b=20, e=40, n=30), before(was, "abcde", without_effect={"e": 1}))
    # Fell: half; no change: twice; a second time without effect: none; new: as asked.
    assert made(decision) == {"a": 10, "b": 40, "n": 30}
    assert decision.without_effect == {"b": 1, "e": 2}
    assert "misread: 20 of 200 lines (10.0%), 80 of 200 (40.0%) a round before: fewer" in decision.sentences
    assert "'a': missed in 10 of 100 lines, 50 of 100 a round before: mended in part, half as many lines" in (
        decision.sentences
    )
    assert "'c': missed in 0 of 30 lines, 20 of 30 a round before: mended" in decision.sentences
    assert (
        "'d': missed in 0 of 0 lines, 5 of 9 a round before: not among the lines read" in decision.sentences
    )
    assert any("made in 2 rounds without effect, left out" in line for line in decision.sentences)
    assert decision.to_dict()["general"] == 1.0


def test_a_round_that_forgot_is_followed_by_fewer_new_lines_and_more_general_ones() -> None:
    was = report(100, {"misread": 10}, a=(5, 9))
    refused = {"tuned": ["words: 5 of 100 lines lost, 2.0 allowed"]}
    decision = decide(was, targets(a=21), before(was, "a", improved=False, refused=refused, general=1.5))
    assert made(decision) == {"a": 10}
    assert decision.general == 2.25
    assert decision.rate == decision.to_dict()["rate"] == 0.5
    assert (
        "general lines at 2.25 x the guide's ratio (1.5 x before), and 0.5 x the plan's learning rate (1 x"
        in (decision.sentences[-2])
    )
    slow = replace(before(was, "a", improved=False, refused=refused), rate=0.125)
    assert decide(was, targets(a=21), slow).rate == 0.125
    assert any("words: 5 of 100 lines lost" in line for line in decision.sentences)
    plain = decide(was, targets(a=21), before(was, "a", improved=False, general=1.5))
    assert (made(plain), plain.general, plain.rate) == ({"a": 21}, 1.5, 1.0)
    assert any("no candidate read more of val" in line for line in plain.sentences)


def test_reasons_to_stop() -> None:
    plan = LoopPlan(out=Path("out"), domain=(), val=Part(Path("val.txt")))
    lost, won = replace(ROW, number=1), replace(ROW, number=1, promoted=True)
    assert reason_to_stop(plan, [ROW, lost, lost, lost], 1e9) is None
    patient = replace(plan, patience=2)
    assert reason_to_stop(patient, [ROW, lost, won, lost], 0) is None
    assert reason_to_stop(patient, [ROW, won, lost, lost], 0) == (
        "patience: 2 rounds in a row without a gain"
    )
    good = replace(plan, target_accuracy=0.9)
    assert reason_to_stop(good, [replace(ROW, val=0.89)], 0) is None
    assert reason_to_stop(good, [replace(ROW, val=0.9)], 0) == (
        "target: 0.9000 folded on val, 0.9 was asked for"
    )
    short = replace(plan, budget_minutes=3)
    assert reason_to_stop(short, [ROW], 179) is None
    assert reason_to_stop(short, [ROW], 180) == "budget: 3.0 of 3 minutes are spent"
    assert reason_to_stop(short, [ROW, lost], 120) is None
    assert "a round took up to 1.0" in str(reason_to_stop(short, [ROW, lost], 121))


def test_time_is_summed_over_starts_and_beats_while_a_step_runs(tmp_path: Path) -> None:
    path = tmp_path / "round-01" / "times.json"
    first = StepClock(path, beat=0.01)
    with first.step("synth"):
        time.sleep(0.1)
        beaten = read_seconds(path)["synth"]
    assert 0 < beaten <= read_seconds(path)["synth"]
    path.write_text(json.dumps({"seconds": {"synth": 100.0, "mix": 7.0}}), encoding="utf-8")
    again = StepClock(path)
    with pytest.raises(ZeroDivisionError), again.step("synth"):
        raise ZeroDivisionError
    assert 100 <= read_seconds(path)["synth"] < 101
    assert again.total == pytest.approx(107, abs=1)
    assert seconds_spent(tmp_path) == pytest.approx(107, abs=1)


def reading(label: str, text: str | None, line: int = 1) -> Prediction:
    return Prediction("f", line, "a.png", label, text, None if text is not None else "broken")


def test_slices() -> None:
    trained = Trained(frozenset({"seen"}), Counter({"s": 500, "e": 500, "n": 500, "x": 199}))
    assert list(names_of("seen", trained)) == ["short", "without space", "seen text"]
    assert list(names_of("S een", trained)) == ["short", "with space", "rare characters", "seen text"]
    assert list(names_of("seen seen seen", trained)) == ["long", "with space", "unseen text"]
    scores = slice_scores([reading("seen", "seen"), reading("xs", "s"), reading("se ns", None)], trained)
    assert {name: (score.exact_folded, score.lines) for name, score in scores.items()} == {
        "short": (1, 3),
        "with space": (0, 1),
        "without space": (1, 2),
        "rare characters": (0, 1),
        "seen text": (1, 1),
        "unseen text": (0, 2),
    }


def test_characters_mended_and_broken() -> None:
    was = [reading("ab", "xb", 1), reading("ac", "xc", 2), reading("cd", "cd", 3)]
    now = [reading("ab", "ab", 1), reading("ac", "ac", 2), reading("cd", "cx", 3)]
    assert changed_characters(was, now) == [CharacterChange("a", 2, 2, 0), CharacterChange("d", 1, 0, 1)]


def part(folder: Path, name: str, **pictures: bytes) -> Part:
    (folder / name).mkdir()
    for picture, data in pictures.items():
        (folder / name / f"{picture}.png").write_bytes(data)
    path = folder / name / "labels.txt"
    path.write_text("".join(f"{picture}.png\t1\n" for picture in pictures), encoding="utf-8")
    return Part(path)


def test_a_test_set_shares_nothing_with_what_a_step_sees(tmp_path: Path) -> None:
    train, val = part(tmp_path, "train", a=b"aaaa", b=b"bbbb"), part(tmp_path, "val", c=b"cccc")
    test = part(tmp_path, "test", d=b"dddd", e=b"ee")
    plan = LoopPlan(out=tmp_path / "out", domain=(train,), val=val, test={"t": test})
    require_apart(plan)
    for use, other in (
        ("val", {"val": test}),
        ("guard", {"guard": (test,)}),
        ("domain", {"domain": (test,)}),
    ):
        with pytest.raises(UsageError, match=f"test set 't' is also {use} "):
            require_apart(replace(plan, **other))  # type: ignore[arg-type]
    # The same picture by another file and folder.
    (tmp_path / "more.txt").write_text("test/d.png\t2\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"shares 1 pictures with general, the first: .*labels.txt:1 and"):
        require_apart(replace(plan, general=(Part(tmp_path / "more.txt"),)))
    # A copy, byte for byte.
    shutil.copy(tmp_path / "test" / "e.png", tmp_path / "train" / "b.png")
    with pytest.raises(UsageError, match=r"with domain, the first: .*test/labels.txt:2 and .*:2"):
        require_apart(plan)


def test_steps_get_no_test_set() -> None:
    val = Part(Path("val.txt"))
    plan = LoopPlan(out=Path("out"), domain=(), val=val, test={"t": val})
    assert dict(plan.blind().test) == {}
    assert replace(plan.blind(), test=plan.test) == plan


def test_a_row_survives_its_file() -> None:
    row = replace(ROW, val=0.25, steps={"synth": 1.5}, refused=("tuned: words",), targets=("a",))
    assert summary_from(json.loads(json.dumps(row.to_dict()))) == row


def test_plain_lines_for_every_new_row() -> None:
    said: list[str] = []
    screen = PlainScreen(said.append)
    result = LoopResult((ROW,), "m", Path())
    screen.begin(0, "score")
    screen.table(result)
    screen.table(result)
    better = {"t": {"all": {"accuracy_folded": 0.75}}}
    row = replace(ROW, number=1, promoted=True, candidate="tuned", scores=better)
    screen.table(LoopResult((ROW, row), "m", Path()))
    assert said == [
        "round 0 is over, base: t 0.5000; 1.0 minutes",
        "round 1 is over, promoted (tuned): t 0.7500 (+0.2500); 1.0 minutes",
    ]


def shown(raw: str) -> list[str]:
    """The lines that a terminal shows after ``raw``: text, new lines, "up n lines", "clear to the end"."""
    lines, at = [""], 0
    marked = raw.replace("\x1b[J", "\0J").replace("\x1b[", "\0U").replace("\n", "\0N")
    for piece in f"T{marked}".split("\0"):
        sign, text = piece[0], piece[1:]
        if sign == "N":
            at += 1
            lines += [""] * (at + 1 - len(lines))
        elif sign == "J":
            lines = [*lines[:at], ""]
        elif sign == "U":
            count, _, text = text.partition("F")
            at -= int(count)
        lines[at] += text
    return lines


def test_a_rule_of_the_labels_is_said() -> None:
    rules = [
        {"rule": "marks", "systematic": True, "sentence": "marks: differs in 9 of 10"},
        {"rule": "case", "systematic": False, "sentence": "case: differs in 1 of 10"},
        {"rule": "width", "systematic": True, "sentence": "width: differs in 8 of 10"},
    ]
    sentences = decide({**report(10, {}), "labelling_rules": rules}, Targets(()), None).sentences
    assert sentences == (
        "labels, marks: differs in 9 of 10 (in a loop.yaml: restore: [marks])",
        "labels, width: differs in 8 of 10",
        "no character to make",
    )


def test_the_live_table_stays_below_the_lines() -> None:
    stream = io.StringIO()
    stream.isatty = lambda: True  # type: ignore[method-assign]
    screen = LiveScreen(stream)
    with screen.shown():
        screen.table(LoopResult((ROW,), "m", Path()))
        screen.begin(1, "synth")
        print("one line", file=sys.stderr)
        print("\rbar 1/2", end="", file=sys.stderr)
        print("\rbar 2/2", end="", file=sys.stderr)
        assert [line.split()[0] for line in shown(stream.getvalue()) if line] == [
            *("one", "round", "0", "round", "bar"),
        ]
        assert shown(stream.getvalue())[-2] == "bar 2/2"
        print(file=sys.stderr)
        screen.say("another")
    lines = [line for line in shown(stream.getvalue()) if line]
    assert lines[:3] == ["one line", "bar 2/2", "another"]
    assert [line.split()[0] for line in lines[3:]] == ["round", "0"]
