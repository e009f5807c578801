"""What a run is asked for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from datakit.charset import Charset
from datakit.encoders import RESERVED
from datakit.errors import UsageError
from datakit.records import Target
from datakit_synth.backgrounds import PROCEDURAL
from datakit_synth.looks import NONE, check_looks
from datakit_synth.shares import LengthShare, check_length_shares

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
    for every line. ``looks``: of :data:`datakit_synth.looks.LOOKS`, of which every line gets one that fits
    it; () for those of the presets, in their shares. ``heights``: pixels, smallest and largest.
    ``max_length``: characters of a line, at most. ``max_repeats``: lines with one and the same text.
    ``keep_spaces``: runs of spaces in corpus lines stay, in the picture as in the label.

    ``encoder``: of :data:`datakit.encoders.RESERVED`; all but ``ctc`` keep places of ``max_length`` for
    themselves, and no line is longer than what is left (:attr:`limit`). ``length_shares`` and
    ``space_share`` (0 to 1): how many lines shall have which length, and a space; None is as it comes.
    ``lengths_from``: a label file that both are taken from where they are not given.
    ``style_from``: a recognition label file (or LMDB set) of real crops that the lines shall look like, see
    :func:`datakit_synth.style_files.style_from`; its paths begin at ``style_data_dir``, by default its
    folder. Heights, margins, colours, sharpness, noise and JPEG quality are then the crops', ``heights`` has
    no effect, and there is background kind ``own``. Effects of ``presets`` come before: ``clean`` has none.
    ``length_shortfall``: (lengths such as ``6-10``, lines of them), ``space_shortfall``: lines with a
    space, both at least, as in targets.json.
    ``char_crops``: pictures of single characters that lines are written with in place of fonts, see
    :func:`datakit_synth.char_crops.read_crops`. ``join_real``: a label file of which two pictures each make a
    line, joined by a space; it takes ``count`` and no other texts. ``crops_dir``: where their pictures are.
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
    looks: tuple[str, ...] = ()
    heights: tuple[int, int] = (32, 64)
    max_length: int = MAX_LENGTH
    max_repeats: int = 3
    keep_spaces: bool = False
    encoder: str = "ctc"
    length_shares: tuple[LengthShare, ...] = ()
    space_share: float | None = None
    lengths_from: Path | None = None
    length_shortfall: tuple[tuple[str, int], ...] = ()
    space_shortfall: int = 0
    style_from: Path | None = None
    style_data_dir: Path | None = None
    char_crops: Path | None = None
    join_real: Path | None = None
    crops_dir: Path | None = None

    @property
    def limit(self) -> int:
        """Characters that a line may have: what the encoder keeps of ``max_length``."""
        return self.max_length - RESERVED[self.encoder]

    def check(self) -> SynthRequest:
        """Itself.

        Raises:
            UsageError: nothing to draw, or a number that makes no sense.
        """
        self._check_crops()
        asked = self.targets or self.texts or self.length_shortfall or self.space_shortfall
        if not (asked or self.corpora or self.templates or self.join_real):
            raise UsageError("nothing to render: give characters, targets, texts, a corpus or a template")
        if self.count is not None and self.count < 1:
            raise UsageError(f"count {self.count}: at least 1")
        if self.count is None and not (asked or self.corpora):
            raise UsageError("templates alone have no end: give a count")
        if self.encoder not in RESERVED:
            raise UsageError(f"unknown encoder {self.encoder!r}: one of {', '.join(RESERVED)}")
        if self.limit < 1 or self.max_repeats < 1:
            raise UsageError("max_length (less what the encoder reserves) and max_repeats are at least 1")
        if self.space_share is not None and not 0 <= self.space_share <= 1:
            raise UsageError(f"space share {self.space_share:g}: between 0 and 1")
        for share in check_length_shares(self.length_shares):
            if share.share and share.low > self.limit:
                raise UsageError(f"length share {share.name}: lines have at most {self.limit} characters")
        check_looks(self.looks)
        if self.style_data_dir is not None and self.style_from is None:
            raise UsageError("a folder of crops (--style-data-dir) needs their label file (--style-from)")
        if not 16 <= self.heights[0] <= self.heights[1] <= 256:
            raise UsageError(
                f"heights {self.heights[0]}-{self.heights[1]}: between 16 and 256 px, smallest first"
            )
        return self

    def _check_crops(self) -> None:
        if self.join_real is not None:
            if self.targets or self.texts or self.corpora or self.templates or self.char_crops:
                raise UsageError(
                    "lines joined from real crops (--join-real) take no other texts and no fonts"
                )
            if self.length_shares or self.space_share is not None or self.lengths_from or self.style_from:
                raise UsageError(
                    "lines joined from real crops (--join-real) are as long and look as these do"
                )
            if self.count is None:
                raise UsageError("lines joined from real crops (--join-real) have no end: give a count")
        if self.char_crops is not None and any(look != NONE for look in self.looks):
            raise UsageError("lines of character crops (--char-crops) have no looks (--look)")
        if self.crops_dir is not None and self.char_crops is None and self.join_real is None:
            raise UsageError("a folder of crops (--crops-dir) needs --char-crops or --join-real")


def targets_from_chars(chars: Iterable[str], per_char: int = PER_CHAR) -> tuple[Target, ...]:
    """One target a character, each once, line ends and tabs left out."""
    wanted = dict.fromkeys(char for char in chars if char not in "\r\n\t\ufeff")
    return tuple(Target(char, per_char) for char in wanted)
