"""loop.yaml: what is refused before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from datakit.cli.main import app
from datakit.errors import InputError, OutputError
from datakit.loop.folders import RoundFolder
from datakit.loop.plan import TEMPLATE, load_plan


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("train.txt", "val.txt", "general_train.txt", "general_val.txt", "test.txt", "words.txt"):
        (tmp_path / name).write_text("a.png\ta\n", encoding="utf-8")
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "loop.yaml"
    path.write_text(text, encoding="utf-8")
    return path


LEAST = "domain: train.txt\nval: val.txt\n"


def test_the_template_is_a_plan(folder: Path) -> None:
    result = CliRunner().invoke(app, ["loop", "init", str(folder / "loop.yaml")])
    assert result.exit_code == 0
    assert (folder / "loop.yaml").read_text(encoding="utf-8") == TEMPLATE
    plan = load_plan(folder / "loop.yaml")
    assert (plan.rounds, plan.mine, plan.model) == (2, 1000, "ppocrv3-rec")
    assert plan.out == folder / "loop-out"
    assert [part.label_file.name for part in (*plan.domain, plan.val, *plan.general, *plan.guard)] == [
        "train.txt",
        "val.txt",
        "general_train.txt",
        "general_val.txt",
    ]
    assert dict(plan.finetune) == {
        "steps": 160, "batch_size": 16, "learning_rate": 3e-4, "freeze": "backbone", "shares": [0.6, 0.3],
        "max_text_length": 25, "max_width": 320,
    }  # fmt: skip
    again = CliRunner().invoke(app, ["loop", "init", str(folder / "loop.yaml")])
    assert isinstance(again.exception, OutputError)


def test_the_shortest_plan(folder: Path) -> None:
    plan = load_plan(write(folder, LEAST))
    assert (plan.guard, dict(plan.test), dict(plan.finetune)) == ((), {}, {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rouns: 2\n", "unknown key 'rouns', did you mean 'rounds'?"),
        ("finetune: {step: 3}\n", "unknown key finetune.'step', did you mean 'steps'?"),
        ("synth: {perchar: 3}\n", "unknown key synth.'perchar', did you mean 'per_char'?"),
        ("ratios: {synthetc: 1}\n", "unknown key ratios.'synthetc', did you mean 'synthetic'?"),
        ("guard: [{label_file: val.txt, data: x}]\n", "unknown key 'data', did you mean 'data_dir'?"),
        ("rounds: two\n", "rounds 'two' is not a whole number of at least 1"),
        ("rounds: 0\n", "rounds 0 is not"),
        ("patience: 0\n", "patience 0 is not a whole number of at least 1"),
        ("target_accuracy: 90\n", "target_accuracy 90 is not a number of at least 0, at most 1"),
        ("budget_minutes: soon\n", "budget_minutes 'soon' is not a number of at least 0"),
        ("mine: true\n", "mine True is not"),
        ("test: test.txt\n", "test is not a mapping"),
        ("guard: [5]\n", "5 is neither a path nor"),
        ("finetune: {steps: many}\n", "finetune.steps 'many' is not a whole number of at least 1"),
        ("finetune: {learning_rate: fast}\n", "finetune.learning_rate 'fast' is not a number"),
        ("finetune: {learning_rate: 0}\n", "finetune.learning_rate 0 is not a number of at least 1e-12"),
        ("finetune: {batch_size: null}\n", "finetune.batch_size None is not a whole number"),
        ("finetune: {shares: 0.5}\n", "finetune.shares 0.5 is not a list of numbers"),
        ("finetune: {shares: [2]}\n", "finetune.shares [2] is not a number of at least 0, at most 1"),
        ("finetune: {schedule: step}\n", "finetune.schedule 'step' is not one of cosine, piecewise"),
        ("finetune: {max_bad: .nan}\n", "finetune.max_bad nan is not"),
        ("synth: {per_char: -1, max_targets: x}\n", "synth.max_targets 'x' is not"),
        ("synth: {corpus: words.txt}\n", "synth.corpus 'words.txt' is not a list of texts"),
        ("ratios: {domain: -1}\n", "ratios.domain -1 is not a number of at least 0"),
        ("general: [none.txt]\nguard: [nor.txt]\n", "nor.txt"),
        ("synth: {corpus: [none.txt]}\n", "files that are not there:"),
        ("general: [val.txt]\n", "val.txt both trains and judges"),
        ("test: {a: ./train.txt}\n", "train.txt both trains and judges"),
    ],
)
def test_what_makes_no_sense_is_named(folder: Path, text: str, words: str) -> None:
    path = write(folder, LEAST + text)
    with pytest.raises(InputError) as caught:
        load_plan(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)


def test_every_wrong_value_is_said_at_once(folder: Path) -> None:
    with pytest.raises(InputError, match=r"finetune\.steps .x. .*; finetune\.epochs .y."):
        load_plan(write(folder, LEAST + "finetune: {steps: x, epochs: y}\n"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "holds no mapping"),
        (b"- a\n", "holds no mapping"),
        (b"a: [\n", "is not valid YAML"),
        (b"\xff\xfe\x00", "is not valid YAML"),
        (b"a: !!python/object/apply:os.system ['touch marker']\n", "is not valid YAML"),
        (b"val: val.txt\n", "domain is missing"),
        (b"domain: train.txt\n", "val is missing"),
    ],
)
def test_files_that_are_no_plan(folder: Path, content: bytes, words: str) -> None:
    path = folder / "loop.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words):
        load_plan(path)
    assert not (folder / "marker").exists()


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        load_plan(tmp_path / "loop.yaml")


def test_a_symbolic_link_does_not_hide_that_a_file_trains(folder: Path) -> None:
    (folder / "other.txt").symlink_to(folder / "train.txt")
    with pytest.raises(InputError, match="both trains and judges"):
        load_plan(write(folder, LEAST + "guard: [other.txt]\n"))


def test_rates_as_yaml_writes_them(folder: Path) -> None:
    assert yaml.safe_load("1e-4") == "1e-4"
    plan = load_plan(write(folder, LEAST + "finetune: {learning_rate: 1e-4, shares: [1e-1, 0.5]}\n"))
    assert dict(plan.finetune) == {"learning_rate": 1e-4, "shares": [0.1, 0.5]}


def test_a_model_beside_the_file_is_found_there(folder: Path) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "model.json").write_text("{}")
    assert load_plan(write(folder, LEAST + "model: mine\n")).model == str(folder / "mine")
    assert load_plan(write(folder, LEAST + "model: null\n")).model == "ppocrv3-rec"


def test_names_of_sets_never_leave_the_rounds_folder(tmp_path: Path) -> None:
    names = ["receipts", "a/b", "a-b", "../../up", "/abs/val.txt", "..", "\u6c49\u5b57"]
    found = [RoundFolder(tmp_path).readings(name) for name in names]
    assert len(set(found)) == len(names)
    assert all(path.parent == tmp_path and path.name.startswith("predictions-") for path in found)
    assert found[0].name == "predictions-receipts.jsonl"


def test_dry_run(folder: Path) -> None:
    result = CliRunner().invoke(app, ["loop", "run", str(write(folder, LEAST)), "--dry-run", "--rounds", "5"])
    assert result.exit_code == 0
    assert "5 rounds from ppocrv3-rec" in result.stdout
    assert not (folder / "loop-out").exists()
