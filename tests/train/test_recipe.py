"""``datakit finetune -c rec.yml``: PaddleOCR's recipe in, a run out, and a recipe again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from datakit.cli.main import app
from datakit.errors import InputError, UsageError
from datakit.paddleocr_config import load_config, to_ctc
from datakit_train.from_paddleocr import architecture_of
from datakit_train.job import Job, make_job
from datakit_train.settings import Curve, Settings
from datakit_train.to_paddleocr import architecture_section, rate_section
from datakit_train.weights.pdparams import read_pdparams
from datakit_train.weights.store import load_model

DrawLines = Callable[..., Path]

RECIPE = """
Global: {{epoch_num: 2, save_model_dir: ./run, eval_batch_step: [0, 2], pretrained_model: {model},
  character_dict_path: {dictionary}, max_text_length: 25, use_space_char: false, use_gpu: false,
  print_batch_step: 1}}
Optimizer:
  {{name: Adam, beta1: 0.9, beta2: 0.99, lr: {{name: Piecewise, decay_epochs: [1, 3], values: [1e-3, 1e-4],
  warmup_epoch: 0.5}}, regularizer: {{name: L2, factor: 1e-5}}}}
Architecture:
  model_type: rec
  algorithm: SVTR
  Transform:
  Backbone: {{name: MobileNetV1Enhance, scale: 0.125, last_conv_stride: [1, 2], last_pool_type: avg}}
  Neck: {{name: SequenceEncoder, encoder_type: svtr, dims: 64, depth: 2, hidden_dims: 120, use_guide: False}}
  Head: {{name: CTCHead, fc_decay: 0.00001}}
Loss: {{name: CTCLoss}}
PostProcess: {{name: CTCLabelDecode}}
Metric: {{name: RecMetric, main_indicator: acc}}
Train:
  dataset:
    name: SimpleDataSet
    data_dir: ./train
    label_file_list: [train/labels.txt]
    ratio_list: [0.5]
    transforms:
    - DecodeImage: {{img_mode: BGR}}
    - RecAug: {{use_tia: false, aug_prob: 0.2}}
    - CTCLabelEncode:
    - RecResizeImg: {{image_shape: [3, 48, 256]}}
    - KeepKeys: {{keep_keys: [image, label, length]}}
  loader: {{shuffle: true, batch_size_per_card: 4, drop_last: false, num_workers: 0}}
Eval:
  dataset:
    name: SimpleDataSet
    data_dir: ./val
    label_file_list: [val/labels.txt]
    transforms:
    - DecodeImage: {{img_mode: BGR}}
    - CTCLabelEncode:
    - RecResizeImg: {{image_shape: [3, 48, 256]}}
    - KeepKeys: {{keep_keys: [image, label, length]}}
  loader: {{shuffle: false, drop_last: false, batch_size_per_card: 4, num_workers: 0}}
Datakit: {{average: [0.3], seed: 4}}
"""
GTC = """  Head:
    name: MultiHead
    head_list:
    - CTCHead:
        Neck: {name: svtr, dims: 64, depth: 2, hidden_dims: 120, use_guide: True}
        Head: {fc_decay: 0.00001}
    - SARHead: {enc_dim: 512, max_text_length: 25}
