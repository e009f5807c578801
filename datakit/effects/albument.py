"""The one adapter of albumentations (2.0.8, the last MIT release).

It is imported when one of its effects is first applied. Each transform is built once and seeded for every
picture.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from functools import lru_cache
from random import Random
from typing import Any

import numpy as np

from datakit.effects.base import Effect, Image, Params
from datakit.errors import UsageError

_ALBUMENTATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "defocus": ("Defocus", {"radius": (1, 2), "alias_blur": (0.1, 0.2)}),
    "sensor-noise": ("ISONoise", {"color_shift": (0.01, 0.04), "intensity": (0.05, 0.25)}),
    "planckian": ("PlanckianJitter", {"mode": "blackbody"}),
    "tone-curve": ("RandomToneCurve", {"scale": 0.12}),
    "colour-shift": ("ChromaticAberration", {}),
    "illumination": ("Illumination", {"intensity_range": (0.02, 0.12)}),
    "local-contrast": ("CLAHE", {"clip_limit": (1.0, 2.5)}),
}


def build_albumentation(class_name: str, arguments: Mapping[str, Any]) -> Any:
    """The albumentations transform ``class_name``, always applied.

    Raises:
        UsageError: albumentations does not know one of the arguments (by itself it only warns).
    """
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
    import albumentations  # takes a second; most runs of datakit never need it

    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        try:
            return getattr(albumentations, class_name)(p=1.0, **arguments)
        except (UserWarning, ValueError, TypeError) as error:
            raise UsageError(f"albumentations.{class_name}: {error}") from error


@lru_cache(maxsize=64)
def _transform(name: str) -> Any:
    return build_albumentation(*_ALBUMENTATIONS[name])


def _sample_seed(rng: Random) -> Params:
    return {"seed": rng.getrandbits(31)}


def _albumentation(name: str) -> Effect:
    def apply(image: Image, params: Mapping[str, Any]) -> Image:
        transform = _transform(name)
        transform.set_random_seed(params["seed"])
        return np.asarray(transform(image=image)["image"], np.uint8)

    return Effect(name, _sample_seed, apply)


ALBUMENT: dict[str, Effect] = {name: _albumentation(name) for name in _ALBUMENTATIONS}
