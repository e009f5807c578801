import re
from xml.etree import ElementTree

import pytest
from jinja2 import Environment

from datakit.report.charts import Bar, bars, histogram, log_log


def parsed(picture):
    return ElementTree.fromstring(picture)


def test_bars_hold_every_entry_once():
    counts = {1: 5, 3: 2, 4: 0, 1000: 7}
    drawn = bars(counts, most=10)
    assert sum(bar.count for bar in drawn) == 14
    assert drawn[0] == Bar(1, 100, 7)
    assert drawn[-1] == Bar(901, 1000, 7)
    assert len(drawn) == 10


def test_one_value_a_bar_while_they_fit():
    assert bars({2: 1, 4: 3}) == [Bar(2, 2, 1), Bar(3, 3, 0), Bar(4, 4, 3)]


@pytest.mark.parametrize("mark", [1, 25, 320, 999])
def test_no_bar_lies_on_both_sides_of_the_mark(mark):
    drawn = bars(dict.fromkeys(range(1, 1301), 1), most=50, mark=mark)
    assert all(bar.high <= mark or bar.low > mark for bar in drawn)
    assert sum(bar.count for bar in drawn) == 1300
    assert len(drawn) <= 52


def test_a_bar_that_begins_below_zero_is_named_from_zero():
    assert Bar(-3, 4, 1).name == "0-4"


def test_bars_beyond_the_mark_have_another_colour():
    svg = parsed(histogram({1: 1, 2: 2, 3: 3}, mark=2))
    fills = [rect.get("fill") for rect in svg.findall("rect")]
    assert fills[0] == fills[1] != fills[2]
    assert [rect.find("title").text for rect in svg.findall("rect")] == ["1: 1", "2: 2", "3: 3"]
    heights = [float(rect.get("height")) for rect in svg.findall("rect")]
    assert heights == [66.7, 133.3, 200]
    assert len(svg.findall("line")) == 1


def test_a_mark_beyond_the_data_is_not_drawn():
    assert not parsed(histogram({1: 1, 2: 2}, mark=99)).findall("line")


@pytest.mark.parametrize("picture", [histogram({}), histogram({3: 0}, mark=1), log_log([]), log_log([0, 0])])
def test_nothing_to_draw_gives_an_empty_picture(picture):
    svg = parsed(picture)
    assert not svg.findall("rect")
    assert not svg.findall("polyline")


def test_log_log_has_a_point_a_rank_and_a_line_a_floor():
    svg = parsed(log_log([1, 0, 100, 10], floors=(10,), width=100, height=50))
    points = svg.find("polyline").get("points").split()
    assert points[0] == "0.0,16"
    assert len(points) == 3
    assert [line.get("y1") for line in svg.findall("line")] == ["41"]


def test_a_template_shows_the_picture_and_escapes_its_label():
    environment = Environment(autoescape=True)
    hostile = '"><script>alert(1)</script>'
    page = environment.from_string("{{ picture }}").render(picture=histogram({1: 1}, label=hostile))
    assert page.startswith("<svg ")
    assert "<script" not in page
    assert parsed(page).get("aria-label") == hostile
    assert not re.search(r"(style|href|on\w+)=", page.replace('role="img"', ""))
