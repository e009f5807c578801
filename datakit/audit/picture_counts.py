"""Sizes and looks of the pictures of recognition lines: arrays that grow by 20 bytes a picture."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np

from datakit.audit.pictures import Picture
from datakit.audit.stats import PictureStats


@dataclass(slots=True)
class PictureCounts:
    """One entry a readable picture, in the order of the lines; fields as in :class:`PictureStats`."""

    widths: array[int] = field(default_factory=lambda: array("i"))
    heights: array[int] = field(default_factory=lambda: array("i"))
    lengths: array[int] = field(default_factory=lambda: array("i"))
    sharpness: array[float] = field(default_factory=lambda: array("f"))
    contrast: array[float] = field(default_factory=lambda: array("f"))

    def count(self, picture: Picture, length: int) -> None:
        """Count a picture of a line whose label has ``length`` code points."""
        if not picture.fault:
            self.widths.append(picture.width)
            self.heights.append(picture.height)
            self.lengths.append(length)
            self.sharpness.append(picture.sharpness)
            self.contrast.append(picture.contrast)

    def add(self, other: PictureCounts) -> None:
        """Add the pictures of later lines."""
        self.widths.extend(other.widths)
        self.heights.extend(other.heights)
        self.lengths.extend(other.lengths)
        self.sharpness.extend(other.sharpness)
        self.contrast.extend(other.contrast)

    def stats(self) -> PictureStats | None:
        """The pictures so far; None for none."""
        if not self.widths:
            return None
        return PictureStats(
            np.array(self.widths, np.int32),
            np.array(self.heights, np.int32),
            np.array(self.lengths, np.int32),
            np.array(self.sharpness, np.float32),
            np.array(self.contrast, np.float32),
        )
