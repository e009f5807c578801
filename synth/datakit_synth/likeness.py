"""The last touch of a drawn line: as sharp, as contrasted and as noisy as the crop that it is to be like.

Sharpness and contrast are what ``datakit audit`` measures. Blur lowers both, gain around the paper's colour
raises both, noise raises sharpness: so for each softness there is one gain, and softness is searched for.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from random import Random
from typing import Any

import cv2
import numpy as np

from datakit import clarity
from datakit.effects import EFFECTS, Image
from datakit_synth import crops, legibility
from datakit_synth.crops import Crop
from datakit_synth.layout import Mask
from datakit_synth.style import Manner

# Negative: amount of unsharp masking; positive: sigma of a Gaussian in px at height 48.
_SOFTNESS = (-3.0, -1.5, -0.7, -0.3, 0.0, 0.4, 0.6, 0.8, 1.0, 1.25, 1.6, 2.0, 2.5)
_GAINS = (0.25, 2.0)
# Shares of ink between which the 5th and the 95th percentile are ink and paper, and contrast says how far
# they are apart.
_COVERED = (0.065, 0.935)
_PROBE_SIGMA = 8
# Of a picture, where its noise is measured (enough for a median), and levels of a mask that count as ink.
_COLUMNS, _INKED = 128, 20
# Instead of the number of a milder try: the picture as it was drawn.
_GIVEN_UP = 4


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture before it is likened: its mask, and grey levels from ink to ground."""

    image: Image
    mask: Mask
    contrast: float


def likened(
    image: Image, mask: Mask, manner: Manner, measured: Mapping[str, Any], rng: Random
) -> tuple[Image, dict[str, Any], legibility.Edges]:
    """The picture like the manner's crop, or as like it as leaves it legible; what was done; its edges.

    ``measured`` is what :func:`datakit_synth.ink.choose_ink` says of ink and ground.
    """
    params = liken(Drawn(image, mask, float(measured["contrast"])), manner.crop, rng)
    for step, tried in enumerate([params, *milder(params)]):
        done = finish(image, tried)
        edges = legibility.measure(done, mask)
        if edges.legible:
            return done, {**tried, "milder": step}, edges
    return image, {"milder": _GIVEN_UP}, legibility.measure(image, mask)


def liken(drawn: Drawn, crop: Crop, rng: Random) -> dict[str, Any]:
    """What :func:`finish` must do to make the picture like ``crop``."""
    image, mask = drawn.image, drawn.mask
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    # Over the picture, the ink that was drawn: half of the mask's levels and more.
    covered = float((mask > 127).mean())
    percentiles = all(_COVERED[0] <= share <= _COVERED[1] for share in (covered, crop.coverage))
    added = crop.noise**2 * _noise_sharpness(crop.height)

    def gain(soft: Mask) -> float:
        wanted = crop.contrast / max(0.02, clarity.contrast(soft)) if percentiles else 1.0
        if not percentiles and drawn.contrast > abs(crop.separation):
            wanted = abs(crop.separation) / drawn.contrast
        return min(_GAINS[1], max(_GAINS[0], wanted))

    def sharpness(softness: float) -> float:
        soft = _softened(grey, softness)
        return gain(soft) ** 2 * clarity.sharpness(clarity.scaled(soft)) + added

    softness = _search(sharpness, crop.sharpness)
    contrast = round(gain(_softened(grey, softness)), 3)
    lacking = math.sqrt(max(0.0, crop.noise**2 - (contrast * _noise(_softened(grey, softness), mask)) ** 2))
    return {
        "softness": softness,
        "gain": contrast,
        "paper": list(crop.paper),
        # Noise comes in whole grey levels.
        "noise": int(lacking + rng.random()),
        "x": rng.getrandbits(16),
        "y": rng.getrandbits(16),
    }


def finish(image: Image, params: dict[str, Any]) -> Image:
    """Soften or sharpen, contrast around the paper's colour, noise."""
    image = _softened(image, params["softness"])
    if params["gain"] != 1.0:
        paper = np.array(params["paper"])[None, :]
        levels = paper + (np.arange(256)[:, None] - paper) * params["gain"]
        image = np.asarray(
            cv2.LUT(image, np.clip(np.rint(levels), 0, 255).astype(np.uint8)[:, None, :]), np.uint8
        )
    if params["noise"]:
        noise = {"sigma": params["noise"], "x": params["x"], "y": params["y"], "grey": True}
        image = EFFECTS["noise"].apply(image, noise)
    return image


def milder(params: dict[str, Any]) -> list[dict[str, Any]]:
    """What to try when a line cannot be read, in order: half as soft, crisp, and with full contrast too."""
    half = {**params, "softness": min(params["softness"], round(params["softness"] / 2, 3))}
    crisp = {**params, "softness": min(params["softness"], 0.0)}
    return [half, crisp, {**crisp, "gain": max(1.0, params["gain"]), "noise": 0}]


def _softened(image: Any, softness: float) -> Any:
    """Gaussian blur of ``softness`` px at height 48, or unsharp masking by that amount where negative."""
    if softness == 0.0:
        return image
    scale = image.shape[0] / clarity.HEIGHT
    if softness < 0.0:
        soft = cv2.GaussianBlur(image, (0, 0), max(0.6, scale))
        return cv2.addWeighted(image, 1.0 - softness, soft, softness, 0.0)
    return cv2.GaussianBlur(image, (0, 0), softness * scale)


def _search(sharpness: Callable[[float], float], wanted: float) -> float:
    """The softness at which ``sharpness`` is ``wanted``, by halving; it falls with softness."""
    low, high = 0, len(_SOFTNESS) - 1
    known: dict[int, float] = {}
    while high - low > 1:
        middle = (low + high) // 2
        known[middle] = sharpness(_SOFTNESS[middle])
        if known[middle] > wanted:
            low = middle
        else:
            high = middle
    for end in (low, high):
        if end not in known:
            known[end] = sharpness(_SOFTNESS[end])
    left, right = np.log([max(1.0, known[low]), max(1.0, known[high])])
    part = 0.5 if left <= right else (left - np.log(max(1.0, wanted))) / (left - right)
    part = min(1.0, max(0.0, float(part)))
    return round(_SOFTNESS[low] + part * (_SOFTNESS[high] - _SOFTNESS[low]), 3)


def _noise(grey: Mask, mask: Mask) -> float:
    """The noise that the ground has already, judged by the first columns."""
    beside = np.asarray(cv2.dilate(mask[:, :_COLUMNS], np.ones((3, 3), np.uint8)), np.uint8)
    return crops.noise(grey[:, :_COLUMNS], np.asarray(beside < _INKED, np.uint8))


@lru_cache(maxsize=256)
def _noise_sharpness(height: int) -> float:
    """What noise of sigma 1 adds to the sharpness of a picture of ``height`` px."""
    rows = max(8, height)
    flat = np.full((rows, 256, 3), 128, np.uint8)
    noisy = EFFECTS["noise"].apply(flat, {"sigma": _PROBE_SIGMA, "x": 0, "y": 0, "grey": True})
    return clarity.sharpness(clarity.scaled(np.ascontiguousarray(noisy[:, :, 0]))) / _PROBE_SIGMA**2
