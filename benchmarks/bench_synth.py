"""Rendering speed in lines a CPU-second against NeoTextSynthesizer, in one run; and what effects cost.

    python benchmarks/bench_synth.py --corpora DIR --backgrounds DIR --venv DIR [--only speed,effects,workers]

Work: lines of 48 px on photos with perspective, blur, noise and JPEG, one file a picture; 1,000 Chinese lines
of 5-15 and 1,000 English ones of 5-25 characters, six fonts each (Chinese: three of Noto Sans CJK in all
its weights, three of the Noto Serif CJK that comes with the peer). The second thousand counts (glyphs known),
the first is stated as cold. CPU seconds of the process, programs interleaved, median of the rounds. The peer
gets the same texts, fonts and photos; it rotates and distorts, has neither blur nor noise, and writes PNG.
Ratios of one run count: the rates themselves move with whatever else the machine does, and with the folder:
making a file cost 400 us of CPU under /tmp of the machine this was written on, and 30 elsewhere (--scratch).

``--venv`` holds neots 0.3.4; it is made and filled by pip when it is not there.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datakit_fonts import FontFace

PEER = "neots==0.3.4"
LINES = 1000
SHAPES = {"zh": (5, 15), "en": (5, 25)}
LATIN = ("Arimo", "Arvo", "Bitter", "Cabin", "Inconsolata", "IBM Plex Mono")


def texts(corpora: Path, language: str, count: int) -> list[str]:
    """Pieces of the language's sentences, lengths drawn evenly; English ones end with a word."""
    rng, (low, high) = Random(1), SHAPES[language]
    text = (corpora / f"{language}_sentences.txt").read_text("utf-8")
    if language == "zh":
        text = "".join(char for char in text if "\u4e00" <= char <= "\u9fff")
        starts = [rng.randrange(len(text) - high) for _ in range(count)]
        return [text[at : at + rng.randint(low, high)] for at in starts]
    words = [word for word in text.split() if word.isascii() and len(word) < 20]
    pieces = []
    while len(pieces) < count:
        piece, wanted, at = "", rng.randint(low, high), rng.randrange(len(words) - high)
        while len(longer := f"{piece} {words[at]}".lstrip()) <= wanted:
            piece, at = longer, at + 1
        if len(piece) >= low:
            pieces.append(piece)
    return pieces


def faces(language: str, peer: Path) -> tuple[FontFace, ...]:
    """Six faces; ``peer`` is the environment that holds the serif collection."""
    from datakit_fonts import find_fonts, read_faces

    found = find_fonts(("package",)).require().faces
    if language == "zh":
        (serif,) = peer.glob("lib/python*/site-packages/neots/data/fonts/NotoSerifCJK-Regular.ttc")
        return (*[face for face in found if "CJK" in face.family][:3], *read_faces(serif)[:3])
    by_family = {face.family: face for face in reversed(found)}
    return tuple(by_family[family] for family in LATIN)


def run_datakit(args: argparse.Namespace) -> None:
    """Child: draw and write two thousand lines, print CPU seconds of each and the peak memory in MB."""
    import cv2

    from datakit import effects
    from datakit_synth import geometry
    from datakit_synth.pictures import write_folder
    from datakit_synth.render import Renderer, RenderJob, encode, sample_rng

    cv2.setNumThreads(1)
    effects.PRESETS["bench"] = (("blur", 1.0), ("noise", 1.0))
    geometry.BENDS["bench"] = geometry.BENDS["photo"]
    photos = tuple(str(path) for path in sorted(Path(args.backgrounds).rglob("*.jpg")))
    job = RenderJob(0, faces(args.language, args.venv), ("photo",), photos, (args.preset,), (48, 48))
    renderer, lines, spent = Renderer(job), texts(Path(args.corpora), args.language, 2 * LINES), []
    for part in range(2):
        start = time.process_time()
        with write_folder(Path(args.out) / f"part{part}") as add:
            for index in range(part * LINES, (part + 1) * LINES):
                rendered = renderer.render(lines[index], sample_rng(0, index))
                add(f"{index}.jpg", encode(rendered))
        spent.append(time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([*spent, peak]))


PEER_CODE = """
import json, sys, time
from neots import SingleLineTextGenerator
config = json.loads(sys.argv[1])
generator = SingleLineTextGenerator.from_config(config)
spent = []
for part in range(2):
    start = time.process_time()
    generator.generate(%d, 1, False)
    spent.append(time.process_time() - start)
print(json.dumps([*spent, 0]))
"""


def peer_config(args: argparse.Namespace, language: str, folder: Path) -> dict[str, object]:
    """The peer's settings for like work."""
    corpus = folder / f"{language}.txt"
    corpus.write_text("\n".join(texts(Path(args.corpora), language, 20 * LINES)), "utf-8")
    low, high = SHAPES[language]
    return {
        "text_sampler": {
            "min_targets": low,
            "max_targets": high,
            "font_size": 55,
            "vertical_prob": 0.0,
            "sample_strategy": "font-first",
            "font_list": sorted({face.path for face in faces(language, args.venv)}),
        },
        "random_config": [{"type": "sequential", "prob": 1.0, "from_file": str(corpus)}],
        "bg_sampler": {
            "bg_image_prob": 1.0,
            "gray_bg_prob": 0.5,
            "text_color": "auto",
            "bg_color": "auto",
            "bg_list": [str(args.backgrounds)],
        },
        "post_process": {
            "text_effects": {"effect_prob": 0.0, "partial_effect_prob": 0.0},
            "text_paste": {
                "scale_range": [0.8, 1.0],
                "margin_range": [2, 20],
                "offset_prob": 0.0,
                "h_offset_range": [0, 0],
                "v_offset_range": [0, 0],
            },
            "transforms": {
                "rotation_prob": 1.0,
                "rotation_range": [-2.5, 2.5],
                "distortion_prob": 1.0,
                "distortion_level": 0.03,
            },
        },
        "generate": {
            "output_height": 48,
            "retry_on_error": True,
            "out_dir": str(folder / "peer"),
            "out_jsonl": str(folder / "peer.jsonl"),
            "batchsize": 10000,
            "hierarchical_structure": [100, 625],
        },
    }


