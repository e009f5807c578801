"""What this machine has and lacks: versions, models, memory, and the line that installs what is missing.

Nothing is imported to find out: what pip wrote down about an installed distribution is read.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from datakit import __version__
from datakit.models import MODELS, cache_folder, model_folder
from datakit.records import Severity

SCHEMA_VERSION = 1
SUPPORTED = ((3, 10), (3, 13))
# A test holds these against pyproject.toml.
BASE = (
    "typer",
    "pyyaml",
    "jinja2",
    "numpy",
    "pillow",
    "opencv-python-headless",
    "albumentations",
    "fonttools",
    "freetype-py",
    "uharfbuzz",
    "rapidfuzz",
    "msgspec",
    "pip",
)
TRAIN = ("safetensors", "onnx")
PADDLES = ("paddlepaddle", "paddlepaddle-gpu")
OLDEST_PADDLE = (2, 6, 2)
# PyPI's newest GPU build, 2.6.2, ends with it.
LAST_GPU_PYTHON = (3, 12)
# All of them install the one folder cv2, the last one over the others.
OPENCVS = (
    "opencv-python-headless",
    "opencv-python",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
)
SHARED_MEMORY = 512 << 20
MEMORY = 4 << 30
_DRIVER = Path("/proc/driver/nvidia/version")
_GPUS = Path("/proc/driver/nvidia/gpus")
_OWN_INDEX = "newer ones are on Paddle's own index, see www.paddlepaddle.org.cn"
_SHARED = Path("/dev/shm")  # noqa: S108 - measured, not written to
_MEMORY_FILE = Path("/proc/meminfo")
_LIMIT_FILE = Path("/sys/fs/cgroup/memory.max")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something to do: ``code`` never changes, ``fix`` is what to type or to do."""

    code: str
    severity: Severity
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class Machine:
    """Cores this process may use, and bytes of memory and shared memory; None where it cannot be told.

    ``gpus`` are the NVIDIA cards by name, in the order of their bus addresses.
    """

    cores: int
    memory: int | None
    shared_memory: int | None
    nvidia_driver: bool
    gpus: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found. ``versions`` and ``models`` map a name to a version or folder, None: not there.

    ``font_faces`` is None where nobody looked.
    """

    python: str
    versions: Mapping[str, str | None]
    machine: Machine
    cache: str
    models: Mapping[str, str | None]
    font_faces: int | None
    findings: tuple[Trouble, ...]

    def to_dict(self) -> dict[str, Any]:
        """The document that ``--json`` prints."""
        totals = {
            severity: sum(t.severity == severity for t in self.findings)
            for severity in ("error", "warning", "info")
        }
        return {"schema_version": SCHEMA_VERSION, "datakit": __version__, "totals": totals, **asdict(self)}


def installed_version(name: str) -> str | None:
    """The version of an installed distribution, None if there is none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def diagnose(*, font_faces: int | None = None) -> Diagnosis:
    """Look at Python, libraries, machine and cache; ``font_faces`` is counted by who may import fonts."""
    names = (*BASE, *PADDLES, *TRAIN, "datasets", *OPENCVS, "datakit-core")
    versions = {name: installed_version(name) for name in dict.fromkeys(names)}
    machine = _machine()
    models = {name: _pulled(name) for name in MODELS}
    findings = (
        *_of_python(),
        *_of_base(versions),
        *_of_opencv(versions),
        *_of_paddle(versions, machine),
        *_of_machine(machine),
        *_of_models(models),
        *_of_fonts(font_faces),
    )
    python = ".".join(map(str, sys.version_info[:3]))
    return Diagnosis(python, versions, machine, str(cache_folder()), models, font_faces, findings)


def _pulled(name: str) -> str | None:
    folder = model_folder(name)
    return str(folder) if (folder / "model.json").is_file() else None


def _machine() -> Machine:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(cores, _memory(), _shared_memory(), _DRIVER.exists(), _gpus())


def _memory() -> int | None:
    """Memory of the machine, or of its container if that is less."""
    try:
        first = _MEMORY_FILE.read_text(encoding="ascii").splitlines()[0]
        total = int(first.split()[1]) << 10
    except (OSError, IndexError, ValueError):
        return None
    try:
        return min(total, int(_LIMIT_FILE.read_text(encoding="ascii")))
    except (OSError, ValueError):
        return total


def _shared_memory() -> int | None:
    try:
        found = os.statvfs(_SHARED)
    except OSError:
        return None
    return found.f_blocks * found.f_frsize


def _gpus() -> tuple[str, ...]:
    """Names as the driver tells them; nothing is loaded to find out."""
    names = []
    for path in sorted(_GPUS.glob("*/information")):
        try:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        names += [line.partition(":")[2].strip() for line in lines if line.startswith("Model:")]
    return tuple(names)


def _python() -> tuple[int, int]:
    return sys.version_info[:2]


