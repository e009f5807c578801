"""What cameras and scanners do: noise, blur, low resolution, JPEG, light, shadow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from random import Random
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from datakit.effects.base import Effect, Image, Params

_POOL = (256, 1024)


@lru_cache(maxsize=1)
def _field() -> npt.NDArray[np.float32]:
    """One Gaussian field of sigma 1; drawing fresh noise for every picture costs 70 times as much."""
    return np.random.default_rng(20240611).standard_normal((*_POOL, 3), np.float32)


@lru_cache(maxsize=24)
def _noise_pool(sigma: int, grey: bool) -> tuple[Image, Image]:
    """The field's positive and negative part: two saturating passes on uint8 beat a signed one."""
    field = _field() * sigma
    if grey:
        field = np.repeat(field[:, :, :1], 3, axis=2)
    return np.clip(np.rint(field), 0, 255).astype(np.uint8), np.clip(np.rint(-field), 0, 255).astype(np.uint8)


def _cut(pool: Image, height: int, width: int, x: int, y: int) -> Image:
    """An HxWx3 piece of the pool from (x, y), wrapping round its edges."""
    if height > pool.shape[0] or width > pool.shape[1]:
        pool = np.tile(pool, (-(-height // pool.shape[0]), -(-width // pool.shape[1]), 1))
    x, y = x % (pool.shape[1] - width + 1), y % (pool.shape[0] - height + 1)
    return pool[y : y + height, x : x + width]


def _sample_noise(rng: Random) -> Params:
    return {
        "sigma": rng.randint(2, 10),
        "x": rng.getrandbits(16),
        "y": rng.getrandbits(16),
        "grey": rng.random() < 0.4,
    }


def _noise(image: Image, params: Mapping[str, Any]) -> Image:
    """Gaussian noise of ``sigma`` grey levels, rounded to whole levels."""
    height, width = image.shape[:2]
    plus, minus = (
        _cut(pool, height, width, params["x"], params["y"])
        for pool in _noise_pool(max(1, round(params["sigma"])), params["grey"])
    )
    return np.asarray(cv2.subtract(cv2.add(image, plus), minus), np.uint8)


def _sample_blur(rng: Random) -> Params:
    return {"sigma": round(rng.uniform(0.3, 1.1), 2)}


def _blur(image: Image, params: Mapping[str, Any]) -> Image:
    """Gaussian of ``sigma`` px on 3 or 5 taps: OpenCV's own choice takes up to 7 and twice the time."""
    sigma = params["sigma"]
    side = 3 if sigma <= 0.6 else 5
    return np.asarray(cv2.GaussianBlur(image, (side, side), sigma), np.uint8)


def _sample_motion(rng: Random) -> Params:
    return {"length": rng.choice((3, 3, 5)), "angle": rng.randrange(180)}


def _motion(image: Image, params: Mapping[str, Any]) -> Image:
    return np.asarray(cv2.filter2D(image, -1, _motion_kernel(params["length"], params["angle"])), np.uint8)


@lru_cache(maxsize=1024)
def _motion_kernel(length: int, angle: int) -> npt.NDArray[np.float32]:
    kernel = np.zeros((length, length), np.float32)
    middle, radians = length // 2, math.radians(angle)
    for step in range(-middle, middle + 1):
        kernel[middle + round(step * math.sin(radians)), middle + round(step * math.cos(radians))] = 1.0
    return np.asarray(kernel / kernel.sum(), np.float32)


def _sample_low_resolution(rng: Random) -> Params:
    return {"height": rng.randint(22, 34), "smooth": rng.random() < 0.6}


def _low_resolution(image: Image, params: Mapping[str, Any]) -> Image:
    height, width = image.shape[:2]
    if params["height"] >= height:
        return image
    small = (max(1, round(width * params["height"] / height)), params["height"])
    way = cv2.INTER_CUBIC if params["smooth"] else cv2.INTER_LINEAR
    reduced = cv2.resize(image, small, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(reduced, (width, height), interpolation=way), np.uint8)


def _sample_jpeg(rng: Random) -> Params:
    return {"quality": rng.randint(30, 80)}


def _jpeg(image: Image, params: Mapping[str, Any]) -> Image:
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, params["quality"]])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)


def _sample_light(rng: Random) -> Params:
    return {"gain": round(rng.uniform(0.75, 1.15), 3), "offset": round(rng.uniform(-22.0, 22.0), 1)}


def _light(image: Image, params: Mapping[str, Any]) -> Image:
    """Gain around mid grey, then an offset; by a LUT, for convertScaleAbs folds negative values back."""
    levels = (np.arange(256) - 128.0) * params["gain"] + 128.0 + params["offset"]
    return np.asarray(cv2.LUT(image, np.clip(levels, 0, 255).astype(np.uint8)), np.uint8)


def _sample_cast(rng: Random) -> Params:
    return {"gains": [round(rng.uniform(0.88, 1.0), 3) for _ in range(3)]}


def _cast(image: Image, params: Mapping[str, Any]) -> Image:
    levels = np.arange(256)[:, None] * np.asarray(params["gains"])[None, :]
    return np.asarray(cv2.LUT(image, levels.astype(np.uint8)[:, None, :]), np.uint8)


def _sample_shadow(rng: Random) -> Params:
    return {
        "from": round(rng.uniform(0.6, 1.0), 3),
        "to": round(rng.uniform(0.6, 1.0), 3),
        "edge": round(rng.uniform(0.1, 0.9), 3),
        "slope": round(rng.uniform(-0.5, 0.5), 3),
        "softness": round(rng.uniform(0.05, 0.6), 3),
    }


def _shadow(image: Image, params: Mapping[str, Any]) -> Image:
    """Darken from ``from`` (left) to ``to`` (right) over a soft slanted edge."""
    height, width = image.shape[:2]
    xs = np.linspace(0.0, 1.0, width, dtype=np.float32)
    lean = np.linspace(-0.5, 0.5, height, dtype=np.float32)[:, None] * np.float32(
        params["slope"] * height / width
    )
    ramp = np.clip((xs[None, :] + lean - params["edge"]) / params["softness"] + 0.5, 0.0, 1.0)
    factor = (255.0 * (params["from"] + (params["to"] - params["from"]) * ramp)).astype(np.uint8)
    return np.asarray(cv2.multiply(image, cv2.merge([factor] * 3), scale=1 / 255), np.uint8)


def _sample_sharpen(rng: Random) -> Params:
    return {"amount": round(rng.uniform(0.3, 1.2), 2)}


def _sharpen(image: Image, params: Mapping[str, Any]) -> Image:
    soft = cv2.GaussianBlur(image, (0, 0), 1.0)
    return np.asarray(cv2.addWeighted(image, 1.0 + params["amount"], soft, -params["amount"], 0.0), np.uint8)


CAMERA: dict[str, Effect] = {
    "noise": Effect("noise", _sample_noise, _noise),
    "blur": Effect("blur", _sample_blur, _blur),
    "motion": Effect("motion", _sample_motion, _motion),
    "low-resolution": Effect("low-resolution", _sample_low_resolution, _low_resolution),
    "jpeg": Effect("jpeg", _sample_jpeg, _jpeg),
    "light": Effect("light", _sample_light, _light),
    "cast": Effect("cast", _sample_cast, _cast),
    "shadow": Effect("shadow", _sample_shadow, _shadow),
    "sharpen": Effect("sharpen", _sample_sharpen, _sharpen),
}
