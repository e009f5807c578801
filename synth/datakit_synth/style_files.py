"""From a label file to a profile of how its lines look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from random import Random

import numpy as np

from datakit.effects import Image
from datakit.errors import InputError
from datakit.files import UnsafePathError
from datakit.images import ImageError, decode_bgr, header, read_picture, resolve_image
from datakit.labels import RecLine, read_rec
from datakit.lmdb_set import is_lmdb, lmdb_picture, scan_lmdb
from datakit_synth.crops import Crop, Marks, find_ink, measure_crop
from datakit_synth.jpeg_tables import jpeg_quality, luminance_table
from datakit_synth.patches import Patch, cut_patch
from datakit_synth.style import StyleProfile, make_profile

MOST_CROPS = 2_000
MOST_PATCHES = 400
# Px: lower crops hold no text that could be measured, higher ones are no lines cut for a recogniser.
_HEIGHTS = (8, 512)
# PaddleOCR turns crops higher than this many widths: what is measured of them holds for no level line.
_UPRIGHT = 1.5
# A text of so few characters may well be narrower than it is high.
_FEW = 2
# Share of the crops that say whether ink is dark, from which on the others are taken to be the same.
_AGREE = 0.85
# What the reasons of refused patches begin with.
_PATCH = "patch: "


class _Refused(Exception):
    """A crop that cannot be used; the argument says why, in words that are counted."""


def style_from(labels: Path, *, data_dir: Path | None = None, seed: int = 0) -> StyleProfile:
    """Measure up to :data:`MOST_CROPS` crops of a recognition label file or LMDB set, drawn by ``seed``.

    ``data_dir``: where its paths begin, by default its folder. Paths that leave it are refused and counted,
    as are pictures that are missing or broken, blank, or higher than 1.5 times their width.

    Raises:
        InputError: the file cannot be read, holds pages of boxes, or has no crop that can be measured.
    """
    root = data_dir if data_dir is not None else labels if is_lmdb(labels) else labels.parent
    usable, faults = _lines(labels)
    chosen = sorted(Random(seed).sample(range(len(usable)), min(MOST_CROPS, len(usable))))
    made = _Making()
    for index in chosen:
        made.add(root, usable[index])
    made.settle(root)
    if not made.crops:
        raise InputError(
            f"no crop can be measured for --style-from ({_why(made.refused, faults)})", file=labels
        )
    counts = (len(usable) + faults, len(chosen), dict(made.refused))
    return make_profile(made.crops, made.patches, made.own, counts)


def style_warnings(profile: StyleProfile | None) -> tuple[str, ...]:
    """What to tell of crops that were not used; nothing when all were."""
    if profile is None:
        return ()
    told = []
    unused = profile.sampled - len(profile.crops)
    if unused:
        reasons = {why: count for why, count in profile.refused if not why.startswith(_PATCH)}
        told.append(f"style: {unused} of {profile.sampled} crops ({_why(reasons, 0)})")
    if not profile.patches:
        told.append("style: the ground of every crop (none was clean): lines get its colour alone")
    return tuple(told)


def _lines(labels: Path) -> tuple[list[RecLine], int]:
    """Usable lines with a text, and the number of the others."""
    if is_lmdb(labels):
        entries = list(scan_lmdb(labels))
        found = [entry for entry in entries if isinstance(entry, RecLine) and entry.text.strip()]
        return found, len(entries) - len(found)
    lines, faults = read_rec(labels)
    found = [line for line in lines if line.text.strip()]
    return found, len(lines) + len(faults) - len(found)


def _why(refused: Mapping[str, int], faults: int) -> str:
    named = [f"{count} {why}" for why, count in Counter(refused).most_common()]
    if faults:
        named.append(f"{faults} label lines without a usable path and text")
    return ", ".join(named) or "it holds no line"


class _Making:
    """Crops and patches as they are found.

    Crops that do not say which is ink, dark or light, wait for the end: where the others agree, it is the
    same in them.
    """

    def __init__(self) -> None:
        self._doubtful: list[RecLine] = []
        self._dark: Counter[bool] = Counter()
        self.crops: list[Crop] = []
        self.own: list[int] = []
        self.patches: list[Patch] = []
        self.refused: Counter[str] = Counter()

    def add(self, root: Path, line: RecLine) -> None:
        try:
            image, quality = _read(root, line.image)
            marks = _marks(image, line.text)
        except _Refused as reason:
            self.refused[str(reason)] += 1
            return
        if marks is None or marks.sure:
            self._take(image, line.text, quality, marks)
        else:
            self._doubtful.append(line)

    def settle(self, root: Path) -> None:
        """Measure the crops that were put off."""
        agreed = [dark for dark, count in self._dark.items() if count >= _AGREE * self._dark.total()]
        for line in self._doubtful:
            try:
                image, quality = _read(root, line.image)
            except _Refused as reason:
                self.refused[str(reason)] += 1
                continue
            self._take(image, line.text, quality, find_ink(image, dark=agreed[0] if agreed else None))

    def _take(self, image: Image, text: str, quality: int, marks: Marks | None) -> None:
        crop = None if marks is None else measure_crop(image, text, quality, marks)
        if marks is None or crop is None:
            self.refused["without ink that stands out"] += 1
            return
        self._dark[marks.dark] += 1
        self.crops.append(crop)
        self.own.append(-1)
        if len(self.patches) < MOST_PATCHES:
            patch = cut_patch(image, marks)
            if isinstance(patch, Patch):
                self.own[-1] = len(self.patches)
                self.patches.append(patch)
            else:
                self.refused[_PATCH + patch] += 1


def _marks(image: Image, text: str) -> Marks | None:
    """The ink of a crop, None for none; _Refused for a crop whose shape is no line's."""
    height, width = image.shape[:2]
    if not _HEIGHTS[0] <= height <= _HEIGHTS[1]:
        raise _Refused(f"not {_HEIGHTS[0]} to {_HEIGHTS[1]} px high")
    if height >= _UPRIGHT * width and len(text) > _FEW:
        raise _Refused("higher than 1.5 times their width")
    return find_ink(image)


def _read(root: Path, image: str) -> tuple[Image, int]:
    """The pixels of a crop, and its JPEG quality."""
    try:
        if is_lmdb(root):
            name, data = f"{root}: {image}", lmdb_picture(root, image)
        else:
            path = resolve_image(root, image)
            name, data = str(path), read_picture(path)
        info = header(name, data)
        pixels = np.asarray(decode_bgr(name, data, info), np.uint8)
    except UnsafePathError as error:
        raise _Refused("outside the data folder") from error
    except ImageError as error:
        raise _Refused("missing" if error.fault == "missing" else "not readable as pictures") from error
    except InputError as error:
        raise _Refused("missing") from error
    return pixels, jpeg_quality(luminance_table(data)) if info.format == "JPEG" else 0
