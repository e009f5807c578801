"""models extract: sub-models of a distillation checkpoint whose parameters follow the reference's rule."""

from __future__ import annotations

import json
import math
import pickle
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from datakit.cli.main import app
from datakit.errors import DatakitError
from datakit_train.recognizer import load_recognizer
from datakit_train.weights.extract import extract
from datakit_train.weights.store import load_model

DATA = Path(__file__).parent.parent / "data"
FILES = {"v2": "reference_rec_v2", "v3": "reference_rec", "v4": "reference_rec_v4"}


def parameters(version: str) -> dict[str, list[int]]:
    facts: dict[str, list[int]] = json.loads((DATA / f"{FILES[version]}.json").read_bytes())["parameters"]
    return facts


def rule(name: str, shape: list[int]) -> np.ndarray:
    """The rule of the reference; ``name`` with the sub-model's prefix, so that sub-models differ."""
    noise = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape).astype(np.float32)
    if len(shape) >= 2:
        fan = math.prod(shape[1:]) if len(shape) == 4 else shape[0]
        return (noise * np.sqrt(2 / fan)).astype(np.float32)
    if name.endswith("_variance"):
        return 1 + np.float32(0.2) * abs(noise)
    return (1 if name.endswith("weight") else 0) + np.float32(0.1) * noise


def with_gtc(name: str) -> str:
    return (
        name.replace("neck.", "head.ctc_encoder.", 1)
        if name.startswith("neck.")
        else (name.replace("head.", "head.ctc_head.", 1))
    )


def distillation(path: Path, version: str, prefixes: tuple[str, ...], *, gtc: bool, lack: str = "-") -> Path:
    held: dict[str, Any] = {}
    for prefix in prefixes:
        for name, shape in parameters(version).items():
            if lack not in name:
                held[prefix + (with_gtc(name) if gtc else name)] = rule(prefix + name, shape)
        if gtc:
            held[f"{prefix}head.sar_head.encoder.rnn_encoder.0.weight_ih_l0"] = np.ones((4, 2), np.float32)
    path.write_bytes(pickle.dumps(held, protocol=2))
    return path


@pytest.fixture
def dictionary(tmp_path: Path) -> Path:
    path = tmp_path / "dict.txt"
    path.write_text("".join(chr(0x4E00 + index) + "\n" for index in range(95)), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("version", "asked", "prefix", "gtc"),
    [
        ("v3", "Student", "Student.", True),
        ("v3", "Student2", "Student2.", False),
        ("v2", "Teacher", "Teacher.", False),
        ("v4", "student_model", "student_model.", True),
        ("v3", None, "Student.", True),
    ],
)
def test_a_sub_model_becomes_a_model(
    tmp_path: Path, dictionary: Path, version: str, asked: str | None, prefix: str, gtc: bool
) -> None:
    path = distillation(tmp_path / "x.pdparams", version, tuple(dict.fromkeys(("Teacher.", prefix))), gtc=gtc)
    taken = extract(path, tmp_path / "out", dictionary=dictionary, submodel=asked)
    assert (taken.missing, taken.left_over, len(taken.gtc)) == ((), (), int(gtc))
    assert taken.submodel == prefix.removesuffix(".")
    wanted = parameters(version)
    assert taken.tensors == len(wanted)
    stored = load_model(tmp_path / "out")
    for name, shape in wanted.items():
        if ".lstm." not in name:  # two names of one tensor there: the later one holds
            np.testing.assert_array_equal(stored.tensors[name], rule(prefix + name, shape))
    recognizer = load_recognizer(tmp_path / "out")
    assert recognizer.charset.num_classes == 97
    assert (recognizer.height, recognizer.stride) == ((32, 4) if version == "v2" else (48, 8))


def test_what_does_not_cover_the_network_stops_and_names_both_sides(tmp_path: Path, dictionary: Path) -> None:
    path = distillation(tmp_path / "x.pdparams", "v3", ("Student.",), gtc=False, lack="conv3.")
    held = pickle.loads(path.read_bytes())
    held["Student.neck.encoder.convX.weight"] = np.ones(3, np.float32)
    path.write_bytes(pickle.dumps(held, protocol=2))
    with pytest.raises(DatakitError) as caught:
        extract(path, tmp_path / "out", dictionary=dictionary)
    assert "cover 97.4 % of the network; missing: neck.encoder.conv3.conv.weight," in str(caught.value)
    assert "left over: neck.encoder.convX.weight. Use --allow-partial" in str(caught.value)
    assert not (tmp_path / "out").exists()
    taken = extract(path, tmp_path / "out", dictionary=dictionary, allow_partial=True)
    assert len(taken.missing) == 5
    assert taken.left_over == ("neck.encoder.convX.weight",)


def test_wrong_names_and_dictionaries(tmp_path: Path, dictionary: Path) -> None:
    path = distillation(tmp_path / "x.pdparams", "v3", ("Student.",), gtc=False)
    with pytest.raises(DatakitError, match="'Pupil' is not one of Student, student_model"):
        extract(path, tmp_path / "out", dictionary=dictionary, submodel="Pupil")
    with pytest.raises(DatakitError, match=r"no tensor is called Teacher\."):
        extract(path, tmp_path / "out", dictionary=dictionary, submodel="Teacher")
    short = tmp_path / "short.txt"
    short.write_text("a\nb\n", encoding="utf-8")
    with pytest.raises(DatakitError, match=r"has 97 classes, the dictionary 4 "):
        extract(path, tmp_path / "out", dictionary=short)
    path.write_bytes(pickle.dumps({"Student.backbone.conv.weight": np.ones(3, np.float32)}, protocol=2))
    with pytest.raises(DatakitError, match="not the weights of a CTC recogniser"):
        extract(path, tmp_path / "out", dictionary=dictionary)


def test_the_command(tmp_path: Path, dictionary: Path) -> None:
    path = distillation(tmp_path / "x.pdparams", "v3", ("Student.", "Teacher."), gtc=True)
    command = ["models", "extract", str(path), "--out", str(tmp_path / "out"), "--dict", str(dictionary)]
    result = CliRunner().invoke(app, [*command, "--from", "Teacher", "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["submodel"] == "Teacher"
    assert (document["tensors"], document["missing"], document["others"]) == (196, [], 197)
