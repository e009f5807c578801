"""The audit as a whole: sums that add up, the same result for any number of workers, real data."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datakit.audit import audit
from datakit.audit.page import html_report
from datakit.audit.tally import CAP
from datakit.errors import InputError, UsageError
from datakit.records import SEVERITIES

REALDATA = Path(os.environ.get("DATAKIT_REALDATA", Path(__file__).parents[2].parent / "shared/data"))


def test_characters_are_counted_by_occurrence_line_and_trained_line(folder):
    report = audit([folder.labels("a.png\taab\nb.png\tab\nc.png\t" + "a" * 30 + "z\n")], images=False)
    counts = {c.char: (c.occurrences, c.lines, c.trained_lines) for c in report.characters}
    assert counts == {"a": (33, 3, 2), "b": (2, 2, 2), "z": (1, 1, 0)}
    assert [c.char for c in report.characters] == ["z", "a", "b"]
    under = next(f.message for f in report.findings if f.code == "chars-under-200")
    assert under.startswith("3 of 3 characters stand in fewer than 200 lines")
    assert under.endswith("z:0 a:2 b:2")


def test_findings_are_capped_and_counts_are_not(folder):
    lines = "".join(f"{n}.png\t\n" for n in range(CAP + 200))
    document = audit([folder.labels(lines)], images=False).to_dict()
    assert document["counts"]["empty-label"] == CAP + 200
    assert len([f for f in document["findings"] if f["code"] == "empty-label"]) == CAP
    assert document["truncated"] is True
    assert document["totals"]["dropped"] == CAP + 200
    json.dumps(document)


def test_findings_come_worst_first_then_by_place(folder):
    report = audit([folder.labels("a.png\t a\nb.png\t\nc.png\t b\n")], images=False)
    ranks = [SEVERITIES.index(f.severity) for f in report.findings]
    assert ranks == sorted(ranks, reverse=True)
    assert [f.line for f in report.findings if f.code == "edge-space"] == [1, 3]
    assert report.worst == "error"
    assert report.fails_on("error") and report.fails_on("info")
    clean = audit([folder.labels("a.png\tab\n")], images=False)
    assert not clean.fails_on("error") and clean.fails_on("warning")


def test_duplicates_are_found_across_files_of_one_folder(folder):
    a, b = folder.labels("x.png\tab\n", "a.txt"), folder.labels("./x.png\tcd\n", "b.txt")
    report = audit([a, b], images=False)
    finding = report.findings[0]
    assert (finding.code, finding.file, finding.line) == ("image-two-texts", str(b), 1)
    assert f"{a}:1" in finding.message
    assert [file.totals.lines for file in report.files] == [1, 1]


def test_workers_change_nothing(folder):
    for n in range(30):
        folder.picture(f"{n}.png", 20 + n, 30)
    lines = "".join(f"{n % 40}.png\ttext {n}\n" for n in range(1100))
    label = folder.labels(lines)
    alone, together = (audit([label], workers=workers).to_dict() for workers in (1, 2))
    assert alone == together
    assert alone["totals"]["unreadable"] == 270


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"encoder": "crnn"}, "known are ctc, sar"),
        ({"max_text_length": 0}, "below 1"),
        ({"image_shape": (3, 0, 320)}, "image_shape"),
        ({"task": "ocr"}, "known are rec, det"),
    ],
)
def test_options_that_make_no_sense(folder, options, message):
    with pytest.raises(UsageError, match=message):
        audit([folder.labels("a.png\tab\n")], **options)


def test_missing_empty_and_no_label_file(folder, tmp_path):
    with pytest.raises(InputError, match="no such label file"):
        audit([tmp_path / "gone.txt"])
    with pytest.raises(InputError, match="holds no line"):
        audit([folder.labels(b"")])
    with pytest.raises(UsageError, match="no label file"):
        audit([])


LINE = st.one_of(
    st.binary(max_size=40),
    st.builds(lambda t: b"a.png\t" + t.encode("utf-8", "ignore"), st.text(max_size=40)),
    st.sampled_from([b"", b"\xef\xbb\xbfa.png\tx", b'["a.png"]\ty', b"a\tb\tc", b"a.png\t[]", b"\0\t\0"]),
)


@given(
    st.lists(LINE, min_size=1, max_size=12),
    st.sampled_from(["rec", "det"]),
    st.sampled_from(["ctc", "multi"]),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_add_up(tmp_path, lines, task, encoder):
    path = tmp_path / "labels.txt"
    path.write_bytes(b"\n".join(lines))
    try:
        report = audit([path], task=task, encoder=encoder)
    except InputError as error:
        assert "holds no line" in str(error)
        return
    totals = report.totals
    assert totals.lines == totals.kept + totals.dropped + totals.never_learnable + totals.unreadable
    assert sum(totals.reasons.values()) == totals.lines - totals.kept
    named = Counter(finding.line for finding in report.findings if finding.severity == "error")
    assert len(set(named) - {None}) >= totals.lines - totals.kept
    html_report(report).encode()


def test_the_page_shows_the_picture_of_a_finding(folder):
    folder.picture("x.png", 400, 40)
    page = html_report(audit([folder.labels("x.png\t ab\n")]))
    assert page.count("data:image/jpeg;base64,") == 2
    assert "image-squeezed" in page


# What the README of the data says: lines, and labels over 25 characters.
SETS = {
    "receipts/rec_val": (1500, 157),
    "general/rec_val": (591, 0),
    "general/rec_books_val": (50, 45),
    "chinese/rec_val": (173, 5),
    "chinese/plates_val": (100, 0),
}


@pytest.mark.realdata
@pytest.mark.skipif(not REALDATA.is_dir(), reason=f"{REALDATA} is not there")
@pytest.mark.parametrize(("name", "expected"), SETS.items())
def test_real_recognition_sets(name, expected):
    report = audit([REALDATA / f"{name}.txt"])
    assert (report.totals.lines, report.totals.dropped) == expected
    assert report.totals.unreadable == report.totals.cut == report.totals.never_learnable == 0
    assert {f.code for f in report.findings if f.severity == "error"} <= {"over-limit"}
    assert ("case-rule" in report.counts) is (name == "receipts/rec_val")


@pytest.mark.realdata
@pytest.mark.skipif(not REALDATA.is_dir(), reason=f"{REALDATA} is not there")
def test_real_detection_sets():
    report = audit([REALDATA / "general/det_val.txt", REALDATA / "chinese/det_val.txt"])
    assert report.totals.trained == report.totals.lines == 23
    messages = [f.message for f in report.findings if f.code == "ignored-share"]
    assert messages == [
        "97 of 184 boxes (52.7%) are ignored: 97 ###",
        "2 of 199 boxes (1.0%) are ignored: 2 ###",
    ]
