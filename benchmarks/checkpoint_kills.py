"""R4: SIGKILL during checkpoint writes; ``latest`` has to load after every one.

python benchmarks/checkpoint_kills.py [KILLS]

The writer runs in a child without Paddle and writes one checkpoint after the other; the moment of the kill is
drawn over the length of a write, so that kills fall before, between and after its renames.
"""

from __future__ import annotations

import collections
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from datakit_train.checkpoint import has_latest, load_latest

WRITER = """
import sys
from pathlib import Path
import numpy as np
from datakit_train.checkpoint import Checkpoint, save_latest
from datakit_train.weights.store import StoredModel
assert "paddle" not in sys.modules
step = int(sys.argv[2])
while True:
    step += 1
    tensors = {name: np.full((1000, 1000), step, np.float32) for name in ("a", "b")}
    model = StoredModel(tensors, {"name": "x"}, ("a",), "here", "none")
    save_latest(Path(sys.argv[1]), step, Checkpoint(model, {"a/m": tensors["a"]}, {"step": step}))
    print(step, flush=True)
"""


def kill_once(folder: Path, step: int, rng: random.Random) -> str:
    """Start a writer, kill it in the middle of a write; returns what it left in ``folder``."""
    command = [sys.executable, "-c", WRITER, str(folder), str(step)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(rng.uniform(0, 0.12))
        child.send_signal(signal.SIGKILL)
    temporary = any(folder.rglob("*.tmp"))
    folders = len(list(folder.glob("step-*")))
    return f"{folders} step folder(s), {'a' if temporary else 'no'} temporary file"


def main() -> None:
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rng = random.Random(4)
    left: collections.Counter[str] = collections.Counter()
    step = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(1, kills + 1):
            left[kill_once(folder, step, rng)] += 1
            assert has_latest(folder)
            found = load_latest(folder)
            now = int(found.state["step"])
            assert now > step, (now, step)
            assert found.model.tensors["b"][999, 999] == found.optimizer["a/m"][0, 0] == now
            step = now
            if number % 20 == 0:
                print(f"{number} kills, step {step}", flush=True)
    print(f"{kills} of {kills}: latest loads; checkpoints written: {step}")
    for what, count in left.most_common():
        print(f"  {count:3d} left {what}")


if __name__ == "__main__":
    main()
