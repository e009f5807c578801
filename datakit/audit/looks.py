"""What was seen of many pictures: arrays, and in full those that a check may have something to say about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from datakit.audit.pictures import Picture
from datakit.audit.sketches import LENGTH, Sketches

# The fault of pictures whose worker died.
NOT_INSPECTED = "not-inspected"


@dataclass(slots=True)
class Looks:
    """One entry a picture: what :class:`datakit.audit.pictures.Picture` says, 0 x 0 px where it has a fault.

    ``odd`` holds, by number, every picture that cannot be used or on which a check on pictures may yield,
    ``greys`` the pixels of those that were kept.
    """

    widths: npt.NDArray[np.int32]
    heights: npt.NDArray[np.int32]
    sharpness: npt.NDArray[np.float64]
    contrast: npt.NDArray[np.float64]
    digests: npt.NDArray[np.uint64]
    sketches: Sketches
    odd: dict[int, Picture]
    greys: dict[int, npt.NDArray[np.uint8]] = field(default_factory=dict)

    @classmethod
    def of(cls, count: int, odd: dict[int, Picture]) -> Looks:
        """Of ``count`` pictures of which nothing is known yet."""
        return cls(
            np.zeros(count, np.int32),
            np.zeros(count, np.int32),
            np.zeros(count),
            np.zeros(count),
            np.zeros(count, np.uint64),
            np.zeros((count, LENGTH), np.uint8),
            odd,
        )

    @classmethod
    def lost(cls, images: Sequence[str], reason: str) -> Looks:
        """Of pictures that nobody has looked at, for ``reason``."""
        faults = (Picture(image, fault=NOT_INSPECTED, message=reason) for image in images)
        return cls.of(len(images), dict(enumerate(faults)))

    @classmethod
    def joined(cls, parts: Sequence[Looks]) -> Looks:
        """One after the other."""
        if len(parts) == 1:
            return parts[0]
        odd: dict[int, Picture] = {}
        greys: dict[int, npt.NDArray[np.uint8]] = {}
        first = 0
        for part in parts:
            odd.update((first + at, picture) for at, picture in part.odd.items())
            greys.update((first + at, grey) for at, grey in part.greys.items())
            first += len(part.widths)
        if not parts:
            return cls.of(0, odd)
        arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS}
        return cls(**arrays, odd=odd, greys=greys)

    def picture(self, at: int, image: str) -> Picture:
        """One of them, ``image`` by its path; what no check asks for is left out where it is not odd."""
        known = self.odd.get(at)
        if known is not None:
            return known
        return Picture(
            image,
            int(self.widths[at]),
            int(self.heights[at]),
            sharpness=float(self.sharpness[at]),
            contrast=float(self.contrast[at]),
        )


_ARRAYS = ("widths", "heights", "sharpness", "contrast", "digests", "sketches")
