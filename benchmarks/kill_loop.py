"""`loop run` killed (SIGKILL) at random moments, and the same command run again: nothing lost, nothing twice.

python benchmarks/kill_loop.py [--kills 30] [--seed 0] --font FILE

The loop is that of the tests: two rounds with a random network of twelve characters, two steps each. A run
is started, killed at a moment drawn evenly from its start to the time that a whole run takes (a start that is
over before counts as a whole one), and started again in the same folder until it is done; then the next one
begins in a new folder, until so many kills have fallen. Compared with an undisturbed run: the table
(loop.json without seconds), every step's result, the steps trained and the weights. Counted after every kill:
results of finished steps that were written anew (bytes or time of writing).
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

DRIVER = """
import sys
from pathlib import Path
from datakit_train.framework import import_paddle
import_paddle(1)
from datakit.loop import load_plan, run_loop
run_loop(load_plan(Path(sys.argv[1])), say=print)
"""
RESULTS = (
    "audit/audit.json",
    "predict/predictions.jsonl",
    "predict/mined-*.txt",
    "badcases/badcases.txt",
    "badcases/report.json",
    "targets/targets.json",
    "targets/decision.json",
    "synth/labels.txt",
    "mix/mix.yaml",
    "finetune/train.jsonl",
    "scores.json",
    "predictions-*.jsonl",
)
# Written last by their steps: once there, they stay as they are.
ENDS = (
    "audit/audit.json", "predict/predictions.jsonl", "badcases/report.html", "targets/targets.json",
    "synth/labels.txt", "mix/mix.yaml", "finetune/result.json", "scores.json", "predictions-*.jsonl",
    "round.json", "guards.json",
)  # fmt: skip


def timeless(document: Any) -> Any:
    """Without what a clock wrote."""
    if isinstance(document, dict):
        return {key: timeless(value) for key, value in document.items() if key not in ("seconds", "steps")}
    return [timeless(value) for value in document] if isinstance(document, list) else document


def found(out: Path, patterns: tuple[str, ...]) -> list[Path]:
    """The rounds' files of these names."""
    return sorted(path for pattern in patterns for path in out.glob(f"round-*/{pattern}"))


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def state(out: Path) -> dict[str, Any]:
    """What has to be equal in the end; ``out`` has the same path in every run, so that paths are too."""
    files = {str(path.relative_to(out)): digest(path.read_bytes()) for path in found(out, RESULTS)}
    models = {
        str(path.relative_to(out)): digest(path.read_bytes())
        for path in out.glob("round-*/finetune/best/*.safetensors")
    }
    table = timeless(json.loads((out / "loop.json").read_bytes()))
    leftovers = [str(path) for path in out.rglob(".datakit-*.tmp")]
    return {**files, **models, "table": table, "leftovers": leftovers}


def finished(out: Path) -> dict[Path, tuple[int, str]]:
    """When each finished step's result was written, and what it holds."""
    return {path: (path.stat().st_mtime_ns, digest(path.read_bytes())) for path in found(out, ENDS)}


def step_of(out: Path) -> str:
    """The first step of the last round whose result is not there: where the kill fell."""
    rounds = sorted(out.glob("round-*"))
    if not rounds:
        return "before round 0"
    last = rounds[-1]
    if last.name == "round-00":
        names = ("scores.json", "guards.json")
    else:
        names = tuple(name for name in ENDS if "*" not in name and name != "guards.json")
    return next((f"{last.name} {name}" for name in names if not (last / name).exists()), f"{last.name} over")


def start(file: Path, after: float | None) -> bool:
    """Whether the loop came to its end; it is killed ``after`` seconds (None: never)."""
    process = subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(file)],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        _, errors = process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return False
    if process.returncode:
        raise SystemExit(f"the loop failed: {errors.decode()[-2000:]}")
    return True


def write_loop(folder: Path, font: Path) -> Path:
    """The tests' own small loop."""
    path = Path(__file__).parents[1] / "tests/loop/conftest.py"
    spec = importlib.util.spec_from_file_location("loop_conftest", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: Path = module.write_loop(folder, font)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--font", type=Path, required=True)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = write_loop(folder, args.font)
        out = folder / "rounds"
        begun = time.monotonic()
        start(file, None)
        whole = time.monotonic() - begun
        wanted = state(out)
        shutil.rmtree(out)
        kills = runs = rewritten = 0
        different: list[str] = []
        places: Counter[str] = Counter()
        while kills < args.kills:
            done = start(file, rng.uniform(0, whole))
            while not done:
                kills += 1
                places[step_of(out)] += 1
                before = finished(out)
                done = start(file, rng.uniform(0, whole) if kills < args.kills else None)
                after = finished(out)
                rewritten += sum(after.get(path) != was for path, was in before.items())
            runs += 1
            reached = state(out)
            different += [key for key in {*wanted, *reached} if wanted.get(key) != reached.get(key)]
            shutil.rmtree(out)
            print(f"{kills} kills, {runs} runs, {rewritten} rewritten, different: {different}", flush=True)
    print(f"whole run {whole:.1f} s; kills fell before: {dict(places.most_common())}")
    print("passed" if not different and not rewritten else "FAILED")
    raise SystemExit(bool(different or rewritten))


if __name__ == "__main__":
    main()