"""


@pytest.fixture
def recipe(draw_lines: DrawLines, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe in the working folder, with its data and dictionary."""
    draw_lines("train", 20, seed=1)
    draw_lines("val", 6, seed=2)
    (tmp_path / "keys.txt").write_text("".join(f"{char}\n" for char in "0123456789AB"), encoding="utf-8")
    path = tmp_path / "rec.yml"
    path.write_text(RECIPE.format(model=tiny_model, dictionary="keys.txt"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return path


def change(path: Path, old: str, new: str) -> Path:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, ["finetune", *map(str, arguments)])


def test_our_own_block(recipe: Path, tmp_path: Path) -> None:
    own = "Datakit: {average: [0.3], seed: 4, distill: 0.5, distill_on: pictures, layer_decay: 0.8, amp: off}"
    change(recipe, "Datakit: {average: [0.3], seed: 4}", own)
    found = make_job({}, recipe).settings
    assert (found.distill, found.distill_on) == (0.5, str(tmp_path / "pictures"))
    assert (found.layer_decay, found.amp) == (0.8, "off")
    flagged = make_job({"distill": 2.0, "train": [tmp_path / "train/labels.txt"]}, recipe).settings
    assert (flagged.distill, flagged.layer_decay) == (2.0, 0.8)


def test_the_job_of_a_recipe(recipe: Path, tmp_path: Path, tiny_model: Path) -> None:
    job = make_job({}, recipe)
    (source,) = job.mix.sources
    assert (source.label_file, source.data_dir, source.ratio) == (
        tmp_path / "train/labels.txt", tmp_path / "train", 0.5,
    )  # fmt: skip
    assert (job.val.label_file, job.val.data_dir) == (tmp_path / "val/labels.txt", tmp_path / "val")
    assert (job.out, job.pretrained, job.guards) == (tmp_path / "run", tiny_model, ())
    assert job.settings == Settings(
        epochs=2, batch_size=4, learning_rate=1e-3, schedule="piecewise",
        curve=Curve((1e-3, 1e-4), (1.0,), 0.5), betas=(0.9, 0.99), weight_decay=1e-5,
        chances={"warp": 0.0, "crop": 0.2, "blur": 0.2, "jitter": 0.2, "noise": 0.2, "light": 0.2},
        max_width=256, evaluate_every=2, shares=(0.3,), seed=4,
    )  # fmt: skip
    said = "\n".join(job.remarks)
    for words in ("without effect here: Global.use_gpu", "aug_prob", "[1] is used", "set to [2, 2]"):
        assert words in said


def test_flags_win_over_the_recipe_and_say_so(recipe: Path, tmp_path: Path) -> None:
    job = make_job({"epochs": 3, "schedule": "cosine", "out": tmp_path / "o", "evaluate_every": 5}, recipe)
    assert (job.settings.epochs, job.settings.schedule, job.settings.curve) == (3, "cosine", None)
    assert job.settings.learning_rate == 1e-3
    assert "--epochs wins over Global.epoch_num" in job.remarks
    assert "--evaluate-every wins over Global.eval_batch_step" in job.remarks
    assert make_job({}, recipe, ["Global.epoch_num=7"]).settings.epochs == 7


def test_a_run_by_recipe_and_the_recipe_it_leaves(recipe: Path, tmp_path: Path, tiny_model: Path) -> None:
    result = run("-c", recipe, "-o", "Global.epoch_num=3", "Train.loader.batch_size_per_card=5", "--json")
    assert result.exit_code in (0, 1), result.output
    out = tmp_path / "run"
    assert json.loads(result.stdout)["steps"] == 6
    scored = [json.loads(line)["step"] for line in (out / "evaluations.jsonl").read_text().splitlines()]
    assert scored == [2, 4]
    rates = [json.loads(line)["rate"] for line in (out / "train.jsonl").read_text().splitlines()]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-3, 1e-4, 1e-4, 1e-4])

    document = yaml.safe_load((out / "config.yml").read_text("utf-8"))
    assert document["Global"]["print_batch_step"] == 1
    assert (document["Global"]["epoch_num"], document["Global"]["eval_batch_step"]) == (3, [0, 2])
    assert document["Train"]["loader"]["batch_size_per_card"] == 5
    assert document["Train"]["dataset"]["label_file_list"] == [str(tmp_path / "train/labels.txt")]
    assert document["Optimizer"]["lr"] == {
        "name": "Piecewise", "decay_epochs": [1], "values": [1e-3, 1e-4], "warmup_epoch": 0.5,
    }  # fmt: skip
    assert document["Architecture"]["Backbone"]["last_pool_kernel_size"] == [2, 2]
    start = read_pdparams(Path(document["Global"]["pretrained_model"] + ".pdparams"))
    base = load_model(tiny_model)
    assert set(start) == set(base.tensors)
    assert all(np.array_equal(start[name], array) for name, array in base.tensors.items())
    keys = Path(document["Global"]["character_dict_path"]).read_text("utf-8").splitlines()
    assert (tuple(keys), document["Global"]["use_space_char"]) == (base.characters, False)

    again = make_job({}, out / "config.yml")
    assert again.diff == ""
    assert (
        again.settings
        == make_job({}, recipe, ["Global.epoch_num=3", "Train.loader.batch_size_per_card=5"]).settings
    )
    assert run("-c", out / "config.yml", "--dry-run").exit_code == 0