def _of_python() -> Iterator[Trouble]:
    lowest, highest = SUPPORTED
    if not lowest <= _python() <= highest:
        yield Trouble(
            "python-version",
            "warning",
            f"Python {sys.version_info[0]}.{sys.version_info[1]} is not tested with datakit",
            "use Python 3.10, 3.11, 3.12 or 3.13",
        )


def _of_base(versions: Mapping[str, str | None]) -> Iterator[Trouble]:
    for name in BASE:
        if versions[name] is None and name not in OPENCVS:
            yield Trouble(
                "library-missing", "error", f"{name} is not installed", "pip install --upgrade ocr-datakit"
            )
    if versions["datakit-core"] is not None:
        yield Trouble(
            "name-clash",
            "error",
            "datakit-core, an unrelated project, installs a package that is called datakit too",
            "pip uninstall -y datakit-core && pip install --force-reinstall --no-deps ocr-datakit",
        )


def _of_opencv(versions: Mapping[str, str | None]) -> Iterator[Trouble]:
    found = [name for name in OPENCVS if versions[name] is not None]
    if not found:
        yield Trouble(
            "opencv-missing", "error", "OpenCV is not installed", "pip install opencv-python-headless"
        )
    if len(found) > 1:
        spare = [name for name in found if name != OPENCVS[0]]
        yield Trouble(
            "opencv-twice",
            "warning",
            f"{' and '.join(found)} share one folder; which of them is imported depends on their order",
            f"pip uninstall -y {' '.join(spare)} && pip install --force-reinstall --no-deps {OPENCVS[0]}",
        )


def _of_paddle(versions: Mapping[str, str | None], machine: Machine) -> Iterator[Trouble]:
    found = [name for name in PADDLES if versions[name] is not None]
    lacking = [name for name in TRAIN if versions[name] is None]
    gpu = machine.nvidia_driver
    if not found or lacking:
        what = ", ".join(([] if found else [PADDLES[gpu]]) + lacking)
        yield Trouble(
            "train-missing",
            "info",
            f"{what} not installed: no finetune, predict, evaluate and loop",
            _gpu_line() if gpu and found != [PADDLES[0]] else "pip install 'ocr-datakit[train]'",
        )
    if len(found) > 1:
        yield Trouble(
            "paddle-twice",
            "warning",
            "paddlepaddle and paddlepaddle-gpu share one folder",
            "pip uninstall -y paddlepaddle paddlepaddle-gpu, then install the one you want",
        )
    for name in found:
        if _numbers(versions[name]) < OLDEST_PADDLE:
            yield Trouble(
                "paddle-old",
                "warning",
                f"{name} {versions[name]} is older than 2.6.2, the oldest that is tested",
                f"pip install --upgrade {name}",
            )
    if gpu and found == [PADDLES[0]]:
        yield Trouble(
            "gpu-unused",
            "info",
            "there is an NVIDIA driver, and Paddle is the build for CPUs",
            f"pip uninstall -y paddlepaddle && {_gpu_line()}",
        )


def _gpu_line() -> str:
    """How to get Paddle for GPUs with this Python."""
    if _python() > LAST_GPU_PYTHON:
        last = ".".join(map(str, LAST_GPU_PYTHON))
        return f"use Python {last}, or a GPU build from elsewhere: PyPI's newest ends there; {_OWN_INDEX}"
    return f"pip install 'ocr-datakit[gpu]' (2.6.2 is the newest on PyPI; {_OWN_INDEX})"


def _numbers(version: str | None) -> tuple[int, ...]:
    """The leading numbers of a version: 3.0.0rc1 -> (3, 0, 0)."""
    return tuple(int(number) for number in re.findall(r"\d+", version or "")[:3])


def _of_machine(machine: Machine) -> Iterator[Trouble]:
    if machine.shared_memory is not None and machine.shared_memory < SHARED_MEMORY:
        yield Trouble(
            "shared-memory",
            "warning",
            f"{_SHARED} is {machine.shared_memory >> 20} MB; processes of a loader hang when it is full",
            "start the container with --shm-size=2g",
        )
    if machine.memory is not None and machine.memory < MEMORY:
        yield Trouble(
            "memory",
            "warning",
            f"{machine.memory / 2**30:.1f} GB of memory: fine-tuning at batch 32 may not fit",
            "use a smaller --batch-size",
        )


def _of_models(models: Mapping[str, str | None]) -> Iterator[Trouble]:
    for name, folder in models.items():
        if folder is None:
            yield Trouble("model-missing", "info", f"{name} is not pulled", f"datakit models pull {name}")


def _of_fonts(font_faces: int | None) -> Iterator[Trouble]:
    if font_faces == 0:
        yield Trouble(
            "fonts-missing",
            "warning",
            "no font was found: synth cannot draw",
            "pip install 'ocr-datakit[fonts]', or the system's packages fonts-noto-cjk and fonts-dejavu",
        )
