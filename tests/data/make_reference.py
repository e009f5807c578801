"""Make reference_rec.json and reference_rec.npz: figures of PaddleOCR's own PP-OCRv3 recogniser.

python tests/data/make_reference.py ../shared/reference
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

MODEL = "rec_v3_ctc"


def main() -> None:
    source = Path(sys.argv[1])
    facts = json.loads((source / "reference.json").read_bytes())[MODEL]
    target = Path(__file__).with_name("reference_rec.json")
    target.write_text(json.dumps(facts) + "\n", encoding="utf-8")
    with np.load(source / "reference.npz") as arrays:
        kept = {name: arrays[f"{MODEL}/{name}"] for name in ("eval", "train")}
    np.savez_compressed(target.with_suffix(".npz"), **kept)


if __name__ == "__main__":
    main()
