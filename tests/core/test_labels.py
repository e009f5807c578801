"""Label files: whatever the bytes, lines in = lines + faults."""

from __future__ import annotations

import io
import json
import os
import random
import sys
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datakit import labels
from datakit.errors import InputError, OutputError, UsageError
from datakit.labels import (
    DetBox,
    DetLine,
    LabelFault,
    RecLine,
    encode_det,
    encode_rec,
    read_det,
    read_rec,
    scan_det,
    scan_rec,
    sniff_task,
)

DATA = Path(os.environ.get("DATAKIT_REALDATA", Path(__file__).parents[2].parent / "shared" / "data"))
REC_COUNTS = {
    "receipts/rec_train": 8500,
    "receipts/rec_val": 1500,
    "general/rec_train": 5170,
    "general/rec_val": 591,
    "general/rec_books_train": 250,
    "general/rec_books_val": 50,
    "chinese/rec_train": 871,
    "chinese/rec_val": 173,
    "chinese/plates_train": 700,
    "chinese/plates_val": 100,
}
# Pages, boxes, ignored boxes: the README's table, and 14 receipt boxes with the text "*", ignored too.
DET_COUNTS = {
    "receipts/det_train": (486, 26482, 14),
    "receipts/det_val": (60, 3133, 0),
    "general/det_train": (60, 536, 300),
    "general/det_val": (20, 184, 97),
    "chinese/det_train": (19, 792, 21),
    "chinese/det_val": (3, 199, 2),
}
BOX = b'{"transcription": "A", "points": [[0, 0], [9, 0], [9, 5], [0, 5]]}'


def scan(tmp_path: Path, data: bytes) -> list[RecLine | LabelFault]:
    path = tmp_path / "rec.txt"
    path.write_bytes(data)
    return list(scan_rec(path))


def scan_pages(tmp_path: Path, data: bytes) -> list[DetLine | LabelFault]:
    path = tmp_path / "det.txt"
    path.write_bytes(data)
    return list(scan_det(path))


def codes(items: list[RecLine | LabelFault] | list[DetLine | LabelFault]) -> list[object]:
    return [item.code if isinstance(item, LabelFault) else item.notes for item in items]


@pytest.mark.parametrize(
    ("data", "images", "text", "notes"),
    [
        (b"a.jpg\thello\n", ("a.jpg",), "hello", ()),
        (b"a.jpg\thello", ("a.jpg",), "hello", ()),
        (b"a b.jpg\t two  words \n", ("a b.jpg",), " two  words ", ()),
        (b"\xef\xbb\xbfa.jpg\thello\n", ("a.jpg",), "hello", ("bom",)),
        (b"a.jpg\thello\r\n", ("a.jpg",), "hello", ("crlf",)),
        (b"a.jpg\thello\tlost\tlost\n", ("a.jpg",), "hello", ("extra-tab",)),
        (b"a.jpg\t\n", ("a.jpg",), "", ("empty-text",)),
        (b"a.jpg\t\tlost\n", ("a.jpg",), "", ("extra-tab", "empty-text")),
        (b"a.jpg\tx\0y\n", ("a.jpg",), "x\0y", ("nul",)),
        (b"a.jpg\tx\ry\n", ("a.jpg",), "x\ry", ("carriage-return",)),
        ("a.jpg\tx\u2028y\n".encode(), ("a.jpg",), "x\u2028y", ("line-separator",)),
        ("a.jpg\tx\x85y\n".encode(), ("a.jpg",), "x\x85y", ("line-separator",)),
        (b'["a.jpg", "b.jpg"]\thello\n', ("a.jpg", "b.jpg"), "hello", ()),
        (b"[06].jpg\t[06]\n", ("[06].jpg",), "[06]", ("bracket-path",)),
        ("圖/甲.jpg\t皖A5Y646𪜶\n".encode(), ("圖/甲.jpg",), "皖A5Y646𪜶", ()),
    ],
)
def test_a_usable_line(
    tmp_path: Path, data: bytes, images: tuple[str, ...], text: str, notes: tuple[str, ...]
) -> None:
    path = str(tmp_path / "rec.txt")

    assert scan(tmp_path, data) == [RecLine(path, 1, images, text, notes)]


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        (b"a.jpg hello", "missing-tab", "no tab between path and label"),
        (b"\thello", "empty-path", "nothing before the tab"),
        (b" \t ", "blank-line", "the line is blank"),
        (b"", "blank-line", "the line is blank"),
        (b"a.jpg\t\xff\xfe", "invalid-utf8", "byte 6 is not UTF-8 (invalid start byte)"),
        (b"a.jpg\t\xed\xa0\x80", "invalid-utf8", "byte 6 is not UTF-8 (invalid continuation byte)"),
        (b'["a.jpg", "b.jpg"\thello', "broken-json", "the list of pictures is not valid JSON"),
        (b'["a.jpg", 7]\thello', "bad-image-list", "the list of pictures is empty or holds something else"),
        (b"[]\thello", "bad-image-list", "the list of pictures is empty or holds something else"),
        (b'["\\ud800"]\thello', "bad-image-list", "the list of pictures is empty or holds something else"),
    ],
)
def test_a_fault_names_file_line_and_code(tmp_path: Path, line: bytes, code: str, message: str) -> None:
    items = scan(tmp_path, b"ok.jpg\tok\n" + line + b"\nok.jpg\tok\n")

    fault = items[1]
    assert isinstance(fault, LabelFault)
    assert (fault.file, fault.line, fault.code) == (str(tmp_path / "rec.txt"), 2, code)
    assert fault.message.startswith(message)
    assert fault.raw == line.decode("utf-8", "backslashreplace")
    assert codes(items) == [(), code, ()]


