"""The wheel as a stranger gets it: whole, and of use with nothing but its base dependencies."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
PACKAGES = {
    "datakit": "datakit",
    "synth/datakit_synth": "datakit_synth",
    "train/datakit_train": "datakit_train",
    "fonts/datakit_fonts": "datakit_fonts",
    "corpora/datakit_corpora": "datakit_corpora",
}


def checked(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=600, check=False, **options
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Built with build isolation off, so that no second environment is made."""
    pytest.importorskip("build", reason="needs ocr-datakit[dev]")
    pytest.importorskip("hatchling", reason="building without isolation needs hatchling")
    folder = tmp_path_factory.mktemp("dist")
    checked(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (found,) = folder.glob("ocr_datakit-*.whl")
    return found


def test_every_file_of_every_package_is_inside(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        f"{package}/{path.relative_to(ROOT / folder)}"
        for folder, package in PACKAGES.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and not path.name.endswith(".pyc")
    }
    assert expected - inside == set()
    assert {f"{package}/py.typed" for package in PACKAGES.values()} <= inside
    assert "datakit/report/templates/base.html" in inside
    others = {name for name in inside if name.partition("/")[0] not in PACKAGES.values()}
    assert all(".dist-info/" in name for name in others), others


def test_licence_and_entry_point_are_inside(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = {
            name.partition(".dist-info/")[2]: name for name in archive.namelist() if ".dist-info/" in name
        }
        assert "Apache License" in archive.read(names["licenses/LICENSE"]).decode()
        assert "datakit = datakit.cli.main:main" in archive.read(names["entry_points.txt"]).decode()
        metadata = archive.read(names["METADATA"]).decode()
    assert "Name: ocr-datakit\n" in metadata
    assert "License-Expression: Apache-2.0\n" in metadata


@pytest.fixture(scope="module")
def bare(wheel, tmp_path_factory):
    """The ``bin`` folder of a new environment that holds the wheel and its base dependencies."""
    venv = tmp_path_factory.mktemp("bare") / "venv"
    checked(sys.executable, "-m", "venv", venv)
    pip = (venv / "bin/python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    checked(*pip, wheel, env=clean())
    return venv / "bin"


def clean(**more: str) -> dict[str, str]:
    """An environment in which only what is installed is found."""
    left = {key: value for key, value in os.environ.items() if key not in {"PYTHONPATH", "VIRTUAL_ENV"}}
    return {**left, **more}


@pytest.fixture
def home(tmp_path):
    for number in range(3):
        picture = Image.new("RGB", (120, 40), (200, 200, 200))
        picture.paste((30, 30, 30), (10 + 30 * number, 8, 30 + 30 * number, 32))
        picture.save(tmp_path / f"{number}.png")
    (tmp_path / "train.py").write_text("raise SystemExit('a user has files of these names')")
    (tmp_path / "datasets").mkdir()
    (tmp_path / "labels.txt").write_text("".join(f"{number}.png\tword {number}\n" for number in range(3)))
    return tmp_path


@pytest.mark.slow
def test_a_bare_install_helps_audits_and_mixes(bare, home):
    options = {"cwd": home, "env": clean()}
    assert "badcases" in checked(bare / "datakit", "--help", **options).stdout
    done = checked(bare / "datakit", "audit", "labels.txt", "--html", "page.html", **options)
    assert "labels.txt (recognition): 3 lines, 3 trained, 0 lost" in done.stdout
    assert (home / "page.html").read_text().startswith("<!doctype html>")
    checked(bare / "datakit", "mix", "--domain", "labels.txt", "--out", "mixed", **options)
    assert (home / "mixed/mix.yaml").is_file()
    checked(bare / "datakit", "corpora", "show", "time", "-n", "2", **options)
    checked(bare / "python", "-m", "datakit.cli.main", "models", "list", **options)


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        "predict labels.txt --out p.jsonl",
        "evaluate labels.txt",
        "finetune --train labels.txt --val labels.txt --out tuned",
        "loop run loop.yaml",
    ],
)
def test_a_missing_extra_is_answered_with_the_pip_line(bare, home, command):
    (home / "other.txt").write_text("0.png\tother\n")
    (home / "loop.yaml").write_text("domain: [labels.txt]\nval: other.txt\nout: rounds\n")
    done = subprocess.run(
        [str(bare / "datakit"), *command.split()],
        cwd=home,
        env=clean(DATAKIT_CACHE=str(home / "cache")),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].endswith(
        "is not installed. Install it with: pip install 'ocr-datakit[train]'"
    )


@pytest.mark.slow
def test_doctor_says_what_a_bare_install_lacks(bare, home):
    done = checked(bare / "datakit", "doctor", cwd=home, env=clean(DATAKIT_CACHE=str(home / "cache")))
    assert "pip install 'ocr-datakit[train]'" in done.stdout
    assert "datakit models pull ppocrv3-rec" in done.stdout
