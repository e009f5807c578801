"""The page of an audit: what stands on it, that it stays small, and S6: hostile labels do nothing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import replace

import cv2
import numpy as np
import pytest

from datakit.audit import audit
from datakit.audit.beside import Beside
from datakit.audit.page import SHOWN, html_report
from datakit.audit.readings import weigh
from datakit.audit.terminal import format_report
from datakit.audit.todo import steps
from datakit.charset import Charset
from datakit.records import Prediction

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    '"><script>alert(1)</script>',
    "'><img src=http://127.0.0.1:9/x>",
    "</td></table><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "<iframe src=http://127.0.0.1:9/></iframe>",
    "<link rel=stylesheet href=http://127.0.0.1:9/x.css>",
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9/'>",
    "<base href=http://127.0.0.1:9/>",
    "<object data=http://127.0.0.1:9/></object>",
    "<embed src=http://127.0.0.1:9/>",
    "<video src=http://127.0.0.1:9/ autoplay>",
    "<form action=http://127.0.0.1:9/><button autofocus onfocus=alert(1)>",
    "<style>body{background:url(http://127.0.0.1:9/)}</style>",
    "<details open ontoggle=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "${alert(1)}",
    "<!--",
    "]]>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u202edlrow\u2066",
    "\x1b[31mred\x1b[0m",
    "a\u2028alert(1)",
    "a\x00<script>alert(1)</script>",
    "\ufeff<img/src/onerror=alert(1)>",
]


def picture(path, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 255, (40, 200, 3), np.uint8)
    assert cv2.imwrite(str(path), pixels)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    picture(folder / "a.png")
    folder = folder / "<img src=x onerror=alert(1)>"
    folder.mkdir()
    for number in range(len(HOSTILE)):
        picture(folder / f"{number}.png", number)
    rec, det = folder / "'\"><script>alert(1)<", folder / "det.txt"
    rows = [f"{number}.png\t{text}\n{text}.png\t{text}\n" for number, text in enumerate(HOSTILE)]
    rec.write_bytes("".join(rows).encode())
    boxes = [
        {"transcription": text, "points": [[5, 5], [60, 30], [60, 5], [5, 30]], "difficult": True}
        for text in HOSTILE
    ]
    det.write_text(f"0.png\t{json.dumps(boxes)}\n" * 2, encoding="utf-8")
    read = [
        Prediction(str(rec), 2 * n + 1, f"{n}.png", text, text[::-1] + "x", None, 0.95, ())
        for n, text in enumerate(HOSTILE)
    ]
    charset = Charset(tuple("abcdefg"))
    report = audit([rec, det], charset=charset, beside=Beside(readings=weigh(read)))
    path = folder / "page.html"
    path.write_text(html_report(report, charset=charset), encoding="utf-8")
    return path


def test_the_page_holds_no_live_markup(page):
    text = page.read_text(encoding="utf-8")
    assert len(HOSTILE) == 30
    assert "default-src 'none'" in text
    for tag in ("script", "iframe", "object", "embed", "video", "form", "base", "link"):
        assert f"<{tag}" not in text
    assert re.findall(r"<img(?! src=\"data:)", text) == []
    assert "\u202e" not in text and "\x1b" not in text and "&lt;U+202E&gt;" in text
    assert re.findall(r"<[a-z]+[^>]*\son[a-z]+=", text) == []
    assert not re.search(r"(href|src)=\"(?!#|data:)", text)
    assert 'href="#difficult"' in text and "Before and after --fix" in text


def test_a_browser_opens_no_dialog_and_asks_for_nothing(page, tmp_path):
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium here")
    log = tmp_path / "net.json"
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--dump-dom",
         f"--log-net-log={log}", f"--user-data-dir={tmp_path / 'profile'}", "--disable-background-networking",
         page.as_uri()],
        capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    # The DOM as the browser built it: our own elements only.
    assert not re.findall(r"<(script|iframe|object|embed|video|form|base|link)\b", done.stdout)
    assert "What the trainer does with these lines" in done.stdout
    assert "127.0.0.1:9" not in log.read_text(errors="replace")


def report_of(tmp_path, rows, **arguments):
    labels = tmp_path / "labels.txt"
    labels.write_text("".join(f"{image}\t{text}\n" for image, text in rows), encoding="utf-8")
    return audit([labels], images=False, **arguments)


def test_the_page_does_not_grow_with_the_set(tmp_path):
    small = html_report(report_of(tmp_path, [(f"{n}.png", f"a  {n % 50} ") for n in range(300)]))
    report = report_of(tmp_path, [(f"{n}.png", f"a  {n % 50} ") for n in range(30_000)])
    page = html_report(report)
    assert len(page) < 1.1 * len(small)
    assert f"{SHOWN} of 30,000 shown" in page


def test_what_loses_most_lines_comes_first(tmp_path):
    rows = [(f"{n}.png", "ab") for n in range(10)]
    rows += [(f"c{n}.png", "a" * 30) for n in range(3)] + [("d.png", ""), ("e.png", "ab ")]
    report = report_of(tmp_path, rows)
    first, second, *rest = steps(report)
    assert (first.lost, first.codes) == (3, ("over-limit",))
    assert (second.lost, second.codes) == (1, ("empty-label",))
    assert first.command.endswith("labels.txt --max-text-length 30 --image-shape 3,48,320")
    typed = "datakit audit 'my labels.txt' --max-text-length 25 --dict k.txt --image-shape 3,48,320"
    assert steps(replace(report, command=typed))[0].command == (
        "datakit audit 'my labels.txt' --dict k.txt --max-text-length 30 --image-shape 3,48,320"
    )
    mend = next(step for step in rest if "edge-space" in step.codes)
    assert mend.lost == 0 and mend.command.endswith("labels.txt --fix mended.txt")
    shown = format_report(report)
    assert shown.index("3 lines lost") < shown.index("1 line lost")
    assert len(shown.splitlines()) < 50


def test_orders_need_no_script(tmp_path):
    text = html_report(report_of(tmp_path, [("a.png", "a" * 30), ("b.png", "b  b"), ("c.png", "c")]))
    for group, orders in (("f", 4), ("c", 3)):
        for number in range(1, orders + 1):
            assert f'id="{group}{number}"' in text and f'for="{group}{number}"' in text
            assert f"#{group}{number}:checked ~ .{group}o:not(.{group}o{number})" in text
    assert re.findall(r'<details( open)?>\n<summary><span class="tag error">', text) == [" open"]
