"""How somebody's real lines look: one record a crop, from which new lines take their looks.

A line takes all that was measured of one crop together, so that what goes together in the real set (small and
faint, large and bold, grey paper and its noise) goes together in the synthetic one. The crop is one of those
whose text is about as long.
"""

from __future__ import annotations

import hashlib
import json
import math
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from functools import lru_cache
from random import Random
from typing import Any

import cv2
import numpy as np

from datakit.effects import Image
from datakit_synth.crops import Crop, units
from datakit_synth.ink import Colour, reach_ink
from datakit_synth.layout import PAD, LineMask, Mask
from datakit_synth.patches import Patch, lay, moved_to

# Crops whose texts are nearest in length, among which one is drawn: so many, or this share if that is more.
_NEAREST, _NEAREST_SHARE = 40, 0.05
# Quality of pictures whose models were no JPEG.
_LOSSLESS_QUALITY = 95
# Px of a picture: in lower ones no room is left for strokes.
_HEIGHTS = (12, 256)
# Levels between the channels of a colour that is taken for grey.
_GREY = 2
# Fonts are made this much narrower or wider, for the pitch of the crop.
_STRETCH = (0.75, 1.35)
# Lean of a crop, dx/dy, from which on its line is set in an italic face.
_LEANS = 0.12
# The rim of a mask in heights of its line, and px of a picture from which on it is a pixel or more.
_RIM, _RIM_IS_ENOUGH = 0.045, 24
_SUMMARY = ("height", "sharpness", "contrast", "noise", "quality", "pitch", "angle", "coverage")
_PERCENTILES = (5, 25, 50, 75, 95)


@dataclass(frozen=True, slots=True)
class Manner:
    """How one line shall look: what was measured of a crop, varied a little, and the ground to stand on."""

    crop: Crop
    patch: Patch | None

    @property
    def height(self) -> int:
        """Px of the picture."""
        return min(_HEIGHTS[1], max(_HEIGHTS[0], self.crop.height))

    @property
    def quality(self) -> int:
        """JPEG quality of the picture."""
        return self.crop.quality or _LOSSLESS_QUALITY

    def placed(self, where: dict[str, Any]) -> dict[str, Any]:
        """The geometry ``where`` with the margins and the lean of the crop.

        Every mask has an empty rim, which is free space already: in a picture of some height it is margin
        enough.
        """
        crop = self.crop
        sides = {side: max(0.0, getattr(crop, side) - _RIM) for side in ("left", "top", "right", "bottom")}
        # The text keeps at least 60 % of the height, and a line does not drown in free space.
        room = sides["top"] + sides["bottom"]
        for side in ("top", "bottom"):
            sides[side] = round(sides[side] * min(1.0, 0.4 / room if room else 1.0), 3)
        for side in ("left", "right"):
            sides[side] = round(min(1.0, sides[side]), 3)
        return {**where, **sides, "angle": crop.angle, "least": 0 if self.height >= _RIM_IS_ENOUGH else 1}

    def stretch(self, shape: tuple[int, ...], text: str) -> float:
        """How much wider to draw a line whose mask has ``shape``, for characters as wide as the crop's."""
        pitch = (shape[1] - 2 * PAD) / (shape[0] - 2 * PAD) / units(text)
        return round(min(_STRETCH[1], max(_STRETCH[0], self.crop.pitch / pitch)), 3)

    @property
    def italic(self) -> bool:
        """Whether the letters of the crop lean to the right."""
        return self.crop.slant > _LEANS

    def unlike(self, line: LineMask, text: str) -> float:
        """How unlike the crop a line is in its weight and its width; 0 is alike."""
        inside = line.mask[PAD:-PAD, PAD:-PAD]
        weight = math.log(max(0.01, cv2.mean(inside)[0] / 255) / max(0.01, self.crop.density))
        pitch = inside.shape[1] / inside.shape[0] / units(text)
        return abs(weight) + 0.7 * abs(math.log(pitch / self.crop.pitch))

    def inked(self, ground: Image, mask: Mask, wish: Colour | None) -> tuple[Image, Colour, dict[str, Any]]:
        """Ground, ink and what was measured, as :func:`datakit_synth.ink.choose_ink` gives them."""
        dark = self.crop.separation < 0
        return reach_ink(ground, mask, wish or self.crop.ink, dark=dark if wish is None else True)

    def ground(self, rng: Random, height: int, width: int) -> Image:
        """A ground cut from the user's crops, or of the paper's colour where no patch was clean."""
        if self.patch is None:
            return np.full((height, width, 3), self.crop.paper, np.uint8)
        return lay(self.patch, rng, height, width, self.crop.paper)

    def tinted(self, ground: Image) -> Image:
        """Any other ground, moved to the colour of the paper."""
        return moved_to(ground, self.crop.paper)


