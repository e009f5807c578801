"""The detector's tensors get PaddleOCR's names: held against the names and shapes of PaddleOCR itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datakit_train.weights.detector_names import detector_table

REFERENCE = Path(__file__).resolve().parents[2].parent / "shared" / "reference" / "reference.json"


def test_every_prefix_is_a_layer_of_its_own() -> None:
    table = detector_table()
    prefixes = [prefix for layers in table.layers.values() for prefix in layers]
    assert len(set(prefixes)) == len(prefixes)
    assert {kind: len(layers) for kind, layers in table.layers.items()} == {
        "conv2d": 72,
        "batch_norm": 49,
        "conv2d_transpose": 2,
    }


@pytest.mark.realdata
def test_names_and_shapes_are_paddleocrs() -> None:
    if not REFERENCE.exists():
        pytest.skip(f"{REFERENCE} is not here")
    known = json.loads(REFERENCE.read_text("utf-8"))["det_v3_student"]["parameters"]
    expected = {name: tuple(shape) for name, shape in known.items() if not name.startswith("head.thresh.")}
    table = detector_table().shapes
    assert table == expected
