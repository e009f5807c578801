"""Every check on boxes: one planted defect that it alone reports, and a near miss that nothing reports."""

import json
import os
import random
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from datakit.audit import polygons
from datakit.audit.box_checks import BOX_CHECKS
from datakit.audit.box_sizes import BOX_SET_CHECKS, BoxStats, binned, lost_boxes
from datakit.audit.facts import PageFacts
from datakit.audit.overlaps import overlaps
from datakit.audit.pictures import Picture
from datakit.audit.settings import Settings
from datakit.labels import DetBox, DetLine, scan_det

REALDATA = Path(os.environ.get("DATAKIT_REALDATA", Path(__file__).parents[2].parent / "shared/data"))


def rect(x, y, w, h, text="TOTAL"):
    return DetBox(text, ((x, y), (x + w, y), (x + w, y + h), (x, y + h)))


def page(*boxes, width=800, height=600, **settings):
    line = DetLine("det.txt", 1, "p.jpg", tuple(boxes))
    return PageFacts(line, Picture("p.jpg", width, height), Settings(**settings), "trained", "")


def found(facts):
    hits = {code: list(check.run(facts)) for code, check in BOX_CHECKS.items()}
    return {code: messages for code, messages in hits.items() if messages}


FAR = rect(10, 500, 100, 30, "FAR")


def points(text, *given):
    return DetBox(text, tuple((float(x), float(y)) for x, y in given))


PLANTED = [
    ("box-few-points", [points("ab", (10, 10), (90, 10), (90, 40))]),
    ("box-no-area", [rect(10, 10, 100, 0)]),
    ("box-outside", [rect(700, 10, 110, 30)]),
    ("box-empty-text", [rect(10, 10, 100, 30, "")]),
    ("box-self-crossing", [points("ab", (10, 10), (90, 40), (90, 10), (10, 40))]),
    ("box-self-crossing", [points("ab", (10, 10), (90, 10), (10, 30), (100, 50))]),
    ("box-counter-clockwise", [points("ab", (10, 10), (10, 40), (90, 40), (90, 10))]),
    ("box-first-point", [points("ab", (90, 10), (90, 40), (10, 40), (10, 10))]),
    ("box-first-point", [points("ab", (10, 40), (10, 10), (90, 10), (90, 40))]),
    ("box-upside-down", [points("ab", (90, 40), (10, 40), (10, 10), (90, 10))]),
    ("box-lost-at-scale", [rect(10, 10, 100, 6)]),
    ("box-lone-star", [rect(10, 10, 20, 20, "*")]),
    ("box-duplicate", [rect(10, 10, 100, 30), rect(12, 11, 100, 30)]),
    ("box-two-texts", [rect(10, 10, 100, 30), rect(12, 11, 100, 30, "CASH")]),
    ("box-nested", [rect(10, 10, 200, 60), rect(20, 20, 50, 20, "CASH")]),
    ("box-merged", [rect(10, 10, 100, 30), rect(40, 16, 100, 30, "CASH")]),
    ("box-hidden", [rect(10, 10, 100, 30), rect(40, 0, 300, 60, "###")]),
    ("page-crowded", [rect(10, 10 + 20 * n, 200, 30, f"line {n}") for n in range(4)]),
]


@pytest.mark.parametrize(("code", "boxes"), PLANTED, ids=[code for code, _ in PLANTED])
def test_a_planted_box(code, boxes):
    clean = [FAR, *(rect(400, 60 * n, 120, 30, f"clean {n}") for n in range(8))]
    hits = found(page(*boxes, *(() if code == "page-crowded" else clean)))
    assert set(hits) == {code}
    assert len(hits[code]) == 1


NEAR_MISSES = [
    [rect(10, 10, 100, 30), rect(10, 40, 100, 30, "CASH")],  # side by side
    [rect(10, 10, 100, 30), rect(10, 38, 100, 30, "CASH")],  # a little on one another
    [rect(690, 10, 110.5, 30)],  # half a pixel outside
    [rect(10, 10, 100, 6.7)],  # 8.04 px at 960
    [rect(10, 10, 100, 30, "###"), rect(12, 11, 100, 30, "###")],  # ignored ones may lie on one another
    [rect(10, 10, 100, 30, "###"), rect(90, 10, 100, 30)],  # a fifth is hidden
    [rect(10, 10, 100, 30, "* 1")],
    [points("ab", (90, 10), (90, 90), (60, 90), (60, 10))],  # a turned line
    [points("ab", (10, 10), (60, 10), (90, 20), (90, 40), (60, 30), (10, 30))],  # a bent line
    [points("ab", (90, 40), (10, 40), (10, 10), (90, 10)), rect(300, 300, 9, 9)][1:],
]


