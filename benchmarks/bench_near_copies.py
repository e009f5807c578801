"""Near copies among 10,000 and 100,000 rendered crops: how the cost grows, how many planted ones are found.

    python benchmarks/bench_near_copies.py [--large 100000]

Every tenth crop is copied: saved as JPEG of quality 40 to 95, and in turn nothing else, scaled by 0.8 to
1.25, shifted by 1 or 2 px, other brightness and contrast, all of these. Crops are numbers and words, most
of them in one font and size on white, so that texts differ in a character or two. Seconds are CPU time of one
process.
"""

from __future__ import annotations

import argparse
import resource
import time

import cv2
import numpy as np
import numpy.typing as npt

from datakit.audit.copies import find_copies
from datakit.audit.features import measure
from datakit.audit.picture_table import PictureTable
from datakit.audit.pictures import Picture

KINDS = ("jpeg", "scaled", "shifted", "brightness", "all")
WORDS = ("TOTAL", "CASH", "CHANGE", "Invoice", "Tax", "Date", "Item", "Qty", "RM", "Amount", "Net", "Balance")
Grey = npt.NDArray[np.uint8]


def text_of(random: np.random.Generator) -> str:
    if random.random() < 0.5:
        return f"{random.integers(0, 99999)}.{random.integers(0, 100):02d}"
    words = [WORDS[random.integers(len(WORDS))] for _ in range(random.integers(1, 3))]
    return " ".join([*words, str(random.integers(0, 100_000))])


def rendered(text: str, random: np.random.Generator) -> Grey:
    plain = random.random() < 0.6
    font = cv2.FONT_HERSHEY_SIMPLEX if plain else int(random.integers(0, 8))
    scale = 0.8 if plain else random.uniform(0.5, 1.2)
    thickness = 2 if plain else int(random.integers(1, 3))
    (width, height), below = cv2.getTextSize(text, font, scale, thickness)
    paper = np.full((height + below + 8, width + 10), 255 if plain else random.integers(170, 256), np.uint8)
    cv2.putText(
        paper, text, (5, height + 4), font, scale, int(random.integers(0, 60)), thickness, cv2.LINE_AA
    )
    noise = random.normal(0, 0 if plain else random.uniform(1, 6), paper.shape)
    return np.clip(paper + noise, 0, 255).astype(np.uint8)


def copied(crop: Grey, kind: str, random: np.random.Generator) -> bytes:
    if kind in ("scaled", "all"):
        factor = random.uniform(0.8, 1.25)
        size = max(2, round(crop.shape[1] * factor)), max(2, round(crop.shape[0] * factor))
        crop = np.asarray(
            cv2.resize(crop, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
        )
    if kind in ("shifted", "all"):
        right, down = ((1, 0), (0, 1), (2, 1), (-1, 2), (-2, -2), (0, -2))[random.integers(6)]
        edged = cv2.copyMakeBorder(crop, 2, 2, 2, 2, cv2.BORDER_REPLICATE)
        crop = edged[2 + down : 2 + down + crop.shape[0], 2 + right : 2 + right + crop.shape[1]]
    if kind in ("brightness", "all"):
        bright = crop.astype(np.float32) * random.uniform(0.75, 1.25) + random.uniform(-30, 30)
        crop = np.clip(bright, 0, 255).astype(np.uint8)
    return bytes(cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(40, 96))])[1])


def decoded(data: bytes) -> Grey:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE))


def crops(count: int) -> tuple[list[bytes], list[str], list[int]]:
    """Files and texts of ``count`` crops, the copies last; the place of the original of each copy."""
    random = np.random.default_rng(count)
    own = count - count // 11
    texts = [text_of(random) for _ in range(own)]
    files = [bytes(cv2.imencode(".jpg", rendered(text, random))[1]) for text in texts]
    origins = random.choice(own, count - own, replace=False).tolist()
    for number, origin in enumerate(origins):
        files.append(copied(decoded(files[origin]), KINDS[number % len(KINDS)], random))
        texts.append(texts[origin])
    return files, texts, origins


def measured(count: int) -> float:
    files, texts, origins = crops(count)
    table = PictureTable()
    for number, (data, text) in enumerate(zip(files, texts, strict=True)):
        grey = decoded(data)
        seen = measure([grey])
        height, width = grey.shape
        table.append(
            0,
            number,
            text,
            Picture(
                str(number),
                width,
                height,
                spread=float(seen.spread[0]),
                digest=number + 1,
                thumbnail=seen.thumbnails,
            ),
        )
    begun = time.process_time()
    copies = find_copies(table, lambda row: decoded(files[row]))
    seconds = time.process_time() - begun
    report(count, seconds, {(pair.first, pair.second) for pair in copies.near}, texts, origins)
    return seconds


def report(
    count: int, seconds: float, found: set[tuple[int, int]], texts: list[str], origins: list[int]
) -> None:
    own = count - len(origins)
    hits = [(origin, own + number) in found for number, origin in enumerate(origins)]
    kinds = {kind: sum(hits[n :: len(KINDS)]) / len(hits[n :: len(KINDS)]) for n, kind in enumerate(KINDS)}
    false = sum(texts[first] != texts[second] for first, second in found)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{count:,} crops: {seconds:.1f} s, {len(found):,} pairs, peak {memory:,} MB")
    print(f"  recall {sum(hits) / len(hits):.4f}  " + "  ".join(f"{k} {v:.4f}" for k, v in kinds.items()))
    print(f"  pairs of different texts: {false}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", type=int, default=100_000)
    parser.add_argument("--small", type=int, default=10_000)
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    small, large = measured(arguments.small), measured(arguments.large)
    print(f"growth {large / small:.1f} for {arguments.large / arguments.small:.0f} times the crops")


if __name__ == "__main__":
    main()