def peer_python(folder: Path) -> Path:
    """The interpreter of the peer's environment, made when it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", PEER], check=True)
    return python


def child(command: list[str | Path]) -> list[float]:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[:4]} failed:\n{done.stderr[-2000:]}")
    return [float(value) for value in json.loads(done.stdout.strip().splitlines()[-1])]


def ours(args: argparse.Namespace, language: str, preset: str, out: Path) -> list[float]:
    shutil.rmtree(out, ignore_errors=True)
    options = ["--language", language, "--preset", preset, "--out", str(out)]
    paths = ["--corpora", str(args.corpora), "--backgrounds", str(args.backgrounds), "--venv", str(args.venv)]
    return child([sys.executable, __file__, "--child", *options, *paths])


def speed(args: argparse.Namespace) -> None:
    """Both programs, both languages, one after the other, round after round."""
    python = peer_python(args.venv)
    taken: dict[tuple[str, str], list[list[float]]] = {}
    with tempfile.TemporaryDirectory(dir=args.scratch) as name:
        folder = Path(name)
        configs = {language: peer_config(args, language, folder) for language in SHAPES}
        for _ in range(args.rounds):
            for language in SHAPES:
                taken.setdefault((language, "datakit"), []).append(
                    ours(args, language, "bench", folder / "ours")
                )
                shutil.rmtree(folder / "peer", ignore_errors=True)
                code = PEER_CODE % LINES
                result = child([python, "-c", code, json.dumps(configs[language])])
                taken.setdefault((language, "neots"), []).append(result)
    for language in SHAPES:
        rate = {}
        for program in ("datakit", "neots"):
            rounds = taken[language, program]
            cold, warm = (LINES / statistics.median(each[part] for each in rounds) for part in (0, 1))
            rate[program] = warm
            memory = max(each[2] for each in rounds)
            rates = f"cold {cold:6.0f}  warm {warm:6.0f} lines/CPU-s"
            print(f"{language} {program:8s} {rates}  peak {memory:.0f} MB")
        print(f"{language} ratio {rate['datakit'] / rate['neots']:.1f} (asked: 6)")


def effects_price(args: argparse.Namespace) -> None:
    """Microseconds of every effect on one line of 48 x 320, and lines a CPU-second of every preset."""
    import cv2
    import numpy as np

    from datakit.effects import EFFECTS, PRESETS

    cv2.setNumThreads(1)
    line = np.full((48, 320, 3), 205, np.uint8)
    cv2.putText(line, "Total 12.50 EUR", (8, 34), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (40, 40, 40), 2)
    for name, effect in EFFECTS.items():
        params = [effect.sample(Random(seed)) for seed in range(50)]
        for one in params[:5]:
            effect.apply(line, one)
        rounds = []
        for _ in range(5):
            start = time.process_time()
            for one in params:
                effect.apply(line, one)
            rounds.append((time.process_time() - start) / len(params))
        print(f"effect {name:16s} {1e6 * min(rounds):7.0f} us")
    with tempfile.TemporaryDirectory(dir=args.scratch) as name:
        for preset in PRESETS:
            rounds = [ours(args, "en", preset, Path(name) / "ours") for _ in range(args.rounds)]
            warm = LINES / statistics.median(each[1] for each in rounds)
            print(f"preset {preset:10s} {warm:6.0f} lines/CPU-s")


def workers(args: argparse.Namespace) -> None:
    """Wall time of the command's library call with one and two workers; says nothing on a busy machine."""
    from datakit_synth import SynthRequest, synthesize

    lines = tuple(dict.fromkeys(texts(Path(args.corpora), "zh", 6 * LINES)))
    request = SynthRequest(
        texts=lines, fonts=("package",), backgrounds=("photo",), photos=Path(args.backgrounds)
    )
    with tempfile.TemporaryDirectory(dir=args.scratch) as name:
        taken: dict[int, list[float]] = {1: [], 2: []}
        for turn in range(args.rounds):
            for count, times in taken.items():
                start = time.perf_counter()
                synthesize(request, Path(name) / f"{turn}-{count}", workers=count)
                times.append(time.perf_counter() - start)
    one, two = (len(lines) / statistics.median(times) for times in taken.values())
    print(f"workers: one {one:.0f} lines/s, two {two:.0f} lines/s, ratio {two / one:.2f} (asked: 1.8)")


PARTS = {"speed": speed, "effects": effects_price, "workers": workers}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", type=Path, required=True)
    parser.add_argument("--backgrounds", type=Path, required=True)
    parser.add_argument("--venv", type=Path, default=Path("neots-venv"))
    parser.add_argument("--scratch", type=Path, help="where the pictures go; default: the system's")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--language", default="zh", help=argparse.SUPPRESS)
    parser.add_argument("--preset", default="bench", help=argparse.SUPPRESS)
    parser.add_argument("--out", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        run_datakit(args)
        return
    for name in args.only.split(","):
        PARTS[name](args)


if __name__ == "__main__":
    main()
