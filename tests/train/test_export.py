"""export: every form reads what the trained model reads, appears whole, and replaces nothing of others."""

from __future__ import annotations

import json
import pickletools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from datakit.charset import Charset, load_charset
from datakit.cli.main import app
from datakit.errors import DatakitError
from datakit.files import read_manifest
from datakit_train.dictionary import change_dictionary
from datakit_train.export import run as running
from datakit_train.export.onnx_graph import check_entries
from datakit_train.export.run import ParityError, export
from datakit_train.framework import import_paddle
from datakit_train.recognizer import load_recognizer
from datakit_train.weights.onnx import read_onnx_dictionary, read_onnx_tensors
from datakit_train.weights.pdparams import WeightsError, read_pdparams
from datakit_train.weights.store import load_model, save_model

PADDLE = ("paddle", "pdparams")


def test_paddle_forms_hold_the_weights_and_the_dictionary(
    tiny_model: Path, tmp_path: Path, draw_lines: Any
) -> None:
    labels = draw_lines("val", 5)
    result = export(tiny_model, tmp_path / "out", formats=PADDLE, labels=labels, limit=3)
    assert [(p.form, p.pictures, p.same) for p in result.parity] == [
        ("paddle", 4, True),
        ("pdparams", 4, True),
    ]
    assert all(p.largest <= 1e-5 for p in result.parity)
    stored = load_model(tiny_model)
    held = read_pdparams(tmp_path / "out" / "model.pdparams")
    assert set(held) == set(stored.tensors)
    assert all(np.array_equal(held[name], array) for name, array in stored.tensors.items())
    theirs = import_paddle().load(str(tmp_path / "out" / "model.pdparams"))
    assert np.array_equal(np.asarray(theirs["head.fc.weight"]), stored.tensors["head.fc.weight"])
    config = yaml.safe_load((tmp_path / "out" / "inference" / "inference.yml").read_bytes())
    assert config["Global"]["model_name"] == "PP-OCRv3_mobile_rec"
    assert config["PostProcess"]["character_dict"] == list("0123456789AB")
    assert config["PreProcess"]["transform_ops"][1] == {"RecResizeImg": {"image_shape": [3, 48, 320]}}
    assert load_charset(tmp_path / "out" / "dict.txt", use_space_char=False).chars == stored.characters
    assert read_manifest(tmp_path / "out").state == "done"
    assert not list(tmp_path.glob(".out*"))


def test_pdparams_are_for_any_numpy(tiny_model: Path, tmp_path: Path) -> None:
    export(tiny_model, tmp_path / "out", formats=["pdparams"])
    raw = (tmp_path / "out" / "model.pdparams").read_bytes()
    named = {argument for opcode, argument, _ in pickletools.genops(raw) if opcode.name == "GLOBAL"}
    assert "numpy.core.multiarray _reconstruct" in named
    assert not any("_core" in str(name) for name in named)


