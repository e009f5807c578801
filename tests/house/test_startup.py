"""`datakit --help` is there at once, and every command is documented."""

import json
import os
import re
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from datakit.cli.main import app

ROOT = Path(__file__).parents[2]
HEAVY = {"paddle", "cv2", "datasets", "numpy", "albumentations", "PIL", "rich", "onnx", "yaml"}


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(str(ROOT / part) for part in ("", "synth", "train", "fonts", "corpora"))
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def commands() -> dict[str, object]:
    """Every command and sub-command by the name that is typed."""
    found = {}
    root = typer.main.get_command(app)
    for name, command in root.commands.items():
        found[name] = command
        found |= {f"{name} {sub}": below for sub, below in getattr(command, "commands", {}).items()}
    return found


def test_help_takes_under_300_ms(record_property):
    program = "from datakit.cli.main import main; main()"
    walls, computes = [], []
    for _ in range(5):
        begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = run(program, "--help")
        walls.append(time.perf_counter() - begun)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        computes.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        assert done.returncode == 0 and "finetune" in done.stdout
    wall, compute = statistics.median(walls), statistics.median(computes)
    figures = f"median of 5 runs: {wall * 1000:.0f} ms, of which computing {compute * 1000:.0f} ms"
    record_property("help", figures)
    print(f"datakit --help, {figures}")
    # Where other processes hold every core, waiting for one is not ours to answer for.
    assert min(wall, compute) < 0.3, figures


@pytest.mark.parametrize(
    "arguments", [("--help",), ("audit", "--help"), ("predict", "--help"), ("--version",)]
)
def test_help_imports_nothing_heavy(arguments):
    code = (
        "import json, sys\n"
        "from datakit.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit as ended:\n"
        "    print(json.dumps([ended.code, sorted(sys.modules)]), file=sys.stderr)\n"
    )
    status, imported = json.loads(run(code, *arguments).stderr)
    assert status == 0
    assert HEAVY & {name.partition(".")[0] for name in imported} == set()
    assert {"datakit_synth", "datakit_train"} & {name.partition(".")[0] for name in imported} == set()


@pytest.mark.parametrize("package", ["datakit", "datakit_train", "datakit_corpora"])
def test_packages_import_without_the_heavy_libraries(package):
    done = run(f"import sys, {package}; print(*sys.modules)")
    assert {"paddle", "cv2", "albumentations", "datasets"} & set(done.stdout.split()) == set()


def test_every_command_and_option_has_help():
    silent = []
    for name, command in commands().items():
        if not command.help:
            silent.append(name)
        for parameter in command.params:
            if not getattr(parameter, "help", None) and parameter.name != "help":
                silent.append(f"{name} {parameter.name}")
    assert silent == []


def test_every_command_is_documented_with_output():
    text = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### `datakit ([^`]+)`\n(.*?)(?=^##|\Z)", text, re.M | re.S))
    runnable = {name for name, command in commands().items() if not getattr(command, "commands", None)}
    assert set(sections) == runnable
    for name, section in sections.items():
        assert f"$ datakit {name}" in section, f"{name} has no example"


def test_options_named_in_the_documents_exist():
    known = {
        option
        for command in commands().values()
        for p in command.params
        for option in p.opts + p.secondary_opts
    }
    known |= {"--help", "--version", "--install-completion", "--show-completion"}
    for document in ("docs/commands.md", "README.md", "README.zh-CN.md", "CONTRIBUTING.md"):
        examples = re.findall(
            r"^\$? ?datakit .*(?:\\\n.*)*", (ROOT / document).read_text(encoding="utf-8"), re.M
        )
        used = {option for example in examples for option in re.findall(r"(?<=\s)--[a-z][a-z-]*", example)}
        assert used - known == set(), document


def test_the_version_is_one_line():
    done = run("from datakit.cli.main import main; main()", "--version")
    assert re.fullmatch(r"datakit \d+\.\d+\.\d+\n", done.stdout)
