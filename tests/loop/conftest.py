"""A loop that takes seconds: a random network of twelve characters and drawn lines."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

CHARACTERS = "0123456789AB"
ARCHITECTURE = {"name": "ppocrv3_rec", "scale": 0.125, "last_pool_kernel_size": [2, 2]}


def _store_model(folder: Path) -> None:
    from datakit_train.framework import import_paddle
    from datakit_train.recognizer import build_network, measure_probe
    from datakit_train.weights.store import StoredModel, save_model

    import_paddle(1).seed(5)
    network = build_network(ARCHITECTURE, len(CHARACTERS) + 1)
    tensors = {name: np.array(value.numpy()) for name, value in network.state_dict().items()}
    probe = measure_probe(network)
    save_model(folder, StoredModel(tensors, ARCHITECTURE, tuple(CHARACTERS), "random", "none", probe))


def _draw(folder: Path, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    folder.mkdir()
    lines = []
    for index in range(count):
        text = "".join(rng.choice(list(CHARACTERS), size=int(rng.integers(2, 7))))
        picture = np.full((32, 12 + 19 * len(text), 3), 255, np.uint8)
        cv2.putText(picture, text, (6, 23), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2)
        cv2.imwrite(str(folder / f"{index:02d}.png"), picture)
        lines.append(f"{index:02d}.png\t{text}\n")
    (folder / "labels.txt").write_text("".join(lines), encoding="utf-8")


def write_loop(folder: Path, font: Path) -> Path:
    """A loop.yaml of two rounds, two steps each; its ``out`` is ``rounds`` beside it."""
    for number, (name, count) in enumerate(
        (("train", 12), ("val", 5), ("words", 6), ("guard", 5), ("held", 5))
    ):
        _draw(folder / name, count, number)
    _store_model(folder / "base")
    (folder / "corpus.txt").write_text("12 A\n9876543210\nAB12\nB00\n55A\n" * 4, encoding="utf-8")
    path = folder / "loop.yaml"
    path.write_text(
        "model: base\nout: rounds\nrounds: 2\nseed: 3\n"
        "domain: [train/labels.txt]\nval: val/labels.txt\n"
        "general: [words/labels.txt]\nguard: [guard/labels.txt]\n"
        "test: {held/out: held/labels.txt}\nmine: 6\n"
        "finetune: {steps: 2, batch_size: 4, learning_rate: 1e-3, save_every: 1}\n"
        "synth: {per_char: 2, max_targets: 2, workers: 1, presets: [clean], corpus: [corpus.txt], "
        f"fonts: ['{font}']}}\n",
        encoding="utf-8",
    )
    return path


@pytest.fixture
def loop_file(tmp_path: Path, latin_font: Path) -> Path:
    """See :func:`write_loop`."""
    return write_loop(tmp_path, latin_font)