def test_deep_json_is_a_fault_and_not_a_recursion_error(tmp_path: Path) -> None:
    deep = b"[" * 100_000
    assert codes(scan(tmp_path, deep + b"\thello\n")) == [("bracket-path",)]
    assert codes(scan_pages(tmp_path, b"a.jpg\t" + deep + b"\n")) == ["broken-json"]


def test_a_last_line_that_holds_nothing_is_no_line(tmp_path: Path) -> None:
    assert codes(scan(tmp_path, b"a\tb\n\n")) == [()]
    assert codes(scan(tmp_path, b"a\tb\r\n\r\n")) == [("crlf",)]
    assert codes(scan(tmp_path, b"a\tb\n\n\n")) == [(), "blank-line"]
    assert codes(scan(tmp_path, b"\n\na\tb")) == ["blank-line", "blank-line", ()]
    assert scan(tmp_path, b"\xef\xbb\xbf\n") == []


def test_utf16_is_named(tmp_path: Path) -> None:
    fault = scan(tmp_path, "a.jpg\thello\n".encode("utf-16"))[0]

    assert isinstance(fault, LabelFault)
    assert (fault.code, fault.message.endswith("the file looks like UTF-16")) == ("invalid-utf8", True)


@pytest.mark.parametrize(
    ("label", "code"),
    [
        (b"[" + BOX, "broken-json"),
        (b"hello", "broken-json"),
        (b"", "broken-json"),
        (b"{}", "not-a-list"),
        (b"7", "not-a-list"),
        (b"[7]", "bad-box"),
        (b'[{"points": [[0, 0]]}]', "bad-box"),
        (b'[{"transcription": "A"}]', "bad-box"),
        (b'[{"transcription": "A", "points": []}]', "bad-points"),
        (b'[{"transcription": "A", "points": 7}]', "bad-points"),
        (b'[{"transcription": "A", "points": [[0]]}]', "bad-points"),
        (b'[{"transcription": "A", "points": [[0, 1, 2]]}]', "bad-points"),
        (b'[{"transcription": "A", "points": [[0, NaN]]}]', "bad-points"),
        (b'[{"transcription": "A", "points": [[0, -Infinity]]}]', "bad-points"),
        (b'[{"transcription": "A", "points": [[0, 1' + b"0" * 400 + b"]]}]", "bad-points"),
        (b'[{"transcription": "A", "points": [[0, "1"]]}]', "bad-points"),
        (b'[{"transcription": "A", "points": [[0, true]]}]', "bad-points"),
    ],
)
def test_a_page_that_cannot_be_used(tmp_path: Path, label: bytes, code: str) -> None:
    assert codes(scan_pages(tmp_path, b"p.jpg\t" + label + b"\n")) == [code]


