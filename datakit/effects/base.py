"""What an effect is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Params = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Effect:
    """``sample(rng)`` draws the parameters (plain JSON values), ``apply(image, params)`` uses them.

    The image is HxWx3 uint8 BGR; the result is new and of the same size, and the input is left as it was.
    """

    name: str
    sample: Callable[[Random], Params]
    apply: Callable[[Image, Mapping[str, Any]], Image]
