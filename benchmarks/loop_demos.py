"""Base model, plain fine-tuning once, and the loop with the same total steps, on three real domains.

    python benchmarks/loop_demos.py run --data ../shared/data --out runs/demos \\
        [--sets plates] [--arms plain loop] [--seeds 0 1 2] [--steps 160] [--threads 1]
    python benchmarks/loop_demos.py table --out runs/demos

``run`` does what is not done yet, seed by seed, and may be killed and started again; several at once share
the work. Every run has a folder (``plates/loop-0``), every set its label files (``plates/labels``).

plates    photographed licence plates (700 + 100): 500 test, 60 val, 240 train, cut at random as they came
rec       Taiwanese books, whose characters the dictionary lacks: 500 test, 60 val, the rest trains, by page
receipts  600 test lines of ``rec_val``, 200 val and 1,500 train lines of ``rec_train``, cut by receipt

Everywhere the tests beside the domain's are 300 words of general ``rec_val``, and all of ``rec_books_val``
and chinese ``rec_val``; the guards of the loop's gate are cut out of their training parts, by page, and share
no line with a test. General lines that the dictionary does not cover are left out: cut labels teach nothing.

Arms: ``plain`` trains on the domain alone, all steps at once, at the guide's rate for the batch (1e-4 at
128). ``loop`` is two rounds of half the steps; both have ``--steps`` of 16 lines. The rest are ablations:
``plain-rate`` is plain with the loop's rate and frozen backbone, ``loop-nosynth`` makes no lines,
``loop-guide`` is the loop at the guide's rate, ``loop-whole`` trains the whole network at 1e-4,
``plain-dict`` (rec) is ``plain-rate`` with the dictionary that the loop would make, ``plain-restored`` and
``loop-restored`` (receipts) train on labels whose case ``badcases --restore case`` took from the base model.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from datakit.charset import Charset
from datakit.errors import LockedError
from datakit.files import FolderLock, atomic_write
from datakit.labels import RecLine, encode_rec, read_rec
from datakit.loop.folders import RoundFolder, read_json, round_folder, write_json
from datakit.loop.plan import LoopPlan
from datakit.metrics import fold
from datakit.mix import Part, make_plan
from datakit.records import read_predictions

MODEL = "ppocrv3-rec"
ROUNDS = 2
BATCH = 16
STEPS = 160
# Of the loop, with the backbone frozen: chosen on plates' val and the guards (40 steps, one seed).
RATE = 3e-4
# With the whole network.
WHOLE_RATE = 1e-4


@dataclass(frozen=True, slots=True)
class Demo:
    """A domain: how its sets are cut, and what the loop is told.

    ``ignored`` are characters without which the domain is scored once more.
    """

    cut: Callable[[Path], tuple[list[RecLine], list[RecLine], list[RecLine]]]
    folder: str
    synth: Mapping[str, Any]
    general: tuple[str, ...] = ("words", "books", "chinese")
    new_characters: int = 0
    ignored: str = ""


def page_of(line: RecLine) -> str:
    """``rec_train/r012_003.jpg`` -> ``rec_train/r012``."""
    return line.image.rsplit("_", 1)[0]


def cut_pages(lines: Sequence[RecLine], wanted: int, seed: int) -> tuple[list[RecLine], list[RecLine]]:
    """(the rest, held out): whole pages in random order until ``wanted`` lines are held out."""
    by_page: dict[str, list[RecLine]] = {}
    for line in lines:
        by_page.setdefault(page_of(line), []).append(line)
    pages = sorted(by_page)
    random.Random(seed).shuffle(pages)
    held: set[str] = set()
    while pages and sum(len(by_page[page]) for page in held) < wanted:
        held.add(pages.pop())
    return [line for line in lines if page_of(line) not in held], [x for x in lines if page_of(x) in held]


def read(path: Path) -> list[RecLine]:
    """The usable lines of a label file."""
    return read_rec(path)[0]


def cut_plates(data: Path) -> tuple[list[RecLine], list[RecLine], list[RecLine]]:
    """(train, val, test)."""
    lines = read(data / "chinese/plates_train.txt")
    random.Random(0).shuffle(lines)
    return lines[460:], lines[400:460], [*lines[:400], *read(data / "chinese/plates_val.txt")]


def cut_rec(data: Path) -> tuple[list[RecLine], list[RecLine], list[RecLine]]:
    """(train, val, test)."""
    rest, test = cut_pages(read(data / "chinese/rec_train.txt"), 327, 0)
    train, val = cut_pages(rest, 60, 0)
    return train, val, [*test, *read(data / "chinese/rec_val.txt")]


def cut_receipts(data: Path) -> tuple[list[RecLine], list[RecLine], list[RecLine]]:
    """(train, val, test)."""
    rest, train = cut_pages(read(data / "receipts/rec_train.txt"), 1500, 0)
    return train, cut_pages(rest, 200, 0)[1], cut_pages(read(data / "receipts/rec_val.txt"), 600, 0)[1]


DEMOS: Mapping[str, Demo] = {
    "plates": Demo(
        cut_plates, "chinese",
        {
            "per_char": 40, "max_targets": 12, "templates": ("plate-zh",), "presets": ("photo",),
            "photos": True,
        },
        ignored="·",
    ),
    "rec": Demo(
        cut_rec, "chinese",
        {"per_char": 40, "max_targets": 20, "presets": ("scan",)},
        general=("words", "books"), new_characters=3,
    ),
    "receipts": Demo(
        cut_receipts, "receipts",
        {
            "per_char": 40, "max_targets": 12, "templates": ("item-en", "sum-en"),
            "presets": ("scan", "thermal"),
        },
    ),
}  # fmt: skip

# Training file, guard lines of it, test file, lines of that.
GENERAL = {
    "words": ("general/rec_train.txt", 400, "general/rec_val.txt", 300),
    "books": ("general/rec_books_train.txt", 80, "general/rec_books_val.txt", 50),
    "chinese": ("chinese/rec_train.txt", 200, "chinese/rec_val.txt", 173),
}


def write(path: Path, lines: Iterable[RecLine]) -> Path:
    """A label file; what is there already is the same."""
    if not path.exists():
        atomic_write(path, b"".join(encode_rec(line.images, line.text) for line in lines))
    return path


def plan_of(name: str, data: Path, out: Path, seed: int, steps: int) -> LoopPlan:
    """The loop of a set (``steps`` in all), whose label files are written if they are not there."""
    from datakit_train.recognizer import find_model
    from datakit_train.weights.store import load_model

    demo, labels = DEMOS[name], out / name / "labels"
    charset = Charset(load_model(find_model(MODEL)).characters)
    train, val, test = demo.cut(data)
    home = data / demo.folder
    domain = Part(write(labels / "train.txt", train), home)
    corpus = labels / "corpus.txt"
    atomic_write(corpus, "".join(f"{line.text}\n" for line in train))
    general, guard, tests = [], [], {name: Part(write(labels / f"{name}_test.txt", test), home)}
    for kind in demo.general:
        file, wanted, test_file, tested = GENERAL[kind]
        rest, held = cut_pages(read(data / file), wanted, 0)
        rest = [line for line in rest if not charset.missing(line.text)]
        folder = (data / file).parent
        general.append(Part(write(labels / f"{kind}_train.txt", rest), folder))
        guard.append(Part(write(labels / f"{kind}_guard.txt", held[:wanted]), folder))
        test_lines = cut_pages(read(data / test_file), tested, 0)[1][:tested]
        tests[kind] = Part(write(labels / f"{kind}_test.txt", test_lines), folder)
    synth = {**demo.synth, "corpus": [corpus], "workers": 1}
    if synth.get("photos"):
        synth["photos"] = data / "backgrounds"
    return LoopPlan(
        out=out / name / f"loop-{seed}",
        domain=(domain,),
        val=Part(write(labels / "val.txt", val), home),
        general=tuple(general),
        guard=tuple(guard),
        test=tests,
        model=MODEL,
        rounds=ROUNDS,
        seed=100 * seed,
        mine=500,
        finetune={
            "steps": steps // ROUNDS,
            "batch_size": BATCH,
            "learning_rate": RATE,
            "warmup_steps": 8,
            "freeze": "backbone",
            "shares": [0.6, 0.3],
            # Lines are read at their own width, so they train at it; the longest book line has 96 characters.
            "max_text_length": 90,
            "max_width": 960,
        },
        synth=synth,
        new_characters=demo.new_characters,
    )


@dataclass(frozen=True, slots=True)
class Task:
    """One run: set, arm and seed."""

    set: str
    arm: str
    seed: int
    data: Path
    out: Path
    steps: int = STEPS

    @property
    def folder(self) -> Path:
        """Where it is kept."""
        return self.out / self.set / f"{self.arm}-{self.seed}"

    @property
    def plan(self) -> LoopPlan:
        """The set's loop, kept in this run's folder."""
        return replace(plan_of(self.set, self.data, self.out, self.seed, self.steps), out=self.folder)

    @property
    def base(self) -> RoundFolder:
        """Where the base model's readings are."""
        return round_folder(self.out / self.set / "base-0", 0)


