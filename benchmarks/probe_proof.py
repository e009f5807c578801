"""Does it help? Twenty characters that PP-OCRv3 reads badly, lines of them, two runs, what was forgotten.

    datakit probe --lines 4 --out PROBE
    python benchmarks/probe_proof.py --data ../shared/data --probe PROBE/probe.json --serif FILE --out DIR
        [--steps 300] [--batch-size 32] [--threads 1] [--only draw,train,score]

Ten signs (named below) and ten Han characters (drawn by seed), all with a recall under a half in the probe,
each in fonts of both sides. ``datakit synth`` makes 300 lines of each for training and 25 for the test, which
has other fonts (the system's and ``--serif``, a Noto Serif CJK), backgrounds and texts. Two runs from the
stock weights, old to new 5:1 and 1:1; old are the words and book lines of ``general``. Counted: the targeted
lines that the batches held, recall of the characters before and after, and the accuracy on ``general`` and
``chinese``, which trained nothing and decided nothing. No guard, so that all of the loss shows; the average
of the 1:1 run with the stock weights, half and half, is scored beside. What is done is not done again.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import yaml

from datakit.badcases.alignment import align
from datakit.intervals import wilson
from datakit.labels import read_rec
from datakit.metrics import fold
from datakit.mix import load_mix
from datakit.records import read_predictions

SIGNS = "§®÷‰≈≠√∞Ω∑"
HAN = 10
PER_CHAR, TEST_PER_CHAR, VAL_PER_CHAR = 300, 25, 2
LENGTH = 10
RATIOS = {"5:1": 5 / 6, "1:1": 1 / 2}
TUNING = [
    "--freeze",
    "backbone",
    "--learning-rate",
    "3e-4",
    "--max-text-length",
    "100",
    "--max-forget",
    "0.01",
]
TUNING += ["--average", "0"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything lies."""

    data: Path
    out: Path

    def set(self, name: str) -> Path:
        """The label file of a synthetic set."""
        return self.out / name / "labels.txt"

    def tests(self) -> dict[str, Path]:
        """The real test sets."""
        names = ("general/rec_val", "general/rec_books_val", "chinese/rec_val")
        return {name: self.data / f"{name}.txt" for name in names}


def datakit(*arguments: str | Path, codes: tuple[int, ...] = (0,)) -> None:
    """Run a command as a user would."""
    command = [str(Path(sys.executable).with_name("datakit")), *map(str, arguments)]
    print("$ datakit", *map(str, arguments), flush=True)
    if (code := subprocess.run(command, check=False).returncode) not in codes:
        raise SystemExit(f"ended with {code}")


def choose(probe: Path, serif: Path, seed: int) -> str:
    """The signs, and Han characters read badly that a font of either side covers."""
    from datakit_fonts import CoverageIndex, find_fonts

    train = CoverageIndex(find_fonts(("package",)).require().faces)
    test = CoverageIndex(find_fonts(("system", serif)).require().faces)
    weak = [
        entry["char"] for entry in json.loads(probe.read_text("utf-8"))["characters"] if entry["recall"] < 0.5
    ]
    if missing := set(SIGNS) - set(weak):
        raise SystemExit(f"the probe reads these well: {missing}")
    han = [
        char for char in weak if "\u4e00" <= char <= "\u9fff" and unicodedata.normalize("NFKC", char) == char
    ]
    han = sorted(char for char in han if train.mask(char) and test.mask(char))
    return SIGNS + "".join(Random(seed).sample(han, HAN))


def draw(args: argparse.Namespace, place: Place) -> None:
    """The characters, both halves of the backgrounds, and the three synthetic sets."""
    place.out.mkdir(parents=True, exist_ok=True)
    chars = choose(args.probe, args.serif, args.seed)
    (place.out / "chars.txt").write_text(chars, "utf-8")
    photos = sorted((place.data / "backgrounds").glob("*.jpg"))
    for number, photo in enumerate(photos):
        folder = place.out / "grounds" / ("test" if number % 3 == 2 else "train")
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / photo.name).exists():
            (folder / photo.name).symlink_to(photo.resolve())
    seen = ["--fonts", "package", "--backgrounds", place.out / "grounds" / "train"]
    unseen = ["--fonts", "system", "--fonts", args.serif, "--backgrounds", place.out / "grounds" / "test"]
    sets = (("train", PER_CHAR, seen), ("val", VAL_PER_CHAR, seen), ("test", TEST_PER_CHAR, unseen))
    for seed, (name, count, look) in enumerate(sets):
        options = ["--per-char", str(count), "--max-length", str(LENGTH), "--seed", str(args.seed + seed)]
        datakit("synth", "--chars", chars, *options, *look, "--workers", "1", "--out", place.out / name)


def mixes(place: Place, args: argparse.Namespace) -> dict[str, Path]:
    """mix.yaml of each run: one epoch is the wanted number of steps, in the wanted proportion."""
    old = place.data / "general" / "rec_train.txt"
    books = place.data / "general" / "rec_books_train.txt"
    counts = {path: len(read_rec(path)[0]) for path in (old, books, place.set("train"))}
    made = {}
    for name, share in RATIOS.items():
        draws = args.steps * args.batch_size
        old_ratio = draws * share / (counts[old] + counts[books])
        rows = [
            (old, place.data / "general", "general", old_ratio),
            (books, books.parent, "general", old_ratio),
        ]
        rows.append(
            (
                place.set("train"),
                place.out / "train",
                "synthetic",
                draws * (1 - share) / counts[place.set("train")],
            )
        )
        sources = [
            {"label_file": str(path), "data_dir": str(folder), "kind": kind, "ratio": round(ratio, 6)}
            for path, folder, kind, ratio in rows
        ]
        made[name] = place.out / f"mix-{name.replace(':', 'to')}.yaml"
        made[name].write_text(yaml.safe_dump({"schema_version": 1, "sources": sources}), "utf-8")
    return made