@pytest.mark.parametrize("boxes", NEAR_MISSES, ids=range(len(NEAR_MISSES)))
def test_a_near_miss_is_no_finding(boxes):
    assert found(page(*boxes, FAR)) == {}


def test_pages_without_text():
    assert found(page()) == {"page-without-boxes": ["the page has no boxes and is dropped"]}
    assert list(found(page(rect(1, 1, 9, 9, "###")))) == ["page-only-ignored"]


def test_the_messages_name_the_boxes():
    both = page(FAR, rect(10, 10, 100, 30), rect(10, 10, 100, 25))
    assert found(both)["box-duplicate"] == ["box 2 'TOTAL' and box 3 'TOTAL' share 83% of their area"]
    lost = page(rect(0, 0, 40, 4, "a"), rect(0, 50, 40, 3, "b"), FAR, width=960)
    assert found(lost)["box-lost-at-scale"] == [
        "2 of 3 boxes are under 8 px once the page is 960 px long: box 2 'b' 3.0 px, box 1 'a' 4.0 px"
    ]


def test_the_crop_side_is_a_setting():
    boxes = [rect(10, 10, 100, 10)]
    assert found(page(*boxes)) == {}
    assert list(found(page(*boxes, crop_side=512))) == ["box-lost-at-scale"]


def test_sizes_need_a_picture():
    line = DetLine("det.txt", 1, "p.jpg", (rect(0, 0, 100, 2),))
    blind = PageFacts(line, None, Settings(), "trained", "")
    assert list(lost_boxes(blind, 960)) == []
    stats = BoxStats()
    stats.count(blind)
    assert (stats.measured, stats.tiny, stats.proposed_side()) == (0, 1, None)
    assert stats.to_dict()["proposed_det_limit_side_len"] is None


def test_box_stats():
    stats = BoxStats()
    # 8 * 1000 / 10 = 800 exactly, 8 * 1000 / 9.9 = 808.1, so 832; the last needs 4,000.
    boxes = [rect(0, 30 * n, 100, 10) for n in range(18)]
    stats.count(
        page(*boxes, rect(0, 560, 100, 9.9), rect(0, 590, 90, 2), FAR, rect(0, 0, 9, 9, "###"), width=1000)
    )
    assert (stats.pages, stats.boxes, stats.ignored, stats.measured, stats.tiny) == (1, 22, 1, 21, 1)
    assert stats.per_page == {22: 1}
    assert stats.sides == {10: 18, 9: 1, 2: 1, 30: 1}
    assert stats.lost_share(800) == pytest.approx(2 / 21)
    assert stats.lost_share(832) == pytest.approx(1 / 21)
    assert stats.lost_share(768) == pytest.approx(20 / 21)
    assert stats.proposed_side(0.90) == 800
    assert stats.proposed_side() == 832
    assert stats.proposed_side(1.0) == 2560
    assert stats.to_dict()["smaller_side_px"][:4] == [[0, 2, 0], [2, 4, 1], [4, 8, 0], [8, 12, 19]]
    assert stats.lines()[-1] == "det_limit_side_len: 832 is enough for 95%, the default 960 is safe"


def test_box_stats_add_up_in_any_order():
    rng = random.Random(1)
    pages = [
        page(*(rect(9, 9, 50, rng.uniform(1, 40)) for _ in range(rng.randrange(6))), width=1500)
        for _ in range(9)
    ]
    parts = [BoxStats(), BoxStats(), BoxStats()]
    whole = BoxStats()
    for number, facts in enumerate(pages):
        parts[number % 3].count(facts)
        whole.count(facts)
    parts[2].add(parts[0])
    parts[2].add(parts[1])
    assert parts[2].to_dict() == whole.to_dict()
    assert parts[2].needs.tolist() == whole.needs.tolist()
    assert json.loads(json.dumps(whole.to_dict())) == whole.to_dict()


