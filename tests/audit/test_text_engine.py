"""The fast audit of texts against the slow one: same totals, findings, characters, on any bytes."""

import io
import random
import resource
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from slow_audit import found_by, random_file, slow_audit

from datakit import labels
from datakit.audit import audit, chunks, pair_index
from datakit.audit.run import text_stats
from datakit.audit.settings import Settings
from datakit.charset import Charset
from datakit.errors import InputError

CHARSET = Charset((*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789#*-,.，（中文", " "))
SETTINGS = (
    Settings(CHARSET, images=False),
    Settings(None, images=False),
    Settings(CHARSET, "sar", 24, images=False),
    Settings(CHARSET, "multi", 3, (3, 48, 40), images=False),
    Settings(CHARSET, "ctc", 2, (3, 48, 16), images=False),
    Settings(
        Charset(("a", "b", "c", "o", "r", "w", "\r", "ς")), "ctc", 25, (3, 48, 80), images=False, lower=True
    ),
)


def fast_audit(path, settings, **options):
    """The report and all findings, or None for a file without a line."""
    found = []
    try:
        report = audit(
            [path],
            task="rec",
            charset=settings.charset,
            encoder=settings.encoder,
            max_text_length=settings.max_text_length,
            image_shape=settings.image_shape,
            images=False,
            lower=settings.lower,
            sink=found.append,
            **options,
        )
    except InputError as error:
        assert "holds no line" in str(error)
        return None
    return report, found


def assert_same(path, settings):
    slow, fast = slow_audit(path, settings), fast_audit(path, settings)
    if slow is None or fast is None:
        assert slow is fast is None
        return
    report, found = fast
    assert report.totals == slow.totals()
    findings = [hit.finding for hit in found if hit.finding.line is not None]
    messages = {(f.code, f.line, "" if f.code == "path-case" else f.message): 0 for f in findings}
    for f in findings:
        messages[f.code, f.line, "" if f.code == "path-case" else f.message] += 1
    assert messages == dict(found_by(slow))
    assert {code: n for code, n in report.counts.items() if code in slow.counts} == dict(slow.counts)
    assert report.stats == slow.text.stats()
    assert report.files[0].stats == report.stats


@pytest.mark.parametrize("seed", range(120))
def test_hard_files(tmp_path, seed, monkeypatch):
    rng = random.Random(seed)
    path = tmp_path / "labels.txt"
    for number in range(4):
        path.write_bytes(random_file(rng))
        # Chunks that end anywhere, and one for the whole file.
        size = rng.choice((1, 2, 3, 7, 16, 50, 1000))
        monkeypatch.setattr(chunks, "CHUNK_BYTES", size)
        assert_same(path, SETTINGS[(seed + number) % len(SETTINGS)])


@given(
    st.lists(st.binary(max_size=12) | st.sampled_from([b"a\t", b"b\t", b"\n", b"\r\n", b"\t"]), max_size=20)
)
@hypothesis_settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes(tmp_path, pieces):
    path = tmp_path / "labels.txt"
    path.write_bytes(b"".join(pieces))
    assert_same(path, SETTINGS[0])


@pytest.mark.parametrize("size", range(1, 40))
def test_chunks_end_at_every_byte(tmp_path, size):
    data = "\ufeffa\t中\r\nb.png\t\U0001f600\n\n\n[\tx\n".encode() + b"\xff\t\n" + b"last\tline"
    path = tmp_path / "labels.txt"
    for end in (b"", b"\n", b"\r\n", b"\n\n", b"\r\n\r\n", b"\r"):
        path.write_bytes(data + end)
        cut = list(chunks.read_chunks(io.BytesIO(data + end), "f", size))
        lines = [labels.rec_entry("f", *line) for chunk in cut for line in chunk.lines()]
        assert lines == [replace(entry, file="f") for entry in labels.scan_rec(path)]


@pytest.mark.parametrize("length", range(20, 45))
def test_lines_around_the_limit_of_bytes(tmp_path, monkeypatch, length):
    monkeypatch.setattr(labels, "MAX_LINE_BYTES", 32)
    path = tmp_path / "labels.txt"
    for size in (3, 40, 1000):
        monkeypatch.setattr(chunks, "CHUNK_BYTES", size)
        for end in (b"", b"\n", b"\nb\tshort\n", b"\nb\tshort\nc\tother"):
            path.write_bytes(b"a\t" + b"x" * (length - 2) + end)
            assert_same(path, SETTINGS[0])


def test_findings_are_kept_in_order_and_counted_beyond(tmp_path):
    path = tmp_path / "labels.txt"
    odd = "p{0}\tx\ty\n"
    path.write_text("".join((odd if n % 3 == 0 else "p{0}\t a\n").format(n) for n in range(6000)))
    report = audit([path], task="rec", images=False)
    assert report.counts["edge-space"] == 4000
    assert report.counts["extra-tab"] == 2000
    lines = [f.line for f in report.findings if f.code == "edge-space"]
    assert lines == [n + 1 for n in range(6000) if n % 3][:1000]


def test_every_lost_line_is_told(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_bytes(b"a\tab\nb\t\nc\xff\tx\nd\t" + b"a" * 26 + b"\ne\ta\xe2\x98\x83\nf\tab\r\n")
    lost = []
    audit([path], task="rec", images=False, charset=CHARSET, lost=lambda *line: lost.append(line))
    assert lost == [
        (0, 2, "dropped", "empty-label"),
        (0, 3, "unreadable", "invalid-utf8"),
        (0, 4, "dropped", "over-limit"),
        (0, 5, "cut", "not-in-dictionary"),
        (0, 6, "cut", "crlf"),
    ]


def test_equal_hashes_are_no_finding(tmp_path, monkeypatch):
    path = tmp_path / "labels.txt"
    path.write_text("".join(f"{n}.png\tx\n" for n in range(300)) + "7.png\ty\n")
    zero = np.uint64(5)
    monkeypatch.setattr(
        "datakit.audit.text_pass.hash_columns",
        lambda _chunk, columns, _seed: np.full(len(columns.tabs), zero),
    )
    report = audit([path], task="rec", images=False)
    assert report.counts["image-two-texts"] == 1
    assert "duplicate-line" not in report.counts


def test_pairs_in_several_rounds(tmp_path, monkeypatch):
    monkeypatch.setattr(pair_index, "_SORTED", 64)
    monkeypatch.setattr(pair_index, "_HELD", 10)
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 100)
    path = tmp_path / "labels.txt"
    path.write_text("".join(f"{n % 400}.png\t{n % 800}\n" for n in range(1200)))
    assert_same(path, SETTINGS[1])
    assert audit([path], task="rec", images=False).counts["image-two-texts"] == 400


def test_text_stats_are_those_of_the_audit(tmp_path):
    path = tmp_path / "labels.txt"
    path.write_bytes(b"".join(random_file(random.Random(seed)) for seed in range(40)))
    assert (
        text_stats([path], charset=CHARSET) == audit([path], task="rec", images=False, charset=CHARSET).stats
    )


def test_a_pipe_is_read_once(tmp_path):
    code = (
        "from datakit.audit import audit\n"
        "report = audit(['-'], task='rec', images=False)\n"
        "print(report.counts['duplicate-line'], report.totals.lines)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=b"a\tx\nb\ty\na\tx\n", capture_output=True, check=True
    )
    assert done.stdout == b"1 3\n"


def test_a_line_of_a_hundred_megabytes(tmp_path):
    path = tmp_path / "labels.txt"
    with path.open("wb") as stream:
        stream.write(b"a.png\tok\nb.png\t")
        for _ in range(100):
            stream.write(b"x" * 1_000_000)
        stream.write(b"\nc.png\tok\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report = audit([path], task="rec", images=False)
    assert report.totals.trained == 2
    assert report.totals.reasons == {"line-too-long": 1}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000
