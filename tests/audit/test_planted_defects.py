"""Every defect that audit knows, planted alone and mixed: all are found, and nothing is wrong with the
rest.
"""

from __future__ import annotations

import json
import os
import random
import shutil
from pathlib import Path

import pytest
from plants import (
    LINES,
    PAGES,
    Line,
    Page,
    any_of,
    box_of,
    combined,
    only,
    plant,
    rendered_lines,
    rendered_pages,
)

from datakit.audit import CHECKS, audit
from datakit.audit.box_sizes import BOX_SET_CHECKS
from datakit.audit.dictionary_gaps import DICTIONARY_CHECKS
from datakit.audit.distance_checks import DISTANCE_CHECKS
from datakit.audit.guide import GUIDE_CHECKS
from datakit.audit.lengths import LENGTH_CHECKS
from datakit.charset import Charset

REALDATA = Path(os.environ.get("DATAKIT_REALDATA", Path(__file__).parents[2].parent / "shared/data"))
realdata = [
    pytest.mark.realdata,
    pytest.mark.skipif(not REALDATA.is_dir(), reason=f"no real data at {REALDATA} (set DATAKIT_REALDATA)"),
]

ALONE_LINES = 60
ALONE_PAGES = 40
MIXED_LINES = 500
MIXED_PAGES = 120
# Plants that each test has to have at least, so that chance cannot make it empty.
LEAST = {"line": 25, "page": 15, "mixed lines": 300, "several a line": 450, "mixed pages": 70}
PRINTABLE = Charset((*map(chr, range(33, 127)), "é", "Å", "中", " "))

# Checks on a whole file: each has a test below.
SETS = {"bom", "line-too-long", "case-rule", "chars-under-200", "chars-under-300", "ignored-share"}
# Checks that no label file alone can set off, and where they are set off instead.
ELSEWHERE = {
    "missing-key": "LMDB sets only: tests of the LMDB reader",
    "box-pairs-left": "takes hundreds of boxes: test_audit_boxes.py",
    "not-inspected": "a worker that dies: test_picture_engine.py",
    "label-suspect": "needs predictions: test_audit_beside.py",
    **dict.fromkeys(
        ("leak-copy", "leak-near-copy", "leak-page", "split-not-by-group"),
        "needs a validation set: test_audit_beside.py",
    ),
    **dict.fromkeys(("near-copy", "near-copy-two-texts"), "in pairs: test_audit_beside.py"),
    "text-width-outlier": "measured against a set: test_audit_beside.py",
    "space-rule": "needs predictions: tests of label_rules",
    "width-rule": "needs predictions: tests of label_rules",
    **dict.fromkeys(GUIDE_CHECKS, "sources and ratios: test_audit_guide.py"),
    **dict.fromkeys(DISTANCE_CHECKS, "a reference set: test_audit_distance.py"),
    **dict.fromkeys(LENGTH_CHECKS, "shape and limit of a set: test_audit_lengths.py"),
    "chars-never-seen": "a dictionary as a whole: test_audit_balance.py",
    **dict.fromkeys(DICTIONARY_CHECKS, "a dictionary: tests of dictionary_gaps"),
    **dict.fromkeys(BOX_SET_CHECKS, "sizes of a set: test_audit_boxes.py"),
}


@pytest.fixture(scope="module")
def studio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plants")
    return folder, rendered_lines(folder, MIXED_LINES), rendered_pages(folder, MIXED_PAGES)


def found_in(folder, data, **arguments):
    labels = folder / "labels.txt"
    labels.write_bytes(data)
    return audit([labels], charset=PRINTABLE, **arguments)


def check(folder, planted, task):
    """Everything planted is found, on its line; no clean line has an error. Gives the number of plants."""
    report = found_in(folder, planted.data, task=task)
    found = {(finding.code, finding.line) for finding in report.findings}
    # A combined line may hold a plant whose check is not in the registry yet.
    assert sorted((code, line) for code, line in planted.expected - found if code in CHECKS) == []
    wrong = [f for f in report.findings if f.severity == "error" and f.line in planted.clean]
    assert wrong == []
    assert report.totals.lines == planted.data.count(b"\n")
    return len([code for code, _ in planted.expected if code in CHECKS])


def known(plants):
    """Plants whose check is there."""
    return {code: make for code, make in plants.items() if code in CHECKS}


def test_every_check_is_planted():
    planted = {*LINES, *PAGES, *SETS}
    assert sorted(set(CHECKS) - planted - set(ELSEWHERE)) == []
    assert sorted(planted - set(CHECKS)) == []
    assert sorted(planted.intersection(ELSEWHERE)) == []


def test_there_are_two_thousand_plants():
    alone = LEAST["line"] * len(known(LINES)) + LEAST["page"] * len(known(PAGES))
    assert alone + 2 * (LEAST["mixed lines"] + LEAST["several a line"]) + LEAST["mixed pages"] >= 2000


@pytest.mark.parametrize("code", known(LINES))
def test_one_kind_of_line(studio, code):
    folder, lines, _ = studio
    planted = plant(lines[:ALONE_LINES], folder, only(code, LINES), share=0.6, seed=1)
    assert check(folder, planted, "rec") >= LEAST["line"]


@pytest.mark.parametrize("code", known(PAGES))
def test_one_kind_of_page(studio, code):
    folder, _, pages = studio
    planted = plant(pages[:ALONE_PAGES], folder, only(code, PAGES), share=0.6, seed=1)
    assert check(folder, planted, "det") >= LEAST["page"]


