"""Can a stock recogniser, not the one that is fine-tuned, read what synth draws? PP-OCRv6 small says.

    python benchmarks/bench_legibility.py --corpora DIR --venv DIR --out DIR [--lines 600] [--plain 1000]

Every preset: share of lines with 1 - NED < 0.5 (such a line is label noise; asked: 0.5 % at most), and of
lines read whole. ``--plain`` undegraded Chinese and English lines each: read whole (asked: 96 % and 99 %).
Compared after NFKC and without spaces, case counts. Lines read badly are kept as pictures in ``--out``, and a
sheet of them. ``--venv`` holds rapidocr 3.10.0; it is made and filled by pip when it is not there.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import unicodedata
import venv
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import cv2
import numpy as np
from bench_synth import texts
from rapidfuzz.distance import Levenshtein

from datakit.effects import PRESETS
from datakit_fonts import find_fonts
from datakit_synth.render import Renderer, RenderJob, encode, sample_rng

READER = "rapidocr==3.10.0"
READER_CODE = """
import json, sys, cv2
from rapidocr import RapidOCR
engine = RapidOCR(params={"Global.log_level": "critical"})
names = json.load(sys.stdin)
order = sorted(range(len(names)), key=lambda k: cv2.imread(names[k]).shape[1])
read = [""] * len(names)
for k in order:
    result = engine(cv2.imread(names[k]), use_det=False, use_cls=False, use_rec=True)
    read[k] = result.txts[0] if result.txts else ""
print(json.dumps(read))
"""


def reader_python(folder: Path) -> Path:
    """The interpreter of the reader's environment, made when it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        wanted = [READER, "onnxruntime", "opencv-python-headless"]
        subprocess.run([python, "-m", "pip", "install", "-q", *wanted], check=True)
    return python


def numbers(count: int) -> list[str]:
    """What meters and tills show."""
    rng = Random(2)
    forms = ("{:.2f}", "{:07.1f}", "{:.0f}", "-{:.1f}")
    clocks = [
        f"{rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}" for _ in range(count)
    ]
    amounts = [rng.choice(forms).format(10 ** rng.uniform(1, 6)) for _ in range(count)]
    return [rng.choice(pair) for pair in zip(clocks, amounts, strict=True)]


def lines_of(corpora: Path, preset: str, count: int) -> list[str]:
    """A third each of Chinese, English and numbers; numbers alone for displays."""
    if preset == "lcd":
        return numbers(count)
    kinds = [texts(corpora, "zh", count), texts(corpora, "en", count), numbers(count)]
    return [kinds[index % 3][index] for index in range(count)]


def draw(job: RenderJob, lines: list[str], folder: Path) -> list[dict[str, Any]]:
    """Write the pictures; what is known of each."""
    folder.mkdir(parents=True, exist_ok=True)
    renderer, drawn = Renderer(job), []
    for index, text in enumerate(lines):
        rendered = renderer.render(text, sample_rng(7, index))
        path = folder / f"{index:05d}.jpg"
        path.write_bytes(encode(rendered))
        drawn.append({"path": str(path), "text": text, **rendered.params})
    return drawn


def folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace(" ", "")


def read(python: Path, drawn: list[dict[str, Any]]) -> None:
    """Add ``read`` and ``like`` (1 - NED) to every line."""
    done = subprocess.run(
        [python, "-c", READER_CODE],
        input=json.dumps([line["path"] for line in drawn]),
        capture_output=True,
        text=True,
        check=True,
    )
    for line, text in zip(drawn, json.loads(done.stdout.strip().splitlines()[-1]), strict=True):
        line["read"] = text
        line["like"] = Levenshtein.normalized_similarity(folded(line["text"]), folded(text))


def report(name: str, drawn: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Print the shares; the lines read badly."""
    bad = [line for line in drawn if line["like"] < 0.5]
    whole = sum(line["like"] == 1.0 for line in drawn) / len(drawn)
    redrawn = sum(line["redrawn"] for line in drawn) / len(drawn)
    looks = dict(Counter(line["look"] for line in bad))
    shares = f"unread {len(bad) / len(drawn):6.2%}  whole {whole:6.1%}  redrawn {redrawn:5.1%}"
    print(f"{name:10s} {len(drawn):5d} lines  {shares}  unread by look {looks}", flush=True)
    return bad


def sheet(lines: list[dict[str, Any]], path: Path) -> None:
    """The pictures under each other, three a row, with what was read."""
    cells = []
    for line in lines[:90]:
        cell = np.full((84, 520, 3), 255, np.uint8)
        image = cv2.imread(line["path"])[:64, :520]
        cell[: image.shape[0], : image.shape[1]] = image
        edges = f"{line['contrast']:.0f}/{line['worst']:.0f}"
        note = f"{line['preset']} {line['look']} {edges} {ascii(line['read'])[:40]}"
        cv2.putText(cell, note, (2, 79), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (0, 0, 200), 1)
        cells.append(cell)
    cells += [np.full((84, 520, 3), 255, np.uint8)] * (-len(cells) % 3)
    if cells:
        rows = [np.hstack(cells[at : at + 3]) for at in range(0, len(cells), 3)]
        cv2.imwrite(str(path), np.vstack(rows))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--venv", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--lines", type=int, default=600)
    parser.add_argument("--plain", type=int, default=1000)
    parser.add_argument("--presets", default=",".join(name for name in PRESETS if name != "clean"))
    parser.add_argument("--languages", default="zh,en", help="of the plain lines")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    python, faces = reader_python(args.venv), find_fonts(("package",)).require().faces
    everything: list[dict[str, Any]] = []
    for preset in args.presets.split(",") if args.lines else ():
        lines = lines_of(args.corpora, preset, args.lines)
        drawn = draw(RenderJob(7, faces, presets=(preset,)), lines, args.out / preset)
        read(python, drawn)
        everything += drawn
        sheet(report(preset, drawn), args.out / f"unread-{preset}.png")
    for language in args.languages.split(",") if args.plain else ():
        job = RenderJob(7, faces, backgrounds=("plain",), presets=("clean",), heights=(48, 64))
        drawn = draw(job, texts(args.corpora, language, args.plain), args.out / f"plain-{language}")
        read(python, drawn)
        everything += drawn
        report(f"plain {language}", drawn)
        sheet([line for line in drawn if line["like"] < 1.0], args.out / f"plain-{language}.png")
    (args.out / "lines.json").write_text(json.dumps(everything, ensure_ascii=False, indent=1), "utf-8")


if __name__ == "__main__":
    main()
