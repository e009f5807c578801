"""Reading label files: a record for every line, whatever is wrong with it, and no line depends on another."""

from __future__ import annotations

import importlib.util
import json
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from datakit.cli.main import app
from datakit.errors import DatakitError, InputError
from datakit.records import Prediction, read_predictions
from datakit_train.evaluate import evaluate
from datakit_train.predict import LineReader, predict, read_label_set, score_predictions
from datakit_train.recognizer import Recognizer, load_recognizer
from datakit_train.weights.store import load_model, save_model


@pytest.fixture(scope="module")
def recognizer(tiny_model: Path) -> Recognizer:
    return load_recognizer(tiny_model)


@pytest.fixture
def label_file(tmp_path: Path) -> Path:
    """Lines of many widths, and four that cannot be read."""
    rng = np.random.default_rng(4)
    lines = []
    for index, width in enumerate((40, 50, 300, 330, 400, 410, 60, 2600, 45, 320)):
        picture = rng.integers(0, 256, (48, width, 3)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / f"{index}.png"), picture)
        lines.append(f"{index}.png\t{index}A\n".encode())
    whole = (tmp_path / "0.png").read_bytes()
    (tmp_path / "torn.png").write_bytes(whole[:-30])
    (tmp_path / "text.png").write_bytes(b"hello")
    lines[3:3] = [b"torn.png\tT\n", b"text.png\tX\n", b"no tab here\n"]
    lines.append(b"missing.png\tM\n")
    lines.append(b"../../../etc/passwd\tP\n")
    path = tmp_path / "labels.txt"
    path.write_bytes(b"".join(lines))
    return path


def test_every_line_has_a_record_in_order(recognizer: Recognizer, label_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "predictions.jsonl"
    result = predict([label_file], recognizer, out=out, show_progress=False)
    records = list(read_predictions(out))
    assert [record.line for record in records] == list(range(1, 16))
    failed = {record.line: str(record.error) for record in records if record.text is None}
    assert sorted(failed) == [4, 5, 6, 14, 15]
    for line, words in (
        (4, "truncated"),
        (5, "is no JPEG"),
        (6, "missing-tab"),
        (14, "no such"),
        (15, "leads"),
    ):
        assert words in failed[line]
    assert (result.score.lines, result.score.unreadable) == (15, 5)
    assert [record.line for record in result.unreadable] == sorted(failed)
    for record in records:
        assert (record.text is None) == (record.error is not None)
        assert len(record.char_scores) == len(record.text or "")
        assert all(0 <= score <= 1 for score in record.char_scores)


def test_unreadable_lines_stay_in_the_denominator() -> None:
    lines = [
        Prediction("f", 1, "a", "ab", "ab", None, 1.0, (1.0, 1.0)),
        Prediction("f", 2, "b", "abcd", None, "no such picture"),
        Prediction("f", 3, "c", "", None, "no such picture"),
    ]
    score = score_predictions(lines)
    assert (score.lines, score.exact, score.unreadable, score.edits, score.characters) == (3, 1, 2, 4, 6)


def test_a_text_depends_on_its_own_picture_only(recognizer: Recognizer, label_file: Path) -> None:
    reader = LineReader(recognizer)
    whole = read_label_set(label_file)
    wanted = {p.image: (p.text, p.char_scores) for p in reader.read(whole) if p.image}
    shuffled = label_file.with_name("shuffled.txt")
    lines = label_file.read_bytes().splitlines(keepends=True)
    random.Random(1).shuffle(lines)
    shuffled.write_bytes(b"".join(lines))
    for size, path in ((1, label_file), (3, shuffled), (32, shuffled)):
        for p in LineReader(recognizer, batch_size=size).read(read_label_set(path)):
            if p.image:
                text, scores = wanted[p.image]
                assert p.text == text
                assert p.char_scores == pytest.approx(scores, abs=1e-4)


def test_lines_are_read_at_their_own_width(
    recognizer: Recognizer, label_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...]] = []
    real = recognizer.network.forward

    def forward(pixels: object) -> object:
        seen.append(tuple(pixels.shape))  # type: ignore[attr-defined]
        return real(pixels)

    monkeypatch.setattr(recognizer.network, "forward", forward)
    LineReader(recognizer).read(read_label_set(label_file))
    assert seen == [(6, 3, 48, 320), (1, 3, 48, 352), (2, 3, 48, 416), (1, 3, 48, 2400)]


def test_long_lines_come_in_smaller_batches(recognizer: Recognizer) -> None:
    group = [(index, None, None) for index in range(40)]
    sizes = [
        [len(batch) for batch in LineReader(recognizer)._batches(group, width)]  # type: ignore[arg-type]
        for width in (320, 640, 2400)
    ]
    assert sizes == [[32, 8], [16, 16, 8], [4] * 10]