def test_a_page(tmp_path: Path) -> None:
    ignored = BOX.replace(b'"A"', b'"###"')
    data = b"p.jpg\t[" + BOX + b", " + ignored + b"]\n"
    corners = ((0.0, 0.0), (9.0, 0.0), (9.0, 5.0), (0.0, 5.0))

    page = scan_pages(tmp_path, data)[0]

    assert page == DetLine(
        str(tmp_path / "det.txt"), 1, "p.jpg", (DetBox("A", corners), DetBox("###", corners))
    )
    assert isinstance(page, DetLine)
    assert [box.ignored for box in page.boxes] == [False, True]


def test_what_is_tolerated_on_a_page_is_noted(tmp_path: Path) -> None:
    box = '[{{"transcription": {}, "points": [[0, 0]]}}]'
    lines = ["p.jpg\t[]", "p.jpg\t" + box.format("12"), "p.jpg\t" + box.format('"\\udc80"')]
    pages = scan_pages(tmp_path, "\n".join(lines).encode())

    assert codes(pages) == [("no-boxes",), ("text-type",), ("surrogate",)]
    assert [page.boxes[0].text for page in pages[1:] if isinstance(page, DetLine)] == ["12", "\ufffd"]
    assert codes(scan_pages(tmp_path, b'["a.jpg", "b.jpg"]\t[]\n')) == ["bad-image-list"]


@pytest.mark.parametrize("read", [read_rec, read_det])
def test_a_file_that_cannot_be_read(tmp_path: Path, read: type) -> None:
    (tmp_path / "empty.txt").touch()
    for path, message in (
        ("gone.txt", "no such label file"),
        (".", "is a folder, not a label file"),
        ("empty.txt", "holds no line"),
        ("a/\0/b.txt", "cannot be opened|no such"),
        ("empty.txt/below", "cannot be read"),
    ):
        with pytest.raises(InputError, match=message):
            read(tmp_path / path)


def test_read_rec_parts_lines_and_faults(tmp_path: Path) -> None:
    path = tmp_path / "rec.txt"
    path.write_bytes(b"a.jpg\tA\nbroken\nb.jpg\tB\n")

    lines, faults = read_rec(path)

    assert [(line.line, line.image, line.text) for line in lines] == [(1, "a.jpg", "A"), (3, "b.jpg", "B")]
    assert [(fault.line, fault.code) for fault in faults] == [(2, "missing-tab")]


def test_stdin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a.jpg\tA\n")))
    assert list(scan_rec("-")) == [RecLine("-", 1, ("a.jpg",), "A")]

    with pytest.raises(UsageError, match="--task"):
        sniff_task("-")


@pytest.mark.parametrize(
    ("data", "task"),
    [
        (b"a.jpg\thello\n", "rec"),
        (b"a.jpg\t[06]\n", "rec"),
        (b"a.jpg\t[]\nb.jpg\t[" + BOX + b"]\n", "det"),
        (b"broken\na.jpg\t[" + BOX + b"]\n", "det"),
        (b"a.jpg\t[{broken\n", "det"),
        (b"a.jpg\thello\nb.jpg\t[{}]\nc.jpg\tworld\n", "rec"),
        (b"", "rec"),
    ],
)
def test_sniffing_the_task(tmp_path: Path, data: bytes, task: str) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(data)

    assert sniff_task(path) == task


