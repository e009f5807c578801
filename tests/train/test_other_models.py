"""Training follows the model: PP-OCRv2 is 32 px high with a time step every 4 px; chances of augmentation."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from datakit.effects import LINE_EFFECTS, augment_line
from datakit.mix import Mix, Source
from datakit_train.architectures import build_network
from datakit_train.batches import load_batch, plan_epoch
from datakit_train.finetune import finetune
from datakit_train.framework import import_paddle
from datakit_train.preflight import load_for
from datakit_train.recognizer import measure_probe
from datakit_train.samples import bucket_width
from datakit_train.settings import Settings
from datakit_train.weights.store import StoredModel

DrawLines = Callable[..., Path]
CHARACTERS = tuple("0123456789AB")
SMALL_V2 = {"name": "ppocrv2_rec", "scale": 0.125, "hidden_size": 8, "mid_channels": 16}


@pytest.fixture
def small_v2() -> StoredModel:
    import_paddle(1).seed(3)
    network = build_network(SMALL_V2, len(CHARACTERS) + 1)
    tensors = {name: np.array(value.numpy()) for name, value in network.state_dict().items()}
    return StoredModel(tensors, SMALL_V2, CHARACTERS, "random", "none", measure_probe(network))


def test_a_narrow_line_needs_fewer_pixels_at_a_stride_of_four() -> None:
    labels = tuple(range(1, 21))
    assert bucket_width(40, 32, labels, 320, target_height=48, stride=8) == 160
    assert bucket_width(40, 32, labels, 320, target_height=32, stride=4) == 96


def test_v2_trains_at_its_own_height(small_v2: StoredModel, draw_lines: DrawLines, tmp_path: Path) -> None:
    train, val = draw_lines("train", 8, seed=1), draw_lines("val", 3, seed=2)
    mix = Mix((Source(train, train.parent, "domain", 1.0),))
    settings = Settings(steps=2, batch_size=4, shares=())
    samples = load_for(mix, small_v2, settings)
    plan = plan_epoch(samples, batch_size=4, seed=0, epoch=0)[0]
    assert load_batch(plan, seed=0, augment=False).images.shape == (4, 3, 32, plan.width)
    finetune(mix, val=val, out=tmp_path / "out", pretrained=small_v2, settings=settings)
    steps = [json.loads(line) for line in (tmp_path / "out/train.jsonl").read_text().splitlines()]
    assert len(steps) == 2 and all(step["loss"] > 0 for step in steps)


def test_chances_of_augmentation() -> None:
    picture = np.arange(48 * 96 * 3, dtype=np.uint32).reshape(48, 96, 3).astype(np.uint8)
    never = dict.fromkeys(LINE_EFFECTS, 0.0)
    for seed in range(20):
        assert np.array_equal(augment_line(picture, random.Random(seed), never), picture)
    cropped = augment_line(picture, random.Random(1), {**never, "crop": 1.1})
    assert cropped.shape[0] < 48 and cropped.shape[1] == 96
    usual = augment_line(picture, random.Random(7))
    assert np.array_equal(usual, augment_line(picture, random.Random(7), {}))
