"""Templates: seeded, short, clean, varied."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from datakit.errors import InputError, UsageError
from datakit_corpora import MAX_LENGTH, TEMPLATES, find_templates, read_corpus, sample_template


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_every_sample_can_be_a_line(name: str) -> None:
    texts = sample_template(name, 1500, seed=3)
    assert all(0 < len(text) <= MAX_LENGTH for text in texts)
    assert all(text == " ".join(text.split()) for text in texts)
    assert not [text for text in texts if any(unicodedata.category(char)[0] == "C" for char in text)]
    assert len(set(texts)) > 300


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_the_seed_decides(name: str) -> None:
    assert sample_template(name, 30, seed=1) == sample_template(name, 30, seed=1)
    assert sample_template(name, 30, seed=1) != sample_template(name, 30, seed=2)
    assert sample_template(name, 10, seed=1) == sample_template(name, 30, seed=1)[:10]


def test_the_templates_stay_what_they_were() -> None:
    """Texts of a seed are part of a run's bytes: a changed grammar must be a change on purpose."""
    assert sample_template("sum-zh", 3) == ["总计人民币1.33元", "税额17,572元整", "￥180551.54"]


def test_chinese_templates_hold_chinese() -> None:
    for template in find_templates(("zh",)):
        texts = sample_template(template.name, 200)
        assert any("\u4e00" <= char <= "\u9fff" for text in texts for char in text), template.name


def test_unknown_template_names_the_closest() -> None:
    with pytest.raises(UsageError, match="no template 'dates-en'; there are date-en"):
        find_templates(("dates-en",))


def test_corpus_lines_are_read_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "c.txt"
    path.write_bytes("\ufeffone\r\n\ntwo\u2028three\nlast".encode())
    assert read_corpus(path) == ["one", "", "two\u2028three", "last"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [(b"", "holds no text"), (b"\n \n", "holds no text"), (b"a\n\xff\n", ":2: is not UTF-8")],
)
def test_bad_corpora_are_named(tmp_path: Path, raw: bytes, words: str) -> None:
    path = tmp_path / "c.txt"
    path.write_bytes(raw)
    with pytest.raises(InputError, match=words):
        read_corpus(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_corpus(tmp_path / "none.txt")
