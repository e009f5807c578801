"""Tables, intervals, rules, restored labels, comparison, targets by length, kinds seen in the picture."""

import json
import random

import jiwer
import jsonschema
import numpy as np
import pytest

from datakit.badcases import analyse
from datakit.badcases.alignment import diff
from datakit.badcases.characters import Confusion, character_table
from datakit.badcases.clusters import clusters
from datakit.badcases.compare import compare
from datakit.badcases.kinds import Setting, name_failure
from datakit.badcases.lists import write_lists
from datakit.badcases.pictures import PictureFacts, measure
from datakit.badcases.restore import restored, write_restored
from datakit.badcases.rules import direction_of, only_marks
from datakit.badcases.schema import REPORT_SCHEMA
from datakit.badcases.spool import Failed
from datakit.badcases.tally import Seen
from datakit.badcases.traits import traits
from datakit.mix import load_mix
from datakit.records import Prediction


def predictions(*pairs, file="set/labels.txt", score=0.0):
    return [
        Prediction(file, n, f"img/{n}.jpg", label, text, None if text is not None else "gone", score)
        for n, (label, text) in enumerate(pairs, start=1)
    ]


def some_lines(count=300, seed=2):
    rng = random.Random(seed)
    pairs = []
    for _ in range(count):
        label = "".join(rng.choices("abcdefgh 中文１", k=rng.randint(1, 30)))
        text = "".join(char for char in label if rng.random() > 0.05)
        pairs.append((label, label if rng.random() < 0.5 else text.swapcase()))
    return pairs


def test_measures_agree_with_jiwer_and_intervals_hold_them():
    pairs = some_lines()
    report = analyse(predictions(*pairs))
    keep = jiwer.Compose([jiwer.ReduceToListOfListOfChars()])
    wanted = jiwer.cer(
        [a for a, _ in pairs], [b for _, b in pairs], reference_transform=keep, hypothesis_transform=keep
    )
    m = report.measures
    assert m.cer.value == pytest.approx(wanted, abs=1e-12)
    assert m.exact.value <= m.unspaced.value <= m.folded.value <= m.nfkc.value
    for interval in (m.exact, m.unspaced, m.folded, m.nfkc, m.cer, m.ned):
        assert interval.low <= interval.value <= interval.high
    assert m.exact.high - m.exact.low == pytest.approx(2 * 1.96 * (0.25 / 300) ** 0.5, rel=0.2)
    assert analyse(predictions(*pairs)).measures == m


def test_four_strictnesses():
    m = analyse(predictions(("a b", "a b"), ("a b", "ab"), ("A b", "ab"), ("１", "1"), ("x", "y"))).measures
    assert [m.exact.value, m.unspaced.value, m.folded.value, m.nfkc.value] == [0.2, 0.4, 0.6, 0.8]
    assert m.ned.value == pytest.approx((1 + 2 / 3 + 1 / 3 + 0 + 0) / 5)


def test_characters_are_counted_in_batches_as_one_by_one():
    texts = ["aab", "", "中a", "\U0001f600\U0001f600", "b" * 50]
    assert sorted(character_table(texts)) == [
        ("a", 3, 2), ("b", 51, 2), ("中", 1, 1), ("\U0001f600", 2, 1)
    ]  # fmt: skip
    many = ["".join(map(chr, range(0x4E00 + n, 0x4E00 + n + 5000))) for n in range(0, 900)]
    table = {char: (n, lines) for char, n, lines in character_table(many)}
    assert table[chr(0x4E00)] == (1, 1)
    assert table[chr(0x4E00 + 4000)] == (900, 900)


def test_a_rare_character_does_not_shout():
    often = [("e", "c")] * 20 + [("e", "e")] * 80
    found = analyse(predictions(("q", "x"), *often)).confusions
    assert [(c.expected, c.count, c.occurrences) for c in found] == [("e", 20, 100), ("q", 1, 1)]
    assert found[0].rate.low < 0.2 < found[0].rate.high
    assert found[1].rate.value == 1.0
    assert Confusion("", "x", 5, 3).rate.value == 1.0


