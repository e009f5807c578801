"""Pages and terminal text: what a stranger wrote never becomes markup, a cursor movement or a request."""

import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from jinja2 import UndefinedError

from datakit.audit.page import html_report as audit_page
from datakit.audit.report import AuditReport, CharacterCount, FileReport
from datakit.audit.tally import Hit, Totals
from datakit.audit.terminal import format_report
from datakit.badcases import analyse
from datakit.badcases.page import html_report as badcases_page
from datakit.records import Finding, Prediction
from datakit.report import rank_frequency, render, shorten, thumbnail, visible

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'><iframe src=//evil.example>",
    "</table></body><script src=//evil.example/x.js></script>",
    "<a href=javascript:alert(1)>x</a>",
    "<style>@import url(//evil.example)</style>",
    "<link rel=stylesheet href=//evil.example>",
    "<meta http-equiv=refresh content=0;url=//evil.example>",
    "<base href=//evil.example>",
    "{{ 7 * 7 }}",
    "{% include '/etc/passwd' %}",
    "{{ ''.__class__.__mro__ }}",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>",
    "<scr\0ipt>alert(1)</script>",
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;http://evil.example\x07link\x1b]8;;\x07",
    "\x9b2J",
    "[/b][bold]rich",
    "abc\u202ecba",
    "\u2066isolate\u2069",
    "zero\u200bwidth\ufeff",
    "line\u2028separator\u2029",
    "carriage\rreturn\x08\x08",
    "=cmd|' /C calc'!A0",
    "\ud800 lone",
    "<details open ontoggle=alert(1)>" + "A" * 5000,
]


class Tags(HTMLParser):
    """Collects what a browser would act on."""

    def __init__(self):
        super().__init__()
        self.tags, self.attributes, self.urls = set(), [], set()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        for name, value in attrs:
            self.attributes.append(name)
            if name in ("src", "href"):
                self.urls.add((value or "").split(",")[0])


def assert_harmless(page):
    tags = Tags()
    tags.feed(page)
    assert not tags.tags & {"script", "iframe", "link", "base", "object", "embed", "form"}
    assert not {name for name in tags.attributes if name.startswith("on")}
    # Pictures of the page itself, and places in the page itself.
    assert {url for url in tags.urls if not re.fullmatch("#[a-z0-9-]+", url)} <= {"data:image/jpeg;base64"}
    assert tags.attributes.count("http-equiv") == 1
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in page
    assert not re.search(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]", page
    )
    page.encode("utf-8")


def report_about(texts):
    totals = Totals(len(texts), len(texts), 0, 0, 0, 0, {})
    hits = tuple(
        Hit(Finding("edge-space", "warning", text, n, text, "strip"), "/nowhere", (text,), text)
        for n, text in enumerate(texts, start=1)
    )
    characters = tuple(CharacterCount(char, 1, 1, 1) for char in sorted(set("".join(texts))))
    files = tuple(FileReport(text, "rec", text, totals) for text in texts)
    settings = {
        "encoder": "ctc",
        "max_text_length": 25,
        "image_shape": [3, 48, 320],
        "dictionary_classes": None,
    }
    return AuditReport(files, totals, {"edge-space": len(hits)}, hits, characters, settings, tuple(texts))


def test_thirty_hostile_labels_do_nothing_in_the_audit_page():
    assert len(HOSTILE) == 30
    # Findings shown of a check are capped, so every label goes through the page in one of two halves.
    for half in (HOSTILE[:15], HOSTILE[15:]):
        page = audit_page(report_about(half))
        assert_harmless(page)
        assert page.count('<tr><td class="pic">') == 15


def test_thirty_hostile_labels_do_nothing_in_the_badcases_page():
    predictions = [
        Prediction(
            text, n, text, text, None if n % 5 == 0 else text[::-1] + "x", text if n % 5 == 0 else None
        )
        for n, text in enumerate(HOSTILE, start=1)
    ]
    page = badcases_page(analyse(predictions), dict.fromkeys(HOSTILE, Path("/nowhere")))
    assert_harmless(page)
    assert page.count('<span class="dim">no picture</span>') == 30


def test_hostile_labels_on_the_terminal_are_shown_by_number():
    text = format_report(report_about(HOSTILE))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2028\u202e\u2066\ud800]", text)
    assert "<U+001B>[31mred" in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain 中文 ê", "plain 中文 ê"),
        ("a\u202eb", "a<U+202E>b"),
        ("\x1b[0m", "<U+001B>[0m"),
        ("no\u00a0break\u3000wide", "no<U+00A0>break<U+3000>wide"),
        ("o\u0358", "o\u0358"),
        ("\ud800", "<U+D800>"),
        ("\U000e0041", "<U+E0041>"),
        ("\ufe0f\u3164", "<U+FE0F><U+3164>"),
    ],
)
def test_visible(text, shown):
    assert visible(text) == shown


def test_shorten_says_that_something_is_missing():
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcdef..."


def test_a_name_that_a_template_lacks_is_an_error():
    with pytest.raises(UndefinedError):
        render("audit.html")


def test_thumbnail_keeps_the_aspect_and_is_never_enlarged():
    def size(uri):
        data = base64.b64decode(uri.removeprefix("data:image/jpeg;base64,"))
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape[:2]

    assert size(thumbnail(np.zeros((96, 200, 3), np.uint8))) == (48, 100)
    assert size(thumbnail(np.zeros((10, 30, 3), np.uint8))) == (10, 30)
    assert size(thumbnail(np.zeros((48, 6400, 3), np.uint8))) == (5, 640)


def test_rank_frequency_runs_from_the_top_left_to_the_bottom_right():
    chart = rank_frequency([1] + [10] * 8 + [100], floors=(10,), width=100, height=50)
    points = [tuple(map(float, point.split(","))) for point in chart.points.split()]
    assert points[0] == (0.0, 0.0)
    assert points[-1] == (100.0, 50.0)
    assert chart.marks == ((25.0, "10"),)
