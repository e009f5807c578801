"""The loop on real receipts: builds the held-out sets and a loop.yaml, which ``datakit loop run`` then takes.

    python benchmarks/receipts_loop.py --data ../shared/data --out runs/receipts
    datakit loop run runs/receipts/loop.yaml

What picks the best model (val) and what guards against forgetting (guard) is cut out of the training parts by
page, so that the test sets (receipts ``rec_val``, general ``rec_val`` and ``rec_books_val``) decide nothing.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from datakit.labels import RecLine, encode_rec, read_rec

VAL_LINES = 300
GUARD_WORDS = 300
GUARD_BOOKS = 60


def page_of(line: RecLine) -> str:
    """Receipt or photo that a crop comes from: ``rec_train/r012_003.jpg`` -> ``r012``."""
    return Path(line.image).stem.rsplit("_", 1)[0]


def split_by_page(lines: Sequence[RecLine], wanted: int, seed: int) -> tuple[list[RecLine], list[RecLine]]:
    """(kept, held out): whole pages are held out until ``wanted`` lines are."""
    pages = sorted({page_of(line) for line in lines})
    random.Random(seed).shuffle(pages)
    held: set[str] = set()
    count = 0
    for page in pages:
        if count >= wanted:
            break
        held.add(page)
        count += sum(page_of(line) == page for line in lines)
    inside: Callable[[RecLine], bool] = lambda line: page_of(line) in held  # noqa: E731
    return [line for line in lines if not inside(line)], [line for line in lines if inside(line)]


def write(path: Path, lines: Sequence[RecLine]) -> Path:
    """A label file of ``lines``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(encode_rec(line.images, line.text) for line in lines))
    return path


def main() -> None:
    """Write the label files and loop.yaml."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=200, help="steps of 32 a round")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    data, out = args.data.resolve(), args.out.resolve()
    receipts, general = data / "receipts", data / "general"
    train, val = split_by_page(read_rec(receipts / "rec_train.txt")[0], VAL_LINES, args.seed)
    words, guard_words = split_by_page(read_rec(general / "rec_train.txt")[0], GUARD_WORDS, args.seed)
    books, guard_books = split_by_page(read_rec(general / "rec_books_train.txt")[0], GUARD_BOOKS, args.seed)

    def part(name: str, lines: Sequence[RecLine], data_dir: Path) -> dict[str, str]:
        return {"label_file": str(write(out / "labels" / name, lines)), "data_dir": str(data_dir)}

    corpus = out / "labels" / "receipt_texts.txt"
    document = {
        "model": "ppocrv3-rec",
        "out": str(out / "rounds"),
        "rounds": args.rounds,
        "seed": args.seed,
        "domain": [part("receipts_train.txt", train, receipts)],
        "val": part("receipts_val.txt", val, receipts),
        "general": [part("words_train.txt", words, general), part("books_train.txt", books, general)],
        "guard": [
            part("words_guard.txt", guard_words, general),
            part("books_guard.txt", guard_books, general),
        ],
        "test": {
            "receipts": str(receipts / "rec_val.txt"),
            "words": str(general / "rec_val.txt"),
            "books": str(general / "rec_books_val.txt"),
        },
        "mine": 600,
        "finetune": {
            "steps": args.steps,
            "batch_size": 32,
            "learning_rate": 3e-4,
            "warmup_steps": 20,
            "freeze": "backbone",
            "shares": [0.6, 0.3],
            "max_text_length": 60,
            "max_width": 640,
        },
        "synth": {
            "per_char": 60,
            "max_targets": 12,
            "corpus": [str(corpus)],
            "templates": ["en"],
            "photos": str(data / "backgrounds"),
            "presets": ["scan", "thermal", "photo"],
        },
    }
    corpus.write_text("".join(f"{line.text}\n" for line in train), encoding="utf-8")
    (out / "loop.yaml").write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    print(
        f"{len(train)} train, {len(val)} val, {len(words)} + {len(books)} general, "
        f"{len(guard_words)} + {len(guard_books)} guard; next: datakit loop run {out / 'loop.yaml'}"
    )


if __name__ == "__main__":
    main()
