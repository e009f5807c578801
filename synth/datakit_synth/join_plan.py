"""Which two crops of a label file make a line: like grounds, like heights, never too long, never twice."""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from datakit.charset import Charset
from datakit.errors import InputError, UsageError
from datakit.files import UnsafePathError, safe_join
from datakit.images import read_bgr
from datakit.labels import RecLine, read_rec
from datakit_fonts import BrokenFont
from datakit_synth.joining import ground_colour
from datakit_synth.ledger import PlannedLine
from datakit_synth.planned import Plan
from datakit_synth.texts import Rules

ORIGIN = "joined-real"
# PaddleOCR turns a crop that is higher than 1.5 times its width.
_TALL = 1.5
_MOST_HEIGHTS = 2.5
# Levels by which the grounds of the two may differ in blue, green and red.
_MOST_STEP = 60
# So many draws in a row that give no new pair end the search.
_PATIENCE = 3_000


@dataclass(frozen=True, slots=True)
class JoinBook:
    """The two pictures of every line of a run, as paths below ``root``; ``digest``: sha256 of all used."""

    root: str
    pairs: tuple[tuple[str, str], ...]
    digest: str


@dataclass(frozen=True, slots=True)
class _Crop:
    """What decides whether a picture fits beside another; ``reason``: why it is not used at all."""

    height: int = 0
    ground: tuple[float, float, float] = (0.0, 0.0, 0.0)
    sha256: bytes = b""
    reason: str = ""


class _AnyFont:
    """Nothing is rendered: every character is welcome that the dictionary has."""

    def __init__(self) -> None:
        self.broken: list[BrokenFont] = []

    def mask(self, text: Iterable[str]) -> int:
        """1."""
        return 1


class _Album:
    """The crops of a label file, each looked at when it is first drawn."""

    def __init__(self, root: Path, refused: Counter[str]) -> None:
        self._root, self._refused = root, refused
        self._known: dict[str, _Crop] = {}

    def look(self, name: str) -> _Crop:
        """The facts of a picture; counts it when it cannot be used."""
        if name not in self._known:
            self._known[name] = crop = self._facts(name)
            if crop.reason:
                self._refused[crop.reason] += 1
        return self._known[name]

    def _facts(self, name: str) -> _Crop:
        try:
            path = safe_join(self._root, name)
            image = np.asarray(read_bgr(path), np.uint8)
            digest = hashlib.sha256(path.read_bytes()).digest()
        except UnsafePathError:
            return _Crop(reason="outside the folder")
        except (InputError, OSError):
            return _Crop(reason="picture cannot be read")
        height, width = image.shape[:2]
        if height > _TALL * width:
            return _Crop(reason="taller than wide")
        return _Crop(height, ground_colour(image), digest)


def plan_joins(
    labels: Path, count: int, rules: Rules, *, data_dir: Path | None = None, seed: int = 0
) -> tuple[Plan, JoinBook]:
    """``count`` lines of two crops of ``labels`` each, their texts joined with one space.

    ``rules`` know the dictionary and the longest line. No pair comes twice, no picture beside
    itself or its copy.

    Raises:
        InputError: the label file cannot be read.
        UsageError: there are not as many pairs.
    """
    root = data_dir or labels.parent
    refused: Counter[str] = Counter()
    lines = _usable(labels, rules, refused)
    album = _Album(root, refused)
    pairs = _draw(lines, count, rules.max_length, album, Random(f"join:{seed}"))
    if len(pairs) < count:
        reasons = ", ".join(f"{number} {reason}" for reason, number in refused.most_common())
        raise UsageError(
            f"{labels}: {len(pairs)} pairs of at most {rules.max_length} characters were found where "
            f"{count} are asked for ({len(lines)} usable lines{'; not used: ' if reasons else ''}{reasons})"
        )
    digest = hashlib.sha256()
    for pair in pairs:
        for line in pair:
            digest.update(album.look(line.image).sha256)
    planned = tuple(PlannedLine(f"{a.text.strip()} {b.text.strip()}", ORIGIN) for a, b in pairs)
    book = JoinBook(str(root), tuple((a.image, b.image) for a, b in pairs), digest.hexdigest())
    return Plan(planned, (), dict(refused)), book


def any_font_rules(charset: Charset | None, limit: int) -> Rules:
    """Rules that ask no font."""
    return Rules(_AnyFont(), charset, limit)


def _usable(labels: Path, rules: Rules, refused: Counter[str]) -> list[RecLine]:
    """Lines that can stand beside another one, shortest first; each picture once."""
    lines, faults = read_rec(labels)
    refused.update(fault.code for fault in faults)
    usable: dict[str, RecLine] = {}
    for line in lines:
        text = line.text.strip()
        reason = rules.refusal(text)
        if not reason and len(text) + 2 > rules.max_length:
            reason = "too-long"
        if len(line.images) > 1:
            reason = "several pictures"
        elif line.image in usable:
            reason = "picture named before"
        if reason:
            refused[reason] += 1
        else:
            usable[line.image] = line
    return sorted(usable.values(), key=lambda line: (len(line.text.strip()), line.line))


def _draw(
    lines: list[RecLine], count: int, limit: int, album: _Album, rng: Random
) -> list[tuple[RecLine, RecLine]]:
    lengths = [len(line.text.strip()) for line in lines]
    pairs: list[tuple[RecLine, RecLine]] = []
    used: set[tuple[str, str]] = set()
    misses = 0
    while lines and len(pairs) < count and misses < _PATIENCE:
        first = lines[rng.randrange(len(lines))]
        fitting = bisect_right(lengths, limit - 1 - len(first.text.strip()))
        misses += 1
        if not fitting:
            continue
        second = lines[rng.randrange(fitting)]
        # Either of the two may be the shorter one.
        pair = (first, second) if rng.random() < 0.5 else (second, first)
        names = (pair[0].image, pair[1].image)
        if names in used or not _alike(album.look(names[0]), album.look(names[1])):
            continue
        used.add(names)
        pairs.append(pair)
        misses = 0
    return pairs


def _alike(first: _Crop, second: _Crop) -> bool:
    if first.reason or second.reason or first.sha256 == second.sha256:
        return False
    low, high = sorted((first.height, second.height))
    step = max(abs(one - other) for one, other in zip(first.ground, second.ground, strict=True))
    return high <= _MOST_HEIGHTS * low and step <= _MOST_STEP
