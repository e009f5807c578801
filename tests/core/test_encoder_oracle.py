"""encode_verdict beside PaddleOCR's own label encoders, on more than ten thousand labels.

The oracle is one file of the wheel paddleocr 2.10.0, fetched by pip into a cache and never committed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import random
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from datakit.charset import Charset, load_charset
from datakit.encoders import NO_DICTIONARY, Verdict, ctc_steps_needed, encode_verdict
from datakit.labels import RecLine, scan_rec

REALDATA = Path(os.environ.get("DATAKIT_REALDATA", Path(__file__).parents[2].parent / "shared/data"))
WHEEL = "paddleocr-2.10.0-py3-none-any.whl"
MEMBER = "paddleocr/ppocr/data/imaug/label_ops.py"
SHA256 = "a734c1d4b3c5200cedbfd65b507b8c998546874286eb7de04f5c462304a094a8"

# A dictionary with every oddity that a file can have: an empty entry, entries of several characters, one
# entry twice, a space and a line separator inside it.
ENTRIES = [
    *"abcdefghijklmnopqrstuvwxyzABCDEXYZ0123456789.,:-/#*é漢字ａＡ",
    " ",
    "",
    "ab",
    "a",
    "\ufeffz",
    "\u2028",
]
ALPHABETS = [
    "abcXYZ019.,:-/",  # inside
    "abXYaabb",  # repeats
    "abXQRSTñ語\u3000 ",  # inside and out, spaces of both widths
    "ａＡＢ１！　",  # full-width, one of them in the dictionary
    "a\U0001f600\U00020000\U0010ffff",  # outside the basic plane
    "a\x00\x07\x1f\x7f\x85\u200b\u202e\ufeff\u2028\r\v",  # controls and marks
    "İIıßǅΣς",  # lower case of another length
]
FIXED = ["", " ", "  ", "###", "*", "\r", "a\r", "ab", "aa", "Q", "\u3000", "é", "e\u0301", "a" * 400]
LIMITS = (25, 24, 2, 1, 0, 80)


def cache_folder() -> Path:
    given = os.environ.get("DATAKIT_CACHE")
    return (Path(given) if given else Path.home() / ".cache/datakit") / "oracle"


def fetched_source() -> bytes:
    """The one file, from the cache or from the package index; skips where pip cannot deliver."""
    kept = cache_folder() / "label_ops.py"
    if not kept.is_file() or hashlib.sha256(kept.read_bytes()).hexdigest() != SHA256:
        kept.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet"]
        command += ["--dest", str(kept.parent), "paddleocr==2.10.0"]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=300)
        if done.returncode != 0:
            pytest.skip(f"pip could not deliver paddleocr 2.10.0: {done.stderr.strip()[-200:]}")
        wheel = kept.parent / WHEEL
        with zipfile.ZipFile(wheel) as archive:
            kept.write_bytes(archive.read(MEMBER))
        wheel.unlink()
    source = kept.read_bytes()
    assert hashlib.sha256(source).hexdigest() == SHA256, "another label_ops.py than the one of 2.10.0"
    return source


class Logger:
    def warning(self, message: str) -> None:
        assert "character_dict_path is None" in message


@pytest.fixture(scope="session")
def oracle() -> ModuleType:
    """PaddleOCR's label_ops with what it imports and the encoders do not use stubbed."""
    fetched_source()
    stubs = {
        name: ModuleType(name)
        for name in (
            *("shapely", "shapely.geometry", "ppocr", "ppocr.utils", "ppocr.utils.logging", "ppocr.data"),
            *("ppocr.data.imaug", "ppocr.data.imaug.vqa", "ppocr.data.imaug.vqa.augment"),
        )
    }
    vars(stubs["shapely.geometry"]).update(dict.fromkeys(("LineString", "Point", "Polygon")))
    vars(stubs["ppocr.utils.logging"])["get_logger"] = Logger
    vars(stubs["ppocr.data.imaug.vqa.augment"])["order_by_tbyx"] = None
    spec = importlib.util.spec_from_file_location("label_ops", cache_folder() / "label_ops.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with patch.dict(sys.modules, stubs):
        spec.loader.exec_module(module)
    return module


def encoders(oracle: ModuleType, limit: int, path: str | None, space: bool) -> dict[tuple[str, str], Any]:
    """PaddleOCR's encoders by (our name, the head beside CTC)."""
    named = {"max_text_length": limit, "character_dict_path": path, "use_space_char": space}
    return {
        ("ctc", ""): oracle.CTCLabelEncode(**named),
        ("sar", ""): oracle.SARLabelEncode(**named),
        ("nrtr", ""): oracle.NRTRLabelEncode(**named),
        ("multi", "sar"): oracle.MultiLabelEncode(**named),
        ("multi", "nrtr"): oracle.MultiLabelEncode(**named, gtc_encode="NRTRLabelEncode"),
    }


def generated(count: int) -> Iterator[str]:
    rng = random.Random(10)
    yield from FIXED
    for length in (1, 2, 22, 23, 24, 25, 26, 27):
        for alphabet in ALPHABETS:
            for _ in range(12):
                yield "".join(rng.choices(alphabet, k=length))
                yield "".join(rng.choices("abc" + alphabet, k=length)) + "\r"
    for _ in range(count):
        yield "".join(rng.choices(rng.choice(ALPHABETS), k=rng.randint(1, 30)))


def real() -> Iterator[str]:
    for path in sorted(REALDATA.glob("*/rec_*.txt")) + sorted(REALDATA.glob("*/plates_*.txt")):
        for line in path.read_bytes().split(b"\n"):
            if b"\t" in line:
                yield line.decode().split("\t")[1]


def trained_ids(name: str, out: dict[str, Any]) -> list[int]:
    """The class of every character in the target, without start, end and padding."""
    length = int(out["length"])
    if name in ("ctc", "multi"):
        return list(out["label_ctc" if name == "multi" else "label"][:length])
    return list(out["label"][1 : 1 + length])


def expected(name: str, encoder: Any, text: str) -> tuple[str, list[int]] | None:
    """What PaddleOCR trains: text and classes; None where it drops the line."""
    out = encoder({"label": text, "image": 0})
    if out is None:
        return None
    ids = trained_ids(name, out)
    characters = (encoder.ctc_encode if name == "multi" else encoder).character
    if name == "multi":
        gtc = out.get("label_sar", out.get("label_gtc"))
        assert "".join(encoder.gtc_encode.character[i] for i in gtc[1 : 1 + len(ids)]) == "".join(
            characters[i] for i in ids
        )
    return "".join(characters[i] for i in ids), ids


def agrees(verdict: Verdict, theirs: tuple[str, list[int]] | None, text: str, charset: Charset) -> bool:
    if theirs is None:
        return verdict.kind == "dropped" and verdict.text == ""
    trained, _ = theirs
    whole = verdict.kind == "trained"
    return (
        verdict.kind != "dropped"
        and verdict.text == trained
        and whole is (not verdict.cut)
        and (verdict.reason == "") is (trained == text)
        and all(char not in charset for char in verdict.cut)
    )


def compare(oracle: ModuleType, texts: list[str], limit: int, path: str | None, space: bool) -> int:
    charset = load_charset(path, space) if path else NO_DICTIONARY
    compared = 0
    for (name, gtc), encoder in encoders(oracle, limit, path, space).items():
        offset = {"ctc": 0, "multi": 0, "sar": 1, "nrtr": -3}[name]
        for text in texts:
            theirs = expected(name, encoder, text)
            ours = encode_verdict(text, charset, encoder=name, max_text_length=limit, lower=path is None)
            assert agrees(ours, theirs, text, charset), (name, gtc, limit, space, text, ours, theirs)
            if theirs:
                # Ours count from the CTC blank; SAR has none before the entries, NRTR has four marks.
                assert charset.encode(ours.text) == [index + offset for index in theirs[1]]
            compared += 1
    return compared


@pytest.fixture(scope="session")
def dictionary(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("oracle") / "dict.txt"
    path.write_bytes("\r\n".join(ENTRIES).encode() + b"\n")
    return str(path)


@pytest.mark.parametrize("space", [True, False])
def test_generated_labels(oracle: ModuleType, dictionary: str, space: bool) -> None:
    texts = list(dict.fromkeys(generated(11_000)))
    assert len(texts) >= 10_000
    assert compare(oracle, texts, 25, dictionary, space) == 5 * len(texts)
    some = texts[:: max(1, len(texts) // 1500)] + FIXED
    for limit in LIMITS:
        compare(oracle, some, limit, dictionary, space)


def test_labels_without_a_dictionary(oracle: ModuleType) -> None:
    texts = list(dict.fromkeys(generated(2_000)))
    for limit in LIMITS:
        compare(oracle, texts, limit, None, True)


@pytest.mark.realdata
@pytest.mark.skipif(not REALDATA.is_dir(), reason=f"{REALDATA} is not there")
@pytest.mark.parametrize("limit", [25, 80])
def test_real_labels(oracle: ModuleType, dictionary: str, limit: int) -> None:
    texts = list(dict.fromkeys(real()))
    assert len(texts) > 9_000
    assert compare(oracle, texts, limit, dictionary, True) == 5 * len(texts)


def test_classes_of_the_dictionary(oracle: ModuleType, dictionary: str) -> None:
    for space in (True, False):
        theirs = encoders(oracle, 25, dictionary, space)["ctc", ""]
        assert theirs.character[1:] == list(load_charset(dictionary, space).chars)
    assert encoders(oracle, 25, None, True)["ctc", ""].character[1:] == list(NO_DICTIONARY.chars)


def test_lines_of_a_file_reach_the_encoder_as_in_paddleocr(tmp_path: Path) -> None:
    """SimpleDataSet strips the newline alone: a carriage return is the 26th character of a label of 25."""
    raw = [
        b"a.jpg\t" + b"a" * 25 + b"\r\n",
        b"b.jpg\tab\r\n",
        b"c.jpg\tab\tc\r\n",
        b"d.jpg\tab\rc\n",
        b"e.jpg\t\r\n",
    ]
    path = tmp_path / "labels.txt"
    path.write_bytes(b"".join(raw))
    lines = [line for line in scan_rec(path) if isinstance(line, RecLine)]
    assert [line.trainer_text for line in lines] == [line.decode().strip("\n").split("\t")[1] for line in raw]
    charset = Charset(tuple("abc"))
    verdicts = [encode_verdict(line.trainer_text, charset) for line in lines]
    assert [verdict.kind for verdict in verdicts] == ["dropped", "cut", "trained", "cut", "dropped"]
    assert verdicts[0].reason == "26 characters, over the limit of 25"


def test_lower_case_is_named_as_a_change() -> None:
    ours = encode_verdict("Ab-1", NO_DICTIONARY, lower=True)
    assert ours == Verdict("cut", "ab1", ("-",), "not in the dictionary and left out: -")
    assert encode_verdict("Ab1", NO_DICTIONARY, lower=True) == Verdict(
        "trained", "ab1", (), "trained in lower case"
    )
    assert encode_verdict("ab1", NO_DICTIONARY, lower=True) == Verdict("trained", "ab1")


def test_paddles_ctc_loss_learns_what_fits_its_time_steps() -> None:
    """A sample that needs more steps than there are has loss 0 and gradient 0: it is never learnable."""
    pytest.importorskip("paddle", reason="Paddle is not installed")
    from datakit_train.framework import import_paddle

    paddle = import_paddle(1)
    steps = 6
    cases = [
        [1, 2, 3, 4, 5, 6],
        [1, 1, 2, 2],
        [1, 1, 1],
        [1, 1, 1, 2],
        [1, 2, 3, 4, 5, 6, 7],
        [1, 1, 2, 3, 3, 2],
    ]
    for labels in cases:
        values = np.random.default_rng(1).normal(size=(steps, 1, 9)).astype("float32")
        logits = paddle.to_tensor(values, stop_gradient=False)
        loss = paddle.nn.functional.ctc_loss(
            logits,
            paddle.to_tensor([labels], dtype="int32"),
            paddle.to_tensor([steps], dtype="int64"),
            paddle.to_tensor([len(labels)], dtype="int64"),
            blank=0,
            reduction="none",
        )
        loss.sum().backward()
        learnable = ctc_steps_needed(labels) <= steps
        assert (float(loss.numpy().reshape(-1)[0]) > 0) is learnable, labels
        assert bool(np.abs(logits.grad.numpy()).sum() > 0) is learnable, labels
