"""The peers of ``bench_synth.py``: their environments, their settings for like work, and what runs them."""

from __future__ import annotations

import subprocess
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datakit_fonts import FontFace

NEOTS_LENGTHS = {"zh": (5, 15), "en": (5, 25)}


@dataclass(frozen=True, slots=True)
class Work:
    """What a peer draws; ``folder`` is for its files, ``folder/out`` for its pictures; ``kept`` stays."""

    language: str
    texts: list[str]
    faces: tuple[FontFace, ...]
    photos: Path
    folder: Path
    kept: Path


@dataclass(frozen=True, slots=True)
class Peer:
    """``package`` for pip; ``config(work)`` is JSON; ``lines`` of each half, fewer for a slow peer.

    ``code % lines`` prints CPU seconds of two halves, MB, and CPU seconds of the second half's tenths.
    """

    package: str
    config: Callable[[Work], dict[str, Any]]
    code: str
    lines: int


def _wordlist(work: Work) -> str:
    work.folder.mkdir(parents=True, exist_ok=True)
    path = work.folder / "texts.txt"
    path.write_text("\n".join(work.texts), "utf-8")
    return str(path)


def neots_config(work: Work) -> dict[str, Any]:
    """Photos behind every line, always turned and distorted, 48 px."""
    low, high = NEOTS_LENGTHS[work.language]
    return {
        "text_sampler": {
            "min_targets": low,
            "max_targets": high,
            "font_size": 55,
            "vertical_prob": 0.0,
            "sample_strategy": "font-first",
            "font_list": sorted({face.path for face in work.faces}),
        },
        "random_config": [{"type": "sequential", "prob": 1.0, "from_file": _wordlist(work)}],
        "bg_sampler": {
            "bg_image_prob": 1.0,
            "gray_bg_prob": 0.5,
            "text_color": "auto",
            "bg_color": "auto",
            "bg_list": [str(work.photos)],
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
            "out_dir": str(work.folder / "out"),
            "out_jsonl": str(work.folder / "out.jsonl"),
            "batchsize": 10000,
            "hierarchical_structure": [100, 625],
        },
    }


def doctr_config(work: Work) -> dict[str, Any]:
    """Perspective, blur and noise on every line, its own supersampling; letters that fill about 48 px."""
    from fontTools.ttLib import TTFont

    fonts = work.kept / f"doctr-fonts-{work.language}"
    if not fonts.exists():
        fonts.mkdir(parents=True)
        for number, face in enumerate(work.faces):
            # It reads single fonts only: faces of a collection are cut out of it.
            if Path(face.path).suffix in (".ttc", ".otc"):
                TTFont(face.path, fontNumber=face.index, lazy=True).save(fonts / f"{number}.otf")
            else:
                (fonts / f"{number}{Path(face.path).suffix}").symlink_to(face.path)
    options = {
        "font_dir": str(fonts),
        "bg_image_dir": str(work.photos),
        "wordlist_path": _wordlist(work),
        "auto_download_fonts": False,
        "auto_download_backgrounds": False,
        "font_size_range": [32, 40],
        "perspective_prob": 1.0,
        "final_blur_prob": 1.0,
        "noise_prob": 1.0,
        "jpeg_prob": 0.0,
    }
    return {"options": options, "out": str(work.folder / "out")}


NEOTS_CODE = """
import json, sys, time
from neots import SingleLineTextGenerator
generator = SingleLineTextGenerator.from_config(json.loads(sys.argv[1]))
lines, marks = %d, [time.process_time()]
for count in (lines, *[lines // 10] * 10):
    generator.generate(count, 1, False)
    marks.append(time.process_time())
spent = [later - mark for mark, later in zip(marks, marks[1:])]
peak = [line for line in open("/proc/self/status") if "VmHWM" in line][0]
print(json.dumps([spent[0], sum(spent[1:]), int(peak.split()[1]) / 1024, *spent[1:]]))
"""

DOCTR_CODE = """
import json, os, random, sys, time
import numpy
from generator.components import GenerationConfig, TextImageGenerator
task, lines = json.loads(sys.argv[1]), %d
random.seed(0)
numpy.random.seed(0)
options = {key: tuple(value) if isinstance(value, list) else value for key, value in task["options"].items()}
generator = TextImageGenerator(GenerationConfig.flat(**options))
texts = open(options["wordlist_path"], encoding="utf-8").read().split(chr(10))
marks = [time.process_time()]
for piece in range(11):
    share = lines if piece == 0 else lines // 10
    at = 0 if piece == 0 else lines + (piece - 1) * share
    for number, text in enumerate(texts[at:at + share]):
        image = generator.generate_image(text)
        if image is None:
            sys.exit(f"nothing made of {text!r}")
        image.save(os.path.join(task["out"], f"{at + number}.jpg"), "JPEG", quality=90)
    marks.append(time.process_time())
spent = [later - mark for mark, later in zip(marks, marks[1:])]
peak = [line for line in open("/proc/self/status") if "VmHWM" in line][0]
print()
print(json.dumps([spent[0], sum(spent[1:]), int(peak.split()[1]) / 1024, *spent[1:]]))
"""

PEERS = {
    "neots": Peer("neots==0.3.4", neots_config, NEOTS_CODE, 1000),
    "doctr": Peer("doctr-synth-generator==0.4.1", doctr_config, DOCTR_CODE, 200),
}


def peer_python(name: str, venvs: Path) -> Path:
    """The interpreter of a peer's environment, made when it is not there."""
    python = venvs / name / "bin" / "python"
    if not python.exists():
        venv.create(venvs / name, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", PEERS[name].package], check=True)
    return python
