"""badcases: alignment against an oracle, exact tables, targets that a labelling rule cannot make."""

import json
from collections import Counter
from pathlib import Path

import jiwer
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datakit.badcases import analyse, kind_of
from datakit.badcases.alignment import align, align_folded, diff
from datakit.badcases.characters import Confusion
from datakit.badcases.output import folders_of, read_all, read_training, with_leak_note, write_badcases
from datakit.badcases.targets import context
from datakit.charset import Charset
from datakit.errors import InputError, UsageError
from datakit.files import Manifest, read_manifest
from datakit.labels import read_rec
from datakit.metrics import fold
from datakit.mix import load_mix, make_plan
from datakit.mix.output import parts_of
from datakit.records import Prediction, read_targets


def predictions(*pairs, file="set/labels.txt"):
    return [
        Prediction(file, n, f"img/{n}.jpg", label, text, None if text is not None else "no such picture")
        for n, (label, text) in enumerate(pairs, start=1)
    ]


TEXT = st.text(st.sampled_from("abAB ß中文1"), max_size=12)


@given(TEXT, TEXT)
@settings(max_examples=300, deadline=None)
def test_an_alignment_spells_both_texts_and_costs_what_jiwer_says(label, text):
    steps = align(label, text)
    assert "".join(step.expected for step in steps) == label
    assert "".join(step.read for step in steps) == text
    edits = Counter(step.operation for step in steps)
    if label and text:
        # jiwer strips, so the texts are fenced.
        oracle = jiwer.process_characters(f"<{label}>", f"<{text}>")
        assert edits["replace"] + edits["delete"] + edits["insert"] == (
            oracle.substitutions + oracle.deletions + oracle.insertions
        )
    for step in steps:
        if step.operation != "insert":
            assert label[step.position] == step.expected
    assert "".join(run[1] for run in diff(label, text)) == label


@given(TEXT, TEXT)
@settings(max_examples=300, deadline=None)
def test_a_folded_alignment_sees_neither_spaces_nor_case(label, text):
    steps = align_folded(label, text)
    assert all(step.operation == "equal" for step in steps) is (fold(label) == fold(text))
    for step in steps:
        if step.operation in ("replace", "delete"):
            assert label[step.position] == step.expected


@pytest.mark.parametrize(
    ("label", "text", "kind"),
    [
        ("TOTAL", "TOTAL", None),
        ("TOTAL", None, "unreadable"),
        ("TOTAL 1", "Total1", "rule-only"),
        ("TOTAL", "TOTAI", "look-alike"),
        ("TOTAL", "TOTAx", "misread"),
        ("TOTAL：", "TOTAL:", "rule-only"),
        ("TOTALLAOT", "OTALLAOT", "misread"),
        ("TOTALLAOT", "TALLAOT", "cut-crop"),
        ("TOTAL" * 6, "TOTAx" * 6, "squeezed"),
        ("TOTAL中", "TOTAL", "not-in-dictionary"),
        ("", "x", "misread"),
    ],
)
def test_kinds(label, text, kind):
    assert kind_of(predictions((label, text))[0], Charset(tuple("TOALI x1： "))) == kind


def test_tables_are_exact():
    report = analyse(
        predictions(
            ("abc", "abc"), ("abc", "axc"), ("ab c", "abc"), ("ABC", "abc"), ("cab", None), ("ac", "abc")
        )
    )
    assert {kind: n for kind, n in report.kinds.items() if n} == {
        "unreadable": 1,
        "rule-only": 2,
        "misread": 2,
    }
    assert (report.score.lines, report.score.exact, report.score.exact_folded) == (6, 1, 3)
    assert set(report.confusions) == {Confusion("", "b", 1, 15), Confusion("b", "x", 1, 3)}
    assert set(report.confusions_as_labelled) == {
        Confusion("", "b", 1, 15),
        Confusion(" ", "", 1, 1),
        Confusion("A", "a", 1, 1),
        Confusion("B", "b", 1, 1),
        Confusion("C", "c", 1, 1),
        Confusion("b", "x", 1, 3),
    }
    scores = {score.char: score for score in report.characters}
    b = scores["b"]
    # b stands in three readable labels, is read twice of them; it is written four times, two of them right.
    assert (b.occurrences, b.lines, b.read, b.recall, b.precision) == (3, 3, 4, 0.666667, 0.5)
    assert (b.missed_lines, b.train_lines) == (1, None)
    assert scores["x"].recall is None
    assert scores["A"].missed_lines == 0
    assert report.characters[0].char == "b"


