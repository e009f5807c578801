"""What is measured of one real crop, so that lines can be drawn that look like it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import cv2
import numpy as np

from datakit.clarity import contrast, scaled, sharpness
from datakit.effects import Image
from datakit_synth.ink import Colour, luma
from datakit_synth.kinds import is_wide
from datakit_synth.layout import Mask

# Grey levels between ink and paper below which nothing can be said of either.
MIN_SEPARATION = 12
# A crop narrower than this many text heights does not say how its line leans.
_LEANING_ASPECT = 3.0
MAX_ANGLE = 15.0
# Of 1: nearer to half and half than this, a picture does not say which is its ink.
_DOUBT = 0.4
_SLANTS = (-0.24, -0.16, -0.08, 0.0, 0.08, 0.16, 0.24, 0.32)
# Immerkaer 1996: a Laplacian that lines and slopes hardly pass; the median is that of noise, not of edges.
_NOISE_KERNEL = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6
_MEDIAN_TO_SIGMA = 1 / 0.6745


@dataclass(frozen=True, slots=True)
class Crop:
    """One real line as it was measured.

    ``width`` and ``height`` px; ``length`` code points of its label. ``ink`` and ``paper`` blue, green, red.
    ``sharpness`` and ``contrast`` as in :mod:`datakit.clarity`. ``noise``: sigma in grey levels beside the
    text. ``quality``: 1 to 100 of its JPEG tables, 0 for other formats. ``left``, ``top``, ``right``,
    ``bottom``: free space, in heights. ``angle`` degrees, clockwise; ``slant``: how far strokes lean to the
    right, dx/dy (an italic about 0.2); both 0 where the text is too short to say. ``pitch``: width of an
    average character in text heights, a wide one counted as two. ``coverage``: share of ink pixels in the
    picture.
    """

    width: int
    height: int
    length: int
    ink: Colour
    paper: Colour
    sharpness: float
    contrast: float
    noise: float
    quality: int
    left: float
    top: float
    right: float
    bottom: float
    angle: float
    slant: float
    pitch: float
    coverage: float

    @property
    def separation(self) -> float:
        """Grey levels from paper to ink; negative for dark ink."""
        return luma(self.ink) - luma(self.paper)

    @property
    def density(self) -> float:
        """Share of ink pixels within the text's box."""
        across = 1.0 - (self.left + self.right) * self.height / self.width
        return self.coverage / max(0.05, across * (1.0 - self.top - self.bottom))

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Marks:
    """Where a crop has ink: ``core`` is surely ink, ``reach`` all that it may have touched; HxW, 0 or 255.

    ``dark``: ink is darker than paper; ``sure``: no doubt which of the two is ink.
    """

    core: Mask
    reach: Mask
    dark: bool
    sure: bool


def noise(grey: Mask, where: Mask) -> float:
    """Sigma of the noise of ``grey`` in grey levels, where ``where`` is not 0; 0 for under 20 pixels."""
    spread = np.abs(cv2.filter2D(grey, cv2.CV_32F, _NOISE_KERNEL))[where > 0]
    return float(np.median(spread)) * _MEDIAN_TO_SIGMA if spread.size >= 20 else 0.0


def find_ink(image: Image, *, dark: bool | None = None) -> Marks | None:
    """Ink and paper by Otsu's threshold; paper is what fills picture and border, unless ``dark`` says.

    None where no ink stands out.
    """
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    _, above = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    border = np.concatenate([above[0], above[-1], above[:, 0], above[:, -1]])
    # 0 to 2: how much of the picture, and of its border, is light.
    light = (float(above.mean()) + float(border.mean())) / 255
    if dark is None:
        dark = light > 1.0
    core = np.asarray(cv2.bitwise_not(above) if dark else above, np.uint8)
    if not core.any() or core.all():
        return None
    paper = _level(grey, cv2.bitwise_not(core))
    far = abs(_level(grey, core) - paper)
    if far < MIN_SEPARATION:
        return None
    # The soft rim of the strokes lies on the paper's side of the threshold.
    touched = np.asarray(cv2.absdiff(grey, np.full_like(grey, paper)) > 0.3 * far, np.uint8) * 255
    reach = cv2.bitwise_or(core, cv2.bitwise_and(touched, cv2.dilate(core, np.ones((5, 5), np.uint8))))
    return Marks(
        core,
        np.asarray(cv2.dilate(reach, np.ones((3, 3), np.uint8)), np.uint8),
        dark,
        abs(light - 1.0) > _DOUBT,
    )


