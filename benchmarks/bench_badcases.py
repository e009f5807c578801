"""badcases over many predictions, text only, against reading the JSON and aligning with bare rapidfuzz.

    python benchmarks/bench_badcases.py [LINES] [--runs 3] [--only bare analyse]

Generated predictions: 12 characters a line on average, a score a character; a tenth of the lines differs in
case or spaces only, a tenth is misread in one to three characters. Each run is a process of its own that
reports CPU time (time.process_time) and peak memory; the ratio is that of the medians, in one call of this
script. ``bare`` is json.loads a line and rapidfuzz's editops; ``records`` the same with datakit's checked
records in place of bare JSON. ``analyse`` is the library call (with its temporary file of failures,
confidence intervals and suspicion of labels); ``written`` also writes every output file but pictures.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from datakit.records import Prediction

WORDS = 4000


def reading(label: str, rng: random.Random) -> tuple[str, float]:
    """What a model reads of a label, and how sure it is."""
    chance = rng.random()
    if chance < 0.8:
        return label, 0.97
    if chance < 0.85:
        return label.title(), 0.95
    if chance < 0.9:
        return label.replace(" ", "", 1), 0.95
    text = label
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(["", "x", "0", "l", "rn"]) + text[at + rng.randint(0, 1) :]
    return text, rng.choice([0.5, 0.7, 0.8, 0.9, 0.95])


def generate(path: Path, lines: int, seed: int = 1) -> None:
    """Write predictions of ``lines`` lines."""
    rng = random.Random(seed)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:-/"
    words = ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(WORDS)]
    with path.open("w") as stream:
        for number in range(lines):
            label = " ".join(rng.choices(words, k=rng.choice([1, 1, 2, 2, 3])))
            text, score = reading(label, rng)
            scores = tuple(round(min(0.999, score + rng.random() * 0.03), 4) for _ in text)
            image = f"crops/p{number // 40:06d}_{number % 40:03d}.jpg"
            record = Prediction("labels.txt", number + 1, image, label, text, None, score, scores)
            stream.write(record.to_json() + "\n")


def bare(path: Path) -> None:
    """The reference."""
    from rapidfuzz.distance import Levenshtein

    edits = 0
    with path.open("rb") as stream:
        for line in stream:
            record = json.loads(line)
            edits += len(Levenshtein.editops(record["label"], record["text"]))


def records(path: Path) -> None:
    """The same with what every command of datakit reads: checked records."""
    from rapidfuzz.distance import Levenshtein

    from datakit.records import read_predictions

    for prediction in read_predictions(path):
        Levenshtein.editops(prediction.label, prediction.text or "")


def analyse(path: Path) -> None:
    """The library call."""
    from datakit.badcases import analyse
    from datakit.records import read_predictions

    analyse(read_predictions(path))


def written(path: Path) -> None:
    """The library call and its files."""
    from datakit.badcases import analyse
    from datakit.badcases.output import write_badcases
    from datakit.files import Manifest
    from datakit.records import read_predictions

    report = analyse(read_predictions(path))
    with tempfile.TemporaryDirectory() as out:
        folders = {"labels.txt": path.parent}
        write_badcases(report, Path(out), folders=folders, manifest=Manifest.begin("badcases", {}))


WAYS = {"bare": bare, "records": records, "analyse": analyse, "written": written}


def run(way: str, path: Path) -> tuple[float, float]:
    """(CPU seconds, peak MB) of one way in a fresh process."""
    done = subprocess.run(
        [sys.executable, __file__, "--way", way, "--file", str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, memory = done.stdout.split()
    return float(seconds), float(memory)


def ratios(
    lines: int, runs: int, ways: tuple[str, ...] = ("bare", "records", "analyse", "written")
) -> dict[str, float]:
    """Print CPU time and memory of every way; gives the ratio of each to ``bare``."""
    times: dict[str, list[float]] = {way: [] for way in ways}
    memory: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "predictions.jsonl"
        generate(path, lines)
        for _ in range(runs):
            for way in ways:
                seconds, memory[way] = run(way, path)
                times[way].append(seconds)
    base = statistics.median(times["bare"])
    for way in ways:
        median = statistics.median(times[way])
        print(f"{way:<8} {median:7.2f} s  {median / base:5.2f} x  {memory[way]:6.0f} MB  {lines:,} lines")
    return {way: statistics.median(times[way]) / base for way in ways}


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("lines", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=WAYS, default=list(WAYS), help="with bare first")
    parser.add_argument("--way", choices=WAYS)
    parser.add_argument("--file", type=Path)
    arguments = parser.parse_args()
    if arguments.way is None:
        ratios(arguments.lines, arguments.runs, tuple(arguments.only))
        return
    start = time.process_time()
    WAYS[arguments.way](arguments.file)
    seconds = time.process_time() - start
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


if __name__ == "__main__":
    main()
