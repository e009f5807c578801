"""Which sources help: verdicts, what is left out, and short runs that leave nothing but their result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from datakit.loop import load_plan, run_loop
from datakit.loop.folders import RoundFolder, read_json, round_folder, write_json
from datakit.loop.sources import Trial, goes, mix_of_round, sentences, verdict
from datakit.mix import Mix, Source, load_mix, write_mix

SYNTHETIC = Source(Path("s.txt"), Path(), "synthetic", 1.0)
GENERAL = Source(Path("g.txt"), Path(), "general", 1.0)
WHOLE = Trial(None, 100, 400)


@pytest.mark.parametrize(
    ("right", "wanted"), [(104, "unclear"), (105, "hurts"), (96, "unclear"), (95, "helps")]
)
def test_a_difference_is_one_from_the_larger_of_two_lines_and_a_hundredth_on(right: int, wanted: str) -> None:
    assert verdict(WHOLE, Trial(SYNTHETIC, right, 400)) == wanted
    assert verdict(replace(WHOLE, lines=50), Trial(SYNTHETIC, 103, 50)) == "hurts"
    assert verdict(replace(WHOLE, lines=50), Trial(SYNTHETIC, 102, 50)) == "unclear"


def test_general_lines_stay_even_if_they_cost() -> None:
    assert goes(WHOLE, Trial(SYNTHETIC, 120, 400))
    assert not goes(WHOLE, Trial(GENERAL, 120, 400))
    assert list(sentences(WHOLE, [Trial(SYNTHETIC, 120, 400), Trial(GENERAL, 120, 400)], 9)) == [
        "synthetic s.txt: without it 120 of 400 lines of val after 9 steps, with it 100: it hurts, left out "
        "of this round",
        "general g.txt: without it 120 of 400 lines of val after 9 steps, with it 100: it hurts",
    ]


def test_what_hurts_does_not_train(tmp_path: Path) -> None:
    folder = RoundFolder(tmp_path / "round-01")
    sources = [
        replace(s, label_file=tmp_path / s.label_file, data_dir=tmp_path) for s in (SYNTHETIC, GENERAL)
    ]
    write_mix(folder.mix, Mix(tuple(sources)))
    assert len(mix_of_round(folder).sources) == 2
    gone = str(load_mix(folder.mix).sources[0].label_file)
    write_json(folder.sources, {"left_out": [gone]})
    assert [source.kind for source in mix_of_round(folder).sources] == ["general"]


def test_short_runs_are_made_once_and_leave_their_result(loop_file: Path) -> None:
    plan = replace(load_plan(loop_file), rounds=1, leave_one_out=1)
    said: list[str] = []
    result = run_loop(plan, say=said.append)
    folder = round_folder(plan.out, 1)
    found = read_json(folder.sources)
    tried = [source for source in load_mix(folder.mix).sources if source.kind != "domain"]
    assert len(found["sentences"]) == len(tried) >= 2
    assert [f"sources: {sentence}" for sentence in found["sentences"]] == said[
        said.index(f"sources: {found['sentences'][0]}") :
    ][: len(tried)]
    assert sorted(path.name for path in folder.sources.parent.iterdir()) == ["manifest.json", "sources.json"]
    assert result.rounds[1].steps["sources"] > 0
    calls = len(said)
    run_loop(plan, say=said.append)
    assert not any(line.startswith("sources") for line in said[calls:])


def test_not_where_the_budget_is_half_spent(loop_file: Path) -> None:
    plan = replace(load_plan(loop_file), rounds=1, leave_one_out=1, budget_minutes=60)
    said: list[str] = []
    run_loop(plan, ask=lambda _question: False)
    times = round_folder(plan.out, 1).times
    write_json(times, {"schema_version": 1, "seconds": {"predict": 1900.0}})
    run_loop(plan, say=said.append)
    assert "sources: not tried, over 50% of the 60 minutes are spent" in said
    assert not round_folder(plan.out, 1).sources.exists()
