"""Characters that the dictionary lacks: counted, added by a round, made, and kept by the model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from datakit.charset import Charset
from datakit.loop import load_plan, run_loop
from datakit.loop.dictionary import lacking, read_extended, sentence, target, write_extended
from datakit.loop.folders import read_json, round_folder
from datakit.records import read_targets

LABELS = "a.png\tC1\nb.png\tCC22\nc.png\tD3\nd.png\tE\u00ad4\ne.png\t4\nbroken\n"


def test_lacking_counts_lines_and_leaves_out_what_no_picture_shows(tmp_path: Path) -> None:
    file = tmp_path / "labels.txt"
    file.write_text(LABELS, encoding="utf-8")
    found = lacking([file], Charset(tuple("1234")), 25)
    assert [(entry.char, entry.lines, entry.contexts) for entry in found] == [
        ("C", 2, ("C1", "CC22")),
        ("D", 1, ("D3",)),
        ("E", 1, ("E\u00ad4",)),
    ]
    assert sentence(found, 2) == (
        "the dictionary lacks 3 characters of the domain; 1 stand in at least 2 training lines and are added:"
        " 'C' in 2; 2 in fewer lines stay out"
    )
    assert target(found[0], 10).count == 8
    assert target(replace(found[0], lines=99), 10).count == 3


def test_the_written_dictionary_is_the_models_and_more(tmp_path: Path) -> None:
    for chars in (("a", "b", " "), ("a", "b")):
        charset, path = Charset(chars), tmp_path / "dictionary.txt"
        assert read_extended(tmp_path / "none.txt", charset) is charset
        write_extended(path, charset, "CD")
        tail = (" ",) if " " in chars else ()
        assert read_extended(path, charset).chars == ("a", "b", "C", "D", *tail)


def test_a_round_adds_what_the_dictionary_lacks(loop_file: Path) -> None:
    from datakit_train.recognizer import load_recognizer

    labels = loop_file.parent / "train" / "labels.txt"
    labels.write_text(
        "".join(
            f"{path}\t{text.replace('9', 'C')}\n"
            for path, text in (line.split("\t") for line in labels.read_text("utf-8").splitlines())
        ),
        encoding="utf-8",
    )
    plan = replace(load_plan(loop_file), rounds=1, new_characters=2)
    said: list[str] = []
    run_loop(plan, say=said.append)
    folder = round_folder(plan.out, 1)
    assert "C" in [entry.char for entry in read_targets(folder.targets).targets]
    assert any("'C' in" in line and line.startswith("plan: the dictionary lacks 1") for line in said)
    made = (folder.synth / "labels.txt").read_text(encoding="utf-8")
    assert sum("C" in line.split("\t")[1] for line in made.splitlines()) >= 1
    assert any(line.startswith("dictionary (union): 12 characters kept; 1 new") for line in said)
    assert read_json(folder.finetune / "result.json")["steps"] == 2
    if read_json(folder.finetune / "result.json")["improved"]:
        assert "C" in load_recognizer(folder.finetune / "best").charset


def test_without_being_asked_the_dictionary_stays(loop_file: Path) -> None:
    assert load_plan(loop_file).new_characters == 0
