"""The planner: counts, order of sources, bounds, and what is impossible."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datakit.charset import Charset
from datakit.errors import InputError, UsageError
from datakit.records import Target
from datakit_fonts import CoverageIndex, read_faces
from datakit_synth import Plan, SynthRequest, prepare, targets_from_chars
from datakit_synth.plan import make_plan
from datakit_synth.texts import Rules, cut_to_length


def plan_of(request: SynthRequest, font: Path, seed: int = 0) -> Plan:
    rules = Rules(CoverageIndex(read_faces(font)), request.charset, request.max_length)
    return make_plan(request, rules, seed)


def corpus(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "corpus.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    counts=st.dictionaries(st.sampled_from("ABCxyz019$%"), st.integers(1, 40), min_size=1, max_size=6),
    lines=st.lists(st.text("ABCxyz019 ", min_size=1, max_size=60), max_size=15),
    limit=st.integers(1, 25),
    seed=st.integers(0, 5),
)
def test_every_character_gets_its_lines(
    latin_font: Path, tmp_path: Path, counts: dict[str, int], lines: list[str], limit: int, seed: int
) -> None:
    usable = any(line.strip() and len(line.strip()) <= limit for line in lines)
    sources = (corpus(tmp_path, *lines),) if usable else ()
    targets = tuple(Target(char, count) for char, count in counts.items())
    plan = plan_of(SynthRequest(targets=targets, corpora=sources, max_length=limit), latin_font, seed)
    for entry in plan.characters:
        holding = [line.text for line in plan.lines if entry.char in line.text]
        assert len(holding) == entry.planned >= entry.asked == counts[entry.char]
        assert sum(text.count(entry.char) for text in holding) == entry.occurrences
    assert all(
        0 < len(line.text) <= limit and line.text == " ".join(line.text.split()) for line in plan.lines
    )
    assert max(Counter(line.text for line in plan.lines if line.origin == "corpus").values(), default=0) <= 3


def test_corpus_comes_first_then_contexts_then_composed(latin_font: Path, tmp_path: Path) -> None:
    request = SynthRequest(
        targets=(Target("Q", 20, contexts=("seen Q here", "no such letter")),),
        corpora=(corpus(tmp_path, "A Quiz", "Queue 7", "other words", "more words"),),
    )
    plan = plan_of(request, latin_font)
    origins = Counter(line.origin for line in plan.lines)
    assert origins == {"corpus": 6, "context": 3, "composed": 11}
    assert Counter(line.text for line in plan.lines if line.origin == "corpus") == {"A Quiz": 3, "Queue 7": 3}
    assert {line.text for line in plan.lines if line.origin == "context"} == {"seen Q here"}


def test_borrowed_text_is_made_anew_for_every_line(latin_font: Path) -> None:
    plan = plan_of(SynthRequest(targets=(Target("$", 200),)), latin_font)
    texts = [line.text for line in plan.lines if line.origin == "composed"]
    pieces = Counter(piece for text in texts for piece in {text[k : k + 8] for k in range(len(text) - 7)})
    assert len(texts) >= 200
    assert pieces.most_common(1)[0][1] <= len(texts) // 10


def test_same_seed_same_plan(latin_font: Path) -> None:
    request = SynthRequest(targets=targets_from_chars("Ab7", 30), templates=("en",), count=120)
    assert plan_of(request, latin_font, 4) == plan_of(request, latin_font, 4)
    assert plan_of(request, latin_font, 4) != plan_of(request, latin_font, 5)


def test_impossible_characters_are_all_named(latin_font: Path) -> None:
    charset = Charset(tuple("AB\u6c49 "))
    plan = plan_of(SynthRequest(targets=targets_from_chars("AZ\u6c49\u200b", 5), charset=charset), latin_font)
    assert [(c.char, c.planned, c.impossible) for c in plan.characters] == [
        ("A", 5, ""),
        ("Z", 0, "is not in the dictionary"),
        ("\u6c49", 0, "no font covers it"),
        ("\u200b", 0, "is no visible character"),
    ]
    assert all(set(line.text) <= set("AB ") for line in plan.lines)
    with pytest.raises(
        InputError, match=r"'Z' \(U\+005A\) is not in the dictionary; '汉' \(U\+6C49\) no font covers it"
    ):
        plan.require()


def test_corpus_lines_that_cannot_be_used_are_counted(latin_font: Path, tmp_path: Path) -> None:
    path = corpus(tmp_path, "fine", "", "\u6c49", "bad\u0007bell", "x" * 26, "two  spaces", "no Z")
    charset = Charset(tuple("abcdefghijklmnopqrstuvwxyz \u6c49\u0007"))
    plan = plan_of(SynthRequest(corpora=(path,), charset=charset), latin_font)
    assert [line.text for line in plan.lines] == ["fine", "two spaces"]
    assert plan.refused == {
        "empty": 1,
        "no-font": 1,
        "control-or-space": 1,
        "too-long": 1,
        "outside-dictionary": 1,
    }


def test_a_corpus_without_one_usable_line_is_an_error(latin_font: Path, tmp_path: Path) -> None:
    path = corpus(tmp_path, "\u6c49\u5b57")
    with pytest.raises(InputError, match="holds no line that can be rendered \\(1 no-font\\)"):
        plan_of(SynthRequest(corpora=(path,)), latin_font)


def test_given_texts_are_drawn_once_in_order(latin_font: Path) -> None:
    plan = plan_of(SynthRequest(texts=("b", "a", "b")), latin_font)
    assert [(line.text, line.origin) for line in plan.lines] == [
        ("b", "given"),
        ("a", "given"),
        ("b", "given"),
    ]
    with pytest.raises(InputError, match="text '\u6c49': no-font"):
        plan_of(SynthRequest(texts=("a", "\u6c49")), latin_font).require()


def test_count_is_the_number_of_lines(latin_font: Path, tmp_path: Path) -> None:
    path = corpus(tmp_path, *(f"line {k}" for k in range(10)))
    assert len(plan_of(SynthRequest(corpora=(path,), count=25), latin_font).lines) == 25
    with pytest.raises(UsageError, match="more than these sources give \\(30 lines"):
        plan_of(SynthRequest(corpora=(path,), count=31), latin_font)
    with pytest.raises(UsageError, match="need 40 lines, more than a count of 10"):
        plan_of(SynthRequest(targets=(Target("A", 40),), count=10), latin_font)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (SynthRequest(), "nothing to render"),
        (SynthRequest(templates=("en",)), "give a count"),
        (SynthRequest(texts=("a",), count=0), "at least 1"),
        (SynthRequest(texts=("a",), heights=(64, 32)), "heights 64-32"),
    ],
)
def test_requests_without_sense_are_refused(latin_font: Path, request_: SynthRequest, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        plan_of(request_, latin_font)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("short", ["short"]),
        ("one two three", ["one two", "three"]),
        ("一二三四五六七八九十百", ["一二三四五六七八", "九十百"]),
        ("unbreakable", ["unbreakable"]),
    ],
)
def test_long_texts_are_cut_where_they_may_be(text: str, pieces: list[str]) -> None:
    assert cut_to_length(text, 8) == pieces


def test_runs_of_spaces_stay_where_that_is_asked_for(latin_font: Path, tmp_path: Path) -> None:
    source = corpus(tmp_path, "Total   12", "  A  B ")
    for keep, texts in ((False, ["Total 12", "A B"]), (True, ["Total   12", "A  B"])):
        request = SynthRequest(
            corpora=(source,), fonts=(latin_font,), backgrounds=("plain",), keep_spaces=keep
        )
        assert [line.text for line in prepare(request).plan.lines] == texts


def test_templates_give_only_lines_inside_the_dictionary(latin_font: Path) -> None:
    charset = Charset(tuple("0123456789.-/: "))
    plan = plan_of(SynthRequest(templates=("en",), count=60, charset=charset), latin_font)
    assert len(plan.lines) == 60
    assert set("".join(line.text for line in plan.lines)) <= set("0123456789.-/: ")
