"""S8: fonts with flipped bytes, found and drawn with; the parent lives, the font is named.

python benchmarks/flip_fonts.py [--fonts 1000] [--seed 1] [--flips 4] [--source FILE ...]

Copies of the source fonts (of all installed ones under a megabyte by default) get 1 to ``--flips`` changed
bytes each, half of them with the checksums of their tables made right again, so that the damage has to be
found by drawing. Every copy ends in one of three ways: set aside by name with a reason, drawn with, or
drawing it raises a DatakitError that names it. Anything else ends this process, and that is the failure. A
copy whose checksums still tell of the damage must be among those set aside.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
from collections import Counter
from pathlib import Path

CHECKED = {"CFF ", "CFF2", "cmap", "glyf", "gvar", "hhea", "hmtx", "loca", "maxp"}


def table_of(data: bytes, offset: int) -> str:
    """The table that a byte belongs to; "" for the directory and the gaps."""
    count = int.from_bytes(data[4:6], "big")
    for number in range(count):
        record = data[12 + 16 * number : 28 + 16 * number]
        start, length = int.from_bytes(record[8:12], "big"), int.from_bytes(record[12:16], "big")
        if start <= offset < start + length:
            return record[:4].decode("ascii", "replace")
    return ""


def repaired(data: bytearray) -> bytearray:
    """The font with checksums that fit what its tables hold now."""
    for number in range(int.from_bytes(data[4:6], "big")):
        place = 12 + 16 * number
        start = int.from_bytes(data[place + 8 : place + 12], "big")
        table = bytes(data[start : start + int.from_bytes(data[place + 12 : place + 16], "big")])
        if data[place : place + 4] == b"head":
            table = table[:8] + b"\0\0\0\0" + table[12:]
        table += b"\0" * (-len(table) % 4)
        total = sum(int.from_bytes(table[k : k + 4], "big") for k in range(0, len(table), 4))
        data[place + 4 : place + 8] = (total & 0xFFFFFFFF).to_bytes(4, "big")
    return data


def flip(source: Path, target: Path, rng: random.Random, flips: int) -> bool:
    """Write a damaged copy; whether a checksum tells of it. One in four is damaged in its directory."""
    whole = source.read_bytes()
    data = bytearray(whole)
    end = 12 + 16 * int.from_bytes(whole[4:6], "big") if rng.random() < 0.25 else len(data)
    places = [rng.randrange(end) for _ in range(rng.randint(1, flips))]
    for place in places:
        data[place] ^= rng.randint(1, 255)
    if rng.random() < 0.5:
        target.write_bytes(repaired(data))
        return False
    target.write_bytes(data)
    # Two flips may hit one byte and undo each other.
    checked = [place for place in places if table_of(whole, place) in CHECKED]
    return bool(checked) and len(set(places)) == len(places)


def draw(path: Path, folder: Path) -> str:
    """Draw 20 lines with a font in this process; what came of it."""
    from datakit.errors import DatakitError
    from datakit_synth import SynthRequest, synthesize

    request = SynthRequest(
        texts=("Total 12.50", "ABC xyz", "0123456789", "Qu"), fonts=(path,), backgrounds=("plain",)
    )
    try:
        synthesize(request, folder)
    except DatakitError as error:
        if str(path) in str(error) or "no font" in str(error) or "no-font" in str(error):
            return "drawing it is an error that says so"
        raise
    return "drawn with"


def run(sources: list[Path], count: int, seed: int, flips: int) -> Counter[str]:
    """Damage, judge and draw; counts of the ends."""
    from datakit_fonts import find_fonts

    rng = random.Random(seed)
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ["DATAKIT_CACHE"] = str(folder / "cache")
        fonts = folder / "fonts"
        fonts.mkdir()
        told = set()
        for number in range(count):
            path = fonts / f"{number:05d}.ttf"
            if flip(rng.choice(sources), path, rng, flips):
                told.add(str(path))
        catalogue = find_fonts([fonts])
        aside = {font.path: font.reason for font in catalogue.broken}
        assert all(path in reason for path, reason in aside.items()), "a reason does not name its file"
        missed = told - aside.keys()
        assert not missed, f"damage that checksums tell of was missed: {sorted(missed)[:5]}"
        assert len(aside.keys() | {face.path for face in catalogue.faces}) == count
        for reason in aside.values():
            ends["set aside: " + kind(reason)] += 1
        for number, path in enumerate(sorted({face.path for face in catalogue.faces})):
            ends[draw(Path(path), folder / f"out{number}")] += 1
    return ends


def kind(reason: str) -> str:
    """The reason without what is particular to the file."""
    words = reason.split(": ", 1)[1]
    for mark in (
        "does not match its checksum",
        "cannot draw",
        "character map",
        "ended the process",
        "busy for",
    ):
        if mark in words:
            return mark
    return words.split("(")[0].strip()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--fonts", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--flips", type=int, default=4)
    parser.add_argument("--source", type=Path, nargs="*", default=[])
    given = parser.parse_args()
    sources = given.source
    if not sources:
        from datakit_fonts.sources import package_files

        listed = dict.fromkeys(file.path for file in package_files())
        sources = [path for path in listed if path.stat().st_size < 1 << 20]
    ends = run(sources, given.fonts, given.seed, given.flips)
    for end, number in ends.most_common():
        print(f"{number:6d}  {end}")
    print(f"{sum(ends.values())} fonts from {len(sources)} sources; this process is alive")
    sys.exit(0)


if __name__ == "__main__":
    main()
