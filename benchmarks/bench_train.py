"""CPU seconds a sample of a fine-tuning step, ours against PaddleOCR's tools/train.py, on the same lines.

python benchmarks/bench_train.py ../shared/data/receipts/rec_train.txt --tree PADDLEOCR --python PYTHON
python benchmarks/bench_train.py ../shared/data/receipts/rec_train.txt --tree PADDLEOCR --python PYTHON \\
    --full ../shared/data/receipts/rec_val.txt

Both start from the same PP-OCRv3 weights, take the same lines (drawn with a seed) in batches of 32 with the
augmentation that each has by default, one thread, data loading included. Every way runs twice: the peer with
few and with more batches, ours with none and with as many; what the second takes more is the cost of the
batches, start and end left out. (Ours sorts lines by width: its first batches cost another sum than its last,
so that few cannot be taken from more.) The peer runs as it is and, where the processor is no Intel, also with
the MKL variable that we set for ourselves. Figures are CPU seconds of all threads and children, so that other
work on the machine counts little.

``--full VAL``: instead each trains one whole pass over all lines at the same constant rate (1e-4), its start
and end counted, and the weights that it ends with read VAL, by the same reader. What differs by default is
BatchNorm: PaddleOCR's statistics move, ours are fixed; ours therefore runs both ways.
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
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

BATCH = 32
THREADS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
# As it was found: importing our own Paddle adds to it.
FOUND = dict(os.environ)
MKL_TOLD = {"MKL_DEBUG_CPU_TYPE": "5"}
RATE = 1e-4

RECIPE = """
Global: {debug: false, use_gpu: false, epoch_num: 1, log_smooth_window: 20, print_batch_step: 10,
  save_epoch_step: 100, eval_batch_step: [0, 100000], cal_metric_during_train: true, checkpoints: null,
  max_text_length: 25, infer_mode: false, use_space_char: true, distributed: false, use_visualdl: false}
Optimizer: {name: Adam, beta1: 0.9, beta2: 0.999, lr: {name: Const, learning_rate: 0.0001, warmup_epoch: 0},
  regularizer: {name: L2, factor: 0}}
Architecture: {model_type: rec, algorithm: SVTR, Transform: null, Backbone: {name: MobileNetV1Enhance,
    scale: 0.5, last_conv_stride: [1, 2], last_pool_type: avg, last_pool_kernel_size: [2, 2]},
  Neck: {name: SequenceEncoder, encoder_type: svtr, dims: 64, depth: 2, hidden_dims: 120, use_guide: false},
  Head: {name: CTCHead, fc_decay: 0.00001}}
Loss: {name: CTCLoss}
PostProcess: {name: CTCLabelDecode}
Metric: {name: RecMetric, main_indicator: acc, ignore_space: false}
"""
DATASET = """
dataset: {name: SimpleDataSet, transforms: [{DecodeImage: {img_mode: BGR, channel_first: false}},
  {RecAug: null}, {CTCLabelEncode: null}, {RecResizeImg: {image_shape: [3, 48, 320]}},
  {KeepKeys: {keep_keys: [image, label, length]}}]}
loader: {shuffle: true, batch_size_per_card: 32, drop_last: true, num_workers: 0, use_shared_memory: false}
"""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to train: its name, its command without the label file, and its environment."""

    name: str
    peer: bool
    environment: Mapping[str, str]


def subset(labels: Path, batches: int, folder: Path) -> Path:
    """A label file of ``batches`` full batches, drawn with a seed; more batches hold the fewer."""
    lines = labels.read_bytes().splitlines(keepends=True)
    random.Random(0).shuffle(lines)
    out = folder / f"{labels.stem}_{batches}.txt"
    out.write_bytes(b"".join(lines[: batches * BATCH]))
    return out


