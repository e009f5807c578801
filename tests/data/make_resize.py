"""Make resize.npz: PaddleOCR's own resize of one line, out of the reference figures of the project.

python tests/data/make_resize.py ../shared/reference/reference.npz
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

NAMES = ("resize/image", "resize/160", "resize/320")


def main() -> None:
    with np.load(sys.argv[1]) as reference:
        arrays = {name: reference[name] for name in NAMES}
    np.savez_compressed(Path(__file__).with_name("resize.npz"), **arrays)


if __name__ == "__main__":
    main()
