"""GTC and distillation become CTC, as the guide shows."""

from __future__ import annotations

import pytest
import yaml
from recipes import NRTR, WriteRecipe, ctc_recipe, distillation_recipe, gtc_recipe

from datakit.errors import UsageError
from datakit.paddleocr_config import dump_config, load_config, to_ctc
from datakit.paddleocr_config.tree import PaddleConfig, Part

NECK = Part(
    "SequenceEncoder",
    {"encoder_type": "svtr", "dims": 64, "depth": 2, "hidden_dims": 120, "use_guide": False},
)


def changed(config: PaddleConfig) -> list[str]:
    return [note.key for note in config.notes if note.code == "changed"]


def test_a_ctc_recipe_stays_as_it_is(write_recipe: WriteRecipe) -> None:
    config = load_config(write_recipe(ctc_recipe()))
    recipe = to_ctc(config)
    assert (recipe.diff, recipe.config, recipe.config.document) == ("", config, config.document)


@pytest.mark.parametrize(("second", "loss"), [(None, None), (NRTR, "NRTRLoss")])
def test_gtc(write_recipe: WriteRecipe, second: str | None, loss: str | None) -> None:
    text = gtc_recipe() if second is None else gtc_recipe(second, loss or "")
    before = load_config(write_recipe(text))
    recipe = to_ctc(before)
    config = recipe.config
    assert (config.encoder, config.concatenation, config.algorithm) == ("ctc", None, "SVTR")
    assert config.architecture.neck == NECK
    assert config.architecture.head == Part("CTCHead", {"fc_decay": 1e-05})
    assert config.architecture.backbone == before.architecture.backbone
    assert [part.name for part in config.train.operators] == [
        "DecodeImage", "RecAug", "CTCLabelEncode", "RecResizeImg", "KeepKeys",
    ]  # fmt: skip
    assert config.train.operators[-1].parameters == {"keep_keys": ["image", "label", "length"]}
    assert config.document["Loss"] == {"name": "CTCLoss"}
    assert list(config.document["Architecture"])[-3:] == ["Backbone", "Neck", "Head"]
    assert "Architecture.Head" in changed(config) and "Loss" in changed(config)
    # The given recipe is left alone.
    assert before.encoder == "multi" and before.document["Loss"]["name"] == "MultiLoss"


def test_the_diff_says_what_goes_and_what_comes(write_recipe: WriteRecipe) -> None:
    lines = to_ctc(load_config(write_recipe(gtc_recipe()))).diff.splitlines()
    assert lines[:2] == ["--- rec.yml (as given)", "+++ rec.yml (as trained)"]
    for line in (
        "-  algorithm: SVTR_LCNet",
        "+  algorithm: SVTR",
        "-    name: MultiHead",
        "+    name: CTCHead",
    ):
        assert line in lines
    assert "+      - CTCLabelEncode:" in lines and "-      - MultiLabelEncode:" in lines
    assert "-      - RecConAug:" in lines and not any("RecAug:" in line for line in lines if line[0] in "+-")
    assert "+          keep_keys: [image, label, length]" in lines


def test_distillation_trains_the_student(write_recipe: WriteRecipe) -> None:
    config = to_ctc(load_config(write_recipe(distillation_recipe()))).config
    assert (config.architecture.models, config.architecture.neck) == ({}, NECK)
    assert config.pretrained == "./start/student"
    assert config.document["PostProcess"] == {"name": "CTCLabelDecode"}
    assert config.document["Metric"] == {"name": "RecMetric", "main_indicator": "acc", "ignore_space": False}
    assert set(config.document["Architecture"]) == {
        "model_type", "algorithm", "Transform", "Backbone", "Neck", "Head",
    }  # fmt: skip
    assert changed(config)[:2] == ["Architecture.Models", "Architecture.Models.Student.pretrained"]


def test_another_sub_model(write_recipe: WriteRecipe) -> None:
    config = load_config(write_recipe(distillation_recipe()))
    teacher = to_ctc(config, submodel="Teacher").config
    assert teacher.pretrained == "./teacher"
    assert "Architecture.Models.Teacher.freeze_params" in changed(teacher)
    with pytest.raises(UsageError, match="no sub-model 'Student2'; there are Teacher, Student"):
        to_ctc(config, submodel="Student2")
    with pytest.raises(UsageError, match="holds one model"):
        to_ctc(load_config(write_recipe(ctc_recipe())), submodel="Student")


def test_global_start_weights_win_over_the_students(write_recipe: WriteRecipe) -> None:
    path = write_recipe(distillation_recipe(), ("pretrained_model:", "pretrained_model: ./mine"))
    assert to_ctc(load_config(path)).config.pretrained == "./mine"


def test_the_guides_snippet_lacks_last_pool_kernel_size(write_recipe: WriteRecipe) -> None:
    path = write_recipe(ctc_recipe(), ("    last_pool_kernel_size: [2, 2]\n", ""))
    recipe = to_ctc(load_config(path))
    assert recipe.config.architecture.backbone is not None
    assert recipe.config.architecture.backbone.parameters["last_pool_kernel_size"] == [2, 2]
    assert changed(recipe.config) == ["Architecture.Backbone.last_pool_kernel_size"]
    assert "+    last_pool_kernel_size: [2, 2]" in recipe.diff.splitlines()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("last_pool_kernel_size: [2, 2]", "last_pool_kernel_size: [3, 2]", "odd"),
        # PP-OCRv2's max pool has no such key.
        ("last_pool_type: avg\n    last_pool_kernel_size: [2, 2]", "last_pool_type: max", None),
    ],
)
def test_other_pools_stay(write_recipe: WriteRecipe, old: str, new: str, code: str | None) -> None:
    recipe = to_ctc(load_config(write_recipe(ctc_recipe(), (old, new))))
    found = [note.code for note in recipe.config.notes if "last_pool" in note.key]
    assert (recipe.diff, found) == ("", [code] if code else [])


def test_a_head_that_is_not_ctc(write_recipe: WriteRecipe) -> None:
    path = write_recipe(ctc_recipe(), ("{name: CTCHead, fc_decay: 0.00001}", "{name: AttentionHead}"))
    with pytest.raises(UsageError, match="Head is AttentionHead; only a CTC head can be trained"):
        to_ctc(load_config(path))


def test_what_is_written_is_read_back_by_any_yaml(write_recipe: WriteRecipe) -> None:
    config = to_ctc(load_config(write_recipe(distillation_recipe()))).config
    text = dump_config(config.document)
    assert yaml.safe_load(text) == config.document
    assert "  lr:\n    name: Cosine\n    learning_rate: 0.001\n" in text
    assert "factor: 3.0e-05" in text and "&" not in text