def say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def run_base(task: Task) -> None:
    """Read every test set and guard with the model as it is."""
    from datakit.loop.score import base_scores, score_step

    score_step(task.plan, MODEL, task.base, say)
    base_scores(task.plan, task.base)


def run_plain(
    task: Task, *, guide: bool = True, domain: Part | None = None, with_dictionary: bool = False
) -> None:
    """All steps on the domain alone; the last weights, unless the base reads more of val.

    ``guide``: at the guide's rate and the trainer's usual settings, else at those of the loop.
    """
    from datakit.loop.score import score_step
    from datakit_train.finetune import RESULT, finetune
    from datakit_train.settings import Settings

    plan, folder = task.plan, round_folder(task.folder, 1)
    if not (folder.finetune / RESULT).exists():
        given = {**plan.finetune, "steps": task.steps, "shares": ()}
        if guide:
            given = {k: v for k, v in given.items() if k not in ("learning_rate", "warmup_steps", "freeze")}
        finetune(
            make_plan(domain=[domain or plan.domain[0]], rule="as-is").mix,
            val=plan.val,
            out=folder.finetune,
            pretrained=extended_base(task) if with_dictionary else MODEL,
            settings=Settings(**{**given, "seed": plan.seed + 1}),
            say=say,
        )
    score_step(plan, folder.finetune / "best", folder, say)