def test_a_run_without_a_recipe_leaves_one(recipe: Path, tmp_path: Path, tiny_model: Path) -> None:
    out = tmp_path / "plain"
    mix = tmp_path / "mix.yaml"
    mix.write_text(
        "sources:\n- {label_file: train/labels.txt, kind: domain, ratio: 1.5}\n"
        "- {label_file: val/labels.txt, kind: general}\n"
    )
    other = tmp_path / "other.txt"
    other.write_bytes((tmp_path / "val/labels.txt").read_bytes().replace(b"00", b"val/00"))
    result = run(
        "--train",
        mix,
        "--val",
        other,
        "--out",
        out,
        "--pretrained",
        tiny_model,
        "--steps",
        2,
        "--batch-size",
        4,
    )
    assert result.exit_code in (0, 1), result.output
    config = load_config(out / "config.yml")
    assert (config.notes and {note.code for note in config.notes}, to_ctc(config).diff) == ({"no-effect"}, "")
    assert config.ratio_list == (1.0, 0.5, 1.0)
    assert all(file.is_file() for file in config.train_lists)
    assert architecture_of(config.architecture) == load_model(tiny_model).architecture
    lines = config.train_lists[0].read_text("utf-8").splitlines()
    assert (config.data_dir / lines[0].split("\t")[0]).is_file()


def test_dry_run_shows_what_gtc_becomes(recipe: Path, tmp_path: Path) -> None:
    text = recipe.read_text("utf-8")
    start, end = text.index("  Neck:"), text.index("Loss:")
    recipe.write_text(text[:start] + GTC + text[end:], encoding="utf-8")
    change(recipe, "CTCLabelEncode", "MultiLabelEncode")
    result = run("-c", recipe, "--dry-run")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("20 lines: 20 train") and "3 evaluations after step 0" in lines[0]
    assert "20 lines train; the guide asks for at least 5000" in lines
    assert "no general line trains along: --replay LABELS keeps most of what the model knew" in lines
    assert any(line.startswith("the rate 0.001 is 3.2e+02 times the guide's 3.1e-06") for line in lines)
    assert any(line.startswith("about 0 min ") and line.endswith("GiB") for line in lines)
    assert "+      - CTCLabelEncode:" in lines and "-    name: MultiHead" in lines
    assert "Architecture.Head: GTC is taken out" in result.stderr
    assert not (tmp_path / "run").exists()


def test_start_weights_from_a_checkpoint_of_paddleocr(recipe: Path, tmp_path: Path, tiny_model: Path) -> None:
    assert run("-c", recipe, "--steps", 2).exit_code in (0, 1)
    (tmp_path / "run/paddleocr/start.pdparams").rename(tmp_path / "best_accuracy.pdparams")
    change(recipe, str(tiny_model), "./best_accuracy")
    job = make_job({}, recipe)
    assert job.pretrained == tmp_path / "best_accuracy.pdparams"
    result = run("-c", recipe, "--steps", 2, "--out", tmp_path / "second")
    assert result.exit_code in (0, 1), result.output
    document = json.loads((tmp_path / "second/result.json").read_bytes())
    first = json.loads((tmp_path / "run/result.json").read_bytes())
    assert document["base"] == first["base"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "label_file_list: [val/labels.txt]",
            "label_file_list: [keys.txt, rec.yml]",
            "has 2 files; give the one",
        ),
        ("train/labels.txt", "gone/labels.txt", "relative paths start at the working folder"),
        ("keys.txt", "gone.txt", "Global.character_dict_path: .*gone.txt"),
        (
            "eval_batch_step: [0, 2]",
            "eval_batch_step: [0, 2000]",
            "no evaluation: the first comes after 2000",
        ),
        ("scale: 0.125", "scale: 0.5", "the recipe's scale is 0.5, that of the start weights 0.125"),
        ("MobileNetV1Enhance", "ResNet", "backbone ResNet and neck svtr cannot be trained here"),
        ("[3, 48, 256]", "[3, 32, 256]", "the model is 48 px high"),
        (
            "name: Piecewise",
            "name: CyclicalCosine, learning_rate: 1",
            "unknown key Optimizer.lr.decay_epochs",
        ),
        ("{name: L2", "{name: L1", "only L2 is known here"),
        ("SimpleDataSet", "LMDBDataSet", "holds no LMDB set"),
        ("seed: 4", "seed: four", "Datakit.seed 'four' is no number"),
        ("seed: 4", "batch_norm: off", "neither fixed nor moving"),
    ],
)
def test_recipes_that_cannot_be_run(recipe: Path, old: str, new: str, words: str) -> None:
    result = run("-c", change(recipe, old, new))
    assert isinstance(result.exception, (UsageError, InputError))
    with pytest.raises(type(result.exception), match=words):
        raise result.exception


def test_the_stock_dictionary_may_be_elsewhere(recipe: Path) -> None:
    job = make_job({}, change(recipe, "keys.txt", "ppocr/utils/ppocr_keys_v1.txt"))
    assert job.dictionary is None
    assert any("ppocr_keys_v1.txt is not there: the model's own" in remark for remark in job.remarks)