@pytest.mark.parametrize("bad", ["a\tb", "a\nb", "a\rb", "\ud800"])
def test_what_a_line_cannot_hold_is_not_written(bad: str) -> None:
    with pytest.raises(OutputError):
        encode_rec(f"{bad}.jpg", "text")
    with pytest.raises(OutputError):
        encode_rec("a.jpg", bad)
    with pytest.raises(OutputError):
        encode_det(f"{bad}.jpg", [])
    for images in ("", (), ("a.jpg", "")):
        with pytest.raises(OutputError):
            encode_rec(images, "text")
    with pytest.raises(OutputError):
        encode_det("a.jpg", [DetBox("A", ((float("nan"), 0.0),))])


def test_whole_coordinates_are_written_whole() -> None:
    line = encode_det("p.jpg", [DetBox("甲\t\n", ((1.0, 2.5), (-3.0, 1e300)))])

    assert line.startswith('p.jpg\t[{"transcription": "甲\\t\\n", "points": [[1, 2.5], [-3, 1'.encode())
    assert line.endswith(b"]]}]\n")
    assert line.count(b"\t") == line.count(b"\n") == 1


words = st.text(st.characters(exclude_characters="\t\n\r", exclude_categories=["Cs"]))
paths = words.filter(lambda path: path.strip("\ufeff \x0b\x0c") != "" and not path.startswith("\ufeff"))
numbers = st.floats(allow_nan=False, allow_infinity=False)
boxes = st.builds(
    DetBox,
    st.text(st.characters(exclude_categories=["Cs"])),
    st.lists(st.tuples(numbers, numbers), min_size=1).map(tuple),
)


@given(st.lists(st.tuples(st.lists(paths, min_size=1, max_size=3), words), min_size=1))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, lines: list) -> None:
    path = tmp_path_factory.getbasetemp() / "written_rec.txt"
    path.write_bytes(b"".join(encode_rec(images, text) for images, text in lines))

    read, faults = read_rec(path)

    assert faults == []
    assert [(list(line.images), line.text) for line in read] == [(images, text) for images, text in lines]


@given(st.lists(st.tuples(paths, st.lists(boxes)), min_size=1))
def test_pages_that_are_written_are_read_back(tmp_path_factory: pytest.TempPathFactory, pages: list) -> None:
    path = tmp_path_factory.getbasetemp() / "written_det.txt"
    path.write_bytes(b"".join(encode_det(image, page) for image, page in pages))

    read, faults = read_det(path)

    assert faults == []
    assert [(line.image, list(line.boxes)) for line in read] == pages


def slow_oracle(data: bytes) -> tuple[list[tuple[str, str]], int]:
    """(path, text) of the usable lines and the number of the others, by hand and one byte at a time."""
    lines, line = [], b""
    for byte in data:
        line += bytes([byte])
        if byte == 0x0A:
            lines.append(line)
            line = b""
    lines += [line] if line else []
    if lines and lines[0][:3] == b"\xef\xbb\xbf":
        lines[0] = lines[0][3:] or b"\n"
    if lines and not lines[-1].strip(b"\r\n"):
        lines.pop()
    good, bad = [], 0
    for line in lines:
        content = line[:-1] if line[-1:] == b"\n" else line
        content = content[:-1] if content[-1:] == b"\r" else content
        try:
            fields = content.decode("utf-8").split("\t")
        except UnicodeDecodeError:
            bad += 1
            continue
        usable = len(fields) > 1 and fields[0] != "" and line.strip() != b""
        if usable and fields[0][0] == "[":
            try:
                names = json.loads(fields[0])
                usable = names != [] and all(isinstance(name, str) and name for name in names)
                fields[0] = names[0] if usable else ""
            except ValueError:
                usable = fields[0][:2] != '["'
        good += [(fields[0], fields[1])] if usable else []
        bad += not usable
    return good, bad


PIECES = [b"\n", b"\r", b"\r\n", b"\t", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"[", b'["', b'"]']
PIECES += [b" ", b"\xc2\x85", b"\x0c", b"\xed\xa0\x80", b"a.jpg", b"\n\n", b'["a","b"]\t', b"\xe6\xbc"]