def export_start(folder: Path) -> tuple[Path, Path]:
    """Our weights as .pdparams without the suffix, and their dictionary without the space."""
    from datakit_train.export.inference import dictionary_entries
    from datakit_train.export.pdparams import write_pdparams
    from datakit_train.recognizer import load_recognizer

    recognizer = load_recognizer("ppocrv3-rec")
    tensors = {name: value.numpy() for name, value in recognizer.network.state_dict().items()}
    write_pdparams(folder / "start.pdparams", tensors)
    words = folder / "dict.txt"
    words.write_text("".join(f"{entry}\n" for entry in dictionary_entries(recognizer)), "utf-8")
    return folder / "start", words


def recipe(labels: Path, data_dir: Path, start: Path, words: Path, folder: Path) -> Path:
    """The peer's YAML."""
    document = yaml.safe_load(RECIPE)
    document["Global"] |= {
        "pretrained_model": str(start),
        "character_dict_path": str(words),
        "save_model_dir": str(folder / "peer"),
    }
    for section in ("Train", "Eval"):
        document[section] = yaml.safe_load(DATASET)
        document[section]["dataset"] |= {"data_dir": str(data_dir), "label_file_list": [str(labels)]}
    path = folder / f"{labels.stem}.yml"
    path.write_text(yaml.safe_dump(document), "utf-8")
    return path


def cpu_seconds(command: list[str], cwd: Path | None, environment: Mapping[str, str], log: Path) -> float:
    """User and system seconds of a command and the children it has waited for."""
    with log.open("ab") as stream:
        process = subprocess.Popen(
            command, cwd=cwd, env={**FOUND, **environment}, stdout=stream, stderr=stream
        )
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} ended with {status}; see {log}")
    return usage.ru_utime + usage.ru_stime


def own_command(labels: Path, data_dir: Path) -> list[str]:
    """This script again, for :func:`child`."""
    return [sys.executable, __file__, str(labels), "--child", "--data-dir", str(data_dir)]


def child(
    labels: Path, data_dir: Path, *, idle: bool, moving: bool = False, save: Path | None = None
) -> None:
    """One pass of ours over ``labels``, not scored; ``idle``: all but the pass; ``save``: a .pdparams."""
    from datakit.mix import Mix, Source
    from datakit_train.batches import steps_per_epoch, stream_batches
    from datakit_train.engine import Engine
    from datakit_train.recognizer import load_recognizer
    from datakit_train.samples import load_samples

    recognizer = load_recognizer("ppocrv3-rec")
    engine = Engine(recognizer.network, fixed_batch_norm=not moving, seed=0)
    mix = Mix((Source(labels, data_dir, "domain", 1.0),))
    samples = load_samples(mix, recognizer.charset, like_widths=not moving)
    steps = steps_per_epoch(samples, batch_size=BATCH, seed=0)
    stream = stream_batches(samples, batch_size=BATCH, seed=0, first_step=0, last_step=steps, augment=True)
    for number, batch in enumerate(() if idle else stream):
        engine.step(batch, number, RATE)
    if save is not None:
        from datakit_train.export.pdparams import write_pdparams

        write_pdparams(save, engine.weights())


def score(weights: Path, labels: Path) -> None:
    """Print what a .pdparams of either trainer reads of a label file, as JSON."""
    from datakit_train.predict import LineReader, read_label_set, score_predictions
    from datakit_train.recognizer import find_model, load_recognizer, load_tensors
    from datakit_train.weights.pdparams import read_pdparams
    from datakit_train.weights.store import load_model

    recognizer = load_recognizer("ppocrv3-rec")
    known = load_model(find_model("ppocrv3-rec")).tensors
    found = read_pdparams(weights)
    load_tensors(recognizer.network, {name: found[name] for name in known})
    recognizer.network.eval()
    print(json.dumps(score_predictions(LineReader(recognizer).read(read_label_set(labels))).to_dict()))


