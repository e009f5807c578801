"""mix: the guide's ranges, lifted characters, and that an epoch is exactly what was printed."""

import json
import tempfile
from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from datakit.cli.main import app
from datakit.errors import UsageError
from datakit.labels import read_rec
from datakit.mix import Lift, epoch_draws, load_mix, make_plan
from datakit.mix.guide import ROLES, outside
from datakit.mix.output import format_plan, plan_document, write_plan


def labels(path, texts):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{n}.jpg\t{text}\n" for n, text in enumerate(texts)), encoding="utf-8")
    return path


def many(path, count, text="a"):
    return labels(path, [text] * count)


# Files are synced to the disk; in memory that costs nothing.
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
TEXTS = st.lists(st.text("abcdeé漢", min_size=1, max_size=4), min_size=1, max_size=30)


@given(
    st.lists(st.tuples(st.sampled_from(ROLES), TEXTS, st.floats(0, 4)), min_size=1, max_size=4),
    st.integers(0, 12),
    st.integers(1, 4),
    st.integers(0, 2**31),
)
@settings(max_examples=60, deadline=None)
def test_an_epoch_of_the_written_mix_is_what_was_printed(sources, floor, cap, seed):
    with tempfile.TemporaryDirectory(dir=MEMORY) as name:
        root = Path(name)
        given_files = {role: [] for role in ROLES}
        ratios = {}
        for number, (role, texts, ratio) in enumerate(sources):
            path = labels(root / f"in/{number}.txt", texts)
            given_files[role].append(path)
            ratios[str(path)] = ratio
        plan = make_plan(
            **given_files, rule="as-is", ratios=ratios, lift=Lift(root / "out/lifted", floor, cap, share=1.0)
        )
        lists = write_plan(plan, root / "out", rule="as-is")
        mix = load_mix(root / "out/mix.yaml")
        lines = [read_rec(source.label_file)[0] for source in mix.sources]
        drawn = epoch_draws(mix, [len(found) for found in lines], seed=seed, epoch=seed % 3)

        printed = format_plan(plan, root / "out", lists).splitlines()[1 : len(mix.sources) + 1]
        by_source = Counter(index for index, _ in drawn)
        assert [int(row.split()[3]) for row in printed] == [by_source[i] for i in range(len(mix.sources))]
        assert plan_document(plan, lists)["totals"]["draws"] == len(drawn) == sum(plan.draws)
        dataset = yaml.safe_load(lists.config.read_text())["Train"]["dataset"]
        assert len(drawn) == sum(
            round(len(Path(file).read_bytes().splitlines()) * ratio)
            for file, ratio in zip(dataset["label_file_list"], dataset["ratio_list"], strict=True)
        )

        # A line of the domain: at most cap draws, or what its own ratio asks for.
        often = Counter()
        for index, line in drawn:
            if mix.sources[index].kind == "domain":
                often[mix.sources[index].data_dir, lines[index][line].image, lines[index][line].text] += 1
        most = max((ratio for (role, _, ratio) in sources if role == "domain"), default=0)
        same = len([1 for role, _, _ in sources if role == "domain"])
        assert max(often.values(), default=0) <= same * max(cap, int(most) + 1)

        whole = all(source.ratio == int(source.ratio) for source in mix.sources)
        found = Counter(char for index, line in drawn for char in set(lines[index][line].text))
        for row in plan.characters:
            assert row.before <= row.after
            if whole:
                assert found[row.char] == row.after


def test_characters_under_the_floor_are_lifted_up_to_the_cap(tmp_path):
    # "a" is everywhere, "x" in two lines, "y" in one that holds "x" as well, "q" only in the general set.
    texts = ["a"] * 97 + ["ax", "ay", "axy"]
    domain = labels(tmp_path / "d.txt", texts)
    general = labels(tmp_path / "g.txt", ["q"] * 100)
    plan = make_plan(domain=[domain], general=[general], lift=Lift(tmp_path / "out/lifted", floor=4, cap=3))
    assert [(row.char, row.lines, row.before, row.after) for row in plan.characters] == [
        ("x", 2, 2, 4),
        ("y", 2, 2, 4),
        ("a", 100, 100, 103),
    ]
    assert plan.draws == (100, 100, 3)
    assert any("2 of the domain's 3 are drawn fewer than 4 times" in note for note in plan.notes)
    write_plan(plan, tmp_path / "out", rule="guide")
    source = load_mix(tmp_path / "out/mix.yaml").sources[-1]
    assert (source.kind, source.ratio) == ("domain", 1.0)
    lifted = read_rec(source.label_file)[0]
    assert sorted(line.text for line in lifted) == ["ax", "axy", "ay"]
    assert source.data_dir.resolve() == tmp_path.resolve()

    # Three draws of one line and no more; a tenth of the real draws and no more.
    alone = labels(tmp_path / "e.txt", ["a"] * 99 + ["z"])
    capped = make_plan(domain=[alone], lift=Lift(tmp_path / "o", floor=50, cap=3))
    assert [row.after for row in capped.characters if row.char == "z"] == [3]
    assert (capped.lines[-1], capped.mix.sources[-1].ratio) == (1, 2.0)
    half = labels(tmp_path / "h.txt", ["a"] * 60 + ["z"] * 40)
    short = make_plan(domain=[half], lift=Lift(tmp_path / "o", floor=90, cap=3))
    assert sum(short.draws) == 110