def extended_base(task: Task) -> Any:
    """The base model with the characters that the loop adds to its dictionary."""
    from datakit.loop.dictionary import lacking, write_extended
    from datakit_train.prepare import NewDictionary, load_base
    from datakit_train.recognizer import load_recognizer

    plan, path = task.plan, task.folder / "dictionary.txt"
    charset = load_recognizer(MODEL).charset
    found = lacking([part.label_file for part in plan.domain], charset, 25)
    write_extended(path, charset, [entry.char for entry in found if entry.lines >= plan.new_characters])
    return load_base(MODEL, NewDictionary(path, "union", use_space_char=False), say)


def run_rounds(task: Task, change: Callable[[LoopPlan], LoopPlan] = lambda plan: plan) -> None:
    """The loop; what the base reads is taken over."""
    from datakit.loop import run_loop

    plan = change(task.plan)
    first = round_folder(plan.out, 0)
    if not first.path.exists():
        shutil.copytree(task.base.path, first.path)
    run_loop(plan, say=say)


def restored(task: Task) -> Part:
    """The training labels with the case that the base model reads."""
    from datakit.badcases.restore import write_restored
    from datakit_train.predict import LineReader, read_label_set
    from datakit_train.recognizer import load_recognizer

    part, out = task.plan.domain[0], task.out / task.set / "restored"
    if not (out / "restored.txt").exists():
        label_set = read_label_set(part.label_file, part.data_dir)
        readings = LineReader(load_recognizer(MODEL)).read(label_set)
        counts = write_restored(readings, out, ["case"], {str(part.label_file): part.data_dir or Path()})
        say(f"restored: {counts}")
    return Part(out / "restored.txt", part.data_dir)


def _without_synth(plan: LoopPlan) -> LoopPlan:
    return replace(plan, synth={**plan.synth, "max_targets": 0})


def _guide_rate(plan: LoopPlan) -> LoopPlan:
    return replace(plan, finetune={**plan.finetune, "learning_rate": None})


def _whole_network(plan: LoopPlan) -> LoopPlan:
    given = {**plan.finetune, "learning_rate": WHOLE_RATE, "freeze": "none"}
    return replace(plan, finetune=given)


def _on_restored(task: Task) -> None:
    part = restored(task)
    run_rounds(task, lambda plan: replace(plan, domain=(part,)))


ARMS: Mapping[str, Callable[[Task], None]] = {
    "base": run_base,
    "plain": run_plain,
    "loop": run_rounds,
    "plain-rate": lambda task: run_plain(task, guide=False),
    "loop-whole": lambda task: run_rounds(task, _whole_network),
    "loop-guide": lambda task: run_rounds(task, _guide_rate),
    "loop-nosynth": lambda task: run_rounds(task, _without_synth),
    "plain-dict": lambda task: run_plain(task, guide=False, with_dictionary=True),
    "plain-restored": lambda task: run_plain(task, guide=False, domain=restored(task)),
    "loop-restored": _on_restored,
}


def run(args: argparse.Namespace) -> None:
    """Every task that is not done, one after the other; one that another process does is left to it."""
    from datakit_train.framework import import_paddle

    import_paddle(args.threads)
    data, out = args.data.resolve(), args.out.resolve()
    for seed in args.seeds:
        for name in args.sets:
            for arm in args.arms:
                task = Task(name, arm, 0 if arm == "base" else seed, data, out, args.steps)
                begin(task)