def mutate(rng: random.Random, data: bytes) -> bytes:
    for _ in range(rng.randint(0, 6)):
        where = rng.randrange(len(data) + 1)
        cut = rng.choice([0, 0, 1, 3])
        piece = rng.choice([rng.choice(PIECES), bytes([rng.randrange(256)])])
        data = data[:where] + piece + data[where + cut :]
    return data


@pytest.mark.parametrize("chunk", range(4))
def test_mutated_files_agree_with_a_slow_oracle(tmp_path: Path, chunk: int) -> None:
    rng = random.Random(chunk)
    seed = 'a.jpg\tHELLO\n["b.jpg", "c.jpg"]\t漢字 x\nd.jpg\t\n\ne.jpg\tlast\n'.encode()
    for _ in range(500):
        data = mutate(rng, seed)
        items = scan(tmp_path, data)

        good = [(item.image, item.text) for item in items if isinstance(item, RecLine)]
        numbers = [item.line for item in items]
        assert (good, len(items) - len(good)) == slow_oracle(data), data
        assert numbers == list(range(1, len(items) + 1))


@settings(max_examples=200)
@given(st.binary())
def test_random_bytes_never_raise(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "random.txt"
    path.write_bytes(data)

    good, bad = slow_oracle(data)
    for scanner in (scan_rec, scan_det):
        assert len(list(scanner(path))) == len(good) + bad  # type: ignore[operator]


@settings(max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["transcription", "points", "x"]), x),
    )
)
def test_any_json_is_a_page_or_a_fault(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    path = tmp_path_factory.getbasetemp() / "any_json.txt"
    path.write_bytes(b"p.jpg\t" + json.dumps(value).encode() + b"\n")

    assert len(list(scan_det(path))) == 1


def test_a_huge_line_is_a_fault_and_memory_stays_flat(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labels, "MAX_LINE_BYTES", 100_000)
    path = tmp_path / "rec.txt"
    with path.open("wb") as stream:
        stream.write(b"a.jpg\tA\nb.jpg\t")
        for _ in range(100):
            stream.write(b"x" * 1_000_000)
        stream.write(b"\nc.jpg\tC\n")

    begun = time.monotonic()
    tracemalloc.start()
    items = list(scan_rec(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert codes(items) == [(), "line-too-long", ()]
    assert [item.line for item in items] == [1, 2, 3]
    assert peak < 2_000_000
    assert time.monotonic() - begun < 5


def test_a_long_line_under_the_limit_is_read(tmp_path: Path) -> None:
    text = b"x" * (labels.MAX_LINE_BYTES - 7)

    item = scan(tmp_path, b"a.jpg\t" + text + b"\n")[0]

    assert isinstance(item, RecLine)
    assert len(item.text) == labels.MAX_LINE_BYTES - 7
    assert codes(scan(tmp_path, b"a.jpg\t" + text + b"xx\n")) == ["line-too-long"]


@pytest.mark.realdata
@pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data at {DATA} (set DATAKIT_REALDATA)")
def test_real_recognition_labels() -> None:
    found = {name: read_rec(DATA / f"{name}.txt") for name in REC_COUNTS}

    assert {name: len(lines) for name, (lines, _) in found.items()} == REC_COUNTS
    assert [fault for _, faults in found.values() for fault in faults] == []
    assert {sniff_task(DATA / f"{name}.txt") for name in REC_COUNTS} == {"rec"}


@pytest.mark.realdata
@pytest.mark.skipif(not DATA.is_dir(), reason=f"no real data at {DATA} (set DATAKIT_REALDATA)")
def test_real_detection_labels() -> None:
    found = {}
    for name in DET_COUNTS:
        pages, faults = read_det(DATA / f"{name}.txt")
        boxes = [box for page in pages for box in page.boxes]
        found[name] = (len(pages), len(boxes), sum(box.ignored for box in boxes))
        assert faults == []

    assert found == DET_COUNTS
    assert {sniff_task(DATA / f"{name}.txt") for name in DET_COUNTS} == {"det"}
