"""What a run of pages is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from datakit.charset import Charset
from datakit.errors import UsageError
from datakit_synth.backgrounds import PROCEDURAL
from datakit_synth.pages.layouts import LAYOUTS

SMALLEST, LARGEST = 256, 4096
MOST_LINES = 400


@dataclass(frozen=True, slots=True)
class PageRequest:
    """``count`` pages of ``size`` (width, height) px with ``lines`` (least, most) lines each.

    ``corpora``, ``templates``, ``charset``, ``fonts``, ``backgrounds``, ``photos`` and ``presets`` as in
    :class:`datakit_synth.SynthRequest`; without corpora and templates, all templates of the project.
    ``layouts``: of :data:`datakit_synth.pages.layouts.LAYOUTS`, one drawn for every page. ``illegible``:
    share of the lines (0 to 1) that are made illegible and labelled ``###``.
    """

    count: int
    size: tuple[int, int] = (960, 1280)
    lines: tuple[int, int] = (10, 40)
    corpora: tuple[Path, ...] = ()
    templates: tuple[str, ...] = ()
    charset: Charset | None = None
    fonts: tuple[str | Path, ...] = ()
    backgrounds: tuple[str, ...] = PROCEDURAL
    photos: Path | None = None
    presets: tuple[str, ...] = ("photo",)
    layouts: tuple[str, ...] = tuple(LAYOUTS)
    illegible: float = 0.05

    def check(self) -> PageRequest:
        """Itself.

        Raises:
            UsageError: a number that makes no sense, or a layout that there is not.
        """
        if self.count < 1:
            raise UsageError(f"count {self.count}: at least 1")
        if not all(SMALLEST <= side <= LARGEST for side in self.size):
            raise UsageError(f"size {self.size[0]}x{self.size[1]}: sides of {SMALLEST} to {LARGEST} px")
        if not 1 <= self.lines[0] <= self.lines[1] <= MOST_LINES:
            raise UsageError(f"lines {self.lines[0]}-{self.lines[1]}: 1 to {MOST_LINES}, smallest first")
        if not 0 <= self.illegible <= 1:
            raise UsageError(f"illegible {self.illegible:g}: a share between 0 and 1")
        if not self.layouts or not self.presets:
            raise UsageError("no layout or no preset is chosen")
        for layout in self.layouts:
            if layout not in LAYOUTS:
                raise UsageError(f"there is no layout {layout!r}; there are {', '.join(LAYOUTS)}")
        return self