def run_folder(place: Place, name: str) -> Path:
    """Where a run's checkpoints are."""
    return place.out / f"run-{name.replace(':', 'to')}"


def train(args: argparse.Namespace, place: Place) -> None:
    """Both runs; what their batches hold."""
    for name, mix in mixes(place, args).items():
        if args.run not in ("", name):
            continue
        out = run_folder(place, name)
        size = [
            "--steps",
            str(args.steps),
            "--batch-size",
            str(args.batch_size),
            "--threads",
            str(args.threads),
        ]
        if args.dry_run:
            datakit(
                "finetune",
                "--train",
                mix,
                "--val",
                place.set("val"),
                "--out",
                out,
                *size,
                *TUNING,
                "--dry-run",
            )
        elif not (out / "result.json").exists():
            options = [*size, *TUNING, "--seed", str(args.seed)]
            datakit(
                "finetune", "--train", mix, "--val", place.set("val"), "--out", out, *options, codes=(0, 1)
            )
        print(name, json.dumps(really_seen(mix, args)), flush=True)


def really_seen(mix_file: Path, args: argparse.Namespace) -> dict[str, int]:
    """Of the first ``--steps`` batches: lines, targeted ones, and how many different ones."""
    from datakit_train.batches import plan_epoch
    from datakit_train.recognizer import load_recognizer
    from datakit_train.samples import load_samples

    charset = load_recognizer("ppocrv3-rec").charset
    samples = load_samples(load_mix(mix_file), charset, max_text_length=100)
    plans = plan_epoch(samples, batch_size=args.batch_size, seed=args.seed, epoch=0)[: args.steps]
    items = [sample for plan in plans for _, sample in plan.items]
    targeted = [
        sample.paths[0] for sample in items if sample.paths[0].is_relative_to(args.out.resolve() / "train")
    ]
    return {
        "steps": len(plans),
        "lines": len(items),
        "targeted": len(targeted),
        "different": len(set(targeted)),
    }


def recall(predictions: Path, chars: str, known: set[str]) -> dict[str, Any]:
    """Lines that hold each character in which all its occurrences were read; texts in training left out."""
    lines: Counter[str] = Counter()
    found: Counter[str] = Counter()
    whole = count = 0
    for record in read_predictions(predictions):
        if fold(record.label) in known:
            continue
        steps = align(record.label, record.text or "")
        missed = {step.expected for step in steps if step.operation in ("replace", "delete")}
        count, whole = count + 1, whole + (record.text == record.label)
        for char in set(record.label) & set(chars):
            lines[char] += 1
            found[char] += char not in missed
    return {"lines": count, "exact": whole, "asked": dict(lines), "found": dict(found)}


def averaged(place: Place, name: str) -> Path:
    """Half of a run's weights and half of the stock ones, as ``finetune --average 0.5`` makes them."""
    from dataclasses import replace

    from datakit_train.engine import average
    from datakit_train.recognizer import find_model
    from datakit_train.weights.store import load_model, save_model

    out = place.out / f"half-{name.replace(':', 'to')}"
    if not out.exists():
        stock = load_model(find_model("ppocrv3-rec"))
        tuned = load_model(run_folder(place, name) / "best")
        save_model(out, replace(tuned, tensors=average(stock.tensors, tuned.tensors, 0.5), probe=()))
    return out


def score(args: argparse.Namespace, place: Place) -> None:
    """Every model on the unseen fonts and on the real sets."""
    chars = (place.out / "chars.txt").read_text("utf-8")
    known = {fold(line.text) for line in read_rec(place.set("train"))[0]}
    models = {"stock": "ppocrv3-rec"} | {name: str(run_folder(place, name) / "best") for name in RATIOS}
    models["half of 1:1"] = str(averaged(place, "1:1"))
    for name, model in models.items():
        if args.run not in ("", name):
            continue
        made = place.out / f"predictions-{name.replace(':', 'to').replace(' ', '-')}.jsonl"
        threads = ["--threads", str(args.threads)]
        if not made.exists():
            datakit("predict", place.set("test"), "--model", model, "--out", made, *threads)
        seen = recall(made, chars, known)
        asked, found = sum(seen["asked"].values()), sum(seen["found"].values())
        rate = wilson(found, asked)
        each = " ".join(f"{char}{seen['found'].get(char, 0)}/{seen['asked'][char]}" for char in chars)
        print(
            f"{name}: recall {found}/{asked} = {rate.value:.3f} ({rate.low:.3f} to {rate.high:.3f}); {each}"
        )
        exact, lines = seen["exact"], seen["lines"]
        print(f"{name}: lines exact {exact}/{lines} = {exact / lines:.3f}", flush=True)
        datakit("evaluate", *place.tests().values(), "--model", model, *threads)


PARTS = {"draw": draw, "train": train, "score": score}


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--probe", type=Path, required=True)
    parser.add_argument("--serif", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--run", default="", help="this one alone: 5:1 or 1:1, for scores also stock")
    parser.add_argument("--dry-run", action="store_true", help="train: measure a few steps only")
    parser.add_argument("--only", default=",".join(PARTS))
    args = parser.parse_args()
    place = Place(args.data.resolve(), args.out.resolve())
    for name in args.only.split(","):
        PARTS[name](args, place)


if __name__ == "__main__":
    main()
