"""Whether an exported model reads what the trained one reads: same text, largest difference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from datakit.errors import InputError
from datakit.images import line_width, probe, read_bgr, resize_norm, resolve_image
from datakit.labels import RecLine
from datakit_train.decode import greedy_decode
from datakit_train.export.inference import STEM, softmax_network
from datakit_train.forward import Pixels, Run
from datakit_train.framework import import_paddle
from datakit_train.predict import read_label_set
from datakit_train.recognizer import Recognizer, probe_input

LIMIT = 200


@dataclass(frozen=True, slots=True)
class Difference:
    """A picture that the exported model reads otherwise."""

    image: str
    trained: str
    exported: str


@dataclass(frozen=True, slots=True)
class Parity:
    """``largest``: absolute difference of a probability, over all classes and time steps of all pictures."""

    form: str
    pictures: int
    largest: float
    differences: tuple[Difference, ...]

    @property
    def same(self) -> bool:
        """Whether every text is the same."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture at its own width, 1 x 3 x H x W."""

    image: str
    pixels: Pixels


def load_pictures(
    labels: Path | None, height: int, data_dir: Path | None = None, limit: int = LIMIT
) -> list[Picture]:
    """The first ``limit`` readable pictures of a label file, and the fixed probe picture before them.

    Raises:
        InputError: the label file has no picture that can be read.
    """
    pictures = [Picture("the probe picture", probe_input(height))]
    if labels is None:
        return pictures
    label_set = read_label_set(labels, data_dir)
    error: InputError | None = None
    for entry in label_set.lines:
        if len(pictures) > limit:
            break
        if not isinstance(entry, RecLine):
            continue
        try:
            path = resolve_image(label_set.data_dir, entry.image)
            info = probe(path)
            width = line_width(info.width, info.height, target_height=height)
            pictures.append(Picture(entry.image, resize_norm(read_bgr(path), height, width)[None]))
        except InputError as failed:
            error = error or failed
    if len(pictures) == 1:
        raise InputError(f"has no picture that can be read; the first: {error}", file=labels)
    return pictures


def inference_runner(folder: Path) -> Run:
    """A Paddle inference model, loaded from its files."""
    paddle = import_paddle()
    layer = paddle.jit.load(str(folder / STEM))
    layer.eval()
    return _paddle_runner(layer)


def trained_runner(recognizer: Recognizer) -> Run:
    """The network that was trained."""
    return _paddle_runner(softmax_network(recognizer.network))


def _paddle_runner(layer: Any) -> Run:
    paddle = import_paddle()

    def run(pixels: Pixels) -> Pixels:
        with paddle.no_grad():
            return np.asarray(layer(paddle.to_tensor(pixels)).numpy(), np.float32)

    return run


def compare(
    form: str, trained: Run, exported: Run, recognizer: Recognizer, pictures: Sequence[Picture]
) -> Parity:
    """Read ``pictures`` with both, one at a time."""
    largest = 0.0
    differences = []
    for picture in pictures:
        ours, theirs = trained(picture.pixels)[0], exported(picture.pixels)[0]
        if ours.shape != theirs.shape:
            differences.append(Difference(picture.image, str(ours.shape), str(theirs.shape)))
            continue
        # numpy's maximum is NaN where any is, and NaN is not "no difference".
        largest = float(np.maximum(largest, np.abs(ours - theirs).max()))
        texts = [
            greedy_decode(p.argmax(-1).tolist(), p.max(-1).tolist(), recognizer.charset)[0]
            for p in (ours, theirs)
        ]
        if texts[0] != texts[1]:
            differences.append(Difference(picture.image, *texts))
    return Parity(form, len(pictures), largest, tuple(differences))
