"""Every check by its id: one planted defect, found once, at its line, and nothing else at severity error."""

import json
import re
import struct
import zlib

import pytest

from datakit.audit import CHECKS, audit
from datakit.audit.box_sizes import BOX_SET_CHECKS
from datakit.audit.dictionary_gaps import DICTIONARY_CHECKS
from datakit.audit.file_checks import FAULT_CHECKS, NOTE_CHECKS
from datakit.audit.measures import MEASURE_CHECKS
from datakit.charset import Charset
from datakit.labels import DetLine, LabelFault, RecLine
from datakit.records import SEVERITIES

CLEAN = "".join(f"clean{n}.png\tGood label {n}\n" for n in range(3))
CHARSET = Charset((*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#*-é", " "))


# What a set of a few lines cannot but be told.
SET_CODES = {*MEASURE_CHECKS, *DICTIONARY_CHECKS, *BOX_SET_CHECKS}


def codes(report):
    return {code: count for code, count in report.counts.items() if code not in SET_CODES}


def planted(folder, line, **options):
    """The findings of three clean lines and a fourth one."""
    for n in range(3):
        folder.picture(f"clean{n}.png")
    folder.picture("x.png")
    data = line if isinstance(line, bytes) else line.encode()
    report = audit([folder.labels(CLEAN.encode() + data)], **{"task": "rec", **options})
    assert {finding.line for finding in report.findings} <= {4, None}
    totals = report.totals
    assert totals.lines == totals.kept + totals.dropped + totals.never_learnable + totals.unreadable
    assert sum(totals.reasons.values()) == totals.lines - totals.kept
    return report


TEXT_DEFECTS = [
    ("x.png\t" + "a" * 26 + "\n", "over-limit", "dropped"),
    ("x.png\t\n", "empty-label", "dropped"),
    ("x.png\tabc中d\n", "not-in-dictionary", "cut"),
    ("x.png\t中中\n", "not-in-dictionary", "dropped"),
    ("x.png\t###\n", "ignore-mark", "trained"),
    ("x.png\t*\n", "lone-star", "trained"),
    ("x.png\tab \n", "edge-space", "trained"),
    ("x.png\t ab\n", "edge-space", "trained"),
    ("x.png\ta  b\n", "double-space", "trained"),
    ("x.png\tab\n\n", "blank-line", "unreadable"),
    ("x.png\tab\tc\n", "extra-tab", "trained"),
    ("x.png\tab\r\n", "crlf", "cut"),
    ("x.png no tab\n", "missing-tab", "unreadable"),
    ("\tab\n", "empty-path", "unreadable"),
    (b"x.png\t\xff\xfe\n", "invalid-utf8", "unreadable"),
    ('["x.png", \tab\n', "broken-json", "unreadable"),
    ("[1]\tab\n", "bad-image-list", "unreadable"),
    ("gone.png\tab\n", "image-missing", "unreadable"),
    ("../x.png\tab\n", "path-outside", "unreadable"),
    ("clean0.png\tGood label 0\n", "duplicate-line", "trained"),
    ("clean0.png\tother\n", "image-two-texts", "trained"),
]


@pytest.mark.parametrize(("line", "code", "fate"), TEXT_DEFECTS, ids=lambda value: repr(value)[:30])
def test_a_planted_line_is_found_by_one_check(folder, line, code, fate):
    if code == "blank-line":
        # A blank last line is no line; one in the middle is.
        for n in range(4):
            folder.picture(f"clean{n}.png")
        report = audit([folder.labels("clean0.png\tab\n\nclean1.png\tcd\n")], charset=CHARSET)
        assert codes(report) == {"blank-line": 1}
        assert report.findings[0].line == 2
        return
    report = planted(folder, line, charset=CHARSET)
    assert codes(report) == {code: 1}
    finding = next(f for f in report.findings if f.code == code)
    assert (finding.line, finding.severity) == (4, CHECKS[code].severity)
    assert getattr(report.totals, fate) == (4 if fate == "trained" else 1)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a\x07b", "control-character"),
        ("a\u200bb", "zero-width"),
        ("a\ufeffb", "zero-width"),
        ("a\u202eb", "bidi-mark"),
        ("a\u3000b", "wide-space"),
        ("a\u00a0b", "odd-space"),
        ("a\u2009b", "odd-space"),
        ("e\u0301", "not-nfc"),
    ],
)
def test_a_character_that_no_picture_shows(folder, text, code):
    report = planted(folder, f"x.png\t{text}\n")
    assert codes(report) == {code: 1}
    assert report.totals.trained == 4
    cut = planted(folder, f"x.png\t{text}\n", charset=CHARSET)
    assert codes(cut) == {code: 1, "not-in-dictionary": 1}
    assert cut.totals.cut == 1


