"""Ways against forgetting, on the same data, steps and rate: gain on the domain, loss elsewhere.

    python benchmarks/forgetting.py --data DATA --out OUT
    python benchmarks/forgetting.py --data DATA --out OUT --synthetic SYNTH --judge SYNTH_VAL

The first trains on receipts, and guards general words and book lines. The second trains on nothing but
synthetic lines (``datakit synth``) and guards receipts, words and book lines. One thread unless --threads;
rows that ``--out`` holds already are not trained again, so that it can be stopped and gone on with. What was
tried is folded exact accuracy of the tuned weights and of their averages with the base.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from datakit.images import line_width, probe
from datakit.labels import RecLine, encode_rec, read_rec
from datakit.mix import Kind, Mix, Part, Source
from datakit_train import predict
from datakit_train.framework import import_paddle

SHARES = (0.5,)
WIDE = 10**6


@dataclass(frozen=True, slots=True)
class Way:
    """Changes of the settings, and whether general lines are mixed in or distilled on."""

    name: str
    changes: Mapping[str, Any]
    replay: bool = False
    on_general: bool = False


WAYS = (
    Way("plain (BatchNorm moving)", {"fixed_batch_norm": False}),
    Way("BatchNorm fixed", {}),
    Way("replay 1:1", {}, replay=True),
    Way("distil on the batch", {"distill": 1.0}),
    Way("distil on general", {"distill": 1.0}, on_general=True),
    Way("backbone frozen", {"freeze": "backbone"}),
    Way("layer decay 0.7", {"layer_decay": 0.7}),
    Way("replay, distil on the batch", {"distill": 1.0}, replay=True),
    Way("replay, layer decay 0.7", {"layer_decay": 0.7}, replay=True),
    Way("distil on the batch, weight 3", {"distill": 3.0}),
    Way("distil on general, weight 3", {"distill": 3.0}, on_general=True),
    Way("backbone frozen, distil on the batch", {"freeze": "backbone", "distill": 1.0}),
    Way("plain, replay 1:1", {"fixed_batch_norm": False}, replay=True),
)


def narrow(path: Path, width: int) -> list[RecLine]:
    """The lines of a label file whose pictures are at most ``width`` px wide at height 48."""
    found = read_rec(path)[0]
    infos = [probe(path.parent / line.image) for line in found]
    return [line for line, info in zip(found, infos, strict=True) if 48 * info.width <= width * info.height]


def sample(path: Path, lines: int, out: Path, width: int) -> Part:
    """``lines`` narrow lines of a label file, drawn by a fixed seed, in their own order."""
    found = narrow(path, width)
    chosen = sorted(random.Random(0).sample(range(len(found)), min(lines, len(found))))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(b"".join(encode_rec(found[i].images, found[i].text) for i in chosen))
    return Part(out, path.parent)


def judges(args: argparse.Namespace) -> tuple[Part, list[Part]]:
    """The domain's set and the guards."""
    receipts, words = args.data / "receipts/rec_val.txt", args.data / "general/rec_val.txt"
    books = args.data / "general/rec_books_val.txt"
    names = {"receipts": (receipts, args.lines), "words": (words, args.lines), "books": (books, args.books)}
    parts = {
        name: sample(
            path, lines, args.out / "labels" / f"{name}.txt", 10**6 if name == "books" else args.width
        )
        for name, (path, lines) in names.items()
        if lines
    }
    if args.synthetic is not None:
        return Part(args.judge), list(parts.values())
    domain = parts.pop("receipts")
    return domain, list(parts.values())


def mix_of(args: argparse.Namespace, way: Way) -> Mix:
    """The training set of a way."""
    mix = Mix((general_source(args, "receipts/rec_train.txt", "domain"),))
    if args.synthetic is not None:
        mix = Mix((Source(args.synthetic, args.synthetic.parent, "domain", 1.0),))
    if not way.replay:
        return mix
    lines = sum(len(read_rec(source.label_file)[0]) for source in mix.sources)
    general = general_source(args, "general/rec_train.txt", "general")
    ratio = round(lines / len(read_rec(general.label_file)[0]), 6)
    return Mix((*mix.sources, replace(general, ratio=ratio)))


def general_source(args: argparse.Namespace, name: str, kind: Kind) -> Source:
    """The narrow lines of a training set as a source, with the folder of its pictures."""
    part = sample(args.data / name, 10**9, args.out / "labels" / name.replace("/", "_"), args.width)
    assert part.data_dir is not None
    return Source(part.label_file, part.data_dir, kind, 1.0)


def narrow_folder(args: argparse.Namespace) -> Path:
    """The narrow general lines with absolute paths: what --distill-on reads has no data_dir of its own."""
    source = general_source(args, "general/rec_train.txt", "general")
    folder: Path = args.out / "labels" / "general"
    if not folder.exists():
        folder.mkdir()
        for number, line in enumerate(read_rec(source.label_file)[0]):
            (folder / f"{number:05d}.jpg").symlink_to(source.data_dir / line.image)
    return folder


