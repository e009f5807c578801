"""Predictions of other programs, joined with labels; what has no partner is named."""

import json

import pytest

from datakit.badcases.inputs import Unmatched, join_labels, paired
from datakit.badcases.inputs.sources import kind_of_file
from datakit.errors import InputError
from datakit.records import Prediction


def joined(files, labels):
    unmatched = Unmatched()
    found = list(join_labels(files, labels, unmatched))
    return [(p.image, p.label, p.text, p.score) for p in found], unmatched.sentences


@pytest.fixture
def labels(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_text("img/1.jpg\tone\nimg/2.jpg\ttwo\nimg/3.jpg\tthree\n")
    return path


BOTH = [("img/1.jpg", "one", "one", 0.9), ("img/2.jpg", "two", "tvo", 0.5), ("img/3.jpg", "three", None, 0.0)]

FORMATS = {
    "predicts_ppocrv3.txt": "./data/img/1.jpg\tone\t0.9\ndata/img/2.jpg\ttvo\t0.5\ndata/img/9.jpg\tx\t0.1\n",
    "table.tsv": "score\ttext\tpath\n0.9\tone\timg/1.jpg\n0.5\ttvo\timg/2.jpg\n0.1\tx\timg/9.jpg\n",
    "heads.txt": 'img/1.jpg\t{"ctc": {"label": "one", "score": 0.9}}\nimg/2.jpg\ttvo\t0.5\nimg/9.jpg\tx\t0\n',
    "v3.jsonl": '{"input_path": "/d/img/1.jpg", "rec_text": "one", "rec_score": 0.9}\n'
    '{"res": {"input_path": "/d/img/2.jpg", "rec_text": "tvo", "rec_score": 0.5}}\n'
    '{"input_path": "/d/img/9.jpg", "rec_text": "x", "rec_score": 0.5}\n',
    "rapid.json": '[{"image": "img/1.jpg", "txt": "one", "score": 0.9},\n'
    ' {"image": "img/2.jpg", "txt": "tvo", "score": "0.5"}, {"image": "9.jpg", "txt": ""}]',
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_joins(tmp_path, labels, name):
    path = tmp_path / name
    path.write_text(FORMATS[name])
    rows, sentences = joined([path], [labels])
    assert rows == BOTH
    assert len(sentences) == 2
    assert sentences[0] == f"{labels}:3: img/3.jpg: no prediction"
    assert "9.jpg: read, and no label is left for it" in sentences[1]


def test_a_folder_of_results_named_after_the_pictures(tmp_path, labels):
    folder = tmp_path / "res"
    folder.mkdir()
    (folder / "1_res.json").write_text(json.dumps({"rec_text": "one", "rec_score": 0.9}))
    (folder / "2.json").write_text(json.dumps({"txt": "tvo", "score": 0.5}))
    rows, sentences = joined([folder], [labels])
    assert rows == BOTH
    assert len(sentences) == 1


def test_our_own_predictions_take_new_labels(tmp_path, labels):
    path = tmp_path / "p.jsonl"
    records = [Prediction("old.txt", 1, "img/1.jpg", "0ne", "one", None, 0.9, (0.9,) * 3)]
    records.append(Prediction("old.txt", 2, "img/2.jpg", "two", "tvo", None, 0.5, (0.5,) * 3))
    records.append(Prediction("old.txt", 3, "img/3.jpg", "x", None, "broken"))
    path.write_text("".join(record.to_json() + "\n" for record in records))
    found = list(join_labels([path], [labels], Unmatched()))
    assert [(p.label, p.text, p.error) for p in found] == [
        ("one", "one", None), ("two", "tvo", None), ("three", None, "broken")
    ]  # fmt: skip
    assert found[0].char_scores == (0.9,) * 3


def test_the_longest_end_of_a_path_decides_and_a_tie_is_no_partner(tmp_path):
    labels = tmp_path / "l.txt"
    labels.write_text("a/1.jpg\tleft\nb/1.jpg\tright\n1.jpg\twhich\n")
    path = tmp_path / "p.txt"
    path.write_text("/x/b/1.jpg\tright\t1\n/x/a/1.jpg\tleft\t1\n")
    rows, sentences = joined([path], [labels])
    assert [(label, text) for _, label, text, _ in rows] == [
        ("left", "left"), ("right", "right"), ("which", None)
    ]  # fmt: skip
    assert sentences == [f"{labels}:3: 1.jpg: no prediction"]


def test_pages_are_joined_by_overlap(tmp_path):
    labels = tmp_path / "det.txt"

    def box(text, left, right):
        return {"transcription": text, "points": [[left, 0], [right, 0], [right, 10], [left, 10]]}

    pages = [box("one", 0, 50), box("two", 60, 110), box("###", 200, 220), box("gone", 300, 350)]
    labels.write_text(f"p/1.jpg\t{json.dumps(pages)}\n")
    path = tmp_path / "system_results.txt"
    read = [box("tvo", 62, 111), box("one", 1, 49), box("dust", 200, 221), box("more", 500, 550)]
    path.write_text(f"1.jpg\t{json.dumps(read)}\n")
    rows, sentences = joined([path], [labels])
    assert [(label, text) for _, label, text, _ in rows] == [("one", "one"), ("two", "tvo"), ("gone", None)]
    assert len(sentences) == 2
    assert "box 4 (gone): no prediction" in sentences[0]
    assert "no label is left" in sentences[1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a.jpg\tx\tmuch\n", "p.txt:1: has the score 'much'"),
        ('{"input_path": "a.jpg"}\n', "p.txt:1: has no text"),
        ("[1, 2]", "p.txt:1: holds no reading"),
        ('{"a": \n', "p.txt"),
        ("other.jpg\tx\n", "no picture of the labels was read"),
        ("a.jpg\tone\nb.jpg\n", "p.txt:2: has no tab"),
        (b"\xff\xfe", "is not UTF-8"),
    ],
)
def test_what_is_no_prediction_is_one_sentence(tmp_path, labels, content, words):
    path = tmp_path / "p.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError) as caught:
        joined([path], [labels])
    assert words in str(caught.value)


def test_kinds_of_files(tmp_path):
    path = tmp_path / "f"
    for content, kind in (
        ('{"schema_version": 1, "file": ""}\n', "datakit"),
        ('{"rec_text": "a"}\n{"rec_text": "b"}\n', "jsonl"),
        ('{\n"rec_text": "a"}\n', "json"),
        ("a\tb\n", "table"),
    ):
        path.write_text(content)
        assert kind_of_file(path) == kind


def test_two_files_in_any_order_are_paired():
    def record(line, text):
        return Prediction("l", line, f"{line}.jpg", "x", text)

    first = [record(n, "a") for n in (1, 2, 3, 2)]
    second = [record(n, f"b{i}") for i, n in enumerate((3, 2, 9, 2))]
    found = [(p.line, q and q.text) for p, q in paired(first, second)]
    assert found == [(1, None), (2, "b1"), (3, "b0"), (2, "b3")]
