"""Presets: which effects a picture of a kind gets, how often, in which order."""

from __future__ import annotations

from random import Random

import numpy as np

from datakit.effects.albument import ALBUMENT
from datakit.effects.base import Effect, Image, Params
from datakit.effects.camera import CAMERA
from datakit.effects.display import DISPLAY
from datakit.effects.printing import PRINTING
from datakit.errors import UsageError

EFFECTS: dict[str, Effect] = {**CAMERA, **PRINTING, **DISPLAY, **ALBUMENT}

# Preset -> (effect, probability) in the order of application.
PRESETS: dict[str, tuple[tuple[str, float], ...]] = {
    "clean": (),
    "scan": (
        ("bleed", 0.4),
        ("blur", 0.5),
        ("low-resolution", 0.2),
        ("light", 0.5),
        ("local-contrast", 0.04),
        ("broken-strokes", 0.06),
        ("copy-artefacts", 0.08),
        ("fold-shadow", 0.08),
        ("dust", 0.2),
        ("noise", 0.4),
        ("jpeg", 0.3),
    ),
    "photo": (
        ("shadow", 0.35),
        ("fold-shadow", 0.05),
        ("glare", 0.06),
        ("planckian", 0.1),
        ("tone-curve", 0.1),
        ("cast", 0.4),
        ("light", 0.5),
        ("low-resolution", 0.25),
        ("blur", 0.35),
        ("motion", 0.15),
        ("defocus", 0.04),
        ("illumination", 0.04),
        ("colour-shift", 0.05),
        ("sensor-noise", 0.05),
        ("noise", 0.5),
        ("sharpen", 0.1),
        ("jpeg", 0.3),
    ),
    "thermal": (
        ("thermal-print", 0.5),
        ("broken-strokes", 0.1),
        ("bleed", 0.6),
        ("light", 0.8),
        ("shadow", 0.3),
        ("low-resolution", 0.4),
        ("blur", 0.4),
        ("dust", 0.4),
        ("noise", 0.5),
        ("jpeg", 0.4),
    ),
    # A screen photographed.
    "screen": (
        ("screen-grid", 0.5),
        ("cast", 0.4),
        ("light", 0.4),
        ("glare", 0.2),
        ("blur", 0.4),
        ("moire", 0.5),
        ("low-resolution", 0.15),
        ("noise", 0.4),
        ("jpeg", 0.4),
    ),
    # Displays of meters and devices.
    "lcd": (
        ("shadow", 0.4),
        ("cast", 0.3),
        ("light", 0.5),
        ("glare", 0.35),
        ("blur", 0.4),
        ("motion", 0.1),
        ("low-resolution", 0.2),
        ("noise", 0.5),
        ("jpeg", 0.4),
    ),
    # Number plates and signs outdoors.
    "plate": (
        ("dust", 0.3),
        ("shadow", 0.45),
        ("cast", 0.3),
        ("light", 0.6),
        ("glare", 0.1),
        ("low-resolution", 0.3),
        ("blur", 0.4),
        ("motion", 0.25),
        ("noise", 0.5),
        ("jpeg", 0.4),
    ),
    # Two presets that share no effect: `datakit demo` trains on the one and is tested on the other.
    "copier": (
        ("bleed", 0.4),
        ("light", 0.5),
        ("local-contrast", 0.04),
        ("low-resolution", 0.2),
        ("blur", 0.4),
        ("dust", 0.3),
        ("noise", 0.4),
    ),
    "handheld": (
        ("shadow", 0.3),
        ("planckian", 0.1),
        ("tone-curve", 0.1),
        ("cast", 0.4),
        ("motion", 0.2),
        ("illumination", 0.05),
        ("sensor-noise", 0.1),
        ("jpeg", 0.4),
    ),
}


def check_preset(name: str) -> str:
    """``name`` itself.

    Raises:
        UsageError: there is no such preset.
    """
    if name not in PRESETS:
        raise UsageError(f"there is no preset {name!r}; there are {', '.join(PRESETS)}")
    return name


def sample_preset(preset: str, rng: Random) -> list[tuple[str, Params]]:
    """Which effects of ``preset`` a picture gets, with their parameters, in the order of application.

    Raises:
        UsageError: there is no such preset.
    """
    steps = PRESETS[check_preset(preset)]
    return [(name, EFFECTS[name].sample(rng)) for name, chance in steps if rng.random() < chance]


def apply_effects(image: Image, steps: list[tuple[str, Params]]) -> Image:
    """Apply what :func:`sample_preset` drew; the input is left as it was."""
    for name, params in steps:
        image = EFFECTS[name].apply(image, params)
    return image


def apply_preset(image: Image, preset: str, rng: Random) -> tuple[Image, list[tuple[str, Params]]]:
    """Sample ``preset`` and apply it; returns the picture and what was done to it.

    Raises:
        UsageError: there is no such preset.
    """
    steps = sample_preset(preset, rng)
    return apply_effects(image, steps), steps


def warm_preset(preset: str) -> None:
    """Apply every effect of ``preset`` once: it loads libraries and makes tables. Unknown: nothing."""
    blank = np.full((32, 96, 3), 200, np.uint8)
    for name, _ in PRESETS.get(preset, ()):
        EFFECTS[name].apply(blank, EFFECTS[name].sample(Random(0)))
