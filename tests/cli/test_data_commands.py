"""audit, mix and badcases from the command line: exit codes, one JSON document, one clear sentence."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from datakit.audit import CHECKS
from datakit.labels import read_rec
from datakit.records import Prediction


def run(*arguments, cwd, stdin=None, **options):
    root = Path(__file__).parents[2]
    path = os.pathsep.join(str(root / part) for part in ("", "synth", "train", "fonts", "corpora"))
    return subprocess.run(
        [sys.executable, "-m", "datakit.cli.main", *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": path},
        **options,
    )


@pytest.fixture
def home(tmp_path):
    for n in range(4):
        picture = np.full((40, 120, 3), 200, np.uint8)
        picture[8:32, 20 * n + 10 : 20 * n + 25] = 30
        assert cv2.imwrite(str(tmp_path / f"{n}.png"), picture)
    (tmp_path / "good.txt").write_text("".join(f"{n}.png\tword {n}\n" for n in range(4)))
    (tmp_path / "bad.txt").write_text("0.png\tword\ngone.png\tword\n")
    (tmp_path / "dict.txt").write_text("".join(f"{char}\n" for char in "word0123"))
    return tmp_path


def test_audit_answers_by_exit_code(home):
    good = run("audit", "good.txt", "--dict", "dict.txt", cwd=home)
    assert good.returncode == 0, good.stderr
    assert re.search(r"^  lines +4$", good.stdout, re.M)
    bad = run("audit", "bad.txt", cwd=home)
    assert bad.returncode == 1
    assert "bad.txt:2" in bad.stdout and "image-missing" in bad.stdout
    assert run("audit", "good.txt", "--fail-on", "info", cwd=home).returncode == 1


def test_audit_prints_one_document(home):
    done = run("audit", "good.txt", "bad.txt", "--json", "--html", "page.html", cwd=home)
    assert done.returncode == 1
    document = json.loads(done.stdout)
    assert document["schema_version"] == 1
    assert document["totals"]["lines"] == 6
    assert document["totals"]["unreadable"] == 1
    keys = {"code", "severity", "file", "line", "message", "fix"}
    assert all(set(finding) == keys for finding in document["findings"])
    assert (home / "page.html").read_text().startswith("<!doctype html>")
    assert "wrote page.html" in done.stderr


def test_audit_reads_stdin_when_told_the_task(home):
    done = run("audit", "-", "--task", "rec", "--json", cwd=home, stdin="0.png\tword\n")
    assert (done.returncode, json.loads(done.stdout)["totals"]["trained"]) == (0, 1)
    assert run("audit", "-", cwd=home, stdin="0.png\tword\n").returncode == 2


def test_list_checks_names_every_check(home):
    done = run("audit", "--list-checks", cwd=home)
    assert done.returncode == 0
    heads = [line.split(" ")[0] for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert heads == list(CHECKS)
    listed = json.loads(run("audit", "--list-checks", "--json", cwd=home).stdout)["checks"]
    assert [check["code"] for check in listed] == heads
    assert all(check[name] for check in listed for name in ("severity", "question", "rationale", "fix"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("audit", "gone.txt"), "gone.txt: no such label file"),
        (("audit", "empty.txt"), "empty.txt: holds no line"),
        (("audit", "."), "is a folder"),
        (("audit", "good.txt", "--fail-on", "never"), "known are info, warning, error"),
        (("audit", "good.txt", "--image-shape", "48x320"), "such as 3,48,320"),
        (("audit", "good.txt", "--dict", "gone.txt"), "cannot be read as a dictionary"),
        (("audit", "good.txt", "--html", "good.txt/x.html"), "cannot be written"),
        (("audit", "good.txt", "--nonsense"), "No such option"),
        (("mix", "--out", "o"), "nothing to mix|give --domain"),
        (("mix", "--domain", "gone.txt", "--out", "o"), "no such label file"),
        (("mix", "--domain", "good.txt", "--out", "o", "--ratio", "1.5"), "NAME=NUMBER"),
        (("mix", "--domain", "good.txt", "--out", "good.txt"), "cannot be written|folder"),
        (("badcases", "gone.jsonl", "--out", "o"), "gone.jsonl: cannot be read"),
        (("badcases", "good.txt", "--out", "o"), "good.txt:1: is not valid JSON"),
        (("badcases", "empty.txt", "--out", "o"), "empty.txt: holds no prediction"),
        (("badcases", "p.jsonl", "--out", "good.txt"), "good.txt.*cannot be written"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_2(home, arguments, sentence):
    (home / "empty.txt").write_bytes(b"")
    (home / "p.jsonl").write_text(Prediction("good.txt", 1, "0.png", "a", "b").to_json() + "\n")
    done = run(*arguments, cwd=home)
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    assert re.search(sentence, done.stderr)


def test_mix_writes_what_it_prints(home):
    (home / "general.txt").write_text("".join(f"{n % 4}.png\tword {n}\n" for n in range(8)))
    done = run("mix", "--domain", "good.txt", "--general", "general.txt", "--out", "out", "--json", cwd=home)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert [(s["kind"], s["lines"], s["draws"]) for s in document["sources"]] == [
        ("domain", 4, 4),
        ("general", 8, 4),
    ]
    assert document["paddleocr"]["ratio_list"] == [1.0, 0.5]
    assert sorted(path.name for path in (home / "out").iterdir()) == [
        "labels",
        "manifest.json",
        "mix.yaml",
        "paddleocr_train.yml",
    ]
    dry = run("mix", "--domain", "good.txt", "--out", "dry", "--dry-run", cwd=home)
    assert dry.returncode == 0 and "nothing was written" in dry.stdout
    assert not (home / "dry").exists()


def test_badcases_goes_into_mix(home):
    records = [Prediction("good.txt", n + 1, f"{n}.png", f"word {n}", f"w0rd {n}") for n in range(4)]
    (home / "p.jsonl").write_text("".join(record.to_json() + "\n" for record in records))
    done = run("badcases", "p.jsonl", "--train-labels", "good.txt", "--out", "bad", cwd=home)
    assert done.returncode == 0, done.stderr
    assert "4 lines: exact 0.000 folded, 0.000 as labelled" in done.stdout
    assert "o>0 4" in done.stdout
    assert len(read_rec(home / "bad/badcases.txt")[0]) == 4
    mixed = run(
        "mix", "--domain", "good.txt", "--badcases", "bad/badcases.yaml", "--out", "m", "--json", cwd=home
    )
    assert [s["lines"] for s in json.loads(mixed.stdout)["sources"]] == [4, 4]


def test_a_full_disk_is_said_and_nothing_half_remains(home):
    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    done = run("audit", "good.txt", "--html", "page.html", cwd=home, preexec_fn=small_files)
    assert done.returncode == 2
    assert "page.html: cannot be written" in done.stderr
    assert not (home / "page.html").exists()
    assert not list(home.glob(".datakit-*"))