@pytest.mark.parametrize("content", [None, b"", b"\n"])
def test_label_files_without_lines(recognizer: Recognizer, tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "labels.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"labels\.txt"):
        predict([path], recognizer, show_progress=False)


def prediction(line: int, label: str, text: str | None) -> str:
    error = "no such picture" if text is None else None
    return Prediction("f.txt", line, f"{line}.png", label, text, error).to_json() + "\n"


def test_evaluate_scores_predictions_and_texts_unseen_in_training(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(
        prediction(1, "Total 5", "TOTAL5")
        + prediction(2, "new", "new")
        + prediction(3, "new two", "x")
        + prediction(4, "gone", None)
    )
    train = tmp_path / "train.txt"
    train.write_text("a.png\ttotal5\nb.png\tother\n")
    (found,) = evaluate([path], "none", train_labels=[train])
    assert (found.score.lines, found.score.exact, found.score.exact_folded) == (4, 1, 2)
    assert found.unseen is not None
    assert (found.unseen.lines, found.unseen.exact, found.unseen.unreadable) == (3, 1, 1)
    assert [name for name, _ in found.rows()] == [str(path), f"{path}, texts not in training"]
    assert evaluate([path], "none")[0].unseen is None


def test_evaluate_refuses_predictions_without_a_line(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text("\n")
    with pytest.raises(InputError, match="holds no prediction"):
        evaluate([path], "none")


def test_evaluate_and_predict_agree(recognizer: Recognizer, label_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.jsonl"
    score = predict([label_file], recognizer, out=out, show_progress=False).score
    by_model, by_file = evaluate([label_file, out], recognizer)
    assert by_model.score == by_file.score == score


def test_commands(tiny_model: Path, label_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "p.jsonl"
    run = CliRunner()
    arguments = ["predict", str(label_file), "--model", str(tiny_model), "--out", str(out)]
    found = json.loads(run.invoke(app, [*arguments, "--json"]).stdout)
    assert (found["lines"], found["unreadable"], found["schema_version"]) == (15, 5, 1)
    plain = run.invoke(app, arguments)
    assert plain.stdout.splitlines()[0].startswith("15 lines, 5 unreadable; exact ")
    assert "labels.txt:4" in plain.stderr
    table = run.invoke(app, ["evaluate", str(out), "--json"])
    assert json.loads(table.stdout)["sets"][0]["all"]["lines"] == 15
    assert run.invoke(app, ["evaluate", str(out)]).stdout.splitlines()[1].split()[:2] == ["15", "5"]


def test_pictures_can_be_decoded_when_paddle_was_there_first(tmp_path: Path) -> None:
    """Paddle 2.6 brings a zlib that kills cv2 and Pillow where they are loaded behind it."""
    path = tmp_path / "line.png"
    cv2.imwrite(str(path), np.zeros((32, 88, 3), np.uint8))
    code = (
        "import sys; from datakit_train.framework import import_paddle; import_paddle(1)\n"
        "import cv2; from PIL import Image\n"
        "print(cv2.imread(sys.argv[1]).shape, Image.open(sys.argv[1]).convert('L').size)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout == "(32, 88, 3) (88, 32)\n"


def test_onnxruntime_reads_what_paddle_reads(
    real_model: Path, tmp_path: Path, draw_lines: Callable[..., Path]
) -> None:
    label_file = draw_lines("lines.txt", 12)
    # Other weights than those of the graph that they are written into.
    model = load_model(real_model)
    classifier = next(name for name in model.tensors if name.endswith("fc.bias"))
    changed = np.array(model.tensors[classifier])
    changed[1 + model.characters.index("0")] -= 1000
    save_model(tmp_path / "changed", replace(model, tensors={**model.tensors, classifier: changed}, probe=()))
    arguments = ["predict", str(label_file), "--model", str(tmp_path / "changed"), "--threads", "1"]
    found = {}
    for engine in ("paddle", "onnxruntime"):
        out = tmp_path / f"{engine}.jsonl"
        result = CliRunner().invoke(app, [*arguments, "--engine", engine, "--out", str(out)])
        assert result.exit_code == 0, result.output
        found[engine] = list(read_predictions(out))
    stock = predict([label_file], real_model, show_progress=False, out=tmp_path / "stock.jsonl")
    assert stock.score.lines == 12
    assert [p.text for p in found["paddle"]] != [p.text for p in read_predictions(tmp_path / "stock.jsonl")]
    for ours, theirs in zip(found["paddle"], found["onnxruntime"], strict=True):
        assert theirs.text == ours.text
        assert theirs.char_scores == pytest.approx(ours.char_scores, abs=1e-3)


def test_engine_that_is_unknown_or_not_installed(
    tiny_model: Path, real_model: Path, label_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(engine: str, model: Path) -> str:
        arguments = ["predict", str(label_file), "--model", str(model), "--engine", engine]
        result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "out.jsonl")])
        assert isinstance(result.exception, DatakitError)
        assert not (tmp_path / "out.jsonl").exists()
        return str(result.exception)

    assert "--engine 'tensorrt' is not one of paddle, onnxruntime" in run("tensorrt", tiny_model)
    assert "has shape (4,), here (16,)" in run("onnxruntime", tiny_model)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else find(name)
    )
    assert "pip install 'ocr-datakit[export]'" in run("onnxruntime", real_model)
