"""mix: what is printed is what is drawn, and no line is lost in silence."""

from collections import Counter
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from datakit.errors import InputError, UsageError
from datakit.labels import read_rec
from datakit.mix import (
    Mix,
    Part,
    Source,
    draws_of,
    epoch_draws,
    load_mix,
    make_plan,
    paddleocr_lists,
    plan_mix,
    split_ratio,
    write_mix,
    write_paddleocr_lists,
)
from datakit.mix.pictures import without_pictures


def labels(path, count, prefix="img"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{prefix}/{n}.jpg\ttext {n}\n" for n in range(count)), encoding="utf-8")
    return path


def source(ratio, kind="domain"):
    return Source(Path("a.txt"), Path(), kind, ratio)


@pytest.mark.parametrize(
    ("ratio", "terms"),
    [
        (0, ()),
        (0.25, (0.25,)),
        (1, (1.0,)),
        (2.3, (1.0, 1.0, 0.3)),
        (0.9999999, (1.0,)),
        (3.0, (1.0, 1.0, 1.0)),
    ],
)
def test_split_ratio(ratio, terms):
    assert split_ratio(ratio) == terms


@given(
    st.lists(st.tuples(st.integers(0, 200), st.floats(0, 5)), min_size=1, max_size=5),
    st.integers(0, 2**31),
    st.integers(0, 9),
)
@settings(max_examples=150, deadline=None)
def test_an_epoch_draws_exactly_what_is_printed(sources, seed, epoch):
    mix = Mix(tuple(source(ratio) for _, ratio in sources))
    counts = [lines for lines, _ in sources]
    drawn = epoch_draws(mix, counts, seed=seed, epoch=epoch)
    assert drawn == epoch_draws(mix, counts, seed=seed, epoch=epoch)
    by_source = Counter(index for index, _ in drawn)
    for index, (lines, ratio) in enumerate(sources):
        assert by_source[index] == draws_of(lines, ratio)
        often = Counter(line for at, line in drawn if at == index)
        whole = len(split_ratio(ratio)) - (1 if split_ratio(ratio)[-1:] not in ((), (1.0,)) else 0)
        assert set(often) <= set(range(lines))
        assert all(whole <= often[line] <= whole + 1 for line in range(lines))


def test_a_fraction_is_drawn_anew_each_epoch():
    mix = Mix((source(0.5),))
    first, second = (epoch_draws(mix, [100], seed=1, epoch=epoch) for epoch in (0, 1))
    assert len(first) == len(second) == 50
    assert set(first) != set(second)
    assert len(set(first)) == 50


def test_counts_that_do_not_fit_the_sources_are_refused():
    with pytest.raises(UsageError, match="2 line counts for 1 sources"):
        epoch_draws(Mix((source(1),)), [1, 2], seed=0, epoch=0)


def test_the_guide_rule_on_the_guide_s_own_example(tmp_path):
    plan = make_plan(
        domain=[labels(tmp_path / "d/vertical.txt", 100)], general=[labels(tmp_path / "g/general.txt", 1000)]
    )
    assert [s.ratio for s in plan.mix.sources] == [1.0, 0.1]
    assert plan.draws == (100, 100)


def test_a_small_general_set_is_repeated_up_to_the_cap(tmp_path):
    domain = labels(tmp_path / "d.txt", 100)
    plan = make_plan(domain=[domain], general=[labels(tmp_path / "g.txt", 40)])
    assert plan.mix.sources[1].ratio == 2.5
    assert plan.draws == (100, 100)
    plan = make_plan(domain=[domain], general=[labels(tmp_path / "h.txt", 10)])
    assert plan.mix.sources[1].ratio == 4.0
    assert any("2.5 domain lines for each general one" in note for note in plan.notes)


def test_synthetic_and_badcases_follow_the_real_lines(tmp_path):
    plan = make_plan(
        domain=[labels(tmp_path / "d.txt", 100)],
        general=[labels(tmp_path / "g.txt", 100)],
        synthetic=[labels(tmp_path / "s.txt", 80)],
        badcases=[labels(tmp_path / "b.txt", 5)],
    )
    # 200 real lines: 40 synthetic ones (5:1), failing lines at most 20 draws and three times each.
    assert plan.draws == (100, 100, 40, 15)
    few = make_plan(domain=[labels(tmp_path / "d.txt", 100)], synthetic=[labels(tmp_path / "t.txt", 9)])
    assert few.draws == (100, 9)
    assert any("fewer than 1 for 10" in note for note in few.notes)
    assert any("general: none given" in note for note in few.notes)


def test_as_is_and_overrides(tmp_path):
    d, g = labels(tmp_path / "d.txt", 10), labels(tmp_path / "g.txt", 100)
    assert [s.ratio for s in plan_mix(domain=[d], general=[g], rule="as-is").sources] == [1.0, 1.0]
    mix = plan_mix(domain=[d], general=[g], ratios={"general": 0.5, str(d): 2.0})
    assert [s.ratio for s in mix.sources] == [2.0, 0.5]
    with pytest.raises(UsageError, match="names no source"):
        plan_mix(domain=[d], ratios={"genral": 0.5})
    with pytest.raises(UsageError, match="give --domain"):
        plan_mix(general=[g])
    with pytest.raises(UsageError, match="nothing to mix"):
        plan_mix(rule="as-is")


def test_faulty_lines_are_named_and_in_no_count(tmp_path):
    path = tmp_path / "d.txt"
    path.write_bytes(b"a.jpg\tone\nno tab\n../up.jpg\ttwo\n\nb.jpg\tthree\n")
    plan = make_plan(domain=[path])
    assert plan.lines == plan.draws == (2,)
    assert [(fault.line, fault.code) for fault in plan.faults] == [
        (2, "missing-tab"),
        (3, "path-outside"),
        (4, "blank-line"),
    ]
    lists = write_paddleocr_lists(plan.mix, tmp_path / "out")
    assert [fault.line for fault in lists.left_out] == [2, 3, 4]
    written, faults = read_rec(lists.label_file_list[0])
    assert ([line.text for line in written], faults) == (["one", "three"], [])


def test_paddleocr_lists_split_what_its_loader_cannot_take(tmp_path):
    a, b = labels(tmp_path / "x/a.txt", 10), labels(tmp_path / "y/b.txt", 10, prefix="deep/er")
    mix = Mix((Source(a, a.parent, "domain", 2.3), Source(b, b.parent, "general", 0.5)))
    assert paddleocr_lists(mix) == ([str(a)] * 3 + [str(b)], [1.0, 1.0, 0.3, 0.5])
    lists = write_paddleocr_lists(mix, tmp_path / "out")
    document = yaml.safe_load(lists.config.read_text())["Train"]["dataset"]
    assert document["ratio_list"] == [1.0, 1.0, 0.3, 0.5]
    assert document["data_dir"] == str(tmp_path.resolve())
    # PaddleOCR's own arithmetic on the written files gives the printed draws.
    drawn = [
        round(len(Path(file).read_bytes().splitlines()) * ratio)
        for file, ratio in zip(document["label_file_list"], document["ratio_list"], strict=True)
    ]
    assert drawn == [10, 10, 3, 5]
    assert read_rec(document["label_file_list"][3])[0][0].image == "y/deep/er/0.jpg"


def test_several_pictures_and_detection_pages_survive_the_move(tmp_path):
    rec = tmp_path / "r/rec.txt"
    rec.parent.mkdir()
    rec.write_text('["a.jpg", "b.jpg"]\ttext\n')
    det = tmp_path / "d/det.txt"
    det.parent.mkdir()
    det.write_text('p.jpg\t[{"transcription": "x", "points": [[0, 0], [9, 0], [9, 9], [0, 9]]}]\n')
    mix = Mix((Source(rec, rec.parent, "domain"), Source(det, det.parent, "general")))
    lists = write_paddleocr_lists(mix, tmp_path / "out")
    assert Path(lists.label_file_list[0]).read_text() == '["r/a.jpg", "r/b.jpg"]\ttext\n'
    page = Path(lists.label_file_list[1]).read_text()
    assert page == 'd/p.jpg\t[{"transcription": "x", "points": [[0, 0], [9, 0], [9, 9], [0, 9]]}]\n'


def test_mix_yaml_round_trip_from_another_folder(tmp_path):
    a = labels(tmp_path / "data/a.txt", 1)
    mix = Mix((Source(a, a.parent, "domain", 1.0), Source(a, tmp_path, "badcases", 2.5)))
    (tmp_path / "runs/1").mkdir(parents=True)
    path = tmp_path / "runs/1/mix.yaml"
    write_mix(path, mix)
    assert yaml.safe_load(path.read_text())["sources"][0]["label_file"] == "../../data/a.txt"
    back = load_mix(path)
    assert [(s.label_file.resolve(), s.data_dir.resolve(), s.kind, s.ratio) for s in back.sources] == [
        (a, a.parent, "domain", 1.0),
        (a, tmp_path, "badcases", 2.5),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sources: []", "empty list"),
        ("[1, 2]", "no list of sources"),
        ("sources: [{label_file: a.txt, kind: domian}]", "known are domain, general"),
        ("sources: [{label_file: a.txt, kind: domain, rato: 1}]", "did you mean 'ratio'"),
        ("sources: [{label_file: a.txt, kind: domain, ratio: -1}]", "ratio -1 is not a number"),
        ("sources: [{label_file: a.txt, kind: domain, ratio: .nan}]", "ratio nan is not a number"),
        ("sources: [{kind: domain}]", "names no label_file"),
        ("schema_version: 2\nsources: [{label_file: a, kind: domain}]", "schema_version 2"),
        ("sources: [", "not valid YAML"),
        ("sources: !!python/object/apply:os.system ['true']", "not valid YAML"),
    ],
)
def test_a_mix_yaml_that_makes_no_sense_is_refused(tmp_path, text, message):
    path = tmp_path / "mix.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        load_mix(path)
    assert str(path) in str(caught.value)


def test_a_source_without_usable_lines_is_refused(tmp_path):
    path = tmp_path / "d.txt"
    path.write_bytes(b"no tab\n")
    with pytest.raises(UsageError, match="no usable line"):
        make_plan(domain=[Part(path)])


def test_pictures_that_are_not_there_are_told(tmp_path):
    (tmp_path / "img").mkdir()
    here, gone = labels(tmp_path / "here.txt", 12), labels(tmp_path / "gone.txt", 12, prefix="no")
    (tmp_path / "img" / "3.jpg").write_bytes(b"x")
    (tmp_path / "gone.yaml").write_text("sources: []\n", encoding="utf-8")
    sources = [Source(path, tmp_path, "domain", 1.0) for path in (here, gone)]
    assert list(without_pictures(sources)) == [
        f"{gone}: of its first 10 pictures none is in {tmp_path} (the first: no/0.jpg); "
        f"{tmp_path / 'gone.yaml'} names another folder, give that"
    ]
