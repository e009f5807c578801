"""What the trainer is told, as far as audit has to know it."""

from __future__ import annotations

from dataclasses import dataclass

from datakit.charset import Charset
from datakit.encoders import RESERVED

# The recogniser's width shrinks by 8 from picture to time steps.
STRIDE = 8


@dataclass(frozen=True, slots=True)
class Settings:
    """The trainer's options that decide what becomes of a line.

    ``image_shape`` is (channels, height, width) in px; ``charset`` None means that no dictionary was given,
    and every check that needs one is left out. Without ``copies`` pictures are not compared with each other.
    ``crop_side`` is the side in px of the square that detection
    training scales its crops to (EastRandomCropData; 960 in PP-OCRv3's recipe, 640 in most others).
    ``lower`` is PaddleOCR's lower case of texts where it has no dictionary.
    """

    charset: Charset | None = None
    encoder: str = "ctc"
    max_text_length: int = 25
    image_shape: tuple[int, int, int] = (3, 48, 320)
    images: bool = True
    copies: bool = True
    allow_outside: bool = False
    crop_side: int = 960
    lower: bool = False

    @property
    def time_steps(self) -> int:
        """Time steps of a training picture: PaddleOCR pads every line to the width of ``image_shape``."""
        return self.image_shape[2] // STRIDE

    @property
    def limit(self) -> int:
        """Characters that the encoder trains at most; attention keeps some places for itself."""
        return self.max_text_length - RESERVED[self.encoder]
