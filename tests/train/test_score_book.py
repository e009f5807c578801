"""Scores that were counted before are not counted again, unless weights, labels or pictures changed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from datakit.errors import InputError
from datakit.mix import Mix, Source
from datakit_train.finetune import finetune
from datakit_train.predict import LabelSet, LineReader, read_label_set
from datakit_train.recognizer import Recognizer, load_recognizer
from datakit_train.score_book import ScoreBook, score_sets
from datakit_train.settings import Settings

DrawLines = Callable[..., Path]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders of the label files that are read, in order."""
    names: list[str] = []
    real = LineReader.read

    def counting(self: LineReader, label_set: LabelSet, progress: object = None) -> object:
        names.append(label_set.path.parent.name)
        return real(self, label_set, progress)  # type: ignore[arg-type]

    monkeypatch.setattr(LineReader, "read", counting)
    return names


@pytest.fixture
def recognizer(tiny_model: Path) -> Recognizer:
    return load_recognizer(tiny_model)


def test_a_set_is_read_once_for_the_same_weights(
    recognizer: Recognizer, draw_lines: DrawLines, tmp_path: Path, read: list[str]
) -> None:
    val = draw_lines("val", 6)
    path = tmp_path / "scored.jsonl"

    def score() -> dict[str, object]:
        sets = {"": read_label_set(val), "val": read_label_set(val)}
        return dict(score_sets(LineReader(recognizer), sets, ScoreBook(path), "val"))

    first = score()
    # Twice the same set: once.
    assert read == ["val"] and first[""] == first["val"]
    assert score() == first and read == ["val"]
    bias = recognizer.network.head.fc.bias
    old = bias.numpy()
    bias.set_value(old + 1e-6)
    score()
    assert read == ["val"] * 2
    bias.set_value(old)
    assert score() == first and read == ["val"] * 2
    assert len(path.read_text().splitlines()) == 2


@pytest.mark.parametrize("change", ["label", "picture", "rule"])
def test_a_changed_set_is_read_again(
    change: str, recognizer: Recognizer, draw_lines: DrawLines, tmp_path: Path, read: list[str]
) -> None:
    val, book = draw_lines("val", 6), tmp_path / "scored.jsonl"
    score_sets(LineReader(recognizer), {"": read_label_set(val)}, ScoreBook(book), "val")
    if change == "label":
        val.write_bytes(val.read_bytes().rstrip(b"\n") + b"7\n")
    elif change == "picture":
        picture = val.parent / read_label_set(val).lines[3].image  # type: ignore[union-attr]
        os.utime(picture, ns=(1, 1))
    reader = LineReader(recognizer, allow_outside=change == "rule")
    score_sets(reader, {"": read_label_set(val)}, ScoreBook(book), "val")
    assert read == ["val", "val"]


@pytest.mark.parametrize(
    "content", ["{", "[]", '{"model": "m", "set": "s", "score": {"x": 1}, "right": ""}', "\xff"]
)
def test_a_file_that_holds_something_else_is_named(content: str, tmp_path: Path) -> None:
    path = tmp_path / "scored.jsonl"
    path.write_bytes(f"{content}\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"scored.jsonl.*no score; remove it"):
        ScoreBook(path)


def test_runs_that_share_a_book_score_their_base_once(
    draw_lines: DrawLines, tiny_model: Path, tmp_path: Path, read: list[str]
) -> None:
    train, val, guard = draw_lines("train", 12, seed=1), draw_lines("val", 6), draw_lines("guard", 5)
    mix = Mix((Source(train, train.parent, "domain", 1.0),))
    results = [
        finetune(
            mix, val=val, guards=[guard], out=tmp_path / name, pretrained=tiny_model, book=tmp_path / "book",
            settings=Settings(steps=2, batch_size=4, seed=seed, shares=()),
        ).to_dict()
        for seed, name in enumerate(("one", "two"))
    ]  # fmt: skip
    # The base, and the tuned weights of each.
    assert read == ["val", "guard"] * 3
    assert results[0]["base"] == results[1]["base"]
    assert list(results[1]["changes"]["tuned"]) == ["", "guard"]
    assert not (tmp_path / "one" / "scored.jsonl").exists()
    models = [json.loads(line)["model"] for line in (tmp_path / "book").read_text().splitlines()]
    assert [models.count(model) for model in dict.fromkeys(models)] == [2, 2, 2]
