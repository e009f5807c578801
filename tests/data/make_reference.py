"""Make reference_rec*.json and .npz: figures of PaddleOCR's own recognisers.

python tests/data/make_reference.py ../shared/reference
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

MODELS = {
    "rec_v2_crnn": "reference_rec_v2",
    "rec_v3_ctc": "reference_rec",
    "rec_v4_ctc": "reference_rec_v4",
}


def main() -> None:
    source = Path(sys.argv[1])
    document = json.loads((source / "reference.json").read_bytes())
    with np.load(source / "reference.npz") as arrays:
        for model, name in MODELS.items():
            target = Path(__file__).with_name(f"{name}.json")
            target.write_text(json.dumps(document[model]) + "\n", encoding="utf-8")
            kept = {kind: arrays[f"{model}/{kind}"] for kind in ("eval", "train")}
            np.savez_compressed(target.with_suffix(".npz"), **kept)


if __name__ == "__main__":
    main()
