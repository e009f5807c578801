"""Rendering speed in lines a CPU-second against two peers, in one run; and what effects cost.

    python benchmarks/bench_synth.py --corpora DIR --backgrounds DIR --venvs DIR [--only speed,effects]

Work: lines of 48 px on photos with perspective, blur, noise and JPEG, one file a picture; 1,000 Chinese lines
of 5-15 and 1,000 English ones of 5-25 characters, six fonts each (Chinese: three of Noto Sans CJK in all
its weights, three of the Noto Serif CJK that comes with the peer). The second thousand counts (glyphs known),
the first is stated as cold. CPU seconds of the process, programs interleaved, median of the rounds; on a busy
machine those of small calls grow most, so that beside it stands the sum, over the ten hundreds of the second
thousand, of the least that each took in any round. The peers
get the same texts, fonts and photos: NeoTextSynthesizer (``neots``) turns and distorts, has neither blur nor
noise, and writes PNG; docTR's generator has perspective, blur, noise, and writes JPEG.
Ratios of one run count: the rates themselves move with whatever else the machine does, and with the folder:
making a file cost 400 us of CPU under /tmp of the machine this was written on, and 30 elsewhere (--scratch).

``--venvs`` holds an environment for each peer; those that are not there are made and filled by pip.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from synth_peers import PEERS, Work, peer_python

if TYPE_CHECKING:
    from datakit_fonts import FontFace

LINES = 1000
PIECE = 100
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


def faces(language: str, venvs: Path) -> tuple[FontFace, ...]:
    """Six faces; the environment of neots holds the serif collection."""
    from datakit_fonts import find_fonts

    found = find_fonts(("package",)).require().faces
    if language == "zh":
        (serif,) = venvs.glob("neots/lib/python*/site-packages/neots/data/fonts/NotoSerifCJK-Regular.ttc")
        sans = [face for face in found if "CJK" in face.family]
        return (*sans[:3], *find_fonts((serif,)).require().faces[:3])
    by_family = {face.family: face for face in reversed(found)}
    return tuple(by_family[family] for family in LATIN)


def run_datakit(args: argparse.Namespace) -> None:
    """Child: draw and write two thousand lines; prints CPU seconds of each, the peak memory in MB, and the
    CPU seconds of every hundred of the second."""
    import cv2

    from datakit import effects
    from datakit_synth import geometry
    from datakit_synth.pictures import write_folder
    from datakit_synth.render import Renderer, RenderJob, encode, sample_rng

    cv2.setNumThreads(1)
    effects.PRESETS["bench"] = (("blur", 1.0), ("noise", 1.0))
    geometry.BENDS["bench"] = geometry.BENDS["photo"]
    photos = tuple(str(path) for path in sorted(Path(args.backgrounds).rglob("*.jpg")))
    job = RenderJob(0, faces(args.language, args.venvs), ("photo",), photos, (args.preset,), (48, 48))
    renderer, lines = Renderer(job), texts(Path(args.corpora), args.language, 2 * LINES)
    marks = [time.process_time()]
    for part in range(2):
        with write_folder(Path(args.out) / f"part{part}") as add:
            for index in range(part * LINES, (part + 1) * LINES):
                rendered = renderer.render(lines[index], sample_rng(0, index))
                add(f"{index}.jpg", encode(rendered))
                if index % PIECE == PIECE - 1:
                    marks.append(time.process_time())
    pieces = [later - mark for mark, later in pairwise(marks)]
    half = len(pieces) // 2
    # Not ru_maxrss, which a child takes over from the process that started it.
    (peak,) = (line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    print(json.dumps([sum(pieces[:half]), sum(pieces[half:]), int(peak.split()[1]) / 1024, *pieces[half:]]))


def child(command: list[str | Path]) -> list[float]:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command[:4]} failed:\n{done.stderr[-2000:]}")
    return [float(value) for value in json.loads(done.stdout.strip().splitlines()[-1])]


def ours(args: argparse.Namespace, language: str, preset: str, out: Path) -> list[float]:
    shutil.rmtree(out, ignore_errors=True)
    options = ["--language", language, "--preset", preset, "--out", str(out)]
    paths = [
        "--corpora",
        str(args.corpora),
        "--backgrounds",
        str(args.backgrounds),
        "--venvs",
        str(args.venvs),
    ]
    return child([sys.executable, __file__, "--child", *options, *paths])


def speed(args: argparse.Namespace) -> None:
    """All programs, both languages, one after the other, round after round."""
    pythons = {name: peer_python(name, args.venvs) for name in args.peers.split(",")}
    taken: dict[tuple[str, str], list[list[float]]] = {}
    with tempfile.TemporaryDirectory(dir=args.scratch) as name:
        folder = Path(name)
        works = {
            language: Work(
                language,
                texts(Path(args.corpora), language, 20 * LINES),
                faces(language, args.venvs),
                args.backgrounds,
                folder / language,
                args.venvs,
            )
            for language in SHAPES
        }
        configs = {
            (peer, language): PEERS[peer].config(work) for peer in pythons for language, work in works.items()
        }
        for _ in range(args.rounds):
            for language in SHAPES:
                result = ours(args, language, "bench", folder / "ours")
                taken.setdefault((language, "datakit"), []).append(result)
                for peer, python in pythons.items():
                    shutil.rmtree(folder / language / "out", ignore_errors=True)
                    (folder / language / "out").mkdir()
                    code, share = PEERS[peer].code % PEERS[peer].lines, LINES / PEERS[peer].lines
                    result = child([python, "-c", code, json.dumps(configs[peer, language])])
                    times = [seconds * share for seconds in (*result[:2], *result[3:])]
                    result = [*times[:2], result[2], *times[2:]]
                    taken.setdefault((language, peer), []).append(result)
                    print(language, peer, result[:3], taken[language, "datakit"][-1][:3], flush=True)
    for language in SHAPES:
        print_rates(language, {program: taken[language, program] for program in ("datakit", *pythons)})


def print_rates(language: str, taken: dict[str, list[list[float]]]) -> None:
    """Lines a CPU-second of every program, and how many times a peer's warm rate ours is."""
    rate: dict[str, float] = {}
    least: dict[str, float] = {}
    for program, rounds in taken.items():
        cold, warm = (LINES / statistics.median(each[part] for each in rounds) for part in (0, 1))
        rate[program] = warm
        low, high = (LINES / edge(each[1] for each in rounds) for edge in (max, min))
        rates = f"cold {cold:6.0f}  warm {warm:6.0f} ({low:.0f}-{high:.0f}) lines/CPU-s"
        least[program] = LINES / sum(min(times) for times in zip(*(each[3:] for each in rounds), strict=True))
        peak = f"least {least[program]:6.0f}  peak {max(each[2] for each in rounds):.0f} MB"
        ratios = (rate["datakit"] / warm, least["datakit"] / least[program])
        times = "" if program == "datakit" else "  datakit is {:.1f} x, least {:.1f} x".format(*ratios)
        print(f"{language} {program:8s} {rates}  {peak}{times}")


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
            least = LINES / sum(map(min, zip(*(each[3:] for each in rounds), strict=True)))
            print(f"preset {preset:10s} {warm:6.0f} lines/CPU-s, least {least:6.0f}", flush=True)


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
    parser.add_argument("--venvs", type=Path, required=True)
    parser.add_argument("--peers", default=",".join(PEERS))
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