def test_clusters_group_what_is_seen():
    text = "e\u0301a\U0001f1e9\U0001f1ea\U0001f1eb\u1112\u1161\u11ab\U0001f468\u200d\U0001f469x\ufe0f"
    assert "".join(clusters(text)) == text
    assert [len(c) for c in clusters(text)] == [2, 1, 2, 1, 3, 3, 2]
    assert diff("e\u0301a", "ea") == [("differ", "e\u0301", "e"), ("equal", "a", "a")]
    assert diff("KATE A", "Take a", ignore_case=True)[-1] == ("equal", "E A", "e a")
    assert diff("STRASSE", "İ", ignore_case=True)[0][1] == "STRASSE"
    assert diff("abc", "abxc") == [("equal", "ab", "ab"), ("differ", "", "x"), ("equal", "c", "c")]
    report = analyse(predictions(("le\u0301s", "les"), ("e\u0301", "e\u0301")))
    assert [(c.cluster, c.occurrences, c.missed) for c in report.clusters] == [("e\u0301", 2, 1)]


def test_slices_and_places_add_up():
    report = analyse(predictions(("AB", "AB"), ("ab cd", "xb cd"), ("中文", "中"), ("", ""), ("7", None)))
    by_axis = {}
    for part in report.slices:
        by_axis[part.axis] = by_axis.get(part.axis, 0) + part.lines
    assert set(by_axis.values()) == {5}
    assert {(s.value, s.lines, s.folded) for s in report.slices if s.axis == "script"} == {
        ("Latin", 2, 1), ("no letters", 2, 1), ("Han", 1, 0)
    }  # fmt: skip
    places = report.places
    assert (places.first, places.middle, places.last) == (4, 3, 3)
    assert (places.first_missed, places.middle_missed, places.last_missed) == (1, 0, 1)
    assert traits("ＡＢ c") == ("1-5", "with", "mixed", "variants", "Latin")


def test_worst_pages_come_by_what_is_certain():
    rows = [Prediction("l", n, f"p/a_{n}.jpg", "x", "y") for n in range(1, 11)]
    rows += [Prediction("l", n, f"p/b_{n}.jpg", "x", "y" if n % 2 else "x") for n in range(11, 31)]
    rows += [Prediction("l", 31, "p/c_1.jpg", "x", "y")]
    pages = analyse(rows).pages
    assert [(p.value, p.lines, p.folded) for p in pages] == [("p/a", 10, 0), ("p/b", 20, 10)]


def test_a_systematic_rule_is_found_and_named():
    report = analyse(predictions(*[("TOTAL", "Total")] * 20, *[("5.00", "5.00")] * 20))
    (rule,) = report.rules
    assert (rule.rule, rule.lines, rule.agreed, rule.main, rule.systematic) == ("case", 20, 40, "upper", True)
    assert "--restore case" in report.notes[0]
    both_ways = analyse(predictions(*[("TOTAL", "Total"), ("total", "Total")] * 10)).rules[0]
    assert not both_ways.systematic


def test_spaces_that_the_model_misses_are_made_and_a_rule_is_not():
    missed = analyse(predictions(*[("a b", "ab")] * 10, *[("a b", "a b")] * 30), per_char=100)
    assert missed.targets.space_shortfall == 25
    joined = analyse(predictions(*[("ab", "a b")] * 10, *[("a b", "a b")] * 30), per_char=100)
    assert joined.rules[0].systematic and joined.targets.space_shortfall == 0


def test_lengths_that_fail_are_made():
    pairs = [("abc", "abc")] * 100 + [("abcdefgh" * 2, "abc")] * 15 + [("abcdefgh" * 2, "abcdefgh" * 2)] * 15
    report = analyse(predictions(*pairs), per_char=100)
    assert report.targets.length_shortfall == {"16-25": 50}
    assert "Lengths: bins of at least 20 lines" in report.rule


@pytest.mark.parametrize(
    ("label", "text", "what", "wanted"),
    [
        ("TOTAL AMOUNT", "Totalamount", ["case"], "Total amount"),
        ("TOTAL AMOUNT", "Totalamount", ["space"], "TOTALAMOUNT"),
        ("TOTALAMOUNT", "Total Amount", ["case", "space"], "Total Amount"),
        ("TOTAL", "Totel", ["case"], "TOTAL"),
        ("A：B", "a:b", ["case"], "a：b"),
        ("STRASSE", "Straße", ["case"], "STRASSE"),
        ("A B", " a b ", ["space"], "A B"),
    ],
)
def test_restored_labels(label, text, what, wanted):
    assert restored(label, text, what) == wanted


