"""Names of PaddleOCR's checkpoints: sub-models, GTC's branches, and loads that do not cover the network."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from datakit.charset import Charset
from datakit_train.architectures import build_network
from datakit_train.recognizer import load_tensors
from datakit_train.weights.convert import recognizer_from_pdparams
from datakit_train.weights.names import map_ctc_names, strip_submodel
from datakit_train.weights.pdparams import WeightsError
from datakit_train.weights.store import load_model

TINY = {"name": "ppocrv3_rec", "scale": 0.125, "last_pool_kernel_size": [2, 2]}


@pytest.fixture(scope="module")
def tensors(tiny_model: Path) -> dict[str, np.ndarray]:
    return dict(load_model(tiny_model).tensors)


def gtc(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same weights as a GTC checkpoint holds them, with the attention branch beside."""
    moved = {}
    for name, array in tensors.items():
        if name.startswith("neck."):
            moved["head.ctc_encoder." + name.removeprefix("neck.")] = array
        elif name.startswith("head."):
            moved["head.ctc_head." + name.removeprefix("head.")] = array
        else:
            moved[name] = array
    return {**moved, "head.sar_head.encoder.conv.weight": np.ones(3, np.float32)}


@pytest.mark.parametrize("prefix", ["Student.", "Student2.", "student_model.", "Teacher.", "teacher_model."])
def test_a_prefix_is_stripped(prefix: str) -> None:
    assert strip_submodel({f"{prefix}backbone.w": 1}) == {"backbone.w": 1}


def test_the_student_is_preferred_and_another_can_be_asked_for() -> None:
    both = {"Teacher.w": 1, "Student2.w": 2, "Student.w": 3}
    assert strip_submodel(both) == {"w": 3}
    assert strip_submodel(both, "Student2.") == {"w": 2}
    assert strip_submodel({"w": 4}) == {"w": 4}


def test_a_submodel_that_is_not_there_is_refused() -> None:
    with pytest.raises(WeightsError, match="no tensor is called Teacher"):
        strip_submodel({"Student.w": 3}, "Teacher.")


def test_gtc_keeps_the_ctc_branch_only(tensors: dict[str, np.ndarray]) -> None:
    assert map_ctc_names(
        {"head.ctc_encoder.encoder.a": 1, "head.ctc_head.fc.b": 2, "head.gtc_head.c": 3}
    ) == {
        "neck.encoder.a": 1,
        "head.fc.b": 2,
    }
    assert set(map_ctc_names(gtc(tensors))) == set(tensors)


def test_a_distillation_checkpoint_with_gtc_becomes_the_ctc_model(
    tensors: dict[str, np.ndarray], tmp_path: Path
) -> None:
    path = tmp_path / "best_accuracy.pdparams"
    held = {f"Student.{name}": array for name, array in gtc(tensors).items()}
    held |= {f"Teacher.{name}": array * 0 for name, array in gtc(tensors).items()}
    path.write_bytes(pickle.dumps(held, protocol=2))
    model = recognizer_from_pdparams(path, Charset(tuple("0123456789AB")), architecture=TINY)
    assert set(model.tensors) == set(tensors)
    assert all(np.array_equal(model.tensors[name], array) for name, array in tensors.items())
    assert len(model.probe) == 40


def test_less_than_all_stops_and_names_what_is_missing(tensors: dict[str, np.ndarray]) -> None:
    network = build_network(TINY, 13)
    some = {name: array for name, array in tensors.items() if not name.startswith("head.")}
    with pytest.raises(WeightsError) as caught:
        load_tensors(network, some)
    assert "the weights cover 99.0 % of the network; missing: head.fc.weight, head.fc.bias." in str(
        caught.value
    )
    assert load_tensors(network, some, allow_partial=True) == ("head.fc.weight", "head.fc.bias")


def test_another_dictionary_shows_as_another_shape(tensors: dict[str, np.ndarray]) -> None:
    with pytest.raises(WeightsError, match=r"head\.fc\.weight \(64, 13\) instead of \(64, 20\)"):
        load_tensors(build_network(TINY, 20), tensors, allow_partial=True)
