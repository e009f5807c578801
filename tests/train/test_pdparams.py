"""Reading .pdparams: Paddle's own form loads, everything else is refused by name and nothing runs."""

from __future__ import annotations

import codecs
import copyreg
import functools
import operator
import os
import pickle
import random
import struct
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datakit.errors import InputError
from datakit.images import header
from datakit.lmdb_set import LmdbSample, read_lmdb, write_lmdb
from datakit_train.weights.pdparams import WeightsError, read_pdparams

TENSORS = {
    "conv1.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
    "fc.bias": np.array([1.5, -2.0], np.float64),
    "steps": np.array(7, np.int64),
    "turned": np.asfortranarray(np.arange(6, dtype=np.int32).reshape(2, 3)),
}


class PaddleTensor:
    """Pickles as Paddle's varbase does: a call of ``tuple`` with the name and the array."""

    def __init__(self, name: str, array: np.ndarray) -> None:
        self.pair = (name, array)

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (self.pair,)


def paddle_file(path: Path, protocol: int, form: str) -> Path:
    content: dict[str, Any] = dict(TENSORS)
    if form == "pairs":
        content = {name: PaddleTensor(f"linear_{name}", array) for name, array in TENSORS.items()}
        content["StructuredToParameterName@@"] = {name: f"linear_{name}" for name in TENSORS}
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("form", ["arrays", "pairs"])
def test_genuine_files_load(tmp_path: Path, protocol: int, form: str) -> None:
    found = read_pdparams(paddle_file(tmp_path / "model.pdparams", protocol, form))
    assert set(found) == set(TENSORS)
    for name, array in TENSORS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


def test_bytes_of_the_other_order_are_turned(tmp_path: Path) -> None:
    path = tmp_path / "big.pdparams"
    path.write_bytes(pickle.dumps({"w": np.array([1, 256, -3], ">i4")}, protocol=2))
    assert read_pdparams(path)["w"].tolist() == [1, 256, -3]


