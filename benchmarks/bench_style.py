"""Does `--style-from` make lines like somebody's real ones? The distance of `datakit audit` says.

    python benchmarks/bench_style.py --labels FILE --out DIR [--lines 1500] [--venv DIR]

The same texts are drawn with the default look and with the style of the set, both through the library as the
command calls it, and each is compared with the real crops of these texts by `datakit audit --reference`; the
last row compares other real crops of the set with them, which is as near as chance lets come. Then the CPU
time of a line, both looks in turns in one process, and the time that the profile takes. With ``--venv`` (made
and filled by pip when it is not there) PP-OCRv6 small reads the lines of both looks, the real crops, and the
patches cut from the set, on which there should be nothing to read.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from bench_legibility import folded, read, reader_python
from rapidfuzz.distance import Levenshtein

from datakit.labels import read_rec
from datakit_fonts import CoverageIndex, find_fonts
from datakit_synth import SynthRequest, prepare, synthesize
from datakit_synth.backgrounds import OWN
from datakit_synth.prepare import strong_enough
from datakit_synth.render import Renderer, encode, sample_rng
from datakit_synth.style import StyleProfile
from datakit_synth.style_files import style_from

SEED = 1
SURE = 0.6
SCORE_CODE = """
import json, sys, cv2
from rapidocr import RapidOCR
engine = RapidOCR(params={"Global.log_level": "critical"})
scores = []
for name in json.load(sys.stdin):
    result = engine(cv2.imread(name), use_det=False, use_cls=False, use_rec=True)
    scores.append(float(result.scores[0]) if result.txts and result.txts[0].strip() else 0.0)
print(json.dumps(scores))
"""
ASPECTS = ("heights", "sharpness", "contrast", "lengths", "characters")
Pair = tuple[str, str]


def real_lines(labels: Path, count: int) -> tuple[list[Pair], list[Pair]]:
    """Up to ``count`` lines with different texts that a font covers, and as many others; whole paths."""
    index = CoverageIndex(strong_enough(find_fonts(()).require().faces))
    lines = [(str(labels.parent.resolve() / line.image), line.text) for line in read_rec(labels)[0]]
    Random(SEED).shuffle(lines)
    unique: dict[str, Pair] = {}
    rest = []
    for pair in lines:
        text = pair[1]
        usable = text.strip() == text and text and "  " not in text and index.mask(text)
        if usable and text not in unique and len(unique) < count:
            unique[text] = pair
        else:
            rest.append(pair)
    return list(unique.values()), rest[:count]


def write_labels(path: Path, pairs: Sequence[Pair]) -> Path:
    path.write_text("".join(f"{image}\t{text}\n" for image, text in pairs), encoding="utf-8")
    return path


def show_distance(name: str, labels: Path, reference: Path) -> None:
    """One row of the table: distance, and in brackets what chance alone gives."""
    code = "import sys; from datakit.cli.main import main; sys.exit(main())"
    flags = ["--allow-outside", "--max-text-length", "200", "--json", "--reference", str(reference)]
    command = [sys.executable, "-c", code, "audit", str(labels), *flags]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode > 1:
        raise SystemExit(done.stderr)
    aspects = json.loads(done.stdout)["measures"]["distance"]["aspects"]
    cells = [f"{aspects[key]['distance']:.3f} ({aspects[key]['chance']:.3f})" for key in ASPECTS]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def show_cost(requests: dict[str, SynthRequest], rounds: int = 3) -> None:
    """Lines a CPU-second of every look, in turns; the first pass warms the glyphs and is not counted."""
    jobs = {name: prepare(request, seed=SEED) for name, request in requests.items()}
    renderers = {name: Renderer(prepared.job) for name, prepared in jobs.items()}
    took: dict[str, list[float]] = {name: [] for name in jobs}
    for _ in range(rounds + 1):
        for name, prepared in jobs.items():
            began = time.process_time()
            for index, line in enumerate(prepared.plan.lines):
                encode(renderers[name].render(line.text, sample_rng(SEED, index)))
            took[name].append((time.process_time() - began) / len(prepared.plan.lines))
    for name, seconds in took.items():
        print(
            f"{name}: {1 / median(seconds[1:]):,.0f} lines a CPU-second, {1e6 * median(seconds[1:]):.0f} us"
        )


def show_reading(python: Path, name: str, pairs: Sequence[Pair]) -> None:
    """How much of it PP-OCRv6 small reads; case does not count (receipts are labelled in capitals)."""
    drawn: list[dict[str, Any]] = [{"path": path, "text": text.upper()} for path, text in pairs]
    read(python, drawn)
    like = [Levenshtein.normalized_similarity(folded(d["text"]), folded(d["read"].upper())) for d in drawn]
    unread = sum(value < 0.5 for value in like) / len(like)
    print(
        f"{name}: whole {sum(v == 1 for v in like) / len(like):.1%}, 1 - NED < 0.5: {unread:.2%}", flush=True
    )


def show_patches(python: Path, profile: StyleProfile, folder: Path) -> None:
    """On how many patches something is read, with which score: letters are seen in any texture at times."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for index, patch in enumerate(profile.patches):
        paths.append(folder / f"{index:03d}.jpg")
        paths[-1].write_bytes(patch.data)
    given = json.dumps([str(path) for path in paths])
    done = subprocess.run([python, "-c", SCORE_CODE], input=given, capture_output=True, text=True, check=True)
    scores = json.loads(done.stdout.strip().splitlines()[-1])
    sure = [path.name for path, score in zip(paths, scores, strict=True) if score >= SURE]
    read_at_all = sum(score > 0 for score in scores)
    print(
        f"patches: {len(paths)}, something read on {read_at_all}, scored {SURE} or more: {sure}", flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--lines", type=int, default=1500)
    parser.add_argument("--venv", type=Path)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    pairs, others = real_lines(arguments.labels, arguments.lines)
    began = time.process_time()
    profile = style_from(arguments.labels, seed=SEED)
    seconds = time.process_time() - began
    print(f"profile: {len(profile.crops)} crops, {len(profile.patches)} patches, {seconds:.1f} s of CPU time")
    print(f"refused: {dict(profile.refused)}")
    plain = SynthRequest(texts=tuple(text for _, text in pairs), max_length=200)
    own = {"backgrounds": (OWN,), "presets": ("clean",), "style_from": arguments.labels}
    requests = {"default look": plain, "--style-from": replace(plain, **own)}
    reference = write_labels(arguments.out / "real.txt", pairs)
    print(f"{len(pairs)} lines\n| set | {' | '.join(ASPECTS)} |\n|{' --- |' * (len(ASPECTS) + 1)}")
    sets = {"real crops": pairs}
    for name, request in requests.items():
        result = synthesize(request, arguments.out / name.strip("-").replace(" ", "-"), seed=SEED)
        if result.labels is None:
            raise SystemExit("\n".join(result.failed))
        show_distance(name, result.labels, reference)
        lines = read_rec(result.labels)[0]
        sets[name] = [(str(result.out / line.image), line.text) for line in lines]
    if others:
        show_distance("other real crops", write_labels(arguments.out / "others.txt", others), reference)
    show_cost(requests)
    if arguments.venv is not None:
        python = reader_python(arguments.venv)
        show_patches(python, profile, arguments.out / "patches")
        for name, drawn in sets.items():
            show_reading(python, name, drawn)


if __name__ == "__main__":
    main()