def test_every_change_is_listed(tmp_path):
    records = predictions(("ONE", "One"), ("TWO", "tvo"), ("X\rY", "x"), ("GONE", None), file="s/l.txt")
    pictures = tmp_path / "shop"
    pictures.mkdir()
    counts = write_restored(records, tmp_path, ["case"], {"s/l.txt": pictures})
    (source,) = load_mix(tmp_path / "restored.yaml").sources
    assert (source.label_file, source.data_dir.resolve()) == (tmp_path / "restored.txt", pictures.resolve())
    assert (source.kind, source.ratio) == ("domain", 1.0)
    assert (counts.written, counts.changed, counts.left_out) == (3, 1, 1)
    assert (tmp_path / "restored.txt").read_text() == "img/1.jpg\tOne\nimg/2.jpg\tTWO\nimg/4.jpg\tGONE\n"
    listed = [json.loads(line) for line in (tmp_path / "restored.jsonl").read_text().splitlines()]
    assert [(entry["line"], entry["label"], entry["restored"]) for entry in listed] == [
        (1, "ONE", "One"), (3, "X\rY", "X\rY")
    ]  # fmt: skip


def test_better_and_worse_against_a_baseline():
    new = predictions(*[("abc", "ABC")] * 8, *[("中文", "中")] * 2, ("new", "new"))
    old = predictions(*[("abc", "ab")] * 8, *[("中文", "中文")] * 2)
    found = compare(new, old)
    assert (found.lines, found.unpaired) == (10, 1)
    assert (found.folded.better, found.folded.worse) == (8, 2)
    assert found.folded.p_value == pytest.approx(2 * (1 + 10 + 45) / 1024)
    assert (found.exact.better, found.exact.worse) == (0, 2)
    assert found.cer.value == pytest.approx((8 * 2 + 2) / 28)
    worse = {c.value: c.worse for c in found.slices if c.axis == "script"}
    assert worse == {"Latin": 0, "Han": 2}
    assert [entry.after for entry in found.worse] == ["中", "中"]


FACTS = PictureFacts(200, 40, 500.0, 0.6, False, False)


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        (FACTS, "misread"),
        (PictureFacts(40, 200, 500.0, 0.6, False, False), "turned"),
        (PictureFacts(30, 40, 500.0, 0.6, False, False), "squeezed"),
        (PictureFacts(200, 40, 5.0, 0.6, False, False), "poor-picture"),
        (PictureFacts(200, 40, 500.0, 0.05, False, False), "poor-picture"),
        (PictureFacts(45, 9, 500.0, 0.6, False, False), "poor-picture"),
        (PictureFacts(200, 40, 500.0, 0.6, False, True), "cut-crop"),
        (PictureFacts(200, 40, 500.0, 0.6, True, False), "misread"),
    ],
)
def test_kinds_seen_in_the_picture(facts, kind):
    prediction = Prediction("l", 1, "i", "TOTALS", "TOTAL")
    failed = Failed(prediction, 0, facts, None, False, "totals", "total", (("S", ""),))
    assert name_failure(failed, Setting(poor=(10.0, 0.1))) == kind


def test_pictures_are_measured():
    image = np.full((40, 120), 255, np.uint8)
    image[10:30, 50:70] = 0
    image[10:30, 118:] = 0
    facts = measure(image)
    assert (facts.width, facts.height, facts.ink_left, facts.ink_right) == (120, 40, False, True)
    assert facts.contrast == 1.0
    assert measure(np.full((40, 120), 200, np.uint8)).sharpness == 0.0


def test_lines_seen_twice_in_any_order():
    seen = Seen()
    for file, line in (("a", 1), ("a", 2), ("b", 1), ("a", 3), ("a", 2), ("a", 2), ("b", 2), ("b", 1)):
        seen.add(file, line)
    assert seen.twice == 2


def test_the_report_keeps_to_its_schema():
    jsonschema.Draft202012Validator.check_schema(REPORT_SCHEMA)
    pairs = [*some_lines(), ("中", None), ("le\u0301", "le")]
    new = predictions(*pairs, score=0.95)
    report = analyse(new, comparison=compare(new, predictions(*[(a, a) for a, _ in pairs])))
    document = json.loads(json.dumps(report.to_dict()))
    jsonschema.validate(document, REPORT_SCHEMA)
    assert set(document) == set(REPORT_SCHEMA["properties"])
    document["totals"]["lines"] = -1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, REPORT_SCHEMA)
    jsonschema.validate(json.loads(json.dumps(analyse([]).to_dict())), REPORT_SCHEMA)