def full_passes(args: argparse.Namespace, folder: Path) -> None:
    """Every way trains one pass over all lines, then reads ``args.full``."""
    start, words = export_start(folder)
    lines = args.labels.read_bytes().splitlines(keepends=True)
    count = len(lines) // BATCH * BATCH
    file = subset(args.labels, count // BATCH, folder)
    data_dir = args.labels.resolve().parent
    yml = recipe(file, data_dir, start, words, folder)
    trained = {
        "datakit": folder / "ours.pdparams",
        "datakit, BatchNorm moving": folder / "moving.pdparams",
        "PaddleOCR": folder / "peer/latest.pdparams",
    }
    own = own_command(file, data_dir)
    commands = {
        "datakit": ([*own, "--save", str(trained["datakit"])], None),
        "datakit, BatchNorm moving": (
            [*own, "--moving", "--save", str(trained["datakit, BatchNorm moving"])],
            None,
        ),
        "PaddleOCR": ([str(args.python), "tools/train.py", "-c", str(yml)], args.tree),
    }
    told = {**THREADS, **MKL_TOLD} if args.told else THREADS
    result: dict[str, dict[str, object]] = {}
    for name, (command, cwd) in commands.items():
        seconds = cpu_seconds(command, cwd, told if name == "PaddleOCR" else THREADS, args.log)
        read = subprocess.run(
            [sys.executable, __file__, str(args.full), "--score", str(trained[name])],
            stdout=subprocess.PIPE,
            check=True,
        )
        result[name] = {"ms_per_sample": 1e3 * seconds / count, **json.loads(read.stdout.splitlines()[-1])}
        print(json.dumps({name: result[name]}), flush=True)


def measure(args: argparse.Namespace, folder: Path) -> dict[str, list[float]]:
    """Milliseconds of CPU a sample of every way, a figure a round; the ways take turns."""
    start, words = export_start(folder)
    ways = [Way("datakit", False, THREADS), Way("PaddleOCR", True, THREADS)]
    if args.told:
        ways.append(Way("PaddleOCR, MKL told", True, {**THREADS, **MKL_TOLD}))
    few, more = args.batches
    files = {count: subset(args.labels, count, folder) for count in (few, more)}
    data_dir = args.labels.resolve().parent
    found: dict[str, list[float]] = {way.name: [] for way in ways}
    for _ in range(args.rounds):
        for way in ways:
            seconds = []
            for count, file in files.items():
                if way.peer:
                    yml = recipe(file, data_dir, start, words, folder)
                    command, cwd = [str(args.python), "tools/train.py", "-c", str(yml)], args.tree
                else:
                    own = own_command(files[more], data_dir)
                    command, cwd = [*own, "--idle"] if count == few else own, None
                seconds.append(cpu_seconds(command, cwd, way.environment, args.log))
            batches = more - few if way.peer else more
            per_sample = 1e3 * (seconds[1] - seconds[0]) / (batches * BATCH)
            found[way.name].append(per_sample)
            print(f"{way.name}: {per_sample:.0f} ms of CPU a sample", flush=True)
    return found


def main() -> None:
    """Print the figures of every round and the ratios of the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--tree", type=Path, help="source of PaddleOCR 2.8")
    parser.add_argument("--python", type=Path, help="the Python of a venv with its requirements")
    parser.add_argument("--batches", type=int, nargs=2, default=(2, 12), metavar=("FEW", "MORE"))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--told", action="store_true", help="also the peer with MKL_DEBUG_CPU_TYPE=5")
    parser.add_argument("--log", type=Path, default=Path("bench_train.log"))
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--full", type=Path, metavar="VAL", help="one whole pass each, then read these lines")
    parser.add_argument("--idle", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--moving", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--save", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--score", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--data-dir", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        child(args.labels, args.data_dir, idle=args.idle, moving=args.moving, save=args.save)
        return
    if args.score:
        score(args.score, args.labels)
        return
    args.log = args.log.resolve()
    if args.full:
        with tempfile.TemporaryDirectory() as name:
            full_passes(args, Path(name))
        return
    with tempfile.TemporaryDirectory() as name:
        found = measure(args, Path(name))
    ours = statistics.median(found["datakit"])
    ratios = {name: round(statistics.median(values) / ours, 2) for name, values in found.items()}
    print(json.dumps({"ms_per_sample": found, "times_ours": ratios}))


if __name__ == "__main__":
    main()