@pytest.mark.parametrize("seed", range(2))
def test_lines_of_every_kind_mixed(studio, seed):
    folder, lines, _ = studio
    planted = plant(lines, folder, any_of(known(LINES)), share=0.7, seed=seed)
    assert check(folder, planted, "rec") >= LEAST["mixed lines"]


@pytest.mark.parametrize("seed", range(2))
def test_several_defects_on_one_line(studio, seed):
    folder, lines, _ = studio
    planted = plant(lines, folder, combined, share=0.7, seed=seed)
    assert check(folder, planted, "rec") >= LEAST["several a line"]


def test_pages_of_every_kind_mixed(studio):
    folder, _, pages = studio
    planted = plant(pages, folder, any_of(known(PAGES)), share=0.7, seed=5)
    assert check(folder, planted, "det") >= LEAST["mixed pages"]


def test_the_clean_sets_have_no_error(studio):
    folder, lines, pages = studio
    for entries, task in ((lines, "rec"), (pages, "det")):
        report = found_in(folder, b"".join(entry.data + b"\n" for entry in entries), task=task)
        # The guide asks for more lines than a test can draw.
        bad = [f for f in report.findings if f.severity != "info" and f.code not in GUIDE_CHECKS]
        assert bad == []
        assert report.totals.trained == len(entries)


# --- whole files --------------------------------------------------------------------------------------------


def codes_of(folder, data, task="rec", **arguments):
    return set(found_in(folder, data, task=task, **arguments).counts)


def test_a_byte_order_mark(studio):
    folder, lines, _ = studio
    data = b"".join(line.data + b"\n" for line in lines[:5])
    report = found_in(folder, b"\xef\xbb\xbf" + data, task="rec")
    assert [(f.code, f.line) for f in report.findings if f.severity == "error"] == [("bom", 1)]


def test_a_line_without_an_end(studio):
    folder, lines, _ = studio
    data = lines[0].data + b"\n" + lines[1].data + b"x" * (16 * 1024 * 1024) + b"\n" + lines[2].data + b"\n"
    report = found_in(folder, data, task="rec")
    assert ("line-too-long", 2) in {(f.code, f.line) for f in report.findings}
    assert report.totals.kept == 2


def test_labels_all_in_capitals(studio):
    folder, lines, _ = studio
    # A word is four letters in a row.
    data = b"".join(Line(line.image, f"WORD{n}").data + b"\n" for n, line in enumerate(lines[:30]))
    assert "case-rule" in codes_of(folder, data)
    assert "case-rule" not in codes_of(folder, data + Line(lines[40].image, "Word").data + b"\n")


def test_rare_characters(studio):
    folder, lines, _ = studio
    repeated = b"".join(Line(line.image, "ab").data + b"\n" for line in lines[:250])
    found = codes_of(folder, repeated, images=False)
    assert "chars-under-300" in found
    assert "chars-under-200" not in found
    assert "chars-under-200" in codes_of(folder, repeated + lines[251].data + b"\n", images=False)


def test_ignored_boxes(studio):
    folder, _, pages = studio
    page = pages[0]
    boxes = [box_of("###", page.boxes[0][1]), box_of(*page.boxes[1])]
    assert "ignored-share" in codes_of(folder, page.with_boxes(boxes) + b"\n", task="det")
    assert "ignored-share" not in codes_of(folder, page.data + b"\n", task="det")


# --- real sets ----------------------------------------------------------------------------------------------


def _copied(folder, source, name):
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source / name, target)


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=realdata) for seed in range(2)])
def test_plants_in_real_lines(tmp_path, seed):
    source = REALDATA / "receipts"
    rows = [row.split("\t") for row in (source / "rec_train.txt").read_text(encoding="utf-8").splitlines()]
    # Clean lines: what the trainer takes as it is, and plants find room in.
    usable = [Line(*row) for row in rows if len(row) == 2 and 4 <= len(row[1]) <= 16 and row[1].isalnum()]
    lines = random.Random(seed).sample([line for line in usable if line.text.isascii()], 400)
    for line in lines:
        _copied(tmp_path, source, line.image)
    choose = any_of(known(LINES)) if seed else combined
    assert check(tmp_path, plant(lines, tmp_path, choose, share=0.7, seed=seed), "rec") >= 250


@pytest.mark.parametrize("seed", [pytest.param(seed, marks=realdata) for seed in range(2)])
def test_plants_in_real_pages(tmp_path, seed):
    source = REALDATA / "receipts"
    pages = []
    for row in (source / "det_val.txt").read_text(encoding="utf-8").splitlines():
        image, boxes = row.split("\t")
        _copied(tmp_path, source, image)
        listed = tuple((b["transcription"], tuple(map(tuple, b["points"]))) for b in json.loads(boxes))
        pages.append(Page(image, (1152, 1152), listed))
    report = found_in(tmp_path, b"".join(page.data + b"\n" for page in pages), task="det")
    bad = {finding.line for finding in report.findings if finding.severity == "error"}
    clean = [page for number, page in enumerate(pages, start=1) if number not in bad]
    assert len(clean) >= 50
    planted = plant(clean, tmp_path, any_of(known(PAGES)), share=0.7, seed=seed)
    assert check(tmp_path, planted, "det") >= 30
