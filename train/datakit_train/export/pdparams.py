"""Writes ``.pdparams`` as Paddle does, so that PaddleOCR trains on from it."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datakit.files import atomic_write

# Protocol 3 writes arrays as bytes and names as plain text.
_PROTOCOL = 3
_NEW, _OLD = b"cnumpy._core.multiarray\n_reconstruct\n", b"cnumpy.core.multiarray\n_reconstruct\n"


def write_pdparams(path: Path, tensors: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write a pickled dict of name -> array, C order.

    numpy 2 pickles under a module name that numpy below 1.26, which PaddleOCR's users have, does not know;
    the old name is understood by both. It stands once, before the first array.
    """
    content = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    raw = pickle.dumps(content, protocol=_PROTOCOL)
    atomic_write(path, raw.replace(_NEW, _OLD, 1))
