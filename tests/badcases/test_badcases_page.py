"""S6: hostile labels through the page, in a real browser: no dialog, no request, nothing unescaped."""

import re
import shutil
import subprocess

import pytest

from datakit.badcases import analyse
from datakit.badcases.compare import compare
from datakit.badcases.output import write_badcases
from datakit.files import Manifest
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
    "\x00<script>alert(1)</script>",
    "\ufeff<img/src/onerror=alert(1)>",
]


@pytest.fixture
def page(tmp_path):
    records = []
    for n, text in enumerate(HOSTILE, start=1):
        records.append(Prediction(text, n, text, text, text[::-1] + "x", None, 0.95))
        records.append(Prediction("plain", n, f"{text}_{n}.jpg", "x" + text, text, None, 0.95))
        records.append(Prediction("plain", 100 + n, "i", text, None, text))
    report = analyse(records, comparison=compare(records, [r for r in records if r.line > 2]))
    folders = {record.file: tmp_path for record in records}
    write_badcases(report, tmp_path / "out", folders=folders, manifest=Manifest.begin("badcases", {}))
    return tmp_path / "out/report.html"


def test_the_page_holds_no_live_markup(page):
    text = page.read_text(encoding="utf-8")
    assert len(HOSTILE) == 30
    assert "default-src 'none'" in text
    assert "<script" not in text and "<iframe" not in text and "<object" not in text
    assert re.findall(r"<img(?! src=\"data:)", text) == []
    assert "\u202e" not in text and "\x1b" not in text and "&lt;U+202E&gt;" in text
    assert re.findall(r"<[a-z]+[^>]*\son[a-z]+=", text) == []
    assert not re.search(r"(href|src)=\"(?!#|data:)", text)


def test_a_browser_opens_no_dialog_and_asks_for_nothing(page, tmp_path):
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium here")
    log = tmp_path / "net.json"
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=2000", "--dump-dom",
         f"--log-net-log={log}", f"--user-data-dir={tmp_path / 'profile'}", "--disable-background-networking",
         page.as_uri()],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-500:]
    # The DOM as the browser built it: our own elements only.
    assert set(re.findall(r"<(script|iframe|object|embed|video|form|base|link|svg)\b", done.stdout)) <= set()
    assert "What the model reads wrong" in done.stdout
    assert "127.0.0.1:9" not in log.read_text(errors="replace")


def test_kinds_are_filtered_without_a_script(page):
    text = page.read_text(encoding="utf-8")
    kinds = re.findall(r'<section class="group g-([a-z-]+)"', text)
    assert kinds
    for kind in kinds:
        assert f'id="k-{kind}" accesskey=' in text
        assert f"#k-{kind}:checked ~ .group:not(.g-{kind})" in text
        assert f'for="k-{kind}"' in text
