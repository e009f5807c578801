"""Lines in are lines kept and lines dropped; batches hold every draw once, whatever step they start from."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from datakit.charset import Charset
from datakit.encoders import ctc_steps_needed
from datakit.errors import InputError
from datakit.mix import Mix, Source
from datakit_train.batches import BatchPlan, load_batch, plan_epoch, steps_per_epoch, stream_batches
from datakit_train.samples import SampleSet, bucket_width, load_samples

CHARSET = Charset(tuple("0123456789AB"))


def mix_of(*files: tuple[Path, float]) -> Mix:
    return Mix(tuple(Source(path, path.parent, "domain", ratio) for path, ratio in files))


def picture(path: Path, width: int, height: int = 48) -> None:
    cv2.imwrite(str(path), np.full((height, width, 3), 200, np.uint8))


@pytest.fixture
def flawed(tmp_path: Path) -> Path:
    for name, width in (("short.png", 40), ("long.png", 900), ("text.png", 60)):
        picture(tmp_path / name, width)
    (tmp_path / "no.png").write_bytes(b"not a picture")
    lines = [
        b"short.png\t12",  # 1 trains
        b"long.png\t3456",  # 2 trains, squeezed
        b"text.png\t1x2",  # 3 trains, cut
        b"text.png\txyz",  # 4 nothing left of it
        b"text.png\t" + b"1" * 26,  # 5 too long
        b"missing.png\t1",  # 6
        b"no.png\t1",  # 7
        b"../outside.png\t1",  # 8
        b"no tab",  # 9
        b"short.png\t\xff",  # 10
        b'["short.png", "text.png"]\t7',  # 11 trains
        b"short.png\t",  # 12 empty
    ]
    path = tmp_path / "labels.txt"
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def test_lines_in_are_kept_plus_dropped_and_each_is_named(flawed: Path) -> None:
    samples = load_samples(mix_of((flawed, 1.0)), CHARSET)
    assert samples.lines_in == 12
    assert [sample.line.line for sample in samples.samples[0]] == [1, 2, 3, 11]
    reasons = {entry.line: entry.reason for entry in samples.dropped}
    assert sorted(reasons) == [4, 5, 6, 7, 8, 9, 10, 12]
    assert "no such picture" in reasons[6]
    assert "is no JPEG, PNG" in reasons[7]
    assert "leads out of" in reasons[8]
    assert reasons[9].startswith("missing-tab")
    assert reasons[10].startswith("invalid-utf8")
    assert all(entry.file == str(flawed) and entry.reason for entry in samples.dropped)
    (cut,) = samples.cut
    assert (cut.line, cut.kind) == (3, "cut")
    assert "x" in cut.reason
    assert samples.samples[0][2].labels == (2, 3)
    assert len(samples.samples[0][3].paths) == 2


def test_nothing_that_trains_is_an_error_with_the_first_reason(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_bytes(b"none.png\t1\n")
    with pytest.raises(InputError, match=r"no line trains, 1 dropped; the first: .*labels.txt:1: .*no such"):
        load_samples(mix_of((path, 1.0)), CHARSET)


@pytest.mark.parametrize(
    ("size", "labels", "wanted"),
    [
        ((40, 48), (1, 2), 64),
        ((64, 48), (1, 2), 64),
        ((65, 48), (1, 2), 96),
        ((900, 48), (1, 2), 320),
        ((10, 48), (1, 2, 3, 4), 32),
        ((10, 48), (1, 1, 1, 1), 64),
        ((10, 48), (1,) * 25, 416),
        ((20, 24), (1,), 64),
    ],
)
def test_bucket_width(size: tuple[int, int], labels: tuple[int, ...], wanted: int) -> None:
    assert bucket_width(*size, labels, 320) == wanted
    assert wanted >= 8 * ctc_steps_needed(labels)


@pytest.fixture
def samples(tmp_path: Path) -> SampleSet:
    rng = np.random.default_rng(2)
    files = []
    for name, count in (("a", 23), ("b", 9)):
        folder = tmp_path / name
        folder.mkdir()
        lines = []
        for index in range(count):
            picture(folder / f"{index}.png", int(rng.integers(20, 400)))
            lines.append(f"{index}.png\t{index % 10}{index % 7}\n")
        (folder / "labels.txt").write_text("".join(lines), encoding="utf-8")
        files.append(folder / "labels.txt")
    return load_samples(mix_of((files[0], 1.0), (files[1], 2.5)), CHARSET)


def test_every_draw_is_in_one_batch(samples: SampleSet) -> None:
    plans = plan_epoch(samples, batch_size=4, seed=3, epoch=0)
    items = [item for plan in plans for item in plan.items]
    assert sorted(position for position, _ in items) == list(range(23 + 18 + 4))
    drawn = Counter((sample.line.file, sample.line.line) for _, sample in items)
    first, second = sorted({file for file, _ in drawn})
    assert all(drawn[first, line] == 1 for line in range(1, 24))
    assert Counter(drawn[second, line] for line in range(1, 10)) == {2: 5, 3: 4}
    assert steps_per_epoch(samples, batch_size=4, seed=3) == len(plans) == 12


def test_widths_are_mixed_where_batches_give_the_statistics(samples: SampleSet) -> None:
    mixed = plan_epoch(replace(samples, like_widths=False), batch_size=4, seed=3, epoch=0)
    items = [item for plan in mixed for item in plan.items]
    assert sorted(position for position, _ in items) == list(range(23 + 18 + 4))
    assert all(plan.width == max(sample.width for _, sample in plan.items) for plan in mixed)

    def spread(plans: list[BatchPlan]) -> int:
        return sum(plan.width - min(sample.width for _, sample in plan.items) for plan in plans)

    assert spread(mixed) > 3 * spread(plan_epoch(samples, batch_size=4, seed=3, epoch=0))


def test_batches_are_as_wide_as_their_widest_line_and_ctc_needs(samples: SampleSet) -> None:
    for plan in plan_epoch(samples, batch_size=4, seed=3, epoch=1):
        assert plan.width == max(sample.width for _, sample in plan.items)
        assert plan.width % 32 == 0
        assert all(plan.width >= 8 * ctc_steps_needed(sample.labels) for _, sample in plan.items)


def test_epochs_and_seeds_differ_and_repeat(samples: SampleSet) -> None:
    def order(seed: int, epoch: int) -> list[object]:
        return [plan.items for plan in plan_epoch(samples, batch_size=4, seed=seed, epoch=epoch)]

    assert order(3, 0) == order(3, 0)
    assert order(3, 0) != order(3, 1)
    assert order(3, 0) != order(4, 0)


def test_a_run_resumed_at_any_step_sees_the_same_batches(samples: SampleSet) -> None:
    def stream(first: int) -> list[bytes]:
        batches = stream_batches(samples, batch_size=8, seed=1, first_step=first, last_step=14, augment=True)
        return [batch.images.tobytes() + batch.labels.tobytes() for batch in batches]

    whole = stream(0)
    assert len(whole) == 14
    for first in (1, 5, 6, 7, 13):
        assert stream(first) == whole[first:]
    assert stream(14) == []


def test_arrays_of_a_batch(samples: SampleSet) -> None:
    (plan,) = plan_epoch(samples, batch_size=100, seed=0, epoch=0)
    batch = load_batch(plan, seed=0, augment=False)
    assert batch.images.shape == (45, 3, 48, plan.width)
    assert batch.images.dtype == np.float32
    assert -1 <= batch.images.min() <= batch.images.max() <= 1
    for row, length, (_, sample) in zip(batch.labels, batch.lengths, plan.items, strict=True):
        assert tuple(row[:length]) == sample.labels
        assert not row[length:].any()


def test_a_broken_picture_is_named_and_not_replaced(samples: SampleSet) -> None:
    (plan,) = plan_epoch(samples, batch_size=100, seed=0, epoch=0)
    broken = plan.items[7][1]
    broken.paths[0].write_bytes(broken.paths[0].read_bytes()[:-20])
    batch = load_batch(plan, seed=0, augment=True)
    bad = {(entry.file, entry.line) for entry in batch.broken}
    assert bad == {(broken.line.file, broken.line.line)}
    assert all("truncated" in entry.reason for entry in batch.broken)
    kept = [s.labels for _, s in plan.items if s is not broken]
    assert len(batch.images) == len(batch.labels) == len(kept) == 45 - len(batch.broken)
    assert [tuple(row[:n]) for row, n in zip(batch.labels, batch.lengths, strict=True)] == kept


def test_a_batch_of_broken_pictures_is_empty(samples: SampleSet) -> None:
    plan = plan_epoch(samples, batch_size=4, seed=0, epoch=0)[0]
    for _, sample in plan.items:
        sample.paths[0].unlink(missing_ok=True)
    batch = load_batch(plan, seed=0, augment=False)
    assert batch.images.shape == (0, 3, 48, plan.width)
    assert len(batch.broken) == 4
    assert batch.lengths.tolist() == []
