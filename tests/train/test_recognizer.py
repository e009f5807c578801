"""Building a network that is the one the weights come from; the real weights against onnxruntime."""

from __future__ import annotations

import os
import pickle
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from datakit.charset import Charset
from datakit.images import line_width, read_bgr, resize_norm
from datakit.models import MODELS
from datakit_train.architectures import PPOCRV3_REC, build_network
from datakit_train.framework import import_paddle
from datakit_train.recognizer import (
    assemble,
    check_architecture,
    find_model,
    load_recognizer,
    measure_probe,
    probe_input,
)
from datakit_train.weights.convert import recognizer_from_onnx, recognizer_from_pdparams
from datakit_train.weights.pdparams import WeightsError
from datakit_train.weights.store import load_model, save_model

WRONG = {"last_pool_kernel_size": [3, 2]}


def test_a_wrong_pool_is_refused_by_the_stored_probe(tiny_model: Path) -> None:
    stored = load_model(tiny_model)
    # Fresh weights let next to nothing through; these are as loud as trained ones.
    rng = np.random.default_rng(1)
    loud = {
        name: (rng.standard_normal(array.shape) * np.sqrt(2 / np.prod(array.shape[1:]))).astype(np.float32)
        if array.ndim == 4
        else array
        for name, array in stored.tensors.items()
    }
    network = assemble(replace(stored, tensors=loud, probe=())).network
    model = replace(stored, tensors=loud, probe=measure_probe(network))
    assert len(assemble(model).charset.chars) == 12
    with pytest.raises(WeightsError, match=r"last_pool_kernel_size: \[2, 2\]"):
        assemble(model, {**model.architecture, **WRONG})


def test_weights_that_answer_with_nan_are_refused(tiny_model: Path) -> None:
    model = load_model(tiny_model)
    broken = {**model.tensors, "head.fc.bias": np.full(13, np.nan, np.float32)}
    with pytest.raises(WeightsError, match="probe differs by nan"):
        assemble(replace(model, tensors=broken))
    with pytest.raises(WeightsError, match="40 time steps, the weights were trained with 3"):
        check_architecture(assemble(model).network, (1.0, 2.0, 3.0))


@pytest.mark.parametrize(
    ("architecture", "words"),
    [
        ({"name": "svtr"}, "architecture 'svtr' is not one of ppocrv2_rec, ppocrv3_rec"),
        ({"name": "ppocrv3_rec", "scales": 1}, "has no setting 'scales'"),
        ({"name": "ppocrv3_rec", "scale": "half"}, "makes no sense"),
        ({"name": "ppocrv3_rec", "last_pool_kernel_size": [2]}, "makes no sense"),
        ({"name": "ppocrv3_rec", "last_pool_kernel_size": 2}, "makes no sense"),
    ],
)
def test_architectures_that_cannot_be_built(architecture: dict[str, object], words: str) -> None:
    with pytest.raises(WeightsError, match=words):
        build_network(architecture, 13)


def test_the_probe_picture_is_fixed() -> None:
    picture = probe_input()
    assert picture.shape == (1, 3, 48, 320)
    assert picture.dtype == np.float32
    assert sorted(np.unique(picture).tolist()) == [-1.0, 1.0]
    assert int((picture < 0).sum()) == 3 * int((picture[0, 0] < 0).sum()) == 3 * 2037


def test_models_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATAKIT_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match="datakit models pull ppocrv3-rec"):
        find_model("ppocrv3-rec")
    with pytest.raises(WeightsError, match="neither a model"):
        find_model(tmp_path / "none")


def test_a_detector_is_no_recogniser(tiny_model: Path, tmp_path: Path) -> None:
    save_model(tmp_path, replace(load_model(tiny_model), architecture={"name": "onnx_names"}))
    with pytest.raises(WeightsError, match="holds onnx_names, not a recogniser"):
        load_recognizer(tmp_path)


def rendered_crops() -> list[np.ndarray]:
    """Eight drawn lines; at height 48 they need three different widths."""
    crops = []
    for index, text in enumerate(
        (
            "TOTAL 12.50",
            "25/03/2018",
            "CASH",
            "No. 4711",
            *["Invoice number 2018-0042 page 1"] * 2,
            *["9" * 60] * 2,
        )
    ):
        picture = np.full((40, 24 + 17 * len(text), 3), 250 - 9 * index, np.uint8)
        cv2.putText(picture, text, (8, 28), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (20, 30, 10 * index), 2)
        crops.append(picture)
    return crops


