"""Speed of audit's picture pass beside bare loops over the same files, ratios within one run.

    python benchmarks/bench_audit_pictures.py LABELS... [--runs 3] [--task det]

``headers`` is ``picture_facts(decode=False)`` beside ``Image.open(path).size``; ``checks`` is
``audit(..., copies=False)``, every check on a picture and on its label, ``all`` the same with the search for
copies, beside ``cv2.imread``. Each is a child process
bound to one core, CPU seconds from after its imports; ``two`` is the same audit with two processes on two
cores beside one, by the clock: the machine has to be idle for it. Printed are medians of runs by turns.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

# Handed on to the children.
TASK = os.environ.get("BENCH_TASK", "rec")


def paths_of(files: list[str]) -> list[tuple[str, str]]:
    """(folder, picture path) of every line."""
    lines = []
    for file in files:
        folder = str(Path(file).parent)
        with Path(file).open(encoding="utf-8") as stream:
            lines += [(folder, line.partition("\t")[0]) for line in stream if line.strip()]
    return lines


def open_loop(files: list[str]) -> int:
    from PIL import Image

    found = 0
    for folder, image in paths_of(files):
        with Image.open(os.path.join(folder, image)) as picture:  # noqa: PTH118 - the plain loop
            found += picture.size[0] > 0
    return found


def headers(files: list[str]) -> int:
    from datakit.audit.pictures import picture_facts

    return sum(not picture_facts(folder, image, decode=False).fault for folder, image in paths_of(files))


def read_loop(files: list[str]) -> int:
    import cv2

    cv2.setNumThreads(1)
    found = 0
    for folder, image in paths_of(files):
        found += cv2.imread(os.path.join(folder, image)) is not None  # noqa: PTH118 - the plain loop
    return found


def whole(files: list[str], workers: int = 1, *, copies: bool = True) -> int:
    from datakit.audit import audit

    task = "det" if TASK == "det" else "rec"
    return audit(list(files), task=task, workers=workers, copies=copies).totals.lines


MODES: dict[str, Callable[[list[str]], int]] = {
    "open loop": open_loop,
    "headers": headers,
    "imread loop": read_loop,
    "checks": lambda files: whole(files, copies=False),
    "all": whole,
    "one": whole,
    "two": lambda files: whole(files, 2),
}


def child(mode: str, files: list[str]) -> None:
    if mode not in ("one", "two"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    import cv2  # noqa: F401 - its import is not what is measured
    import PIL.Image

    import datakit.audit.run  # noqa: F401
    from datakit.audit.look_shard import warm_up

    PIL.Image.init()
    warm_up()
    begun, wall = time.process_time(), time.perf_counter()
    found = MODES[mode](files)
    print(
        json.dumps({"cpu": time.process_time() - begun, "wall": time.perf_counter() - wall, "found": found})
    )


def measured(files: list[str], runs: int) -> dict[str, list[dict[str, float]]]:
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    results: dict[str, list[dict[str, float]]] = {mode: [] for mode in MODES}
    # One round more, not counted: the files come into memory.
    for number in range(runs + 1):
        for mode in MODES:
            command = [sys.executable, __file__, "--child", mode, *files]
            done = subprocess.run(command, env={**os.environ, **threads}, stdout=subprocess.PIPE, check=True)
            if number:
                results[mode].append(json.loads(done.stdout))
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("labels", nargs="+")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--task", choices=("rec", "det"), default="rec")
    parser.add_argument("--child")
    options = parser.parse_args()
    if options.child:
        child(options.child, options.labels)
        return
    os.environ["BENCH_TASK"] = options.task
    results = measured(options.labels, options.runs)
    pictures = int(results["open loop"][0]["found"])
    print(f"{pictures:,} pictures, medians of {options.runs}")

    def median(mode: str, key: str) -> float:
        return statistics.median(result[key] for result in results[mode])

    for mode, against, key in (
        ("headers", "open loop", "cpu"),
        ("checks", "imread loop", "cpu"),
        ("all", "imread loop", "cpu"),
        ("two", "one", "wall"),
    ):
        ours, theirs = median(mode, key), median(against, key)
        each = ours / pictures * 1e6
        print(
            f"{mode:<8} {ours:7.2f} s {key}, {each:5.0f} us a picture; {against} {theirs:7.2f} s: "
            f"{theirs / ours:.2f} times as fast, {ours / theirs:.2f} times its time"
        )


if __name__ == "__main__":
    main()
