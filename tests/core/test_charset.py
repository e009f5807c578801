"""The dictionary file, read as PaddleOCR reads it."""

from __future__ import annotations

from pathlib import Path

import pytest

from datakit.charset import Charset, load_charset, write_charset
from datakit.errors import InputError, OutputError


def load(tmp_path: Path, data: bytes, use_space_char: bool = True) -> Charset:
    path = tmp_path / "dict.txt"
    path.write_bytes(data)
    return load_charset(path, use_space_char)


def test_classes_begin_after_the_blank(tmp_path: Path) -> None:
    charset = load(tmp_path, "a\n漢\nb\n".encode())

    assert charset.chars == ("a", "漢", "b", " ")
    assert charset.num_classes == 5
    assert charset.notes == ()
    assert charset.encode("b a漢?") == [3, 4, 1, 2]
    assert charset.missing("x?ax") == ["x", "?"]
    assert charset.decode([1, 0, 2, 2, 4]) == "a漢漢 "
    assert "a" in charset
    assert "x" not in charset


def test_the_space_is_appended_even_where_there_is_one(tmp_path: Path) -> None:
    assert load(tmp_path, b"a\n \n").chars == ("a", " ", " ")
    assert load(tmp_path, b"a\n \n").encode(" ") == [3]
    assert load(tmp_path, b"a\n \n", use_space_char=False).encode(" ") == [2]
    assert load(tmp_path, b"a\n", use_space_char=False).missing(" ") == [" "]


def test_line_ends(tmp_path: Path) -> None:
    assert load(tmp_path, b"a\r\nb\r\n", use_space_char=False).chars == ("a", "b")
    assert load(tmp_path, b"a\nb", use_space_char=False).chars == ("a", "b")
    # U+2028 and U+0085 are characters of a dictionary, not line ends.
    assert load(tmp_path, "\u2028\n\x85\n".encode(), use_space_char=False).chars == ("\u2028", "\x85")


@pytest.mark.parametrize(
    ("data", "note"),
    [
        (b"a\nb\na\n", "line 3: 'a' stands on line 1 too; the last one is trained"),
        (b"a\nab\n", "line 2: 'ab' is 2 code points and never matches"),
        (b"a\n\nb\n", "line 2 is empty: a class that nothing is trained for"),
        (b"\xef\xbb\xbfa\nb\n", "line 1 begins with a byte order mark, which makes its entry unusable"),
    ],
)
def test_oddities_are_noted(tmp_path: Path, data: bytes, note: str) -> None:
    assert load(tmp_path, data).notes == (note,)


def test_odd_entries_keep_their_class(tmp_path: Path) -> None:
    charset = load(tmp_path, b"a\nab\n\na\nz\n", use_space_char=False)

    assert charset.num_classes == 6
    assert charset.encode("abz") == [4, 5]
    assert charset.missing("ab") == ["b"]
    assert "ab" not in charset
    assert charset.decode([2]) == "ab"


def test_a_dictionary_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"dict.txt: is an empty dictionary"):
        load(tmp_path, b"")
    with pytest.raises(InputError, match=r"dict.txt:2: is not UTF-8 \(byte 1 of the line\)"):
        load(tmp_path, b"a\nb\xff\n")
    with pytest.raises(InputError, match=r"gone.txt: cannot be read as a dictionary"):
        load_charset(tmp_path / "gone.txt")
    with pytest.raises(InputError, match="cannot be read as a dictionary"):
        load_charset(tmp_path)


@pytest.mark.parametrize("index", [-1, 3])
def test_a_class_that_is_not_there(index: int) -> None:
    with pytest.raises(IndexError, match=f"class {index} of 3"):
        Charset(("a", "b")).decode([index])


@pytest.mark.parametrize("use_space_char", [True, False])
def test_written_and_read_back(tmp_path: Path, use_space_char: bool) -> None:
    charset = Charset(("a", "\u2028", "", "ab", " ", "漢", " "))
    path = tmp_path / "out" / "dict.txt"

    write_charset(path, charset, use_space_char)

    assert load_charset(path, use_space_char).chars == charset.chars


def test_what_a_dictionary_cannot_hold(tmp_path: Path) -> None:
    path = tmp_path / "dict.txt"
    with pytest.raises(OutputError, match="needs the space as the last entry"):
        write_charset(path, Charset(("a",)))
    for entry in ("\n", "a\r"):
        with pytest.raises(OutputError, match="cannot hold"):
            write_charset(path, Charset((entry,)), use_space_char=False)
    assert not path.exists()