def test_a_labelling_rule_makes_no_target():
    report = analyse(predictions(("TOTAL AMOUNT", "Totalamount"), ("CASH", "cash"), ("O", "0")))
    assert [(t.char, t.confused_with, t.contexts) for t in report.targets.targets] == [("O", ("0",), ("O",))]


def test_counts_follow_the_stated_rule():
    pairs = [("a", "x"), ("a", "a"), ("a", "a"), ("a", "a"), ("b", "y"), ("c", "c")]
    counts = {t.char: t.count for t in analyse(predictions(*pairs), per_char=300).targets.targets}
    assert counts == {"a": 75, "b": 300}
    trained = Counter({"a": 250, "b": 100})
    counts = {t.char: t.count for t in analyse(predictions(*pairs), train_lines=trained).targets.targets}
    assert counts == {"a": 75, "b": 300}
    lacking = Counter({"a": 100})
    counts = {t.char: t.count for t in analyse(predictions(*pairs), train_lines=lacking).targets.targets}
    assert counts["a"] == 200
    many = predictions(*[("a", "a")] * 99, ("a", "x"))
    assert analyse(many).targets.targets[0].count == 20
    assert analyse(many, per_char=10).targets.targets[0].count == 10
    assert "at least 10, at most 10" in analyse(many, per_char=10).rule


def test_what_cannot_be_drawn_or_read_is_no_target():
    report = analyse(
        predictions(("a\u200bb", "ab"), ("a\u3000b", "ab"), ("中a", "x"), ("中", "")),
        charset=Charset(tuple("abx ")),
    )
    assert [t.char for t in report.targets.targets] == ["a"]
    assert report.missing == {"中": 2, "\u200b": 1, "\u3000": 1}


def test_targets_are_capped_most_missed_first():
    report = analyse(predictions(("ab", "b"), ("ab", "b"), ("cb", "b"), ("bb", "")), max_targets=2)
    assert [t.char for t in report.targets.targets] == ["a", "c"]
    assert analyse(predictions(("ab", "b")), max_targets=0).targets.targets == ()


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60), st.data(), st.integers(1, 30)
)
def test_a_context_holds_its_character(label, data, limit):
    position = data.draw(st.integers(0, len(label) - 1))
    text = context(label, position, limit)
    assert len(text) <= limit
    assert text in label
    if not label[position].isspace():
        assert label[position] in text


def test_a_line_predicted_twice_is_said():
    twice = predictions(("a", "b")) * 2
    assert analyse(twice).notes == ("1 lines are predicted more than once and counted as often",)


def test_options_that_make_no_sense():
    with pytest.raises(UsageError):
        analyse([], per_char=0)


def dataset(tmp_path, name, pairs):
    folder = tmp_path / name
    folder.mkdir()
    file = folder / "labels.txt"
    file.write_text("".join(f"img/{n}.jpg\t{label}\n" for n, (label, _) in enumerate(pairs, start=1)))
    return predictions(*pairs, file=str(file))


def write(report, records, out, **options):
    folders = folders_of((p.file for p in records), None)
    return write_badcases(report, out, folders=folders, manifest=Manifest.begin("badcases", {}), **options)


