"""Are the boxes of synth-pages where the text is? By pixels, and by PP-OCRv6 small, detector and recogniser.

    python benchmarks/bench_pages.py --backgrounds DIR --venv DIR --out DIR [--pages 60] [--plain 60]

``--plain`` pages on a ground of one colour, without effects, rotated and in perspective, in the fonts of this
machine: ink outside of all boxes, and how far boxes reach past their ink, from the pixels alone. ``--pages``
pages with photos and effects: how many boxes the stock detector finds (IoU 0.5, and covered by half), text
and ``###`` apart, what it finds elsewhere, and what the recogniser reads in crops cut by our points (NFKC,
without spaces and case). ``--venv`` holds rapidocr 3.10.0; it is made and filled by pip when it is not there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from pathlib import Path

import cv2
import numpy as np
from bench_legibility import reader_python

from datakit.labels import read_det
from datakit_synth.pages import PageRenderer, PageRequest, plane, prepare_pages, render, synthesize_pages

DETECTOR_CODE = """
import json, sys, unicodedata
import cv2, numpy as np
from rapidocr import RapidOCR

engine = RapidOCR(params={"Global.log_level": "critical"})
pages = json.load(sys.stdin)

def plain(text):
    return unicodedata.normalize("NFKC", text).replace(" ", "").casefold()

def overlap(found, box):
    shared, _ = cv2.intersectConvexConvex(found, box)
    area = cv2.contourArea(box)
    return shared / max(cv2.contourArea(found) + area - shared, 1e-6), shared / max(area, 1e-6)

def cut(image, box):
    width = int(max(np.linalg.norm(box[1] - box[0]), np.linalg.norm(box[2] - box[3])))
    height = int(max(np.linalg.norm(box[3] - box[0]), np.linalg.norm(box[2] - box[1])))
    flat = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    matrix = cv2.getPerspectiveTransform(box, flat)
    return cv2.warpPerspective(image, matrix, (width, height), None, cv2.INTER_CUBIC, cv2.BORDER_REPLICATE)

totals = {"text": [0, 0, 0], "###": [0, 0, 0], "found": 0, "elsewhere": 0, "read": [0, 0], "misread": []}
for name, boxes in pages:
    image = cv2.imread(name)
    result = engine(image, use_det=True, use_cls=False, use_rec=False)
    found = [] if result.boxes is None else [np.float32(box) for box in result.boxes]
    outlines = [np.float32(points) for _, points in boxes]
    totals["found"] += len(found)
    totals["elsewhere"] += sum(all(overlap(one, box)[1] < 0.3 for box in outlines) for one in found)
    for (text, _), box in zip(boxes, outlines):
        best = [overlap(one, box) for one in found] or [(0, 0)]
        row = totals["###" if text == "###" else "text"]
        row[0] += 1
        row[1] += max(iou for iou, _ in best) >= 0.5
        row[2] += max(share for _, share in best) >= 0.5
        if text != "###":
            read = engine(cut(image, box), use_det=False, use_cls=False, use_rec=True)
            read = read.txts[0] if read.txts else ""
            totals["read"][0] += 1
            totals["read"][1] += plain(read) == plain(text)
            if plain(read) != plain(text):
                totals["misread"].append([name, text, read])
print(json.dumps(totals))
"""


def slack_of(points: np.ndarray, inked: np.ndarray) -> list[float]:
    """Px from each side of a box to the nearest ink inside it."""
    spots = np.argwhere(inked)[:, ::-1]
    sides = []
    for first, second in zip(points, np.roll(points, -1, axis=0), strict=True):
        ahead = (second - first) / np.linalg.norm(second - first)
        sides.append(float(((spots - first) @ np.array([-ahead[1], ahead[0]])).min()))
    return sides


def judge_pixels(pages: int) -> None:
    """Print ink outside of boxes, overlaps, and the slack of the boxes."""
    render.sample_preset = lambda _preset, _rng: []
    render._PLATE_CHANCE = 0.0
    plane._DESK = 0.0
    request = PageRequest(
        pages, backgrounds=("plain",), presets=("photo",), layouts=("columns", "scattered"), illegible=0.0
    )
    renderer = PageRenderer(prepare_pages(request, seed=9).job)
    outside = overlapping = boxes = 0
    slack: list[float] = []
    for index in range(pages):
        page = renderer.render(index)
        ground = np.median(page.image.reshape(-1, 3), axis=0)
        inked = (np.abs(page.image.astype(np.int16) - ground).max(axis=2) > 24).astype(np.uint8)
        covered = np.zeros_like(inked)
        for box in page.boxes:
            alone = cv2.fillConvexPoly(np.zeros_like(inked), np.array(box.points, np.int32), 1)
            overlapping += bool((covered & alone).any())
            covered |= alone
            slack += slack_of(np.array(box.points), inked & alone)
            boxes += 1
        outside += int((inked & (1 - covered)).sum())
    middle, most = np.median(slack), max(slack)
    print(
        f"{boxes} boxes on {pages} plain pages: {outside} px of ink outside, {overlapping} overlaps, ", end=""
    )
    print(f"box to ink {middle:.2f} px (median), {np.percentile(slack, 99):.2f} (99 %), {most:.2f} (most)")


def judge_reading(python: Path, out: Path) -> None:
    """Print what the stock detector and recogniser find and read."""
    lines, _ = read_det(out / "labels.txt")
    pages = [[str(out / line.image), [[box.text, box.points] for box in line.boxes]] for line in lines]
    done = subprocess.run(
        [python, "-c", DETECTOR_CODE], input=json.dumps(pages), capture_output=True, text=True, check=True
    )
    totals = json.loads(done.stdout)
    for kind in ("text", "###"):
        number, exact, covered = totals[kind]
        if number:
            print(
                f"{kind}: {number} boxes, found {exact / number:.1%} (IoU 0.5), {covered / number:.1%} (half)"
            )
    print(f"{totals['found']} found in all, {totals['elsewhere']} of them where no box is")
    number, right = totals["read"]
    print(f"crops by our points: {right} of {number} read whole ({right / number:.1%})")
    (out / "misread.json").write_text(json.dumps(totals["misread"], ensure_ascii=False, indent=1))


def main() -> None:
    """Run both judgements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backgrounds", type=Path, required=True)
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--pages", type=int, default=60)
    parser.add_argument("--plain", type=int, default=60)
    options = parser.parse_args()
    request = PageRequest(
        options.pages,
        backgrounds=("paper", "photo", "field"),
        photos=options.backgrounds,
        presets=("photo", "scan"),
    )
    began = time.process_time()
    synthesize_pages(request, options.out, seed=11)
    print(f"{options.pages} pages in {time.process_time() - began:.1f} CPU seconds, fonts looked up included")
    judge_reading(reader_python(options.venv), options.out)
    # Last: it takes the effects away.
    judge_pixels(options.plain)


if __name__ == "__main__":
    main()
