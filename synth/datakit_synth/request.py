"""What a run is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from datakit.charset import Charset
from datakit.errors import UsageError
from datakit.records import Target
from datakit_synth.backgrounds import PROCEDURAL

PER_CHAR = 300
MAX_LENGTH = 25


@dataclass(frozen=True, slots=True)
class SynthRequest:
    """Texts, fonts and looks of a run; everything has a default but one source of text.

    ``targets``: characters, and how many lines shall contain each. ``texts``: lines to draw as they are,
    each once. ``corpora``: text files; ``templates``: names of :data:`datakit_corpora.TEMPLATES` (or
    ``en``, ``zh``). ``count``: lines in all; without it the targets alone decide, and without targets
    every corpus line comes once. ``charset``: every character of every line is in it. ``fonts``: see
    :func:`datakit_fonts.find_fonts`. ``backgrounds``: kinds of :data:`datakit_synth.backgrounds.GROUNDS`;
    ``photos``: the folder for kind ``photo``. ``presets``: of :data:`datakit.effects.PRESETS`, one drawn
    for every line. ``heights``: pixels, smallest and largest. ``max_length``: characters of a line, at
    most. ``max_repeats``: lines with one and the same text.
    """

    targets: tuple[Target, ...] = ()
    texts: tuple[str, ...] = ()
    corpora: tuple[Path, ...] = ()
    templates: tuple[str, ...] = ()
    count: int | None = None
    charset: Charset | None = None
    fonts: tuple[str | Path, ...] = ()
    backgrounds: tuple[str, ...] = PROCEDURAL
    photos: Path | None = None
    presets: tuple[str, ...] = ("photo",)
    heights: tuple[int, int] = (32, 64)
    max_length: int = MAX_LENGTH
    max_repeats: int = 3

    def check(self) -> SynthRequest:
        """Itself.

        Raises:
            UsageError: nothing to draw, or a number that makes no sense.
        """
        if not (self.targets or self.texts or self.corpora or self.templates):
            raise UsageError("nothing to render: give characters, targets, texts, a corpus or a template")
        if self.count is not None and self.count < 1:
            raise UsageError(f"count {self.count}: at least 1")
        if self.count is None and not (self.targets or self.texts or self.corpora):
            raise UsageError("templates alone have no end: give a count")
        if self.max_length < 1 or self.max_repeats < 1:
            raise UsageError("max_length and max_repeats are at least 1")
        if not 16 <= self.heights[0] <= self.heights[1] <= 256:
            raise UsageError(
                f"heights {self.heights[0]}-{self.heights[1]}: between 16 and 256 px, smallest first"
            )
        return self


def targets_from_chars(chars: Iterable[str], per_char: int = PER_CHAR) -> tuple[Target, ...]:
    """One target a character, each once, line ends and tabs left out."""
    wanted = dict.fromkeys(char for char in chars if char not in "\r\n\t\ufeff")
    return tuple(Target(char, per_char) for char in wanted)
