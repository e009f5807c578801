"""Which signs of PP-OCRv3's dictionary it does not read: clean lines in eight families, recall a sign.

    python benchmarks/weak_signs.py

The demo's signs come from its list.
"""

from __future__ import annotations

from collections import defaultdict

from datakit.images import line_width, resize_norm
from datakit_fonts import Coverage, FontFace, find_fonts
from datakit_synth.render import Renderer, RenderJob, sample_rng
from datakit_train.predict import read_pictures
from datakit_train.recognizer import HEIGHT, Recognizer, load_recognizer

FAMILIES = ("Arimo", "Arvo", "Barlow Condensed", "Bitter", "Cabin", "IBM Plex Mono", "Inconsolata", "Caveat")
CONTEXTS = ("18{}6", "M{}25 kg", "No.{} 740")
SHOWN_BELOW = 0.5


def recall(recognizer: Recognizer, sign: str, faces: list[FontFace]) -> tuple[int, int]:
    """(lines whose reading holds the sign, lines drawn)."""
    hit = drawn = 0
    for face in faces:
        renderer = Renderer(RenderJob(0, (face,), ("plain",), (), ("clean",), (40, 56)))
        for number, context in enumerate(CONTEXTS):
            image = renderer.render(context.format(sign), sample_rng(1, number)).image
            height, width = image.shape[:2]
            text, _ = read_pictures(recognizer, [resize_norm(image, HEIGHT, line_width(width, height))])[0]
            hit += sign in text
            drawn += 1
    return hit, drawn


def main() -> None:
    """Print the signs with a recall under one half, worst first."""
    recognizer = load_recognizer("ppocrv3-rec")
    first: dict[str, FontFace] = {}
    for face in find_fonts(FAMILIES).require().faces:
        first.setdefault(face.family, face)
    covering: dict[str, list[FontFace]] = defaultdict(list)
    for face in first.values():
        coverage = Coverage(face)
        for char in recognizer.charset.chars:
            if not (char.isascii() and char.isalnum()) and char != " " and coverage.covers(char):
                covering[char].append(face)
    rows = [(char, *recall(recognizer, char, faces)) for char, faces in covering.items() if len(faces) >= 4]
    for char, hit, drawn in sorted(rows, key=lambda row: (row[1] / row[2], row[0])):
        if hit / drawn < SHOWN_BELOW:
            print(f"{char} U+{ord(char):04X} {hit}/{drawn}")


if __name__ == "__main__":
    main()
