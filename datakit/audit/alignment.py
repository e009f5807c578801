"""How alike two pictures of a line are where they are least alike, whatever shift, scale and brightness."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from datakit.executor import Shard

Grey = npt.NDArray[np.uint8]
_Plane = npt.NDArray[np.float32]

# Compared at this height at most.
HEIGHT = 32
# Px of the smaller picture that one may be shifted against the other.
SHIFT = 3
# Saving as JPEG and scaling disturb what is finer.
_BLUR = 0.8
# Pictures that correlate less as a whole need no look at their windows.
_WHOLE = 0.8
# Windows with less variance than this share of the strongest hold no writing.
_PAPER = 0.08


def likenesses(shard: Shard) -> list[float]:
    """The likeness of every pair of a shard; -1 where one of the two is None."""
    return [
        -1.0 if first is None or second is None else likeness(first, second) for first, second in shard.items
    ]


def likeness(first: Grey, second: Grey) -> float:
    """Correlation of two pictures in the window, about a character wide, where it is lowest; -1 to 1.

    1 for the same pixels; -1 for pictures without any writing, and for such that correlate under 0.8 as a
    whole.
    """
    if first.shape == second.shape and np.array_equal(first, second):
        return 1.0
    height, width = min(first.shape, second.shape)
    scale = min(1.0, HEIGHT / height)
    size = max(8, round(width * scale)), max(8, round(height * scale))
    planes = [_soft(picture, size) for picture in (first, second)]
    aligned = _aligned(*planes)
    return _least(*aligned) if aligned else -1.0


def _soft(picture: Grey, size: tuple[int, int]) -> _Plane:
    method = cv2.INTER_AREA if picture.shape[0] > size[1] else cv2.INTER_LINEAR
    scaled = cv2.resize(picture, size, interpolation=method).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(scaled, (0, 0), _BLUR))


def _aligned(first: _Plane, second: _Plane) -> tuple[_Plane, _Plane] | None:
    """Both without their margins, the second shifted onto the first to a fraction of a pixel.

    None where they have nothing in common.
    """
    down, across = (min(SHIFT, side // 4) for side in first.shape)
    inner = first[down : first.shape[0] - down, across : first.shape[1] - across]
    if cv2.meanStdDev(inner)[1][0, 0] < 1:
        return None
    match = cv2.matchTemplate(second, inner, cv2.TM_CCOEFF_NORMED)
    _, best, _, (x, y) = cv2.minMaxLoc(match)
    if best < _WHOLE:
        return None
    x_exact, y_exact = x + _vertex(match[y], x), y + _vertex(match[:, x], y)
    move = np.array([[1, 0, x_exact], [0, 1, y_exact]], np.float32)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(second, move, inner.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.ascontiguousarray(inner), np.asarray(moved)


def _vertex(values: _Plane, at: int) -> float:
    """How far from ``at`` the parabola through three values has its top."""
    if not 0 < at < len(values) - 1:
        return 0.0
    before, top, after = (float(value) for value in values[at - 1 : at + 2])
    bend = before - 2 * top + after
    return 0.0 if bend >= 0 else min(0.5, max(-0.5, 0.5 * (before - after) / bend))


def _least(first: _Plane, second: _Plane) -> float:
    side = max(5, first.shape[0] // 2)
    window = (min(side, first.shape[1]), min(side, first.shape[0]))

    def mean(plane: _Plane) -> _Plane:
        return np.asarray(cv2.blur(plane, window, borderType=cv2.BORDER_REFLECT))

    # Against rounding: variances of what is far from zero.
    first, second = first - first.mean(), second - second.mean()
    mean_1, mean_2 = mean(first), mean(second)
    variance_1 = mean(first * first) - mean_1 * mean_1
    variance_2 = mean(second * second) - mean_2 * mean_2
    both = mean(first * second) - mean_1 * mean_2
    written = (variance_1 > _PAPER * variance_1.max()) | (variance_2 > _PAPER * variance_2.max())
    floor = 1e-3 * max(float(variance_1.max()), float(variance_2.max())) + 1e-6
    correlation = both / np.sqrt(np.maximum(variance_1, floor) * np.maximum(variance_2, floor))
    return float(correlation[written].min())
