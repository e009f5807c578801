"""Pictures of findings for the page: crops as data URIs, capped in number and bytes."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from datakit.audit.tally import Hit
from datakit.errors import DatakitError
from datakit.report import thumbnail, thumbnail_or_none

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_PICTURES = 400
MOST_BYTES = 4_000_000
LINE_HEIGHT = 48
PAGE_HEIGHT = 150
BOX_HEIGHT = 96
# Around a box, in parts of its larger side: its neighbours say what it overlaps.
_MARGIN = 0.35
# BGR of the outline.
_RED = (35, 24, 200)


class Crops:
    """Draws pictures until the page has enough of them; then there are none."""

    def __init__(self, *, allow_outside: bool = False) -> None:
        self._allow_outside = allow_outside
        self._pictures = MOST_PICTURES
        self._bytes = MOST_BYTES

    def of(self, hit: Hit, task: str = "rec") -> str | None:
        """The picture of a finding: the line, the box with what is around it, or the page."""
        if not hit.images:
            return None
        if hit.outline:
            return self._taken(lambda: _boxed(hit, self._allow_outside))
        height = LINE_HEIGHT if task == "rec" else PAGE_HEIGHT
        return self.line(hit.data_dir, hit.images[0], height)

    def line(self, data_dir: str, image: str, height: int = LINE_HEIGHT) -> str | None:
        """One picture, at most ``height`` px high."""
        folder = Path(data_dir)
        return self._taken(
            lambda: thumbnail_or_none(folder, image, height, allow_outside=self._allow_outside)
        )

    def _taken(self, draw: Any) -> str | None:
        if self._pictures <= 0 or self._bytes <= 0:
            return None
        picture: str | None = draw()
        if picture is not None:
            self._pictures -= 1
            self._bytes -= len(picture)
        return picture


@lru_cache(maxsize=4)
def _page(data_dir: str, image: str, allow_outside: bool) -> NDArray[Any] | None:
    from datakit.images import read_bgr, resolve_image

    try:
        return read_bgr(resolve_image(data_dir, image, allow_outside=allow_outside))
    except DatakitError:
        return None


def _boxed(hit: Hit, allow_outside: bool) -> str | None:
    """The part of a page around a box, outlined; None where there is no such part."""
    import cv2
    import numpy as np

    page = _page(hit.data_dir, hit.images[0], allow_outside)
    if page is None:
        return None
    rows, columns = page.shape[:2]
    # Points may lie anywhere: what is far outside is no part of the page.
    points = np.clip(np.array(hit.outline, float), -columns - rows, 2 * (columns + rows))
    left, top = points.min(axis=0)
    right, bottom = points.max(axis=0)
    margin = max(12.0, _MARGIN * max(right - left, bottom - top))
    x0, y0 = int(max(0, left - margin)), int(max(0, top - min(margin, 60)))
    x1, y1 = int(min(columns, right + margin + 1)), int(min(rows, bottom + min(margin, 60) + 1))
    if x1 - x0 < 2 or y1 - y0 < 2:
        return None
    part = page[y0:y1, x0:x1].copy()
    outline = np.rint(points - (x0, y0)).astype(np.int32)
    cv2.polylines(part, [outline], True, _RED, max(1, part.shape[0] // 100))
    return thumbnail(part, BOX_HEIGHT)
