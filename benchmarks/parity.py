"""How far the rebuilt recogniser is from onnxruntime on the same pictures.

python benchmarks/parity.py ../shared/data/receipts/rec_val.txt --crops 8
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import onnxruntime

from datakit.images import read_bgr, resize_norm
from datakit.labels import read_rec
from datakit.models import model_folder
from datakit_train.framework import import_paddle
from datakit_train.recognizer import HEIGHT, load_recognizer

WIDTHS = (320, 480, 960)


def main() -> None:
    """Print the largest difference of the softmax, width by width."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--crops", type=int, default=8)
    args = parser.parse_args()
    paddle = import_paddle()
    recognizer = load_recognizer("ppocrv3-rec")
    session = onnxruntime.InferenceSession(str(model_folder("ppocrv3-rec") / "source.onnx"))
    pictures = [read_bgr(args.labels.parent / line.image) for line in read_rec(args.labels)[0][: args.crops]]
    for width in WIDTHS:
        batch = np.stack([resize_norm(picture, HEIGHT, width) for picture in pictures])
        with paddle.no_grad():
            logits = recognizer.network(paddle.to_tensor(batch))
            ours = paddle.nn.functional.softmax(logits, axis=-1).numpy()
        theirs = session.run(None, {"x": batch})[0]
        print(
            f"{len(pictures)} crops at {width} px: max |difference| of softmax {abs(ours - theirs).max():.1e}"
        )


if __name__ == "__main__":
    main()