def real_crops() -> list[np.ndarray]:
    root = Path(os.environ.get("DATAKIT_REALDATA", Path(__file__).parents[2].parent / "shared" / "data"))
    lines = root / "receipts" / "rec_val.txt"
    if not lines.is_file():
        pytest.skip(f"{lines} is not here")
    paths = [lines.parent / line.split("\t")[0] for line in lines.read_text("utf-8").splitlines()[:400]]
    by_width: dict[int, list[np.ndarray]] = {}
    for path in paths:
        picture = read_bgr(path)
        by_width.setdefault(line_width(picture.shape[1], picture.shape[0]), []).append(picture)
    narrow, *wider = sorted(by_width)
    return [*by_width[narrow][:5], *(by_width[width][0] for width in (wider[0], wider[1], wider[-1]))]


def largest_difference(folder: Path, crops: list[np.ndarray]) -> tuple[float, set[int]]:
    """Of the softmax, between onnxruntime on the pulled file and the rebuilt network."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(folder / "source.onnx"), options)
    name = session.get_inputs()[0].name
    paddle = import_paddle()
    network = load_recognizer(folder).network
    worst, widths = 0.0, set()
    for crop in crops:
        width = line_width(crop.shape[1], crop.shape[0])
        widths.add(width)
        pixels = resize_norm(crop, 48, width)[None]
        with paddle.no_grad():
            ours = paddle.nn.functional.softmax(network(paddle.to_tensor(pixels)), axis=-1).numpy()
        worst = max(worst, float(np.abs(ours - session.run(None, {name: pixels})[0]).max()))
    return worst, widths


@pytest.mark.weights
def test_rebuilt_model_is_the_onnx_model_on_rendered_lines(real_model: Path) -> None:
    worst, widths = largest_difference(real_model, rendered_crops())
    assert len(widths) >= 3
    assert worst <= 1e-4


@pytest.mark.weights
@pytest.mark.realdata
def test_rebuilt_model_is_the_onnx_model_on_real_lines(real_model: Path) -> None:
    crops = real_crops()
    worst, widths = largest_difference(real_model, crops)
    assert len(crops) == 8
    assert len(widths) >= 3
    assert worst <= 1e-4


@pytest.mark.weights
def test_the_real_weights_refuse_the_other_pool(real_model: Path) -> None:
    with pytest.raises(WeightsError, match="probe differs"):
        assemble(load_model(real_model), {**PPOCRV3_REC, **WRONG})


@pytest.mark.weights
@pytest.mark.parametrize("protocol", [2, 4])
def test_pdparams_of_the_real_weights_are_checked_by_reading_digits(
    real_model: Path, tmp_path: Path, protocol: int
) -> None:
    stored = load_model(real_model)
    charset = Charset(stored.characters)
    path = tmp_path / "best_accuracy.pdparams"
    path.write_bytes(pickle.dumps(dict(stored.tensors), protocol=protocol))
    model = recognizer_from_pdparams(path, charset)
    assert all(np.array_equal(model.tensors[name], array) for name, array in stored.tensors.items())
    with pytest.raises(WeightsError, match=r"\[2, 2\]\s+reads '0123456789'"):
        recognizer_from_pdparams(path, charset, architecture={**PPOCRV3_REC, **WRONG})


@pytest.mark.weights
def test_converting_again_gives_the_same(real_model: Path) -> None:
    again = recognizer_from_onnx(real_model / "source.onnx", MODELS["ppocrv3-rec"], "again")
    stored = load_model(real_model)
    assert again.characters == stored.characters
    assert len(again.characters) == 6624
    assert all(np.array_equal(again.tensors[name], array) for name, array in stored.tensors.items())


def test_onnx_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "x.onnx"
    for raw in (b"", b"not onnx", b"\x08\x07" * 40):
        path.write_bytes(raw)
        with pytest.raises(WeightsError):
            recognizer_from_onnx(path, MODELS["ppocrv3-rec"], "x")