def measure_crop(image: Image, text: str, quality: int, marks: Marks) -> Crop | None:
    """Everything about one crop; None if its ink is specks only. ``quality`` is kept as it is."""
    box = _text_box(marks.core)
    if box is None:
        return None
    height, width = image.shape[:2]
    left, top, across, down = box
    grey = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    angle = _angle(marks.core, across, down)
    level = max(0.5 * down, down - across * abs(math.tan(math.radians(angle))))
    paper, ink = _colours(image, grey, marks)
    return Crop(
        width=width,
        height=height,
        length=len(text),
        ink=ink,
        paper=paper,
        sharpness=round(sharpness(scaled(grey)), 1),
        contrast=round(contrast(grey), 4),
        noise=round(noise(grey, cv2.bitwise_not(marks.reach)), 2),
        quality=quality,
        left=round(left / height, 3),
        top=round(top / height, 3),
        right=round((width - left - across) / height, 3),
        bottom=round((height - top - down) / height, 3),
        angle=angle,
        slant=_slant(marks.core[top : top + down, left : left + across]) if len(text) > 2 else 0.0,
        pitch=round(across / level / units(text), 3),
        coverage=round(float(marks.core.mean()) / 255, 4),
    )


def units(text: str) -> float:
    """The width of ``text`` in average characters: a wide one counts as two."""
    return float(sum(2 if is_wide(char) else 1 for char in text)) or 1.0


def _colours(image: Image, grey: Mask, marks: Marks) -> tuple[Colour, Colour]:
    """Paper: the median beside the text; ink: the median of the quarter of its pixels farthest from paper."""
    beside = cv2.bitwise_not(marks.reach)
    if cv2.countNonZero(beside) < 0.02 * beside.size:
        beside = cv2.bitwise_not(marks.core)
    limit = _level(grey, marks.core, 0.25 if marks.dark else 0.75)
    strong = cv2.compare(grey, limit, cv2.CMP_LE if marks.dark else cv2.CMP_GE)
    return _median(image, beside), _median(image, cv2.bitwise_and(strong, marks.core))


def _median(image: Image, where: Mask) -> Colour:
    blue, green, red = (_level(channel, where) for channel in cv2.split(image))
    return blue, green, red


def _level(grey: Mask, where: Mask, share: float = 0.5) -> int:
    """The level that ``share`` of the pixels of ``where`` do not exceed; by counting, which is fastest."""
    counts = cv2.calcHist([grey], [0], where, [256], [0, 256]).ravel().cumsum()
    return int(counts.searchsorted(share * counts[-1]))


def _text_box(core: Mask) -> tuple[int, int, int, int] | None:
    """Left, top, width, height of the ink without specks."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=8)
    smallest = max(3.0, 0.004 * core.shape[0] ** 2)
    boxes = [stats[k] for k in range(1, count) if stats[k][cv2.CC_STAT_AREA] >= smallest]
    if not boxes:
        return None
    left, top = min(int(b[0]) for b in boxes), min(int(b[1]) for b in boxes)
    right, bottom = max(int(b[0] + b[2]) for b in boxes), max(int(b[1] + b[3]) for b in boxes)
    return left, top, right - left, bottom - top


def _slant(core: Mask) -> float:
    """The shear that undoes the lean of the strokes: with it, columns are the most unlike each other."""
    height = core.shape[0]
    room = int(_SLANTS[-1] * height) + 1
    wide = cv2.copyMakeBorder(core, 0, 0, room, room, cv2.BORDER_CONSTANT, value=0)
    scores = []
    for slant in _SLANTS:
        shear = np.array([[1, slant, -slant * height / 2], [0, 1, 0]], np.float32)
        columns = cv2.reduce(
            cv2.warpAffine(wide, shear, (wide.shape[1], height)), 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F
        )
        scores.append(float(cv2.norm(columns, cv2.NORM_L2SQR)))
    return float(_SLANTS[int(np.argmax(scores))])


def _angle(core: Mask, across: int, down: int) -> float:
    """Degrees by which the ink's main axis falls to the right; 0 for a short or a steep line."""
    if across < _LEANING_ASPECT * down:
        return 0.0
    found = cv2.moments(core, binaryImage=True)
    angle = math.degrees(0.5 * math.atan2(2 * found["mu11"], found["mu20"] - found["mu02"]))
    return round(angle, 2) if abs(angle) <= MAX_ANGLE else 0.0