def trained(args: argparse.Namespace, way: Way) -> Iterator[dict[str, Any]]:
    """Train one way; a record for its weights and for each average."""
    from datakit_train.batches import stream_batches
    from datakit_train.engine import average
    from datakit_train.prepare import load_base, prepare
    from datakit_train.run import score_sets
    from datakit_train.schedules import rate_at
    from datakit_train.settings import Settings

    settings = replace(
        Settings(steps=args.steps, batch_size=args.batch_size, learning_rate=args.rate, seed=args.seed),
        **way.changes,
        distill_on=str(narrow_folder(args)) if way.on_general else None,
    )
    domain, guards = judges(args)
    base = load_base("ppocrv3-rec", None, print)
    run = prepare(
        mix_of(args, way), domain, args.out, base, guards, settings, allow_outside=True, say=lambda _: None
    )
    started, cpu = time.monotonic(), time.process_time()
    stream = stream_batches(
        run.samples, batch_size=settings.batch_size, seed=settings.seed, first_step=0, last_step=args.steps,
        augment=settings.augment,
    )  # fmt: skip
    losses = [run.engine.step(batch, n, rate_at(run.schedule, n)) for n, batch in enumerate(stream)]
    spent = {"seconds": round(time.monotonic() - started), "cpu": round(time.process_time() - cpu)}
    tuned = run.engine.weights()
    for share in (1.0, *SHARES):
        run.engine.set_weights(tuned if share == 1.0 else average(base.tensors, tuned, share))
        yield {
            "way": way.name,
            "share": share,
            "loss": losses[-1],
            **spent,
            **scores(score_sets(run, way.name)),
        }


def scores(candidate: Any) -> dict[str, list[int]]:
    """(folded exact, lines) of every set, the domain's called so."""
    sets = {"domain": candidate.domain, **candidate.guards}
    return {name: [score.exact_folded, score.lines] for name, score in sets.items()}


def base_record(args: argparse.Namespace) -> dict[str, Any]:
    """The base's scores."""
    from datakit_train.prepare import load_base, prepare
    from datakit_train.run import score_sets
    from datakit_train.settings import Settings

    domain, guards = judges(args)
    base = load_base("ppocrv3-rec", None, print)
    run = prepare(
        mix_of(args, WAYS[0]), domain, args.out, base, guards, Settings(steps=1), allow_outside=False,
        say=lambda _: None,
    )  # fmt: skip
    return {"way": "stock", "share": 0.0, "seconds": 0, "cpu": 0, **scores(score_sets(run, "base"))}


def table(records: list[dict[str, Any]]) -> str:
    """Markdown: points gained and lost against the base, and CPU time of the training."""
    base = records[0]
    sets = [name for name in base if isinstance(base[name], list)]
    rows = [
        "| way | tuned share | " + " | ".join(sets) + " | training, CPU s |",
        "| --- " * (len(sets) + 3) + "|",
    ]
    for record in records:
        cells = []
        for name in sets:
            right, lines = record[name]
            change = 100 * (right - base[name][0]) / lines
            cells.append(f"{right / lines:.3f}" + (f" ({change:+.1f})" if record is not base else ""))
        rows.append(f"| {record['way']} | {record['share']:g} | {' | '.join(cells)} | {record['cpu']} |")
    return "\n".join(rows)


def main() -> None:
    """Train what is not there yet, then print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--synthetic", type=Path, help="labels.txt of synth to train on, instead of receipts")
    parser.add_argument("--judge", type=Path, help="labels.txt of synth that judges it")
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--rate", type=float, default=1e-4)
    parser.add_argument("--lines", type=int, default=600, help="that judge, of each set")
    parser.add_argument("--books", type=int, default=50, help="book lines that judge; they are long")
    parser.add_argument("--width", type=int, default=WIDE, help="only lines so wide, px at height 48")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--ways", help="numbers from 0, such as 0,1,4; default: all")
    args = parser.parse_args()
    args.data = args.data.resolve()
    import_paddle(args.threads)
    if args.width < 320:
        # Narrow lines are read at their own width here, not at 320 px as predict does, to save time.
        vars(predict)["line_width"] = partial(line_width, minimum=32)
    chosen = [WAYS[int(n)] for n in args.ways.split(",")] if args.ways else list(WAYS)
    path = args.out / ("receipts.jsonl" if args.synthetic is None else "synthetic.jsonl")
    args.out.mkdir(parents=True, exist_ok=True)
    records = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    with path.open("a", encoding="utf-8", buffering=1) as stream:
        if not records:
            records.append(base_record(args))
            stream.write(json.dumps(records[0]) + "\n")
        for way in chosen:
            if any(record["way"] == way.name for record in records):
                continue
            for record in trained(args, way):
                records.append(record)
                stream.write(json.dumps(record) + "\n")
            print(table(records), flush=True)
    print(table(records))


if __name__ == "__main__":
    main()
