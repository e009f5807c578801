"""A changed dictionary: rows go with their characters, and nothing is read otherwise at step 0."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from datakit.charset import Charset
from datakit.errors import DatakitError
from datakit.labels import RecLine
from datakit_train.dictionary import carry_over, change_dictionary, compare, look_alike, merge
from datakit_train.framework import import_paddle
from datakit_train.predict import LabelSet, LineReader, read_label_set
from datakit_train.recognizer import assemble, probe_input
from datakit_train.weights.store import load_model

OLD = Charset((*tuple("abceA10,"), " "))


@pytest.fixture
def classifier() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    shape = (6, OLD.num_classes)
    return rng.standard_normal(shape).astype(np.float32), rng.standard_normal(shape[1]).astype(np.float32)


def test_union_keeps_the_order_and_the_space_last() -> None:
    assert merge(OLD, Charset(("1", "x", "a", "y", " ")), "union").chars == tuple("abceA10,xy ")
    assert merge(OLD, Charset(("x",)), "union").chars == tuple("abceA10,x ")
    assert merge(Charset(tuple("ab")), Charset(("x", " ")), "union").chars == tuple("abx ")
    assert merge(Charset(tuple("ab")), Charset(("x",)), "union").chars == tuple("abx")


def test_new_is_the_given_one_and_fail_names_both_sides() -> None:
    given = Charset(tuple("1xa"))
    assert merge(OLD, given, "new") is given
    with pytest.raises(DatakitError, match=r"1 characters that the model lacks \(x\) and lacks 7 of its"):
        merge(OLD, given, "fail")
    turned = Charset(tuple(reversed(OLD.chars)))
    assert merge(OLD, turned, "fail") is turned
    with pytest.raises(DatakitError, match="'merge' is not one of fail, union, new"):
        merge(OLD, given, "merge")


@pytest.mark.parametrize("seed", range(5))
def test_rows_go_with_their_characters(classifier: tuple[np.ndarray, np.ndarray], seed: int) -> None:
    weight, bias = classifier
    chars = [*list(OLD.chars), "x", "ê"]
    np.random.default_rng(seed).shuffle(chars)
    new = Charset(tuple(chars))
    rows, biases = carry_over(weight, bias, OLD, new)
    assert rows.shape == (6, 12)
    np.testing.assert_array_equal(rows[:, 0], weight[:, 0])
    for index, char in enumerate(OLD.chars, start=1):
        place = new.chars.index(char) + 1
        np.testing.assert_array_equal(rows[:, place], weight[:, index])
        assert biases[place] == bias[index]


def test_where_new_rows_start(classifier: tuple[np.ndarray, np.ndarray]) -> None:
    weight, bias = classifier
    rows, biases = carry_over(weight, bias, OLD, Charset((*OLD.chars, "\u00ea", "\u6c49")), margin=2.0)
    np.testing.assert_array_equal(rows[:, 10], weight[:, 4])  # of e
    assert biases[10] == np.float32(bias[4] - 2.0)
    np.testing.assert_allclose(rows[:, 11], weight[:, 1:].mean(axis=1), rtol=1e-6)
    assert biases[11] == pytest.approx(bias[1:].mean())


def test_no_new_row_ever_wins_at_step_0(classifier: tuple[np.ndarray, np.ndarray]) -> None:
    weight, bias = classifier
    new = Charset(tuple("\u6c49xa\u00eaB") + OLD.chars[1:] + ("a",))
    rows, biases = carry_over(weight, bias, OLD, new)
    features = np.random.default_rng(1).standard_normal((5000, 6)).astype(np.float32) * 4
    before = [("", *OLD.chars)[best] for best in (features @ weight + bias).argmax(axis=1)]
    after = [("", *new.chars)[best] for best in (features @ rows + biases).argmax(axis=1)]
    assert before == after
    assert len(set(before)) == 10


def test_entries_that_stand_twice_keep_the_row_that_is_trained(
    classifier: tuple[np.ndarray, np.ndarray],
) -> None:
    weight, bias = classifier
    old = Charset((*tuple("abcaA10,"), " "))
    rows, _ = carry_over(weight, bias, old, Charset(("x", *old.chars)))
    np.testing.assert_array_equal(rows[:, [2, 5]], weight[:, [1, 4]])  # both, each in its place
    rows, _ = carry_over(weight, bias, old, Charset(("a",)))
    np.testing.assert_array_equal(rows[:, 1], weight[:, 4])  # the last, which is the trained one


@pytest.mark.parametrize(
    ("char", "twin"),
    [("\u00ea", "e"), ("\uff41", "a"), ("\uff0c", ","), ("B", "b"), ("\u2070", "0"), ("\u00c9", "e")],
)
def test_look_alikes(char: str, twin: str) -> None:
    assert look_alike(char, OLD) == twin


@pytest.mark.parametrize("char", ["\u6c49", "x", "\u3000", "\u0302", "ab", ""])
def test_what_looks_like_nothing_known(char: str) -> None:
    assert look_alike(char, OLD) is None


def test_the_report() -> None:
    change = compare(OLD, Charset(("a", "x", "\u00ea", "a", " ")), "new")
    assert (change.kept, change.added) == (2, ("x", "\u00ea"))
    assert change.removed == tuple("bceA10,")
    assert (change.duplicates, dict(change.look_alikes)) == (("a",), {"\u00ea": "e"})
    assert change.describe() == (
        "dictionary (new): 2 characters kept; 2 new (1 from a look-alike): x \u00ea; "
        "7 removed: b c e A 1 0 ,; 1 stand twice: a"
    )


def test_a_model_with_another_dictionary_answers_as_before(tiny_model: Path, tmp_path: Path) -> None:
    model = load_model(tiny_model)
    path = tmp_path / "dict.txt"
    path.write_text("B\n\u6c49\n9\n0\n", encoding="utf-8")
    changed, change = change_dictionary(model, path, "union")
    assert changed.characters == (*model.characters, "\u6c49", " ")
    assert change.added == ("\u6c49", " ")
    paddle = import_paddle()
    outputs = [
        assemble(stored).network(paddle.to_tensor(probe_input())).numpy() for stored in (model, changed)
    ]
    np.testing.assert_allclose(outputs[1][..., :13], outputs[0], atol=1e-5)
    assert (outputs[1][..., 13:].max(-1) < outputs[0][..., 1:].max(-1)).all()
    same, change = change_dictionary(model, Charset(model.characters))
    assert same is model
    assert not change.changed


@pytest.mark.weights
@pytest.mark.realdata
def test_real_lines_are_read_as_before(real_model: Path) -> None:
    root = Path(os.environ.get("DATAKIT_REALDATA", Path(__file__).parents[2].parent / "shared" / "data"))
    labels = root / "chinese" / "rec_val.txt"
    if not labels.is_file():
        pytest.skip(f"{labels} is not here")
    label_set = read_label_set(labels)
    model = load_model(real_model)
    texts = [line.text for line in label_set.lines if isinstance(line, RecLine)]
    lacking = Charset(model.characters).missing("".join(texts))
    assert len(lacking) == 73
    changed, _ = change_dictionary(model, Charset((*lacking, " ")), "union")
    some = LabelSet(label_set.path, label_set.data_dir, label_set.lines[:16])
    read = [[p.text for p in LineReader(assemble(m)).read(some)] for m in (model, changed)]
    assert read[0] == read[1]
    assert all(read[0])
