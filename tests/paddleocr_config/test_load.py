"""A recipe as a tree: values, kinds of keys, paths."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipes import WriteRecipe, ctc_recipe, distillation_recipe, gtc_recipe

from datakit.errors import InputError
from datakit.paddleocr_config import describe_notes, load_config, require_files
from datakit.paddleocr_config.tree import LearningRate, Optimizer, Part


def test_the_tree(write_recipe: WriteRecipe, tmp_path: Path) -> None:
    config = load_config(write_recipe(ctc_recipe()), folder=tmp_path)
    assert config.train_lists == (tmp_path / "train.txt", tmp_path / "general.txt")
    assert config.ratio_list == (1.0, 0.1)
    assert config.data_dir == config.eval_data_dir == tmp_path / "data"
    assert config.eval_lists == (tmp_path / "val.txt",)
    assert (config.dict_path, config.use_space_char) == (tmp_path / "keys.txt", True)
    assert (config.encoder, config.max_text_length, config.image_shape) == ("ctc", 25, (3, 48, 320))
    assert (config.algorithm, config.architecture.heads) == ("SVTR", ("CTCHead",))
    assert config.architecture.head == Part("CTCHead", {"fc_decay": 1e-05})
    assert config.architecture.transform is None
    assert config.optimizer == Optimizer(
        "Adam", (0.9, 0.99), LearningRate("Cosine", (1e-3,), (), 2.0), "L2", 3e-05
    )
    assert (config.batch_size, config.epochs, config.eval_batch_step) == (64, 6, (0, 500))
    assert (config.save_dir, config.pretrained) == (tmp_path / "out", None)
    assert (config.augmentation, config.concatenation, config.sampler) == (Part("RecAug"), None, None)


def test_relative_paths_start_at_the_working_folder(
    write_recipe: WriteRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_recipe(ctc_recipe())
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    config = load_config(path)
    assert config.train_lists[0] == tmp_path / "elsewhere" / "train.txt"
    with pytest.raises(InputError, match=f"start at the working folder.*{tmp_path / 'elsewhere'}") as caught:
        require_files(config)
    for missing in ("Train.dataset.data_dir", "general.txt", "Eval.dataset.label_file_list", "keys.txt"):
        assert missing in str(caught.value)
    with pytest.raises(InputError, match=r"rec\.yml: cannot be read .*looked in"):
        load_config("rec.yml")


def test_files_that_are_there(write_recipe: WriteRecipe, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("train.txt", "general.txt", "val.txt", "keys.txt"):
        (tmp_path / name).write_text("x")
    require_files(load_config(write_recipe(ctc_recipe()), folder=tmp_path))


def test_overrides_win_and_are_named(write_recipe: WriteRecipe) -> None:
    config = load_config(
        write_recipe(ctc_recipe()),
        ["Global.epoch_num=10", "Train.loader.batch_size_per_card=32", "Optimizer.lr.learning_rate=5e-4"],
    )
    assert (config.epochs, config.batch_size, config.optimizer.learning_rate.values) == (10, 32, (5e-4,))
    assert config.overridden[0] == "Global.epoch_num"


def test_three_kinds_of_keys(write_recipe: WriteRecipe) -> None:
    path = write_recipe(ctc_recipe(), ("  use_gpu: false", "  use_gpu: false\n  debug: true"))
    notes = load_config(path).notes
    assert [n.key for n in notes if n.key.startswith("Global")] == ["Global.use_gpu", "Global.debug"]
    assert {n.code for n in notes} == {"no-effect"}
    assert describe_notes(notes)[0].startswith("without effect here: Global.use_gpu, Global.debug, Train.")


def test_unknown_keys_are_named_all_at_once_with_the_nearest(write_recipe: WriteRecipe) -> None:
    path = write_recipe(
        ctc_recipe(),
        ("epoch_num", "epoch_nums"),
        ("label_file_list: [train", "label_files_list: [train"),
        ("RecAug:", "RecAgu:"),
        ("last_pool_type", "last_pol_type"),
        ("Metric:", "Metrics:"),
        ("warmup_epoch", "warmup_epochs"),
    )
    with pytest.raises(InputError) as caught:
        load_config(path)
    for words in (
        "unknown key Global.epoch_nums, did you mean 'epoch_num'?",
        "unknown key Train.dataset.label_files_list, did you mean 'label_file_list'?",
        "unknown operator Train.dataset.transforms.RecAgu, did you mean 'RecAug'?",
        "unknown key Architecture.Backbone.last_pol_type, did you mean 'last_pool_type'?",
        "unknown key Metrics, did you mean 'Metric'?",
        "unknown key Optimizer.lr.warmup_epochs, did you mean 'warmup_epoch'?",
    ):
        assert words in str(caught.value)


def test_our_own_block(write_recipe: WriteRecipe) -> None:
    text = ctc_recipe() + "Datakit: {guard: [general.txt], freeze: backbone}\n"
    assert load_config(write_recipe(text)).own == {"guard": ["general.txt"], "freeze": "backbone"}
    with pytest.raises(InputError, match=r"unknown key Datakit\.gard, did you mean 'guard'"):
        load_config(write_recipe(text, ("guard:", "gard:")))


def test_old_rec_aug(write_recipe: WriteRecipe) -> None:
    path = write_recipe(ctc_recipe(), ("- RecAug:", "- RecAug: {use_tia: false, aug_prob: 0.2}"))
    config = load_config(path)
    assert config.augmentation == Part(
        "RecAug",
        {
            "tia_prob": 0.0, "crop_prob": 0.2, "reverse_prob": 0.2, "noise_prob": 0.2, "jitter_prob": 0.2,
            "blur_prob": 0.2, "hsv_aug_prob": 0.2,
        },
    )  # fmt: skip
    old = [note for note in config.notes if note.code == "old-key"]
    assert [note.key.rpartition(".")[2] for note in old] == ["aug_prob", "use_tia"]


def test_the_guides_two_boundaries_for_two_values(write_recipe: WriteRecipe) -> None:
    guide = "{name: Piecewise, decay_epochs: [700, 800], values: [0.001, 0.0001], warmup_epoch: 5}"
    path = write_recipe(ctc_recipe(), ("{name: Cosine, learning_rate: 1e-3, warmup_epoch: 2}", guide))
    config = load_config(path)
    assert config.optimizer.learning_rate == LearningRate("Piecewise", (1e-3, 1e-4), (700.0,), 5.0)
    changed = [note.message for note in config.notes if note.code == "changed"]
    assert len(changed) == 1 and "[700] is used" in changed[0]


def test_sub_models_and_their_start_weights(write_recipe: WriteRecipe) -> None:
    config = load_config(write_recipe(distillation_recipe()))
    assert list(config.architecture.models) == ["Teacher", "Student"]
    assert config.pretrained_of == {"Teacher": "./teacher", "Student": "./start/student"}
    assert config.architecture.models["Teacher"].frozen
    assert config.architecture.models["Student"].heads == ("CTCHead", "SARHead")
    assert (config.encoder, config.concatenation is None) == ("multi", False)


@pytest.mark.parametrize(
    ("name", "kind", "files"),
    [("LMDBDataSet", "lmdb", 0), ("MultiScaleDataSet", "multi-scale", 2), ("TextRecDataset", "simple", 2)],
)
def test_kinds_of_data(write_recipe: WriteRecipe, name: str, kind: str, files: int) -> None:
    config = load_config(write_recipe(ctc_recipe(), ("SimpleDataSet", name)))
    assert (config.train.kind, len(config.train_lists), len(config.ratio_list)) == (kind, files, files or 2)


def test_multi_scale_takes_the_shape_of_the_evaluation(write_recipe: WriteRecipe) -> None:
    sampler = "  sampler: {name: MultiScaleSampler, scales: [[320, 32], [320, 48]], first_bs: 192}\n"
    path = write_recipe(
        ctc_recipe(),
        ("    - RecResizeImg:\n        image_shape: [3, 48, 320]\n", ""),
        ("  loader: {shuffle: true", sampler + "  loader: {shuffle: true"),
    )
    config = load_config(path)
    assert (config.image_shape, config.batch_size) == ((3, 48, 320), 64)
    assert config.sampler is not None and config.sampler.name == "MultiScaleSampler"
    assert [n.key for n in config.notes if n.code == "odd"] == ["Train.sampler.first_bs"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("epoch_num: 6", "epoch_num: six", "Global.epoch_num is 'six', expected a number"),
        ("epoch_num: 6", "epoch_num: 0", "Global.epoch_num is 0, expected a number of at least 1"),
        ("epoch_num: 6", "epoch_num: 1.5", "expected a whole number"),
        ("epoch_num: 6", "epoch_num: .nan", "expected a number of at least 1"),
        ("use_space_char: true", "use_space_char: maybe", "expected true or false"),
        ("[1.0, 0.1]", "[1.0]", "expected 2 ratios, one a label file"),
        ("[1.0, 0.1]", "[1.0, -1]", "expected ratios from 0"),
        ("model_type: rec", "model_type: det", "this is not a recogniser"),
        ("data_dir: ./data", "data_dir:", "Train.dataset.data_dir is None, expected a folder"),
        ("SimpleDataSet", "SimpelDataSet", "is 'SimpelDataSet', did you mean 'SimpleDataSet'?"),
        ("name: Cosine", "name: Cosin", "unknown Optimizer.lr.name 'Cosin', did you mean 'Cosine'?"),
        ("CTCLabelEncode", "AttnLabelEncode", "the label encoder is AttnLabelEncode; datakit knows CTC"),
        ("[3, 48, 320]", "[48, 320]", "expected channels, height and width"),
        ("[0, 500]", "[0, 0]", "eval_batch_step is .*expected .first step, every so many"),
        ("name: L2", "name: L3", "Optimizer.regularizer.name is 'L3', expected L1 or L2"),
        ("Transform:", "Transform: 3", "Architecture.Transform is 3, expected keys and values"),
    ],
)
def test_values_that_make_no_sense(write_recipe: WriteRecipe, old: str, new: str, words: str) -> None:
    with pytest.raises(InputError, match=words.replace("?", r"\?")):
        load_config(write_recipe(ctc_recipe(), (old, new)))


@pytest.mark.parametrize("text", ["", "- a\n", "Global\n"])
def test_no_configuration(write_recipe: WriteRecipe, text: str) -> None:
    with pytest.raises(InputError, match="holds no configuration"):
        load_config(write_recipe(text))


def test_gtc_is_read_as_multi(write_recipe: WriteRecipe) -> None:
    config = load_config(write_recipe(gtc_recipe()))
    assert (config.encoder, config.architecture.heads) == ("multi", ("CTCHead", "SARHead"))