class Call:
    """Pickles as a call."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.reduced = (function, arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        return self.reduced


def _global(module: str, name: str) -> bytes:
    return b"c" + f"{module}\n{name}\n".encode()


def _text(text: str) -> bytes:
    return b"X" + struct.pack("<I", len(text.encode())) + text.encode()


def payloads(marker: Path) -> dict[str, tuple[bytes, str]]:
    """Name -> (pickle that would make ``marker``, the words that its refusal has to hold)."""
    shell = f"touch {marker}"
    code = f"open({str(marker)!r}, 'w')"
    calls: dict[str, tuple[Any, str]] = {
        "os.system": (Call(os.system, shell), "posix.system"),
        "subprocess": (Call(subprocess.check_call, ["touch", str(marker)]), "subprocess.check_call"),
        "popen": (Call(subprocess.Popen, ["touch", str(marker)]), "subprocess.Popen"),
        "eval": (Call(eval, code), "builtins.eval"),
        "exec": (Call(exec, code), "builtins.exec"),
        "open": (Call(open, str(marker), "w"), "io.open"),
        "import": (Call(__import__, "os"), "builtins.__import__"),
        "getattr": (Call(getattr, Call(__import__, "os"), "system"), "builtins.getattr"),
        "partial": (Call(functools.partial(os.system, shell)), "functools.partial"),
        "attrgetter": (Call(operator.attrgetter("system"), None), "operator.attrgetter"),
        "methodcaller": (Call(operator.methodcaller("write_text", "x"), marker), "operator.methodcaller"),
        "codecs": (Call(codecs.decode, b"eA==", "base64"), "_codecs.decode"),
        "reconstructor": (Call(copyreg._reconstructor, dict, object, None), "copyreg._reconstructor"),
        "numpy object array": (np.array([Call(os.system, shell)], object), "'O8'"),
        "numpy object dtype": (np.array([None], object), "'O8'"),
        "numpy structured dtype": (np.zeros(2, [("a", "f4")]), "'V4'"),
        "numpy.load": (Call(np.load, str(marker)), "numpy.load"),
        "pathlib": (Call(type(marker), str(marker)), "pathlib"),
    }
    made = {name: (pickle.dumps({"w": value}, protocol=4), words) for name, (value, words) in calls.items()}
    raw = {
        "INST": (b"(" + _text(shell) + b"ios\nsystem\n.", "os.system"),
        "OBJ": (b"(" + _global("os", "system") + _text(shell) + b"o.", "os.system"),
        "NEWOBJ": (_global("subprocess", "Popen") + _text(shell) + b"\x85\x81.", "subprocess.Popen"),
        "NEWOBJ_EX": (b"\x80\x04" + _global("subprocess", "Popen") + b")}\x92.", "subprocess.Popen"),
        "STACK_GLOBAL": (
            b"\x80\x04\x8c\x05posix\x8c\x06system\x93" + _text(shell) + b"\x85R.",
            "posix.system",
        ),
        "dotted name": (b"\x80\x04\x8c\x05numpy\x8c\x11ndarray.__class__\x93.", "numpy.ndarray.__class__"),
        "dotted tuple": (b"\x80\x04\x8c\x08builtins\x8c\x0etuple.__base__\x93)R.", "builtins.tuple.__base__"),
        "BUILD on a stand-in": (
            _global("_codecs", "encode") + b"}(" + _text("_function") + _text("x") + b"ub.",
            "state of a callable",
        ),
        "BUILD with slots": (
            _global("_codecs", "encode") + b"}}(" + _text("__call__") + _text("x") + b"u\x86b.",
            "state of a callable",
        ),
        "BUILD on the array class": (_global("numpy", "ndarray") + b"}(" + _text("a") + b"Nub.", "TypeError"),
        "newobj": (_global("copyreg", "__newobj__") + b")R.", "copyreg.__newobj__"),
        "python 2": (_global("__builtin__", "eval") + _text(code) + b"\x85R.", "__builtin__.eval"),
        "other codec": (_global("_codecs", "encode") + _text("x") + _text("rot13") + b"\x86R.", "'rot13'"),
        "extension code": (b"\x80\x02\x82\x01.", "EXT1"),
        "persistent id": (b"Pos.system\n.", "PERSID"),
        "huge memo index": (b"\x80\x02Nr\xf0\xff\xff\xff.", "memo index"),
    }
    return made | raw


NAMES = sorted(payloads(Path("marker")))


@pytest.mark.parametrize("name", NAMES)
def test_payloads_are_refused_by_name_and_never_run(tmp_path: Path, name: str) -> None:
    marker = tmp_path / "marker"
    raw, words = payloads(marker)[name]
    path = tmp_path / "payload.pdparams"
    path.write_bytes(raw)
    with pytest.raises(InputError) as caught:
        read_pdparams(path)
    assert str(path) in str(caught.value)
    assert words in str(caught.value)
    assert not marker.exists()


def test_payloads_in_an_lmdb_are_bytes_and_no_pictures(tmp_path: Path) -> None:
    pytest.importorskip("lmdb")
    marker = tmp_path / "marker"
    given = [raw for raw, _words in payloads(marker).values()]
    write_lmdb(tmp_path / "set", [(raw, "text") for raw in given])
    found = [sample for sample in read_lmdb(tmp_path / "set") if isinstance(sample, LmdbSample)]
    assert [sample.image for sample in found] == given
    for sample in found:
        with pytest.raises(InputError):
            header(f"image-{sample.key}", sample.image)
    assert not marker.exists()


def test_there_are_enough_payloads_and_they_would_have_run(tmp_path: Path) -> None:
    assert len(NAMES) >= 12
    marker = tmp_path / "marker"
    pickle.loads(payloads(marker)["os.system"][0])
    assert marker.exists()


def test_a_stand_in_is_not_changed_by_a_payload(tmp_path: Path) -> None:
    path = tmp_path / "payload.pdparams"
    path.write_bytes(payloads(tmp_path / "marker")["BUILD with slots"][0])
    with pytest.raises(InputError):
        read_pdparams(path)
    assert set(read_pdparams(paddle_file(tmp_path / "model.pdparams", 2, "arrays"))) == set(TENSORS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([1, 2], "holds a list"),
        ({}, "holds no tensor"),
        ({"w": 3}, "entry 'w' is a int"),
        ({"w": {"nested": TENSORS["fc.bias"]}}, "entry 'w' is a dict"),
    ],
)
def test_other_content_is_named(tmp_path: Path, content: object, words: str) -> None:
    path = tmp_path / "other.pdparams"
    path.write_bytes(pickle.dumps(content, protocol=2))
    with pytest.raises(WeightsError, match=words):
        read_pdparams(path)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="No such file"):
        read_pdparams(tmp_path / "none.pdparams")
    with pytest.raises(WeightsError, match="directory"):
        read_pdparams(tmp_path)


def _mutated(raw: bytes, rng: random.Random) -> bytes:
    torn = bytearray(raw)
    for _ in range(rng.randint(1, 4)):
        kind = rng.randrange(4)
        place = rng.randrange(len(torn))
        if kind == 0:
            torn[place] = rng.randrange(256)
        elif kind == 1:
            del torn[place:]
        elif kind == 2:
            del torn[place : place + rng.randint(1, 9)]
        else:
            torn[place:place] = rng.randbytes(rng.randint(1, 9))
        torn = torn or bytearray(b".")
    return bytes(torn)


@pytest.mark.filterwarnings("ignore:invalid escape sequence:DeprecationWarning")
def test_thousands_of_mutations_raise_nothing_else(tmp_path: Path) -> None:
    rng = random.Random(3)
    path = tmp_path / "torn.pdparams"
    genuine = [
        paddle_file(tmp_path / "genuine", protocol, form).read_bytes()
        for protocol in (2, 4)
        for form in ("arrays", "pairs")
    ]
    refused = 0
    for round_number in range(4000):
        raw = rng.randbytes(64) if round_number % 10 == 0 else _mutated(rng.choice(genuine), rng)
        path.write_bytes(raw)
        try:
            read_pdparams(path)
        except InputError:
            refused += 1
    # The others changed nothing but numbers or letters.
    assert 2000 < refused < 4000