def begin(task: Task) -> None:
    """Do a task, once; the base's readings come first."""
    done = task.folder / "demo.json"
    if task.arm != "base":
        base = replace(task, arm="base", seed=0)
        while not (base.folder / "demo.json").exists():
            begin(base)
            time.sleep(1)
    try:
        with FolderLock(task.folder / "demo-lock"):
            if done.exists():
                return
            say(f"== {task.set} {task.arm} {task.seed}")
            cpu, wall = time.process_time(), time.monotonic()
            ARMS[task.arm](task)
            spent = {"cpu_seconds": time.process_time() - cpu, "seconds": time.monotonic() - wall}
            write_json(done, {"schema_version": 1, **spent})
            say(f"== {task.set} {task.arm} {task.seed} done: {spent}")
    except LockedError:
        return


def folded(path: Path, ignored: str = "") -> list[bool]:
    """Of every line: whether it is read right, folded and with ``ignored`` left out of both."""
    drop = str.maketrans("", "", ignored)
    pairs = ((fold(p.label), fold(p.text or "")) for p in read_predictions(path))
    return [label.translate(drop) == text.translate(drop) for label, text in pairs]


@dataclass(slots=True)
class Row:
    """An arm of a set: by test set, the folded accuracy of every seed; for the domain also the rest."""

    seeds: list[int] = field(default_factory=list)
    sets: dict[str, list[float]] = field(default_factory=dict)
    exact: list[float] = field(default_factory=list)
    unseen: list[float] = field(default_factory=list)
    ignoring: list[float] = field(default_factory=list)
    # (won, lost) against the base.
    changed: dict[str, list[tuple[int, int]]] = field(default_factory=dict)


def rows_of(out: Path, name: str) -> Iterator[tuple[str, Row]]:
    """The arms of a set that have a finished run."""
    base = round_folder(out / name / "base-0", 0)
    for arm in ARMS:
        row = Row()
        for folder in sorted((out / name).glob(f"{arm}-[0-9]")):
            if (folder / "demo.json").exists():
                take(row, folder, name, base)
        if row.seeds:
            yield arm, row


def take(row: Row, folder: Path, name: str, base: RoundFolder) -> None:
    """Add a finished run."""
    last = RoundFolder(sorted(folder.glob("round-*"))[-1])
    scores = read_json(last.scores)
    row.seeds.append(int(folder.name.rpartition("-")[2]))
    for test, found in scores.items():
        row.sets.setdefault(test, []).append(found["all"]["accuracy_folded"])
        pairs = list(zip(folded(base.readings(test)), folded(last.readings(test)), strict=True))
        change = pairs.count((False, True)), pairs.count((True, False))
        row.changed.setdefault(test, []).append(change)
        if test == name:
            row.exact.append(found["all"]["accuracy"])
            row.unseen.append(found["unseen"]["accuracy_folded"] if found["unseen"]["lines"] else 0.0)
            row.ignoring.append(statistics.fmean(folded(last.readings(test), DEMOS[name].ignored)))


def cell(values: Sequence[float]) -> str:
    """The mean, and the range where there are several."""
    mean = f"{statistics.fmean(values):.4f}"
    return mean if len(values) < 2 else f"{mean} ({min(values):.4f} to {max(values):.4f})"


def table(args: argparse.Namespace) -> None:
    """Print the tables of all sets as Markdown."""
    out = args.out.resolve()
    for name in args.sets:
        rows = list(rows_of(out, name))
        if not rows:
            continue
        guards = [test for test in rows[0][1].sets if test != name]
        head = ["arm", "seeds", "domain, folded", "unseen texts, folded", "domain, as labelled"]
        head += [f"ignoring {DEMOS[name].ignored}"] if DEMOS[name].ignored else []
        head += [f"{guard}, folded (lost: lines lost - won)" for guard in guards]
        print(f"\n**{name}**\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
        for arm, row in rows:
            cells = [arm, str(len(row.seeds)), cell(row.sets[name]), cell(row.unseen), cell(row.exact)]
            cells += [cell(row.ignoring)] if DEMOS[name].ignored else []
            for guard in guards:
                lost = ", ".join(f"{lost - won}: {lost} - {won}" for won, lost in row.changed[guard])
                cells.append(f"{cell(row.sets[guard])} ({lost})")
            print(f"| {' | '.join(cells)} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("command", choices=("run", "table"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=list(DEMOS), choices=list(DEMOS))
    parser.add_argument("--arms", nargs="+", default=["base", "plain", "loop"], choices=list(ARMS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument(
        "--steps", type=int, default=STEPS, help="of 16 lines, in all; one number for an --out"
    )
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    {"run": run, "table": table}[args.command](args)


if __name__ == "__main__":
    main()
