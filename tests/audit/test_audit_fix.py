"""--fix: what is mended, what is left as it stands, byte by byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datakit.audit.fix import changes_path, fix_file, mend_line
from datakit.audit.inputs.source import LabelSource
from datakit.audit.mends import mend_text
from datakit.audit.raw_lines import RawLine, raw_lines
from datakit.charset import Charset
from datakit.errors import OutputError
from datakit.labels import MAX_LINE_BYTES, RecLine, scan_rec

HERE = Path("/nowhere")


def mended(data: bytes, *, number: int = 2, task: str = "rec", charset: Charset | None = None):
    after, changes = mend_line(RawLine(number, data), task, HERE, charset)
    return after, [change.code for change in changes]


@pytest.mark.parametrize(
    ("line", "after", "codes"),
    [
        (b"a.jpg\tab\r\n", b"a.jpg\tab\n", ["crlf"]),
        (b"a.jpg\tab\r", b"a.jpg\tab", ["crlf"]),
        (b"a.jpg\tab\r\r\n", b"a.jpg\tab\n", ["crlf", "control-character"]),
        (b"a.jpg\t ab  c \n", b"a.jpg\tab c\n", ["edge-space", "double-space"]),
        ("a.jpg\ta\u3000b\u00a0c\n", "a.jpg\ta b c\n", ["wide-space", "odd-space"]),
        ("a.jpg\t\u3000a\n", "a.jpg\ta\n", ["wide-space", "edge-space"]),
        ("a.jpg\te\u200b\u0301\n", "a.jpg\té\n", ["zero-width", "not-nfc"]),
        ("a.jpg\ta\u202eb\u2028c\n", "a.jpg\tabc\n", ["bidi-mark", "line-separator"]),
        (b"a.jpg\ta\x00b\x7f\x1bc\n", b"a.jpg\tabc\n", ["control-character"]),
        (rb"s\a.jpg" + b"\tab\n", b"s/a.jpg\tab\n", ["path-backslash"]),
        (rb'["s\\a.jpg", "b.jpg"]' + b"\tab\n", b'["s/a.jpg", "b.jpg"]\tab\n', ["path-backslash"]),
        (b"a.jpg\tab \tmore \r\n", b"a.jpg\tab\tmore \n", ["crlf", "edge-space"]),
        (b"no tab \r\n", b"no tab \n", ["crlf"]),
    ],
)
def test_what_is_mended(line, after, codes) -> None:
    encode = lambda value: value if isinstance(value, bytes) else value.encode()  # noqa: E731
    assert mended(encode(line)) == (encode(after), codes)
    assert mended(encode(after)) == (encode(after), [])


@pytest.mark.parametrize(
    "line",
    [
        b"a.jpg\tab c\n",
        b"a.jpg\tab",
        "a.jpg\t漢字 é ！Ａ\n".encode(),
        b"a.jpg\ta\xff\r\n",  # not UTF-8: nobody knows what was meant
        b"\r\n",
        b"\n",
        b"no tab\n",
        b"a.jpg\t\n",
        b"a.jpg\t   \n",  # nothing would be left
        "a.jpg\t\u200b\u3000\n".encode(),
        "a.jpg\t\u0645\u06cc\u200c\u062e\n".encode(),  # the joiner is Persian spelling
        "a.jpg\t\U0001f469\u200d\U0001f680\n".encode(),
        b"a.jpg\tC:\\temp\n",  # a backslash in a text is a backslash
        b"[1\\2]\tab\n",
        b"C:\\x\\a.jpg\tab\n",
        b"\\\\host\\x\\a.jpg\tab\n",
        b"[1, 2]\tab\\\n",
    ],
)
def test_what_is_left_byte_by_byte(line: bytes) -> None:
    assert mended(line) == (line, [])


def test_the_mark_at_the_start_of_the_file_only() -> None:
    line = b"\xef\xbb\xbfa.jpg\tab\r\n"
    assert mended(line, number=1) == (b"a.jpg\tab\n", ["bom", "crlf"])
    assert mended(line, number=2) == (b"\xef\xbb\xbfa.jpg\tab\n", ["crlf"])


def test_the_dictionary_has_the_last_word() -> None:
    both = Charset(("a", "\u3000", "\u200b", "e", "\u0301", " "))
    assert mended("x\ta\u200ba\n".encode(), charset=both) == ("x\ta\u200ba\n".encode(), [])
    assert mended("x\te\u0301\n".encode(), charset=both) == ("x\te\u0301\n".encode(), [])
    assert mended("x\ta\u3000a\n".encode(), charset=both) == (b"x\ta a\n", ["wide-space"])
    without = Charset(("a", "\u3000"))
    assert mended("x\ta\u3000a\n".encode(), charset=without) == ("x\ta\u3000a\n".encode(), [])
    assert mended("x\ta\u00a0a\n".encode(), charset=without) == ("x\ta\u00a0a\n".encode(), [])
    assert mended(b"x\ta \n", charset=without) == (b"x\ta\n", ["edge-space"])


def test_a_picture_that_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "s\\a.jpg").touch()
    assert mend_line(RawLine(1, b"s\\a.jpg\tab\n"), "rec", tmp_path) == (b"s\\a.jpg\tab\n", [])


def test_boxes_keep_their_json() -> None:
    label = '[{"transcription": " a  b\\n", "points": [[0, 0]]}]'
    line = f"s\\a.jpg\t{label} \r\n".encode()
    assert mended(line, task="det") == (f"s/a.jpg\t{label} \n".encode(), ["crlf", "path-backslash"])


def test_a_file_with_its_list_of_changes(tmp_path: Path) -> None:
    source = tmp_path / "in.txt"
    data = b"\xef\xbb\xbfa.jpg\tab\r\nb.jpg\tcd\r\nc.jpg\t e \r\nno tab here\r\n\xff\r\n"
    source.write_bytes(data)
    out = tmp_path / "new/out.txt"
    fixed = fix_file(LabelSource(str(source), "rec", tmp_path), out)
    assert out.read_bytes() == b"a.jpg\tab\nb.jpg\tcd\nc.jpg\te\nno tab here\n\xff\r\n"
    assert source.read_bytes() == data
    assert (fixed.lines, fixed.changed, fixed.counts) == (5, 4, {"bom": 1, "crlf": 4, "edge-space": 1})
    records = [json.loads(line) for line in changes_path(out).read_text("utf-8").split("\n")[:-1]]
    assert [(r["line"], r["code"], r["before"], r["after"]) for r in records] == [
        (1, "bom", "\ufeffa.jpg", "a.jpg"),
        (1, "crlf", "ab\r", "ab"),
        (2, "crlf", "cd\r", "cd"),
        (3, "crlf", " e \r", " e "),
        (3, "edge-space", " e ", "e"),
        (4, "crlf", "no tab here\r", "no tab here"),
    ]
    assert {r["file"] for r in records} == {str(source)}
    with pytest.raises(OutputError):
        fix_file(LabelSource(str(source), "rec", tmp_path), tmp_path / "new")


def test_a_line_that_is_too_long_passes_through(tmp_path: Path) -> None:
    data = b"a.jpg\t" + b"x  " * (MAX_LINE_BYTES // 2) + b"\r\nb.jpg\ta  b\n"
    (tmp_path / "in.txt").write_bytes(data)
    pieces = list(raw_lines(tmp_path / "in.txt"))
    assert [(piece.number, piece.whole) for piece in pieces] == [(1, False), (1, False), (2, True)]
    fixed = fix_file(LabelSource(str(tmp_path / "in.txt"), "rec", tmp_path), tmp_path / "out.txt")
    assert (fixed.lines, fixed.changed) == (2, 1)
    assert (tmp_path / "out.txt").read_bytes() == data[: -len(b"a  b\n")] + b"a b\n"


CHARS = "ab \u3000\u00a0\u200b\u200d\u202e\x07\u2028e\u0301\u00c5\u212b漢\u0627\U0001f469\r\x0b\ufeff"


@given(st.text(st.one_of(st.sampled_from(CHARS), st.characters(exclude_categories=["Cs"])), max_size=12))
def test_mending_twice_changes_nothing_more(text: str) -> None:
    changes = list(mend_text(text))
    assert [change.before for change in changes[1:]] == [change.after for change in changes[:-1]]
    after = changes[-1].after if changes else text
    assert list(mend_text(after)) == []
    assert bool(after) is bool(text)


@given(st.lists(st.one_of(st.binary(max_size=30), st.text(CHARS + '\t\\["', max_size=20).map(str.encode))))
def test_any_bytes_keep_their_lines(tmp_path_factory, lines: list[bytes]) -> None:
    folder = tmp_path_factory.mktemp("fix")
    data = b"\n".join(lines)
    (folder / "in.txt").write_bytes(data)
    source = LabelSource(str(folder / "in.txt"), "rec", folder)
    fix_file(source, folder / "out.txt")
    after = (folder / "out.txt").read_bytes()
    assert after.count(b"\n") == data.count(b"\n")
    before = [item for item in scan_rec(folder / "in.txt") if isinstance(item, RecLine)]
    usable = [item for item in scan_rec(folder / "out.txt") if isinstance(item, RecLine)]
    assert [line.line for line in usable] == [line.line for line in before]
    assert [len(line.images) for line in usable] == [len(line.images) for line in before]
