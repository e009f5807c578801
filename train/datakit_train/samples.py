"""From a mix to the samples that train: every line is kept, or dropped by name with a reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from datakit.charset import Charset
from datakit.encoders import ctc_steps_needed, encode_verdict
from datakit.errors import InputError
from datakit.images import line_width
from datakit.labels import RecLine
from datakit.line_sets import Picture, finder, probe, read_lines
from datakit.mix import Mix
from datakit_train.recognizer import HEIGHT, STRIDE

BUCKET = 32


@dataclass(frozen=True, slots=True)
class Sample:
    """One line that trains.

    ``labels`` are classes, ``width`` the padded width in px that it needs at height 48.
    """

    line: RecLine
    paths: tuple[Picture, ...]
    labels: tuple[int, ...]
    width: int


@dataclass(frozen=True, slots=True)
class Dropped:
    """A line that does not train, or not whole: where it stands and why."""

    file: str
    line: int
    reason: str
    kind: str = "dropped"


@dataclass(frozen=True, slots=True)
class Lengths:
    """Of a source's ``lines``: ``too_long`` have more characters than may train, ``squeezed`` train at less
    than half of their width; what 95 % of the lines have: ``characters``, and, of those that train, ``width``
    in px at the model's height."""

    lines: int
    too_long: int
    squeezed: int
    characters: int
    width: int


@dataclass(frozen=True, slots=True)
class SampleSet:
    """The samples of every source of a mix, and what became of the other lines.

    ``height`` is that of the model's input, in px. ``like_widths``: a batch is made of lines of like width;
    otherwise of any. ``lengths`` has an entry a source, or none at all.
    """

    mix: Mix
    samples: tuple[tuple[Sample, ...], ...]
    dropped: tuple[Dropped, ...]
    cut: tuple[Dropped, ...]
    height: int = HEIGHT
    like_widths: bool = True
    lengths: tuple[Lengths, ...] = ()

    @property
    def lines_in(self) -> int:
        """All lines of the label files: those that train and those dropped."""
        return sum(map(len, self.samples)) + len(self.dropped)


def bucket_width(
    width: int,
    height: int,
    labels: tuple[int, ...],
    max_width: int,
    *,
    target_height: int = HEIGHT,
    stride: int = STRIDE,
) -> int:
    """Padded training width in px, a multiple of 32.

    The line's own width at the model's height, at most ``max_width`` as PaddleOCR squeezes it, and at least
    what CTC needs: a time step for every label and every repeat. Paddle gives a sample that cannot fit loss 0
    and gradient 0, silently.
    """
    own = line_width(
        width, height, target_height=target_height, minimum=1, multiple=BUCKET, maximum=max_width
    )
    needed = -(-stride * ctc_steps_needed(labels) // BUCKET) * BUCKET
    return max(own, needed)


def _make_sample(
    line: RecLine,
    find: Callable[[str], Picture],
    charset: Charset,
    max_text_length: int,
    fit: Callable[[int, int, tuple[int, ...]], int],
) -> tuple[Sample | None, str, str]:
    """The sample or None, the reason why not (or what was cut), and "dropped" or "cut"."""
    verdict = encode_verdict(line.text, charset, encoder="ctc", max_text_length=max_text_length)
    if verdict.kind == "dropped":
        return None, verdict.reason, "dropped"
    labels = tuple(charset.encode(verdict.text))
    try:
        paths = tuple(map(find, line.images))
        infos = [probe(path) for path in paths]
    except InputError as error:
        return None, str(error), "dropped"
    width = max(fit(info.width, info.height, labels) for info in infos)
    return Sample(line, paths, labels, width), verdict.reason, "cut" if verdict.kind == "cut" else ""


def _most(sizes: Sequence[int]) -> int:
    """What 95 % of ``sizes`` do not exceed; 0 without any."""
    return sorted(sizes)[math.ceil(0.95 * len(sizes)) - 1] if sizes else 0


def load_samples(
    mix: Mix,
    charset: Charset,
    *,
    max_text_length: int = 25,
    max_width: int = 320,
    height: int = HEIGHT,
    stride: int = STRIDE,
    like_widths: bool = True,
    allow_outside: bool = False,
    on_line: Callable[[int], None] = lambda _count: None,
) -> SampleSet:
    """Read the sets of ``mix`` (label files, LMDB, Parquet) and the header of every picture.

    Raises:
        InputError: a set is missing, empty or broken, or no line at all trains.
    """

    own: list[int] = []

    def fit(width: int, tall: int, labels: tuple[int, ...]) -> int:
        own.append(line_width(width, tall, target_height=height, minimum=1, multiple=BUCKET))
        return bucket_width(width, tall, labels, max_width, target_height=height, stride=stride)

    per_source: list[tuple[Sample, ...]] = []
    lengths: list[Lengths] = []
    dropped: list[Dropped] = []
    cut: list[Dropped] = []
    for source in mix.sources:
        lines, faults = read_lines(source.label_file)
        find = finder(source.label_file, source.data_dir, allow_outside=allow_outside)
        dropped.extend(Dropped(fault.file, fault.line, f"{fault.code}: {fault.message}") for fault in faults)
        samples: list[Sample] = []
        own.clear()
        for line in lines:
            sample, reason, kind = _make_sample(line, find, charset, max_text_length, fit)
            if sample is not None:
                samples.append(sample)
            if kind:
                (cut if kind == "cut" else dropped).append(Dropped(line.file, line.line, reason, kind))
            on_line(1)
        per_source.append(tuple(samples))
        texts = [len(line.text) for line in lines]
        too_long = sum(length > max_text_length for length in texts)
        squeezed = sum(width > 2 * max_width for width in own)
        lengths.append(Lengths(len(lines), too_long, squeezed, _most(texts), _most(own)))
    if not any(per_source):
        first = f"; the first: {dropped[0].file}:{dropped[0].line}: {dropped[0].reason}" if dropped else ""
        raise InputError(f"no line trains, {len(dropped)} dropped{first}")
    return SampleSet(mix, tuple(per_source), tuple(dropped), tuple(cut), height, like_widths, tuple(lengths))
