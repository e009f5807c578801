"""The ink of a picture of one character: its ground made transparent."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from datakit.effects import Image
from datakit.errors import InputError
from datakit.images import decode_bgr, header, read_picture
from datakit_synth.layout import Mask

# Grey levels by which ink and ground must differ at least.
MIN_SPAN = 40
# More ink than this share of the picture is no character on a ground.
MAX_INK = 0.75
# Coverage below the first is ground, above the second full ink: paper is never quite even.
_FAINT, _FULL = 0.25, 0.7
_CHANNELS = 4
_FEW = 12
# Spots smaller than this share of the ink are dust.
_DUST = 0.008


def read_ink(path: str | Path) -> Mask:
    """HxW coverage of the character in a picture file, cut to its ink.

    A picture with transparency gives it as it is; in others the ground is taken for a plane, so that evenly
    shaded paper becomes transparent too. Dark ink on light ground and light ink on dark ground are told apart
    by the edges of the picture.

    Raises:
        InputError: the file is no picture, or no ink can be told from its ground.
    """
    data = read_picture(path)
    info = header(path, data)
    whole = decode_bgr(path, data, info)
    alpha = _transparency(data)
    coverage = _coverage(np.asarray(whole, np.uint8), path) if alpha is None else alpha
    return _cut(coverage, path)


def _transparency(data: bytes) -> Mask | None:
    """The alpha channel of a picture that has one and uses it."""
    raw = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if raw is None or raw.ndim != 3 or raw.shape[2] != _CHANNELS or raw.dtype != np.uint8:
        return None
    alpha = np.ascontiguousarray(raw[:, :, 3])
    return alpha if alpha.min() < 128 <= alpha.max() else None


def _coverage(image: Image, path: str | Path) -> Mask:
    grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    middle, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    if np.median(edge) <= middle:
        # Levels up to the middle one are those above the new one.
        grey, middle = 255 - grey, 254 - middle
    depth = _ground(grey, grey > middle) - grey
    inked = depth[grey <= middle]
    span = float(np.percentile(inked, 75)) if inked.size else 0.0
    if span < MIN_SPAN:
        raise InputError(f"no ink can be told from its ground ({span:.0f} grey levels)", file=path)
    share = (depth / span - _FAINT) / (_FULL - _FAINT)
    return np.asarray(np.clip(share * 255, 0, 255).astype(np.uint8))


def _ground(grey: Mask, bare: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """The level of the ground at every pixel: a plane through those that are ``bare`` of ink."""
    rows, columns = np.nonzero(bare)
    values = grey[bare].astype(np.float64)
    if values.size < _FEW:
        return np.full(grey.shape, float(values.mean()) if values.size else 0.0)
    points = np.column_stack([columns, rows, np.ones(values.size)])
    right, down, level = np.linalg.lstsq(points, values, rcond=None)[0]
    return np.asarray(
        level + right * np.arange(grey.shape[1])[None, :] + down * np.arange(grey.shape[0])[:, None],
        np.float64,
    )


def _cut(coverage: Mask, path: str | Path) -> Mask:
    number, areas, stats, _ = cv2.connectedComponentsWithStats((coverage >= 96).astype(np.uint8))
    total = int(stats[1:, cv2.CC_STAT_AREA].sum()) if number > 1 else 0
    if not total:
        raise InputError("holds no ink", file=path)
    if total > MAX_INK * coverage.size:
        raise InputError(f"is {total / coverage.size:.0%} ink: no character on a ground", file=path)
    least = max(2.0, _DUST * total)
    kept = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] >= least)
    inked = np.isin(areas, kept[kept > 0]).astype(np.uint8)
    if not inked.any():
        raise InputError("holds no ink but dust", file=path)
    left, top, width, height = cv2.boundingRect(inked)
    # The soft edge of what is kept stays, dust goes.
    near = cv2.dilate(inked, np.ones((3, 3), np.uint8))
    clean = coverage * near
    low, high = max(0, top - 1), top + height + 1
    return np.ascontiguousarray(clean[low:high, max(0, left - 1) : left + width + 1])
