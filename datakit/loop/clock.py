"""Seconds spent in each step of a round, over all starts: a kill loses at most one beat."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from datakit.loop.folders import read_json, write_json

BEAT = 2.0


class StepClock:
    """Adds to the seconds that ``path`` holds; ``beat`` seconds lie between two writes while a step runs."""

    def __init__(self, path: Path, beat: float = BEAT) -> None:
        self.path = path
        self.beat = beat
        self._seconds = read_seconds(path)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by step, to a tenth, the finished starts of this step included."""
        return {step: round(value, 1) for step, value in self._seconds.items()}

    @property
    def total(self) -> float:
        """Of all steps."""
        return round(sum(self._seconds.values()), 1)

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Count the block to ``name``, also where it ends with an error."""
        before, begun, over = self._seconds.get(name, 0.0), time.monotonic(), threading.Event()
        beats = threading.Thread(target=self._beat, args=(name, before, begun, over), daemon=True)
        beats.start()
        try:
            yield
        finally:
            over.set()
            beats.join()
            self._write(name, before + time.monotonic() - begun)

    def _beat(self, name: str, before: float, begun: float, over: threading.Event) -> None:
        while not over.wait(self.beat):
            self._write(name, before + time.monotonic() - begun)

    def _write(self, name: str, seconds: float) -> None:
        self._seconds[name] = seconds
        rounded = {step: round(value, 3) for step, value in self._seconds.items()}
        write_json(self.path, {"schema_version": 1, "seconds": rounded})


def read_seconds(path: Path) -> dict[str, float]:
    """Seconds by step; empty where nothing was done yet."""
    if not path.exists():
        return {}
    return {str(step): float(value) for step, value in read_json(path).get("seconds", {}).items()}


def seconds_spent(out: Path) -> float:
    """All rounds' seconds in ``out``, unfinished ones included."""
    return sum(sum(read_seconds(path).values()) for path in sorted(out.glob("round-*/times.json")))