def test_small_text_asks_for_a_longer_side():
    (check,) = BOX_SET_CHECKS.values()
    small, large = BoxStats(), BoxStats()
    for _ in range(10):
        small.count(page(rect(0, 0, 100, 10), width=2000))
        large.count(page(rect(0, 0, 100, 20), width=2000))
    assert list(check.run(small)) == [
        "100.0% of 10 boxes are under 8 px at a longest side of 960; 1600 leaves 0.0%"
    ]
    assert list(check.run(large)) == []


def test_bins():
    assert binned(Counter({0: 1, 4: 2, 5: 3, 99: 4}), (5, 50)) == [[0, 5, 3], [5, 50, 3], [50, 4]]


def test_wild_coordinates_raise_nothing():
    wild = points("x", (-1e308, 0), (1e308, 1e308), (5, -1e308), (1e-308, 7))
    facts = page(wild, points("y", (0, 0)), rect(0, 0, 1e300, 1e300))
    found(facts)
    stats = BoxStats()
    stats.count(facts)
    assert stats.boxes == 3


def test_many_boxes_in_one_place_end(monkeypatch):
    monkeypatch.setattr(polygons, "MAX_PAIRS", 300)
    facts = page(*[points("x", (0, 0), (50, 1), (50, 20), (0, 20))] * 100)
    assert len(overlaps(facts.line)) == 300


def real_pages():
    for labels in sorted(REALDATA.glob("*/det_*.txt")):
        for line in scan_det(labels):
            with Image.open(labels.parent / line.image) as picture:
                size = picture.size
            yield labels, PageFacts(line, Picture(line.image, *size), Settings(), "trained", "")


@pytest.mark.realdata
@pytest.mark.skipif(not REALDATA.is_dir(), reason=f"no real data at {REALDATA} (set DATAKIT_REALDATA)")
def test_the_real_sets():
    counts = Counter()
    errors = []
    for labels, facts in real_pages():
        for code, check in BOX_CHECKS.items():
            for message in check.run(facts):
                counts[labels.parent.name, code] += 1
                if check.severity == "error":
                    errors.append((labels.name, facts.line.line, code, message))
    # One receipt box is a line of no width; every other finding was looked at and is true.
    assert errors == [
        ("det_train.txt", 49, "box-no-area", "box 19 'CASHIER' covers less than 1 square px of the picture")
    ]
    assert not any(folder == "chinese" for folder, _ in counts)
    assert counts["receipts", "box-duplicate"] == 14
    assert counts["receipts", "box-two-texts"] == 7
    assert counts["receipts", "box-nested"] == 4
    assert counts["receipts", "box-lone-star"] == 7
    assert counts["general", "page-only-ignored"] == 1


_WHERE = st.one_of(st.integers(-20, 900), st.floats(allow_nan=False, allow_infinity=False))
_BOX = st.builds(
    DetBox,
    st.sampled_from(["TOTAL", "CASH", "###", "*", ""]),
    st.lists(st.tuples(_WHERE, _WHERE), min_size=1, max_size=7).map(tuple),
)


@given(st.lists(_BOX, max_size=6))
@settings(max_examples=200, deadline=None)
def test_no_box_breaks_a_check(boxes):
    facts = page(*boxes)
    found(facts)
    stats = BoxStats()
    stats.count(facts)
    assert int(stats.needs.sum()) == stats.measured == stats.boxes - stats.ignored


def test_pairs_that_are_not_compared_are_said():
    # 640 boxes in one row: 640 * 639 / 2 pairs stand side by side, 200,000 are compared.
    row = [rect(4 * n, 10, 3, 30, f"t{n}") for n in range(640)]
    check = BOX_CHECKS["box-pairs-left"]
    assert list(check.run(page(*row[:620], width=4000))) == []
    assert list(check.run(page(*row, width=4000))) == [
        "4,480 pairs of its 640 boxes were not compared with each other"
    ]


def test_a_box_in_the_last_column_is_judged_as_it_is_clipped():
    # 1.3 px wide, of which 0.8 are left of the last column.
    assert "box-no-area" in found(page(rect(798.2, 10, 1.3, 1.1), width=800))
    assert "box-no-area" not in found(page(rect(796.2, 10, 1.3, 1.1), width=800))