@dataclass(frozen=True, slots=True)
class StyleProfile:
    """The looks of a set of real lines; hashable and picklable, the same for the same set and seed.

    ``crops`` by the length of their texts; ``grounds``: the patch of each, an index into ``patches``, -1 for
    none. ``lines`` of the label file, of which ``sampled`` were looked at; ``refused``: crops and patches
    that could not be used, by reason. ``digest`` is the sha256 of all the rest but the counts, and stands
    for it where profiles are compared.
    """

    digest: str
    crops: tuple[Crop, ...] = field(compare=False, repr=False)
    grounds: tuple[int, ...] = field(compare=False, repr=False)
    patches: tuple[Patch, ...] = field(compare=False, repr=False)
    lines: int = field(default=0, compare=False)
    sampled: int = field(default=0, compare=False)
    refused: tuple[tuple[str, int], ...] = field(default=(), compare=False)

    def draw(self, text: str, rng: Random) -> Manner:
        """The looks of one line with the label ``text``."""
        index = self._near(len(text), rng)
        ground = self.grounds[index]
        return Manner(_varied(self.crops[index], rng), self.patches[ground] if ground >= 0 else None)

    def _near(self, length: int, rng: Random) -> int:
        count = len(self.crops)
        window = min(count, max(_NEAREST, round(_NEAREST_SHARE * count)))
        lengths = _lengths(self)
        first, last = bisect_left(lengths, length), bisect_left(lengths, length + 1)
        if last - first < window:
            first = max(0, min(count - window, (first + last - window) // 2))
            last = first + window
        return rng.randrange(first, last)

    def to_dict(self) -> dict[str, Any]:
        """For the manifest: counts, percentiles, and every crop as one line of numbers in the order named."""
        names = list(Crop.__dataclass_fields__)
        return {
            "sha256": self.digest,
            "lines": self.lines,
            "sampled": self.sampled,
            "crops": len(self.crops),
            "patches": len(self.patches),
            "refused": dict(self.refused),
            "percentiles": {
                name: dict(zip(map(str, _PERCENTILES), self._percentiles(name), strict=True))
                for name in _SUMMARY
            },
            "fields": " ".join(names),
            "values": [_numbers(crop) for crop in self.crops],
        }

    def _percentiles(self, name: str) -> list[float]:
        values = np.percentile([getattr(crop, name) for crop in self.crops], _PERCENTILES)
        return [round(float(value), 3) for value in values]


@lru_cache(maxsize=4)
def _lengths(profile: StyleProfile) -> list[int]:
    """The lengths of the crops' texts, ascending."""
    return [crop.length for crop in profile.crops]


def make_profile(
    crops: list[Crop], patches: list[Patch], own: list[int], counts: tuple[int, int, dict[str, int]]
) -> StyleProfile:
    """A profile of ``crops``; ``own``: the patch of each, -1 for none, in which case it gets the nearest.

    ``counts``: lines of the file, lines looked at, and refusals by reason.
    """
    order = sorted(range(len(crops)), key=lambda k: (crops[k].length, k))
    grounds = _nearest_grounds([crops[k] for k in order], patches, [own[k] for k in order])
    ordered = tuple(crops[k] for k in order)
    document = [
        [_numbers(crop) for crop in ordered],
        list(grounds),
        [hashlib.sha256(patch.data).hexdigest() for patch in patches],
    ]
    lines, sampled, refused = counts
    return StyleProfile(
        digest=hashlib.sha256(json.dumps(document).encode()).hexdigest(),
        crops=ordered,
        grounds=grounds,
        patches=tuple(patches),
        lines=lines,
        sampled=sampled,
        refused=tuple(sorted(refused.items())),
    )


def _nearest_grounds(crops: list[Crop], patches: list[Patch], own: list[int]) -> tuple[int, ...]:
    """For every crop its own patch, or the one nearest in colour, noise and height."""
    if not patches:
        return (-1,) * len(crops)
    known = np.array([[*patch.colour, 4 * patch.noise, patch.height] for patch in patches], np.float64)
    found = []
    for crop, patch in zip(crops, own, strict=True):
        wanted = np.array([*crop.paper, 4 * crop.noise, crop.height])
        found.append(patch if patch >= 0 else int(np.abs(known - wanted).sum(axis=1).argmin()))
    return tuple(found)


def _numbers(crop: Crop) -> str:
    """Every value of a crop, parted by spaces; colours by commas."""
    values = (getattr(crop, name) for name in Crop.__dataclass_fields__)
    return " ".join(",".join(map(str, v)) if isinstance(v, tuple) else str(v) for v in values)


def _varied(crop: Crop, rng: Random) -> Crop:
    """The crop with small changes; height and JPEG quality stay, for they come in steps."""
    gauss, uniform = rng.gauss, rng.uniform
    light = gauss(0.0, 3.0)
    return replace(
        crop,
        ink=_shaded(crop.ink, light, rng),
        paper=_shaded(crop.paper, light, rng),
        sharpness=crop.sharpness * 2.0 ** gauss(0.0, 0.15),
        contrast=min(1.0, crop.contrast * uniform(0.96, 1.04)),
        noise=round(crop.noise * uniform(0.85, 1.15), 2),
        left=crop.left + uniform(-0.02, 0.03),
        top=crop.top + uniform(-0.02, 0.02),
        right=crop.right + uniform(-0.02, 0.03),
        bottom=crop.bottom + uniform(-0.02, 0.02),
        angle=round(crop.angle + gauss(0.0, 0.2), 2),
        pitch=crop.pitch * uniform(0.96, 1.04),
    )


def _shaded(colour: Colour, light: float, rng: Random) -> Colour:
    """``colour`` with ``light`` added and a little of its own; black and white stay, and grey stays grey."""
    if min(colour) == 255 or max(colour) == 0:
        return colour
    tint = 2.0 if max(colour) - min(colour) > _GREY else 0.0
    blue, green, red = (min(255, max(0, round(c + light + rng.uniform(-tint, tint)))) for c in colour)
    return blue, green, red
