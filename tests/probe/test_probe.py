import json
from collections import Counter
from random import Random

import pytest

from datakit.errors import UsageError
from datakit.intervals import wilson
from datakit.probe import CharacterRecall, ProbeReport, probe
from datakit.probe.page import html_report
from datakit.probe.run import _Counts
from datakit.probe.texts import COMPANY, probe_texts
from datakit.records import read_targets


def test_every_character_stands_in_as_many_lines_as_asked():
    chars = [*"中国人民大学生活", "%", "‰"]
    texts = list(probe_texts(chars, 4, lambda text: True, Random(1)))
    holding = Counter(char for text in texts for char in set(text))
    assert {char: holding[char] for char in chars} == dict.fromkeys(chars, 4)
    narrow = [text for text in texts if "%" in text]
    assert all(set(text) <= {"%", *COMPANY} and 3 <= len(text) <= 7 for text in narrow)
    # Eight wide characters make a row of five and one of three, four times.
    assert sorted(len(text) for text in texts if "中" in text or "国" in text)[-1] == 5
    assert texts == list(probe_texts(chars, 4, lambda text: True, Random(1)))
    assert texts != list(probe_texts(chars, 4, lambda text: True, Random(2)))


def test_what_no_font_can_set_together_stands_alone():
    texts = list(probe_texts(["中", "国", "‰"], 2, lambda text: len(text) == 1, Random(0)))
    assert Counter(texts) == {"中": 2, "国": 2, "‰": 2}


def test_counts_are_of_lines_and_name_what_was_read():
    counts = _Counts()
    for text, read in [("a§b", "a$b"), ("a§b", "ab"), ("§a", "§a"), ("§§", "§"), ("8a", "8a")]:
        counts.add(text, read)
    rows = {row.char: row for row in counts.table(["§", "a", "8"])}
    # Of the line with two, one was lost: the line does not count as read.
    assert (rows["§"].lines, rows["§"].found) == (4, 1)
    assert rows["§"].read_as == (("", 2), ("$", 1))
    assert (rows["a"].lines, rows["a"].recall) == (4, 1.0)
    assert [row.char for row in counts.table(["8", "a", "§"])] == ["§", "8", "a"]


def test_wilson_interval():
    # Figures of Newcombe 1998, table I: 81 of 263, and 0 of 20.
    for hits, total, ends in ((81, 263, (0.2553, 0.3662)), (0, 20, (0.0, 0.1611))):
        interval = wilson(hits, total)
        assert (interval.low, interval.high) == pytest.approx(ends, abs=5e-5)


@pytest.fixture
def report():
    rows = (
        CharacterRecall("<", 4, 0, (("(", 3), ("", 1))),
        CharacterRecall("b", 4, 2, (("h", 2),)),
        CharacterRecall("c", 4, 4),
    )
    return ProbeReport(
        "m", rows, {"𠊎": "no font covers it"}, ("Arimo",), {"lines": 4, "preset": "clean", "seed": 0}
    )


def test_targets_are_the_characters_read_badly(report, tmp_path):
    path = tmp_path / "targets.json"
    path.write_text(report.targets(0.8, 300).to_json(), encoding="utf-8")
    targets = read_targets(path).targets
    assert [(t.char, t.count, t.confused_with) for t in targets] == [("<", 300, ("(",)), ("b", 300, ("h",))]
    assert [t.char for t in report.targets(0.5, 1).targets] == ["<"]


def test_the_report_in_json_and_html(report):
    document = json.loads(json.dumps(report.to_dict()))
    assert document["totals"] == {
        "characters": 3,
        "not_probed": 1,
        "recall": 0.5,
        "by_recall": {"0": 1, "under 0.5": 0, "0.5 to 0.8": 1, "0.8 to 1": 0, "1": 1},
    }
    assert document["characters"][0]["read_as"] == [["(", 3], ["", 1]]
    page = html_report(report, below=0.8)
    assert '<td class="text">&lt;</td>' in page
    assert "( (3), nothing (1)" in page
    assert "no font covers it" in page


def test_wrong_use():
    with pytest.raises(UsageError, match="lines 0: at least 1"):
        probe(lines=0)
    with pytest.raises(UsageError, match="preset"):
        probe(preset="nope")