def test_marks_that_labels_leave_out_are_a_rule():
    """Plates: the picture's middle dot is read, and never labelled."""
    rows = [("AB12", "A\u00b7B12"), ("AC34", "A\u00b7C34"), ("AD56", "A\u00b7D57"), ("AE78", "AE78")]
    rows = [row for row in rows for _ in range(10)]
    report = analyse(
        Prediction(file="l.txt", line=n, image=f"{n}.png", label=label, text=text, score=0.9, char_scores=())
        for n, (label, text) in enumerate(rows, start=1)
    )
    (rule,) = report.rules
    assert (rule.rule, rule.lines, rule.agreed, rule.directions) == ("marks", 20, 30, {"left out": 20})
    assert rule.systematic
    assert rule.marks == ("\u00b7",)
    assert rule.sentence().endswith(
        "marks are read that the label leaves out (\u00b7); a rule of the labels: --restore marks writes "
        "labels with the marks that are read"
    )
    assert (report.kinds["rule-only"], report.kinds["misread"], report.score.exact) == (20, 10, 10)


@pytest.mark.parametrize(
    ("pairs", "direction", "only"),
    [
        ((("", "\u00b7"),), "left out", True),
        ((("-", ""),), "missed", True),
        ((("-", "\u2014"), ("'", "\u2019")), "other", True),
        ((("-", ""), ("", ".")), "mixed marks", True),
        ((("", "\u00b7"), ("6", "7")), "mixed marks", False),
        ((("", "$"),), "left out", False),
        ((), "", False),
    ],
)
def test_direction_of_marks(pairs, direction, only):
    assert only_marks(pairs) is only
    if pairs:
        assert direction_of(pairs) == direction


@pytest.mark.parametrize(
    ("label", "text", "what", "wanted"),
    [
        ("AB12", "A\u00b7B12", ["marks"], "A\u00b7B12"),
        ("AB 12", "a\u00b7b12", ["marks"], "A\u00b7B 12"),
        ("AB 12", "a\u00b7b12", ["marks", "case"], "a\u00b7b 12"),
        ("AB 12", "a\u00b7b12", ["marks", "space"], "A\u00b7B12"),
        ("AB-12", "AB\u201412", ["marks"], "AB\u201412"),
        ("AB-12", "AB12.", ["marks"], "AB-12."),
        ("AB12", "A\u00b7B13", ["marks"], "AB12"),
        ("AB12", "A\u00b7B12", ["case"], "AB12"),
    ],
)
def test_restored_marks(label, text, what, wanted):
    assert restored(label, text, what) == wanted


def test_pictures_that_could_not_be_looked_at_are_counted():
    lines = predictions(("ab", "ab"), ("cd", "c"), ("ef", None))
    facts = PictureFacts(100, 32, 50.0, 0.5, False, False)
    seen = analyse(lines, measure=lambda p: facts if p.line == 1 else None)
    assert seen.notes == (
        "2 of 3 pictures could not be looked at (the first: img/2.jpg); nothing is said of them. --data-dir "
        "names their folder",
    )
    assert analyse(lines, measure=lambda _: facts).notes == analyse(lines).notes == ()


def test_every_kind_has_its_list(tmp_path):
    lines = predictions(
        ("AB", "ab"), ("abcd", "abce"), ("CD", "cd"), ("x", None), ("ok", "ok"), file="s/l.txt"
    )
    report = analyse(lines)
    (tmp_path / "kinds").mkdir()
    (tmp_path / "kinds" / "turned.txt").write_text("from an earlier run\n", encoding="utf-8")
    assert write_lists(report, tmp_path, {"s/l.txt": tmp_path}) == {
        "unreadable": 1,
        "rule-only": 2,
        "misread": 1,
    }
    listed = {path.name: path.read_text("utf-8") for path in (tmp_path / "kinds").iterdir()}
    assert listed == {
        "unreadable.txt": "img/4.jpg\tx\n",
        "rule-only.txt": "img/1.jpg\tAB\nimg/3.jpg\tCD\n",
        "misread.txt": "img/2.jpg\tabcd\n",
    }