def test_the_label_file_can_be_mixed_at_once(tmp_path):
    records = dataset(tmp_path, "a", [("one", "one"), ("two", "tvo"), ("Three", "three")])
    records += dataset(tmp_path, "b", [("four", "for"), ("five", None)])
    report = analyse(records)
    out = tmp_path / "out"
    written = write(report, records, out)
    assert (written.lines, written.data_dir, written.left_out) == (2, tmp_path, ())
    lines, faults = read_rec(out / "badcases.txt")
    assert [(line.image, line.text) for line in lines] == [("a/img/2.jpg", "two"), ("b/img/1.jpg", "four")]
    assert faults == []
    listed = [json.loads(line) for line in (out / "badcases.jsonl").read_text().splitlines()]
    assert [(entry["kind"], entry["line"], entry["badcases_line"]) for entry in listed] == [
        ("misread", 2, 1),
        ("rule-only", 3, None),
        ("misread", 1, 2),
        ("unreadable", 2, None),
    ]
    plan = make_plan(badcases=parts_of([out / "badcases.yaml"], None), rule="as-is")
    assert (plan.lines, plan.mix.sources[0].data_dir.resolve()) == ((2,), tmp_path.resolve())
    assert load_mix(out / "badcases.yaml").sources[0].kind == "badcases"
    assert read_targets(out / "targets.json") == report.targets
    assert read_manifest(out).counts["misread"] == 2
    assert json.loads((out / "report.json").read_text())["kinds"]["rule-only"] == 1


def test_one_data_dir_keeps_the_paths_as_labelled(tmp_path):
    records = dataset(tmp_path, "a", [("two", "tvo")])
    written = write(analyse(records), records, tmp_path / "out")
    assert (tmp_path / "out/badcases.txt").read_text() == "img/1.jpg\ttwo\n"
    assert written.data_dir == tmp_path / "a"


def test_what_cannot_be_a_label_line_is_named(tmp_path):
    records = [
        Prediction("a/l.txt", 1, "../up.jpg", "x", "y"),
        Prediction("a/l.txt", 2, "i.jpg", "x\ry", "y"),
        Prediction("a/l.txt", 3, "i.jpg", "xy", "y"),
    ]
    written = write(analyse(records), records, tmp_path)
    assert written.lines == 1
    assert [failure.prediction.line for failure, _ in written.left_out] == [1, 2]
    listed = [json.loads(line) for line in (tmp_path / "badcases.jsonl").read_text().splitlines()]
    assert ["up.jpg" in listed[0]["left_out"], listed[2]["left_out"]] == [True, ""]


def test_nothing_wrong_leaves_an_empty_list_and_no_source(tmp_path):
    records = predictions(("a", "a"))
    assert write(analyse(records), records, tmp_path).lines == 0
    assert (tmp_path / "badcases.txt").read_bytes() == b""
    assert not (tmp_path / "badcases.yaml").exists()
    assert read_targets(tmp_path / "targets.json").targets == ()


def test_the_same_predictions_give_the_same_bytes(tmp_path):
    records = predictions(("abc", "xbc"), ("abd", "abx"), ("ab", None))
    for name in ("one", "two"):
        write(analyse(records), records, tmp_path / name)
    for file in ("badcases.txt", "badcases.jsonl", "targets.json", "report.json", "report.html"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_lines_of_a_test_set_are_pointed_out(tmp_path):
    records = dataset(tmp_path, "test", [("two", "tvo")])
    trained = dataset(tmp_path, "train", [("two", "tvo")])
    training = read_training([tmp_path / "train/labels.txt"])
    assert training.lines_with == Counter("two")
    folders = folders_of((p.file for p in records + trained), None)
    assert "1 of the 1 lines" in with_leak_note(analyse(records), folders, training).notes[0]
    assert with_leak_note(analyse(trained), folders, training).notes == ()


def test_an_empty_predictions_file_is_an_error(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text("\n")
    with pytest.raises(InputError, match="holds no prediction"):
        list(read_all([path]))
    with pytest.raises(InputError, match=r"p\.jsonl:2: is not valid JSON"):
        path.write_text(predictions(("a", "b"))[0].to_json() + "\n{\n")
        list(read_all([Path(path)]))
