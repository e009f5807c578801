"""A few pictures of a run alone: one drawn again by its index, or a sample that says what a run will cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit.errors import UsageError
from datakit.files import MANIFEST, atomic_write, read_manifest
from datakit_synth.drawing import draw_sample
from datakit_synth.identity import fingerprint, require_ours
from datakit_synth.prepare import Prepared
from datakit_synth.render import Renderer, encode
from datakit_synth.shards import params_line
from datakit_synth.sheet import spread

SAMPLE = 50


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run will take, judged by ``sample`` of its lines; ``seconds`` are those of one worker.

    ``start_seconds`` go once a worker into opening fonts and rasterising glyphs, and are a part of it.
    """

    lines: int
    sample: int
    bytes: int
    seconds: float
    start_seconds: float

    def to_dict(self) -> dict[str, float]:
        """For ``--json``."""
        return {name: getattr(self, name) for name in self.__slots__}


def require_same_run(prepared: Prepared, out: Path) -> None:
    """Nothing where ``out`` holds no run, or the one that ``prepared`` plans.

    Raises:
        OutputError: it holds another run, whose pictures these would not be.
    """
    if (out / MANIFEST).is_file():
        kept = read_manifest(out).arguments
        require_ours(out, fingerprint(prepared, str(kept.get("format")), bool(kept.get("keep_params"))))


def redraw(prepared: Prepared, index: int, folder: Path) -> Path:
    """Draw picture ``index`` of the run again, the same bytes, into ``folder`` with its parameters as JSON.

    Raises:
        UsageError: the run has no such picture.
        OutputError: it cannot be written.
    """
    lines = prepared.plan.lines
    if not 0 <= index < len(lines):
        raise UsageError(f"picture {index}: the run has {len(lines)}, from 0 to {len(lines) - 1}")
    text = lines[index].text
    rendered = draw_sample(Renderer(prepared.job), index, text)
    path = folder / f"{index:06d}.jpg"
    atomic_write(path, encode(rendered))
    atomic_write(path.with_suffix(".json"), params_line(index, text, rendered))
    return path


def estimate(prepared: Prepared, sample: int = SAMPLE) -> Estimate:
    """Draw ``sample`` lines of the run, spread over it, in memory, twice: cold caches, then warm ones.

    Time is CPU time of this process, encoding included and writing not. A run with more glyphs than the
    sample shows lies between its cold and its warm rate.
    """
    renderer = Renderer(prepared.job)
    indices = spread(len(prepared.plan.lines), sample)
    if not indices:
        return Estimate(0, 0, 0, 0.0, 0.0)
    cold, _ = _time(renderer, prepared, indices)
    warm, size = _time(renderer, prepared, indices)
    lines = len(prepared.plan.lines)
    start = max(0.0, cold - warm)
    share = lines / len(indices)
    return Estimate(lines, len(indices), round(size * share), start + warm * share, start)


def _time(renderer: Renderer, prepared: Prepared, indices: Sequence[int]) -> tuple[float, int]:
    """CPU seconds and bytes of the pictures ``indices``."""
    began, size = time.process_time(), 0
    for index in indices:
        rendered = draw_sample(renderer, index, prepared.plan.lines[index].text)
        size += len(encode(rendered))
    return time.process_time() - began, size
