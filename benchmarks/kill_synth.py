"""R1: `synth` killed (SIGKILL, driver and workers) at random moments, and the same command run again.

python benchmarks/kill_synth.py [--lines 20000] [--kills 50] [--workers 2] [--format files] [--font FILE]

A run is started, killed at a moment drawn from its start to a quarter of what a whole run takes, and started
again in the same folder until it is done; then the next one begins in a new folder, until so many kills have
fallen. Compared with an undisturbed run: every file but the manifest. Counted after every kill: shards begun
and not finished (these are done twice), finished shards that changed afterwards, and temporaries at the end.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

DRIVER = """
import sys
from pathlib import Path
from datakit_synth import SynthRequest, synthesize
if __name__ == "__main__":
    out, font, lines, workers, layout = sys.argv[1:]
    looks = {"backgrounds": ("paper", "field"), "presets": ("clean",)}
    request = SynthRequest(templates=("en",), count=int(lines), fonts=(font,) if font else (), **looks)
    synthesize(request, Path(out), seed=3, workers=int(workers), layout=layout, keep_params=True)
"""


@dataclass
class Tally:
    """What was seen over all kills."""

    kills: int = 0
    runs: int = 0
    most_done_twice: int = 0
    changed_shards: int = 0
    leftovers: int = 0
    different: list[str] = field(default_factory=list)

    def passed(self, workers: int) -> bool:
        return (
            not (self.different or self.leftovers or self.changed_shards) and self.most_done_twice <= workers
        )


def digest(folder: Path) -> dict[str, str]:
    """sha256 of every file but the manifest, which holds paths and versions."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }


@dataclass(frozen=True)
class Setting:
    folder: Path
    font: str
    lines: int
    workers: int
    layout: str

    def start(self, out: Path) -> subprocess.Popen[bytes]:
        driver = self.folder / "driver.py"
        driver.write_text(DRIVER, encoding="utf-8")
        arguments = [str(out), self.font, str(self.lines), str(self.workers), self.layout]
        return subprocess.Popen([sys.executable, str(driver), *arguments], start_new_session=True)


def begun(out: Path) -> tuple[dict[str, int], int]:
    """Markers of finished shards with the time they were written, and how many shards are half done."""
    markers = {path.name: path.stat().st_mtime_ns for path in (out / "shards").glob("?????.json")}
    names = {path.name.removesuffix(".part") for path in (out / "images").glob("*")}
    names |= {path.name.split(".")[0] for path in (out / "shards").glob("[0-9]*.*")}
    # A temporary file is a pack of a shard that has no name yet if it begins as a JPEG does.
    packs = [path.open("rb").read(2) for path in (out / "shards").glob(".datakit-*.tmp")]
    return markers, len(names - {name.removesuffix(".json") for name in markers}) + packs.count(b"\xff\xd8")


def kill(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether the run was still going when it was killed; waits until nobody of its session is left."""
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for _ in range(500):
            try:
                os.killpg(process.pid, 0)
            except ProcessLookupError:
                break
            time.sleep(0.01)
        return True
    if process.returncode != 0:
        raise SystemExit(f"the run ended with {process.returncode}")
    return False


def kill_runs(setting: Setting, kills: int, rng: random.Random, share: float = 0.25) -> Tally:
    """Kill and start again until ``kills`` have fallen and the last run is done.

    A kill falls after at most ``share`` of the time of a whole run.
    """
    began = time.monotonic()
    assert setting.start(setting.folder / "whole").wait() == 0
    whole = time.monotonic() - began
    expected = digest(setting.folder / "whole")
    print(f"undisturbed: {len(expected)} files, {whole:.1f} s", flush=True)
    tally = Tally()
    while tally.kills < kills or not tally.runs:
        out = setting.folder / f"run{tally.runs}"
        one_run(setting, out, kills, tally, rng, whole * share)
        found = digest(out)
        names = {name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name)}
        tally.different += [f"{out.name}/{name}" for name in sorted(names)[:5]]
        tally.leftovers += sum(1 for path in out.rglob("*") if path.name.endswith((".tmp", ".part", ".lock")))
        tally.runs += 1
        shutil.rmtree(out)
        print(tally, flush=True)
    return tally


def one_run(
    setting: Setting, out: Path, kills: int, tally: Tally, rng: random.Random, longest: float
) -> None:
    """One folder, from nothing to a finished run."""
    while True:
        before, _ = begun(out)
        limit = rng.uniform(0, longest) if tally.kills < kills else 3600.0
        killed = kill(setting.start(out), limit)
        after, half = begun(out)
        tally.changed_shards += sum(after.get(name) != written for name, written in before.items())
        if not killed:
            return
        tally.kills += 1
        tally.most_done_twice = max(tally.most_done_twice, half)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--format", default="files")
    parser.add_argument("--font", default="")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        setting = Setting(Path(name), given.font, given.lines, given.workers, given.format)
        tally = kill_runs(setting, given.kills, random.Random(given.seed))
    passed = tally.passed(given.workers)
    print(
        f"{tally.kills} kills over {tally.runs} runs of {given.lines} lines:",
        "passed" if passed else "FAILED",
    )
    sys.exit(not passed)


if __name__ == "__main__":
    main()
