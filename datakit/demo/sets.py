"""The demo's label files: what trains and what tests share no font, text, background or degradation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from datakit.charset import Charset
from datakit.demo.texts import domain_texts, general_texts


@dataclass(frozen=True, slots=True)
class Look:
    """How a set is rendered: font families, kinds of background, presets of degradation."""

    fonts: tuple[str, ...]
    backgrounds: tuple[str, ...]
    presets: tuple[str, ...]


TRAIN_LOOK = Look(
    ("Arimo", "Barlow Condensed", "Bitter", "IBM Plex Mono"), ("paper", "gradient"), ("copier",)
)
TEST_LOOK = Look(("Cabin", "Inconsolata"), ("field", "plain"), ("handheld",))


@dataclass(frozen=True, slots=True)
class DemoSet:
    """One label file of the demo: its look and how many lines of which kind."""

    look: Look
    kind: str
    lines: int


SETS: Mapping[str, DemoSet] = {
    "domain_train": DemoSet(TRAIN_LOOK, "domain", 180),
    "domain_val": DemoSet(TRAIN_LOOK, "domain", 90),
    "domain_test": DemoSet(TEST_LOOK, "domain", 180),
    "general_train": DemoSet(TRAIN_LOOK, "general", 180),
    "general_guard": DemoSet(TRAIN_LOOK, "general", 120),
    "general_test": DemoSet(TEST_LOOK, "general", 200),
}


def plan_texts(seed: int) -> dict[str, tuple[str, ...]]:
    """The texts of every set; no text stands in two of them."""
    taken: set[str] = set()
    texts: dict[str, tuple[str, ...]] = {}
    for number, (name, demo_set) in enumerate(SETS.items()):
        if demo_set.kind == "domain":
            texts[name] = domain_texts(demo_set.lines, f"{seed}/{name}", taken)
        else:
            texts[name] = general_texts(demo_set.lines, seed * 100 + number, taken)
    return texts


def render_sets(out: Path, *, seed: int, workers: int, charset: Charset) -> dict[str, Path]:
    """Render every set into a folder of its own; returns name -> label file. What is there already is kept.

    Raises:
        InputError: a font family of the demo is not installed; the message says what to install.
    """
    from datakit_synth import SynthRequest, synthesize

    texts = plan_texts(seed)
    files = {}
    for number, (name, demo_set) in enumerate(SETS.items()):
        request = SynthRequest(
            texts=texts[name],
            charset=charset,
            fonts=demo_set.look.fonts,
            backgrounds=demo_set.look.backgrounds,
            presets=demo_set.look.presets,
            max_length=30,
        )
        result = synthesize(request, out / name, seed=seed * 100 + number, workers=workers)
        if result.labels is None:
            from datakit.errors import WorkerError

            raise WorkerError(f"{name} could not be rendered: {'; '.join(result.failed)}")
        files[name] = result.labels
    return files
