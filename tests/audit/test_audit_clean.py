"""--clean and --dropped: lines in = clean + dropped, byte for byte."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datakit.audit import audit
from datakit.audit.clean import Audited, Split, split_lines
from datakit.audit.inputs.source import LabelSource
from datakit.audit.lost import LostLines
from datakit.audit.outputs import output_paths, root_note
from datakit.charset import Charset
from datakit.errors import InputError, OutputError, UsageError

DATA = b"a.jpg\tab\r\nb.jpg\t\nbroken\nc.jpg\tx\xc3\xa9\n\xff\nd.jpg\tend"


def source(path: Path, data: bytes = DATA) -> LabelSource:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return LabelSource(str(path), "rec", path.parent)


def lost() -> LostLines:
    lines = LostLines()
    lines.record(2, "dropped", "empty-label")
    lines.record(3, "unreadable", "missing-tab")
    lines.record(4, "cut", "")
    lines.record(5, "unreadable", "invalid-utf8")
    return lines


def records(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n")[:-1]]


@pytest.mark.parametrize(
    ("drop_cut", "clean", "gone"),
    [
        (False, b"a.jpg\tab\r\nc.jpg\tx\xc3\xa9\nd.jpg\tend", [2, 3, 5]),
        (True, b"a.jpg\tab\r\nd.jpg\tend", [2, 3, 4, 5]),
    ],
)
def test_lines_in_are_clean_and_dropped(
    tmp_path: Path, drop_cut: bool, clean: bytes, gone: list[int]
) -> None:
    audited = [Audited(source(tmp_path / "in.txt"), 6, lost())]
    out, dropped = tmp_path / "clean.txt", tmp_path / "dropped.jsonl"
    done = split_lines(audited, clean=[out], dropped=dropped, drop_cut=drop_cut)
    assert done == (Split(str(tmp_path / "in.txt"), 6, 6 - len(gone), len(gone)),)
    assert out.read_bytes() == clean
    assert (tmp_path / "in.txt").read_bytes() == DATA
    found = records(dropped)
    assert [record["line"] for record in found] == gone
    assert found[0] == {
        "schema_version": 1,
        "file": str(tmp_path / "in.txt"),
        "line": 2,
        "fate": "dropped",
        "reason": "empty-label",
        "raw": "b.jpg\t",
    }
    assert [(r["fate"], r["reason"], r["raw"]) for r in found[-1:]] == [
        ("unreadable", "invalid-utf8", "\\xff")
    ]
    if drop_cut:
        assert [(r["fate"], r["reason"], r["raw"]) for r in found if r["line"] == 4] == [
            ("cut", "not-in-dictionary", "c.jpg\txé")
        ]


def test_several_files_and_one_list(tmp_path: Path) -> None:
    sources = [source(tmp_path / f"{name}/labels_{name}.txt", b"a\tb\nc\n") for name in "xy"]
    none, second = LostLines(), LostLines()
    second.record(2, "unreadable", "missing-tab")
    paths = output_paths("--clean", tmp_path / "out", sources)
    assert paths == (tmp_path / "out/labels_x.txt", tmp_path / "out/labels_y.txt")
    audited = [Audited(one, 2, marks) for one, marks in zip(sources, (none, second), strict=True)]
    done = split_lines(audited, clean=paths, dropped=tmp_path / "d.jsonl")
    assert [(split.kept, split.dropped) for split in done] == [(2, 0), (1, 1)]
    assert [path.read_bytes() for path in paths] == [b"a\tb\nc\n", b"a\tb\n"]
    assert [record["file"] for record in records(tmp_path / "d.jsonl")] == [sources[1].file]


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n", b"\r"])
def test_a_last_line_that_holds_nothing_is_none(tmp_path: Path, end: bytes) -> None:
    audited = [Audited(source(tmp_path / "in.txt", b"a\tb\n" + end), 1, LostLines())]
    assert split_lines(audited, clean=[tmp_path / "out.txt"])[0].kept == 1
    assert (tmp_path / "out.txt").read_bytes() == b"a\tb\n"


def test_a_file_that_grew_leaves_no_output(tmp_path: Path) -> None:
    audited = [Audited(source(tmp_path / "in.txt"), 5, lost())]
    with pytest.raises(InputError, match="changed during its audit: 6 lines, 5 before"):
        split_lines(audited, clean=[tmp_path / "out.txt"], dropped=tmp_path / "d.jsonl")
    assert [path.name for path in tmp_path.iterdir()] == ["in.txt"]


def test_lost_lines() -> None:
    lines = LostLines()
    assert lines[10] is None
    lines.record(10_000_000, "dropped", "over-limit")
    lines.record(3, "cut", "")
    assert (lines[3], lines[4], lines[10_000_000], lines[10_000_001]) == (
        ("cut", ""),
        None,
        ("dropped", "over-limit"),
        None,
    )
    lines.record_all(np.array([5, 4, 20_000_000]), "dropped", "over-limit")
    lines.record_all(np.array([], np.int64), "dropped", "empty-label")
    assert list(lines) == [3, 4, 5, 10_000_000, 20_000_000]
    assert lines[5] == lines[20_000_000] == ("dropped", "over-limit")
    assert lines[3] == ("cut", "")


def test_places_of_outputs(tmp_path: Path) -> None:
    one = source(tmp_path / "in/labels.txt")
    assert output_paths("--fix", tmp_path / "new.txt", [one]) == (tmp_path / "new.txt",)
    (tmp_path / "folder").mkdir()
    assert output_paths("--fix", tmp_path / "folder", [one]) == (tmp_path / "folder/labels.txt",)
    with pytest.raises(UsageError, match=r"--fix .* would overwrite the label file"):
        output_paths("--fix", tmp_path / "in", [one])
    (tmp_path / "link.txt").symlink_to(tmp_path / "in/labels.txt")
    with pytest.raises(UsageError, match="would overwrite"):
        output_paths("--fix", tmp_path / "link.txt", [one])
    other = source(tmp_path / "other/labels.txt")
    with pytest.raises(UsageError, match="have the same name"):
        output_paths("--clean", tmp_path / "out", [one, other])
    with pytest.raises(UsageError, match="not stdin"):
        output_paths("--clean", tmp_path / "out", [LabelSource("-", "rec", Path())])
    with pytest.raises(UsageError, match="is an LMDB set"):
        output_paths("--clean", tmp_path / "out", [LabelSource("set", "rec", Path("set"), "lmdb")])
    with pytest.raises(OutputError):
        output_paths("--clean", tmp_path / "in/labels.txt/x", [one])
    assert root_note(tmp_path / "in/new.txt", one) == ""
    assert root_note(tmp_path / "new.txt", one) == (
        f"the paths in {tmp_path / 'new.txt'} start at {tmp_path / 'in'} (--data-dir)"
    )


def test_an_lmdb_set_is_listed_by_key(tmp_path: Path) -> None:
    pytest.importorskip("lmdb", reason="the extra lmdb is not installed")
    from datakit.lmdb_set import write_lmdb

    write_lmdb(tmp_path / "set", [(b"", "one"), (b"", "")])
    marks = LostLines()
    marks.record(1, "unreadable", "image-unreadable")
    marks.record(2, "dropped", "empty-label")
    one = LabelSource(str(tmp_path / "set"), "rec", tmp_path / "set", "lmdb")
    assert split_lines([Audited(one, 2, marks)], dropped=tmp_path / "d.jsonl")[0].dropped == 2
    assert [(r["line"], r["raw"]) for r in records(tmp_path / "d.jsonl")] == [(1, "one"), (2, "")]


LINE = st.one_of(
    st.binary(max_size=30),
    st.builds(lambda text: b"a.png\t" + text.encode("utf-8", "ignore"), st.text(max_size=30)),
    st.sampled_from(
        [b"", b"\r", b"\xef\xbb\xbfa\tx", b'["a"]\ty', b"a\tb\tc", b"\0\t\0", b"a\t" + b"b" * 30]
    ),
)


@given(st.lists(LINE, min_size=1, max_size=10), st.sampled_from(["rec", "det"]), st.booleans(), st.booleans())
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_clean_or_dropped(tmp_path_factory, lines, task, images, drop_cut) -> None:
    folder = tmp_path_factory.mktemp("any")
    data = b"\n".join(lines)
    path = folder / "in.txt"
    path.write_bytes(data)
    marks = LostLines()
    one = LabelSource(str(path), task, folder)
    try:
        report = audit(
            [one], charset=Charset(("a", "b")), images=images, lost=lambda _number, *line: marks.record(*line)
        )
    except InputError as error:
        assert "holds no line" in str(error)
        return
    totals = report.totals
    (done,) = split_lines(
        [Audited(one, totals.lines, marks)],
        clean=[folder / "c"],
        dropped=folder / "d",
        drop_cut=drop_cut,
    )
    found = records(folder / "d")
    assert done.kept == (totals.trained if drop_cut else totals.kept) == totals.lines - len(found)
    reasons = Counter(str(record["reason"]) for record in found if record["fate"] != "cut")
    assert reasons == totals.reasons
    gone = {record["line"] for record in found}
    kept = [line for number, line in enumerate(data.split(b"\n"), 1) if number not in gone]
    assert (folder / "c").read_bytes().split(b"\n")[: done.kept] == kept[: done.kept]
