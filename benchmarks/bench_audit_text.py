"""Speed and memory of audit's text pass beside a plain Python loop, one core, ratios within one run.

    python benchmarks/bench_audit_text.py --lines 10000000 [--runs 3] [--skip-loop]

The loop is that of the issue: a Counter of the characters, a Counter of the lengths, labels over 25,
characters outside the dictionary, paths in a set. Beside it ``text_stats`` (counts and lengths, and the
verdicts they rest on) and ``audit(..., images=False)`` (every text and path check, duplicates). Each run is
a child process bound to one core; CPU seconds are those of the process from after its imports, RSS its peak.
Printed are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CHINESE = [chr(code) for code in range(0x4E00, 0x4E00 + 6000)]
_ENGLISH = (
    "the of and total amount invoice date price quantity number street city phone order tax cash change card "
    "thank you please receipt item subtotal balance due account name Total Amount Cash Card Date"
)
WORDS = tuple(_ENGLISH.split())
DIGITS = "0123456789.,-/:%$"
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Defects, three in a hundred lines together.
DEFECTS = (
    *(
        "{text} ",
        " {text}",
        "a  {text}",
        "{text}\u200b",
        "\u3000{text}",
        "{text}\u2603",
        "e\u0301{text}",
        "###",
    ),
    *("", "T\u043etal", "{text}\u00a0", "&amp; {text}", "{text}" * 4, "*", "{text}\ufffd"),
)


def texts(rng: random.Random, count: int) -> list[str]:
    """Labels: four in ten Chinese, four English, two of digits."""
    weights = [1 / (rank + 5) for rank in range(len(CHINESE))]
    made = []
    for _ in range(count):
        kind = rng.random()
        if kind < 0.4:
            text = "".join(rng.choices(CHINESE, weights, k=rng.randint(2, 18)))
        elif kind < 0.8:
            text = " ".join(rng.choices(WORDS, k=rng.randint(1, 4)))[:25].strip()
        else:
            text = "".join(rng.choices(DIGITS, k=rng.randint(3, 14)))
        made.append(rng.choice(DEFECTS).format(text=text) if rng.random() < 0.03 else text)
    return made


def make(path: Path, lines: int, seed: int) -> None:
    """Write the file: 50,000 different texts, in a hundred lines three with a defect, in 2,000 one path
    twice.
    """
    rng = random.Random(seed)
    pool = texts(rng, 50_000)
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        for start in range(0, lines, 100_000):
            count = min(100_000, lines - start)
            chosen = rng.choices(pool, k=count)
            rows = [
                f"images/part_{number // 10_000:05d}/line_{number:09d}.jpg\t{text}\n"
                for number, text in enumerate(chosen, start)
            ]
            for place in range(0, count - 1, 2000):
                rows[place + 1] = rows[place].partition("\t")[0] + "\t" + rows[place + 1].partition("\t")[2]
            stream.write("".join(rows))


def run_loop(path: str) -> dict[str, int]:
    """The reference."""
    from collections import Counter

    known = {*CHINESE, *DIGITS, *LETTERS, " "}
    chars: Counter[str] = Counter()
    lengths: Counter[int] = Counter()
    over = missing = lines = 0
    paths = set()
    for line in open(path, encoding="utf-8", newline="\n"):  # noqa: SIM115, PTH123 - the loop of the issue
        name, text = line.rstrip("\n").split("\t", 1)
        chars.update(text)
        lengths[len(text)] += 1
        over += len(text) > 25
        missing += any(char not in known for char in text)
        paths.add(name)
        lines += 1
    return {"lines": lines, "characters": chars.total(), "over": over, "missing": missing}


def run_stats(path: str) -> dict[str, int]:
    """Counts and lengths."""
    from datakit.audit.run import text_stats
    from datakit.charset import Charset

    stats = text_stats([path], charset=Charset((*CHINESE, *DIGITS, *LETTERS, " ")))
    over = sum(count for length, count in stats.lengths.items() if length > 25)
    return {"lines": stats.lines, "characters": sum(stats.occurrences.values()), "over": over}


def run_audit(path: str) -> dict[str, int]:
    """Every check on texts and paths."""
    from datakit.audit import audit
    from datakit.charset import Charset

    charset = Charset((*CHINESE, *DIGITS, *LETTERS, " "))
    report = audit([path], task="rec", charset=charset, images=False)
    return {
        "lines": report.totals.lines,
        "characters": sum(report.stats.occurrences.values()),
        "over": report.totals.reasons["over-limit"],
        "missing": report.counts["not-in-dictionary"],
        "findings": sum(report.counts.values()),
    }


MODES = {"loop": run_loop, "stats": run_stats, "audit": run_audit}


def child(mode: str, path: str) -> None:
    """One measurement, as JSON on stdout."""
    import resource
    import time

    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    # Their import is not what is measured.
    import datakit.audit.run
    import datakit.audit.text_pass
    import datakit.charset  # noqa: F401

    begun, wall = time.process_time(), time.perf_counter()
    counts = MODES[mode](path)
    spent = time.process_time() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(json.dumps({**counts, "cpu": spent, "wall": time.perf_counter() - wall, "rss_gb": peak}))


def measured(mode: str, path: Path, runs: int) -> dict[str, float]:
    """The medians of some runs."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    command = [sys.executable, __file__, "--child", mode, str(path)]
    results = []
    for _ in range(runs):
        done = subprocess.run(command, env={**os.environ, **threads}, stdout=subprocess.PIPE, check=True)
        results.append(json.loads(done.stdout))
    return {key: statistics.median(result[key] for result in results) for key in results[0]}


def main() -> None:
    """Make the file, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--skip-loop", action="store_true", help="its set of paths needs 150 bytes a line")
    parser.add_argument("--child", nargs=2, metavar=("MODE", "FILE"))
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "labels.txt")
        make(path, options.lines, options.seed)
        size = path.stat().st_size / 1e6
        print(f"{options.lines:,} lines, {size:,.0f} MB, medians of {options.runs}, one core")
        results = {
            mode: measured(mode, path, options.runs)
            for mode in MODES
            if not (mode == "loop" and options.skip_loop)
        }
    for mode, result in results.items():
        each = result["cpu"] / options.lines * 1e6
        ratio = f"{results['loop']['cpu'] / result['cpu']:5.1f} x the loop" if "loop" in results else ""
        print(
            f"{mode:<6} {result['cpu']:8.2f} s CPU  {each:6.3f} us a line  {result['rss_gb']:.2f} GB  {ratio}"
        )
        print("       " + ", ".join(f"{key} {value:,.0f}" for key, value in result.items() if value >= 100))


if __name__ == "__main__":
    main()