def test_a_byte_order_mark_and_a_nul(folder):
    folder.picture("x.png")
    report = audit([folder.labels(b"\xef\xbb\xbfx.png\tab\n")])
    assert codes(report) == {"bom": 1}
    report = audit([folder.labels(b"x.png\ta\0b\n")])
    assert codes(report) == {"nul": 1, "control-character": 1}


def test_every_code_of_the_scanner_has_a_check():
    named = set(re.findall(r"``([a-z0-9-]+)``", LabelFault.__doc__)) - {"raw", "code"}
    assert named == set(FAULT_CHECKS)
    notes = set(re.findall(r"``([a-z0-9]+(?:-[a-z0-9]+)*)``", RecLine.__doc__ + DetLine.__doc__))
    # A path, an empty list and an empty text have checks of their own.
    assert notes - {"line", "notes", "empty-text", "no-boxes"} == set(NOTE_CHECKS)


def test_every_check_answers_for_itself():
    for code, check in CHECKS.items():
        assert check.severity in SEVERITIES
        assert check.question.endswith("?"), code
        assert check.rationale.endswith("."), code
        assert check.fix and not check.fix.endswith("."), code
        assert code == code.lower()


def bomb():
    """A PNG of 20,000 x 20,000 pixels in a few kilobytes of header and empty data."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 20000, 20000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0"))
        + chunk(b"IEND", b"")
    )


def test_pictures_that_cannot_be_used(folder):
    folder.picture("whole.jpg", 400, 100)
    data = (folder.path / "whole.jpg").read_bytes()
    (folder.path / "half.jpg").write_bytes(data[: len(data) // 2])
    (folder.path / "text.jpg").write_text("not a picture")
    (folder.path / "bomb.png").write_bytes(bomb())
    (folder.path / "folder.jpg").mkdir()
    lines = "half.jpg\tab\ntext.jpg\tab\nbomb.png\tab\nfolder.jpg\tab\nwhole.jpg\tab\n"
    report = audit([folder.labels(lines)])
    assert codes(report) == {"image-truncated": 1, "image-unreadable": 2, "image-bomb": 1}
    assert report.totals.unreadable == 4
    assert report.totals.trained == 1
    assert audit([folder.labels(lines)], images=False).totals.trained == 5


def test_shapes(folder):
    folder.picture("tiny.png", 1, 1)
    folder.picture("low.png", 30, 7)
    folder.picture("slim.png", 3, 8)
    folder.picture("upright.png", 40, 61)
    folder.picture("wide.png", 321, 48)
    folder.picture("fits.png", 320, 48)
    folder.picture("lying.png", 40, 60)
    names = ("tiny", "low", "upright", "wide", "fits", "lying")
    report = audit([folder.labels("".join(f"{name}.png\tab\n" for name in names))])
    found = sorted((f.code, f.line) for f in report.findings if f.code not in SET_CODES)
    assert found == [
        ("image-one-pixel", 1),
        ("image-squeezed", 4),
        ("image-tiny", 1),
        ("image-tiny", 2),
        ("image-upright", 3),
    ]
    slim = audit([folder.labels("upright.png\tI\nslim.png\t1\n")])
    assert codes(slim) == {}
    assert codes(audit([folder.labels("slim.png\t11\n")])) == {"image-tiny": 1, "image-upright": 1}


def test_time_steps_count_repeats_and_the_padded_width(folder):
    folder.picture("x.png", 30, 48)
    # 80 px give 10 steps: ten different labels fit, nine with two repeats do not.
    fits = audit([folder.labels("x.png\tabcdefghij\n")], image_shape=(3, 48, 80))
    assert fits.totals.trained == 1
    report = audit([folder.labels("x.png\taabbcdefg\n")], image_shape=(3, 48, 80))
    assert report.totals.never_learnable == 1
    assert report.totals.reasons == {"ctc-steps": 1}
    assert report.findings[0].message == "needs 11 time steps, 80 px give 10: 'aabbcdefg'"
    assert (
        audit([folder.labels("x.png\taabbcdefg\n")], image_shape=(3, 48, 80), encoder="sar").totals.trained
        == 1
    )


def test_the_limit_is_the_encoder_s_own(folder):
    folder.picture("x.png")
    label = folder.labels("x.png\t" + "abcdefghijklmnopqrstuvwx" + "\n")
    assert audit([label]).totals.trained == 1
    dropped = audit([label], encoder="sar")
    assert dropped.totals.reasons == {"over-limit": 1}
    assert "24 characters, the limit is 23" in dropped.findings[0].message


def test_a_line_of_several_pictures_is_lost_with_one_of_them(folder):
    folder.picture("a.png")
    report = audit([folder.labels('["a.png", "gone.png"]\tab\n')])
    assert report.totals.reasons == {"image-missing": 1}


@pytest.mark.parametrize(
    ("word", "count", "found"),
    [("TOTAL", 20, True), ("TOTAL", 19, False), ("Total", 20, False), ("皖AU993G", 50, False)],
)
def test_case_rule(folder, word, count, found):
    lines = "".join(f"{n}.png\t{word}\n" for n in range(count))
    report = audit([folder.labels(lines)], images=False)
    assert ("case-rule" in report.counts) is found


def page(boxes, name="x.png"):
    return f"{name}\t{json.dumps([{'transcription': text, 'points': points} for text, points in boxes])}\n"


GOOD = ("ok", [[1, 1], [50, 1], [50, 20], [1, 20]])


@pytest.mark.parametrize(
    ("boxes", "code", "fate"),
    [
        ([], "page-without-boxes", "dropped"),
        ([("###", GOOD[1])], "page-only-ignored", "trained"),
        ([GOOD, ("t", [[60, 1], [69, 1], [69, 9]])], "box-few-points", "trained"),
        ([GOOD, ("t", [[5, 5], [5, 5], [5, 20], [5, 20]])], "box-no-area", "trained"),
        ([GOOD, ("t", [[100, 1], [125, 1], [125, 20], [100, 20]])], "box-outside", "trained"),
        ([GOOD, ("", [[60, 1], [99, 1], [99, 20], [60, 20]])], "box-empty-text", "trained"),
    ],
)
def test_a_planted_box_is_found(folder, boxes, code, fate):
    folder.picture("x.png", 120, 40)
    report = audit([folder.labels(page(boxes))], task="det")
    found = codes(report)
    found.pop("ignored-share", None)
    assert found == {code: 1}
    assert getattr(report.totals, fate) == 1
    assert report.totals.lines == 1


def test_boxes_far_outside_have_no_area_left(folder):
    folder.picture("x.png", 120, 40)
    report = audit(
        [folder.labels(page([GOOD, ("t", [[300, 1], [340, 1], [340, 20], [300, 20]])]))], task="det"
    )
    assert codes(report) == {"box-no-area": 1, "box-outside": 1}


def test_ignored_boxes_are_counted_by_mark_and_not_measured(folder):
    folder.picture("x.png")
    elsewhere = [[60, 1], [99, 1], [99, 20], [60, 20]]
    boxes = [GOOD, ("###", [[900, 900], [901, 900], [901, 901], [900, 901]]), *[("*", elsewhere)] * 2]
    report = audit([folder.labels(page(boxes))], task="det")
    assert codes(report) == {"ignored-share": 1, "box-lone-star": 1}
    messages = {finding.code: finding.message for finding in report.findings}
    assert messages["ignored-share"] == "3 of 4 boxes (75.0%) are ignored: 1 ###, 2 *"


def test_the_same_page_twice(folder):
    folder.picture("x.png")
    report = audit([folder.labels(page([GOOD]) + page([GOOD], "./x.png"))], task="det")
    assert codes(report) == {"duplicate-page": 1}