def test_nothing_is_lifted_where_it_is_not_asked_for(tmp_path):
    domain = labels(tmp_path / "d.txt", ["a", "b"])
    assert len(make_plan(domain=[domain]).mix.sources) == 1
    assert not make_plan(domain=[domain], lift=Lift(tmp_path, floor=0)).lifted
    # At a ratio of 3 every line is drawn as often as the cap allows.
    assert not make_plan(domain=[domain], ratios={"domain": 3.0}, lift=Lift(tmp_path, floor=9)).lifted
    for wrong in (Lift(tmp_path, -1), Lift(tmp_path, 1, 0), Lift(tmp_path, 1, 1, 1.5)):
        with pytest.raises(UsageError, match="floor"):
            make_plan(domain=[domain], lift=wrong)


@pytest.mark.parametrize(("bulk", "draws"), [(50, 50), (150, 150), (300, 300), (700, 300)])
def test_bulk_lines_are_one_to_three_for_a_real_one(tmp_path, bulk, draws):
    plan = make_plan(domain=[many(tmp_path / "d.txt", 100)], bulk=[many(tmp_path / "b.txt", bulk)])
    assert plan.draws == (100, draws)
    assert plan.mix.sources[1].kind == "synthetic"
    assert plan.roles == ("domain", "bulk")
    said = [note for note in plan.notes if note.startswith("bulk")]
    wanted = ["bulk: 50 draws for 100 real ones, 0.50 for each; the guide: 1 to 3"]
    assert said == (wanted if bulk == 50 else [])


@pytest.mark.parametrize(
    ("draws", "words"),
    [
        ({"domain": 100, "general": 100, "synthetic": 40}, []),
        ({"domain": 100, "general": 100, "synthetic": 20}, []),
        ({"domain": 100, "general": 300}, ["3.0 general lines for each domain one"]),
        ({"domain": 100, "general": 20}, ["5.0 domain lines for each general one"]),
        ({"domain": 100, "general": 100, "synthetic": 19}, ["fewer than 1 for 10 real ones (200)"]),
        ({"domain": 100, "general": 100, "synthetic": 41}, ["more than 1 for 5 real ones (200)"]),
        ({"domain": 100, "general": 100, "bulk": 600}, []),
        ({"domain": 100, "general": 100, "bulk": 602}, ["3.01 for each; the guide: 1 to 3"]),
        ({"domain": 100, "general": 100, "badcases": 21}, ["more than a tenth of the real ones"]),
        ({"domain": 100}, ["general: none given"]),
        ({"general": 100}, []),
    ],
)
def test_what_is_outside_the_guide_s_ranges_is_said(draws, words):
    said = list(outside(dict(draws), draws))
    assert len(said) == len(words)
    assert all(word in sentence for word, sentence in zip(words, said, strict=True))


def test_overrides_are_warned_about_as_well(tmp_path):
    domain, general = many(tmp_path / "d.txt", 100), many(tmp_path / "g.txt", 100)
    plan = make_plan(domain=[domain], general=[general], ratios={"general": 3.0})
    assert any("3.0 general lines for each domain one" in note for note in plan.notes)


def test_the_command_prints_draws_batch_and_characters(tmp_path):
    domain = labels(tmp_path / "d.txt", ["a"] * 39 + ["b"])
    general = labels(tmp_path / "g.txt", ["c"] * 40)
    bulk = labels(tmp_path / "s.txt", ["d"] * 80)
    arguments = ["mix", "--domain", str(domain), "--general", str(general), "--bulk", str(bulk)]
    arguments += ["--out", str(tmp_path / "out")]
    result = CliRunner().invoke(app, [*arguments, "--floor", "3", "--batch-size", "8"])
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [row.split()[:4] for row in lines[1:5]] == [
        ["domain", "40", "1", "40"],
        ["general", "40", "1", "40"],
        ["bulk", "80", "1", "80"],
        ["domain", "1", "2", "2"],
    ]
    assert "a batch of 8 holds on average 2.1 domain, 2.0 general, 4.0 bulk" in lines[6]
    assert lines[8].split() == ["b", "1", "1", "3"]
    document = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert document["characters"][0] == {"char": "b", "lines": 1, "before": 1, "after": 3}
    assert document["sources"][2]["role"] == "bulk"
    off = CliRunner().invoke(app, [*arguments, "--rule", "as-is", "--json", "--dry-run"])
    assert len(json.loads(off.stdout)["sources"]) == 3
