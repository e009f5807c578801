"""Lines a CPU second of datakit predict, with both engines, and of RapidOCR: one network, the same crops.

python benchmarks/bench_predict.py ../shared/data/receipts/rec_val.txt --python PYTHON

PYTHON is that of a venv with rapidocr-onnxruntime. All read with PP-OCRv3 on one thread, decoding included,
loading the model left out, and take turns; the figure is CPU time, so that other work counts little.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

THREADS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

ENGINES = ("paddle", "onnxruntime")
PEER_NAME = "RapidOCR"

# Runs in the peer's venv, which has no datakit.
PEER = """
import json, sys, time
import cv2
from rapidocr_onnxruntime import RapidOCR
model, folder = sys.argv[1:3]
names = json.load(sys.stdin)
engine = RapidOCR(rec_model_path=model, intra_op_num_threads=1, inter_op_num_threads=1)
recognise = engine.text_rec
cv2.setNumThreads(1)
recognise([cv2.imread(f"{folder}/{name}") for name in names[:6]])
before = time.process_time()
found, _ = recognise([cv2.imread(f"{folder}/{name}") for name in names])
seconds = time.process_time() - before
json.dump({"seconds": seconds, "texts": [text for text, *_ in found]}, sys.stdout)
"""


def ours(labels: Path, count: int, engine: str) -> None:
    """Read ``count`` lines; the answer as the peer gives it."""
    import time
    from dataclasses import replace

    import cv2

    from datakit_train.forward import BATCH_SIZES, FORWARDS
    from datakit_train.predict import LineReader, read_label_set
    from datakit_train.recognizer import load_recognizer

    cv2.setNumThreads(1)
    label_set = read_label_set(labels)
    recognizer = load_recognizer("ppocrv3-rec")
    forward = FORWARDS[engine](recognizer, 1)
    reader = LineReader(recognizer, batch_size=BATCH_SIZES[engine], forward=forward)
    reader.read(replace(label_set, lines=label_set.lines[:6]))
    before = time.process_time()
    found = reader.read(replace(label_set, lines=label_set.lines[:count]))
    seconds = time.process_time() - before
    json.dump({"seconds": seconds, "texts": [line.text for line in found]}, sys.stdout)


def run(command: list[str], names: list[str]) -> dict[str, object]:
    """The JSON that a command gives."""
    done = subprocess.run(  # noqa: PLW1510 - its errors are shown
        command, input=json.dumps(names), env={**os.environ, **THREADS}, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    # RapidOCR logs to standard output.
    found: dict[str, object] = json.loads(done.stdout[done.stdout.index('{"seconds"') :])
    return found


def main() -> None:
    """Print lines a second of every round, the ratio of the medians, and how many texts agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--python", type=Path)
    parser.add_argument("--lines", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", choices=ENGINES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        ours(args.labels, args.lines, args.child)
        return
    from datakit.labels import read_rec
    from datakit.models import model_folder

    names = [line.image for line in read_rec(args.labels)[0][: args.lines]]
    model = str(model_folder("ppocrv3-rec") / "source.onnx")
    child = [sys.executable, __file__, str(args.labels), "--lines", str(len(names)), "--child"]
    own = {engine: [*child, engine] for engine in ENGINES}
    commands = {**own, PEER_NAME: [str(args.python), "-c", PEER, model, str(args.labels.parent)]}
    speeds: dict[str, list[float]] = {name: [] for name in commands}
    texts: dict[str, object] = {}
    for _ in range(args.rounds):
        for name, command in commands.items():
            found = run(command, names)
            speeds[name].append(len(names) / float(str(found["seconds"])))
            texts[name] = found["texts"]
            print(f"{name}: {speeds[name][-1]:.1f} lines a CPU second", flush=True)
    for engine in ENGINES:
        ratio = statistics.median(speeds[engine]) / statistics.median(speeds[PEER_NAME])
        pairs = zip(texts[engine], texts[PEER_NAME], strict=True)  # type: ignore[call-overload]
        same = sum(one == other for one, other in pairs)
        print(f"datakit, {engine} / {PEER_NAME} {ratio:.2f}; {same} of {len(names)} texts the same")


if __name__ == "__main__":
    main()