def test_an_earlier_export_is_replaced_and_nothing_else(tiny_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(tiny_model, out, formats=["pdparams"])
    (out / "old.txt").write_text("x", encoding="utf-8")
    export(tiny_model, out, formats=["pdparams"])
    assert not (out / "old.txt").exists()
    other = tmp_path / "other"
    other.mkdir()
    (other / "mine.txt").write_text("x", encoding="utf-8")
    with pytest.raises(DatakitError, match="holds something that is no export"):
        export(tiny_model, other, formats=["pdparams"])
    with pytest.raises(DatakitError, match="is there and no folder"):
        export(tiny_model, other / "mine.txt", formats=["pdparams"])
    assert (other / "mine.txt").read_text("utf-8") == "x"
    with pytest.raises(DatakitError, match="--formats 'tflite' is not of paddle, pdparams, onnx"):
        export(tiny_model, tmp_path / "new", formats=["tflite"])


def test_a_form_that_reads_otherwise_is_not_written(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = running.write_pdparams

    def spoilt(path: Path, tensors: dict[str, np.ndarray]) -> None:
        real(path, {**tensors, "head.fc.bias": np.eye(1, 13, 3, dtype=np.float32)[0] * 99})

    out = tmp_path / "out"
    monkeypatch.setattr(running, "write_pdparams", spoilt)
    with pytest.raises(
        ParityError, match="pdparams reads 1 of 1 pictures otherwise; the probe picture: '2'"
    ) as caught:
        export(tiny_model, out, formats=["pdparams"])
    assert caught.value.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_failing_rename_puts_the_old_export_back(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    export(tiny_model, out, formats=["pdparams"])
    before = (out / "manifest.json").read_bytes()
    real = Path.rename

    def failing(self: Path, target: Path) -> Path:
        if Path(target) == out and not self.name.endswith("-old"):
            raise OSError(5, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(DatakitError, match="cannot be put in place"):
        export(tiny_model, out, formats=["pdparams"])
    assert (out / "manifest.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_onnx_without_its_graph_or_with_a_wrong_one(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAKIT_CACHE", str(tmp_path / "cache"))
    with pytest.raises(WeightsError, match="datakit models pull ppocrv3-rec --force"):
        export(tiny_model, tmp_path / "out", formats=["onnx"])
    torn = tmp_path / "torn.onnx"
    torn.write_bytes(b"not onnx")
    with pytest.raises(WeightsError, match="not a readable ONNX file"):
        export(tiny_model, tmp_path / "out", formats=["onnx"], template=torn)
    assert not (tmp_path / "out").exists()


def test_entries_that_clients_would_split(tiny_model: Path) -> None:
    recognizer = load_recognizer(tiny_model)
    assert check_entries(replace(recognizer, charset=Charset(("a", " ")))) == ("a",)
    for entry in ("\u2028", "\x85", ""):
        with pytest.raises(DatakitError, match="entry 2 of the dictionary"):
            check_entries(replace(recognizer, charset=Charset(("a", entry, " "))))


@pytest.mark.weights
def test_onnx_has_the_same_graph_with_another_classifier(real_model: Path, tmp_path: Path) -> None:
    import onnx

    model, _ = change_dictionary(load_model(real_model), Charset(("\u00ea", "\u6c49", " ")), "union")
    rng = np.random.default_rng(0)
    moved = {
        name: array + 1e-3 * rng.standard_normal(array.shape).astype(np.float32)
        if name.startswith("neck.encoder.conv") and name.endswith("conv.weight")
        else array
        for name, array in model.tensors.items()
    }
    save_model(tmp_path / "model", replace(model, tensors=moved, probe=()))
    result = CliRunner().invoke(
        app,
        ["export", str(tmp_path / "model"), "--out", str(tmp_path / "out"), "--formats", "onnx", "--json"],
    )
    assert result.exit_code == 0, result.output
    (parity,) = json.loads(result.stdout)["parity"]
    assert parity["same"] and parity["largest"] <= 1e-4
    path = tmp_path / "out" / "model.onnx"
    ours, source = (onnx.load(str(p)) for p in (path, real_model / "source.onnx"))
    onnx.checker.check_model(ours)
    assert [(n.op_type, n.input, n.output) for n in ours.graph.node] == [
        (n.op_type, n.input, n.output) for n in source.graph.node
    ]
    assert [v.name for v in ours.graph.output] == [v.name for v in source.graph.output]
    assert ours.graph.output[0].type.tensor_type.shape.dim[-1].dim_value == 6626
    assert read_onnx_dictionary(path)[-2:] == (model.characters[-3], "\u00ea")
    old, new = read_onnx_tensors(real_model / "source.onnx"), read_onnx_tensors(path)
    changed = {name for name in old if not np.array_equal(old[name], new[name])}
    assert {n for n in changed if n.startswith("linear")} == {"linear_21.w_0", "linear_21.b_0"}
    assert {n for n in changed if n.startswith("conv")} == {f"conv2d_{n}.w_0" for n in (68, 69, 70, 71, 72)}
    assert len(changed) == 7