def test_start_weights_that_are_not_there(recipe: Path, tmp_path: Path, tiny_model: Path) -> None:
    change(recipe, str(tiny_model), "./gone/best_accuracy")
    with pytest.raises(
        UsageError, match=rf"best_accuracy\.pdparams is not there .*working folder, {tmp_path}"
    ):
        make_job({}, recipe)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-o", "Global.epoch_num=1"], "name it with -c"),
        (["stray"], "'stray' belongs to no option"),
        (["--val", "v.txt"], "--train is missing"),
    ],
)
def test_flags_that_make_no_sense(arguments: list[str], words: str) -> None:
    result = run(*arguments)
    assert isinstance(result.exception, UsageError) and words in str(result.exception)


def test_another_dictionary(recipe: Path, tmp_path: Path) -> None:
    (tmp_path / "keys.txt").write_text("".join(f"{char}\n" for char in "0123456789ABC"), encoding="utf-8")
    result = run("-c", recipe, "--dry-run")
    assert isinstance(result.exception, UsageError) and "--dict-mode union or new" in str(result.exception)
    result = run("-c", recipe, "--dict-mode", "new", "--steps", 2)
    assert result.exit_code in (0, 1)
    assert load_model(tmp_path / "run/best").characters == tuple("0123456789ABC")


@pytest.mark.parametrize(
    "architecture",
    [
        {"name": "ppocrv3_rec", "scale": 0.5, "last_pool_kernel_size": [2, 2]},
        {"name": "ppocrv2_rec", "scale": 0.5, "hidden_size": 64, "mid_channels": 96},
        {"name": "ppocrv4_rec", "scale": 0.95, "dims": 120},
    ],
)
def test_architectures_there_and_back(architecture: dict[str, Any], recipe: Path) -> None:
    text = recipe.read_text("utf-8")
    start, end = text.index("Architecture:"), text.index("Loss:")
    section = yaml.safe_dump({"Architecture": architecture_section(architecture)})
    recipe.write_text(text[:start] + section + text[end:], encoding="utf-8")
    assert architecture_of(load_config(recipe).architecture) == architecture


def test_schedules_there_and_back() -> None:
    from datakit_train.schedules import Schedule

    assert rate_section(Schedule("cosine", 1e-3, 50, 5, 50), 10) == {
        "name": "Cosine", "learning_rate": 1e-3, "warmup_epoch": 0.5,
    }  # fmt: skip
    assert rate_section(Schedule("constant", 1e-3, 50, 0), 10)["name"] == "Const"
    line = rate_section(Schedule("linear", 1e-3, 50, 10, 50, end=1e-5, power=2.0), 10)
    assert line == {"name": "Linear", "learning_rate": 1e-3, "end_lr": 1e-5, "power": 2.0, "warmup_epoch": 1}


def job_settings(recipe: Path, rate: str) -> Settings:
    old = recipe.read_text("utf-8")
    start, end = old.index("lr: {name"), old.index(", regularizer")
    recipe.write_text(old[:start] + f"lr: {rate}" + old[end:], encoding="utf-8")
    job: Job = make_job({}, recipe)
    return job.settings


@pytest.mark.parametrize(
    ("rate", "schedule", "curve"),
    [
        ("{learning_rate: 1e-4}", "constant", Curve((1e-4,))),
        ("{name: Cosine, learning_rate: 1e-4, warmup_epoch: 5}", "cosine", Curve((1e-4,), (), 5.0)),
        (
            "{name: Linear, learning_rate: 1e-4, end_lr: 1e-6, power: 2}",
            "linear",
            Curve((1e-4,), (), 0.0, 1e-6, 2.0),
        ),
        (
            "{name: MultiStepDecay, learning_rate: 1.0, milestones: [3, 5], gamma: 0.5}",
            "piecewise",
            Curve((1.0, 0.5, 0.25), (3.0, 5.0)),
        ),
    ],
)
def test_schedules_of_paddleocr(recipe: Path, rate: str, schedule: str, curve: Curve) -> None:
    settings = job_settings(recipe, rate)
    assert (settings.schedule, settings.curve) == (schedule, curve)


def test_step_decay_becomes_boundaries(recipe: Path) -> None:
    change(recipe, "epoch_num: 2", "epoch_num: 7")
    settings = job_settings(recipe, "{name: Step, learning_rate: 1.0, step_size: 3, gamma: 0.5}")
    assert settings.curve == Curve((1.0, 0.5, 0.25), (3.0, 6.0))


def test_schedules_that_are_not_known(recipe: Path) -> None:
    with pytest.raises(UsageError, match=r"lr\.name OneCycle is not known here; Const, Cosine"):
        job_settings(recipe, "{name: OneCycle, max_lr: 1e-3}")
