"""datakit doctor: every trouble has a code and a line that cures it."""

import json
from pathlib import Path

import pytest

from datakit import doctor
from datakit.cli.main import app

ROOT = Path(__file__).parents[2]


@pytest.fixture
def whole(monkeypatch, tmp_path):
    """A machine on which nothing is wrong; a test takes away what it is about."""
    versions = dict.fromkeys((*doctor.BASE, "paddlepaddle", *doctor.TRAIN), "3.3.1")
    monkeypatch.setattr(doctor, "installed_version", versions.get)
    machine = doctor.Machine(cores=2, memory=8 << 30, shared_memory=1 << 30, nvidia_driver=False)
    monkeypatch.setattr(doctor, "_machine", lambda: machine)
    monkeypatch.setenv("DATAKIT_CACHE", str(tmp_path))
    for name in doctor.MODELS:
        folder = tmp_path / "models" / name
        folder.mkdir(parents=True)
        (folder / "model.json").write_text("{}")
    return versions


def codes(**arguments):
    return [(trouble.code, trouble.severity) for trouble in doctor.diagnose(**arguments).findings]


def test_nothing_is_wrong(whole):
    assert codes(font_faces=7) == []


@pytest.mark.parametrize(
    ("added", "taken", "expected"),
    [
        ((), ("rapidfuzz",), [("library-missing", "error")]),
        ((), ("opencv-python-headless",), [("opencv-missing", "error")]),
        (("opencv-python",), (), [("opencv-twice", "warning")]),
        (("opencv-python",), ("opencv-python-headless",), []),
        (("paddlepaddle-gpu",), (), [("paddle-twice", "warning")]),
        (("paddlepaddle-gpu",), ("paddlepaddle",), []),
        ((), ("paddlepaddle",), [("train-missing", "info")]),
        ((), ("onnx",), [("train-missing", "info")]),
        (("datakit-core",), (), [("name-clash", "error")]),
    ],
)
def test_what_is_installed(whole, added, taken, expected):
    whole.update(dict.fromkeys(added, "3.3.1"))
    for name in taken:
        del whole[name]
    assert codes() == expected


def test_the_cure_of_two_opencvs_keeps_the_headless_one(whole):
    whole["opencv-python"] = "4.12"
    (trouble,) = doctor.diagnose().findings
    assert trouble.message.startswith("opencv-python-headless and opencv-python share one folder")
    assert trouble.fix.startswith("pip uninstall -y opencv-python && ")


@pytest.mark.parametrize(
    ("machine", "expected"),
    [
        (doctor.Machine(2, 8 << 30, 64 << 20, False), [("shared-memory", "warning")]),
        (doctor.Machine(2, 2 << 30, 1 << 30, False), [("memory", "warning")]),
        (doctor.Machine(2, None, None, False), []),
        (doctor.Machine(2, 8 << 30, 1 << 30, True), [("gpu-unused", "info")]),
    ],
)
def test_the_machine(whole, monkeypatch, machine, expected):
    monkeypatch.setattr(doctor, "_machine", lambda: machine)
    assert codes() == expected


@pytest.mark.parametrize(
    ("version", "old"),
    [("2.5.2", True), ("2.6.1", True), ("2.6.2", False), ("2.6.2.post117", False), ("3.0.0rc1", False)],
)
def test_a_paddle_that_is_too_old(whole, version, old):
    whole["paddlepaddle"] = version
    assert codes() == [("paddle-old", "warning")] * old


def with_gpu(monkeypatch, python):
    machine = doctor.Machine(2, 8 << 30, 1 << 30, True, ("Tesla T4",))
    monkeypatch.setattr(doctor, "_machine", lambda: machine)
    monkeypatch.setattr(doctor, "_python", lambda: python)


@pytest.mark.parametrize(
    ("python", "words"), [((3, 12), "pip install 'ocr-datakit[gpu]'"), ((3, 13), "use Python 3.12, or a GPU")]
)
def test_the_line_for_a_machine_with_a_gpu(whole, monkeypatch, capsys, python, words):
    with_gpu(monkeypatch, python)
    (trouble,) = doctor.diagnose().findings
    assert (trouble.code, trouble.fix.startswith("pip uninstall -y paddlepaddle && ")) == ("gpu-unused", True)
    del whole["paddlepaddle"]
    (trouble,) = doctor.diagnose().findings
    assert trouble.code == "train-missing"
    assert trouble.message.startswith("paddlepaddle-gpu not installed")
    assert trouble.fix.startswith(words)
    app(["doctor"], standalone_mode=False)
    assert "NVIDIA driver found, Tesla T4\n" in capsys.readouterr().out


def test_a_python_that_is_not_tested(whole, monkeypatch):
    monkeypatch.setattr(doctor, "_python", lambda: (3, 14))
    assert codes() == [("python-version", "warning")]


def test_gpus_by_name(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, "_GPUS", tmp_path)
    assert doctor._gpus() == ()
    for address, name in (("0000:01:00.0", "Tesla T4"), ("0000:00:1e.0", "NVIDIA A10G")):
        (tmp_path / address).mkdir()
        (tmp_path / address / "information").write_text(f"Model: \t\t {name}\nIRQ:   \t 12\n")
    assert doctor._gpus() == ("NVIDIA A10G", "Tesla T4")


def test_models_and_fonts_that_are_not_there(whole, monkeypatch, tmp_path):
    monkeypatch.setenv("DATAKIT_CACHE", str(tmp_path / "empty"))
    found = doctor.diagnose(font_faces=0)
    *models, fonts = found.findings
    assert [trouble.fix for trouble in models] == [f"datakit models pull {name}" for name in doctor.MODELS]
    assert fonts.code == "fonts-missing"
    assert found.models == dict.fromkeys(doctor.MODELS)


@pytest.mark.parametrize(("limit", "expected"), [("max\n", 4096 << 10), ("1048576\n", 1 << 20)])
def test_memory_is_the_containers_where_that_is_less(monkeypatch, tmp_path, limit, expected):
    (tmp_path / "meminfo").write_text("MemTotal:    4096 kB\nMemFree: 1 kB\n")
    (tmp_path / "limit").write_text(limit)
    monkeypatch.setattr(doctor, "_MEMORY_FILE", tmp_path / "meminfo")
    monkeypatch.setattr(doctor, "_LIMIT_FILE", tmp_path / "limit")
    assert doctor._memory() == expected


def test_the_command_says_it_and_ends_by_it(whole, capsys):
    del whole["rapidfuzz"], whole["fonttools"]
    with pytest.raises(SystemExit) as ended:
        app(["doctor", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert ended.value.code == 1
    assert document["schema_version"] == 1
    assert document["totals"] == {"error": 2, "warning": 0, "info": 0}
    assert document["font_faces"] is None, "without fonttools there is no looking for fonts"
    assert document["versions"]["rapidfuzz"] is None
    with pytest.raises(SystemExit):
        app(["doctor"])
    shown = capsys.readouterr().out
    assert "error   rapidfuzz is not installed\n        pip install --upgrade ocr-datakit\n" in shown
    assert "fonts: not looked for" in shown


def test_the_lists_are_those_of_pyproject():
    tomllib = pytest.importorskip("tomllib", reason="from Python 3.11 on")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    def names(requirements):
        return {requirement.split(">=")[0].split("==")[0] for requirement in requirements}

    assert names(project["dependencies"]) == set(doctor.BASE)
    extras = project["optional-dependencies"]
    assert names(extras["train"]) == {"paddlepaddle", *doctor.TRAIN, "setuptools"}
    assert names(extras["gpu"]) == {"paddlepaddle-gpu", *doctor.TRAIN, "setuptools"}
    lowest, highest = doctor.SUPPORTED
    assert project["requires-python"] == f">={lowest[0]}.{lowest[1]}"
    assert f"Programming Language :: Python :: {highest[0]}.{highest[1]}" in project["classifiers"]
