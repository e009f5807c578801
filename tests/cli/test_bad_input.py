"""Bad input in every command: one clear sentence on stderr, the right exit code, no traceback."""

import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datakit.cli.main import main
from datakit.errors import DatakitError
from datakit.records import Prediction

ROOT = Path(__file__).parents[2]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A working folder with files that are wrong in one way each, and no model in the cache."""
    for number in range(4):
        Image.new("RGB", (120, 40), (200, 200, 200)).save(tmp_path / f"{number}.png")
    (tmp_path / "good.txt").write_text("".join(f"{number}.png\tword {number}\n" for number in range(4)))
    (tmp_path / "p.jsonl").write_text(Prediction("good.txt", 1, "0.png", "a", "b").to_json() + "\n")
    (tmp_path / "empty.txt").touch()
    (tmp_path / "bytes.txt").write_bytes(bytes(range(256)) * 4)
    (tmp_path / "garbage.txt").write_bytes(b"\xff\xfe\n" * 4)
    (tmp_path / "notes.png").write_text("not a picture")
    (tmp_path / "notes.txt").write_text("notes.png\tword\n")
    (tmp_path / "pages.txt").write_text(
        '0.png\t[{"transcription": "a", "points": [[0,0],[5,0],[5,5],[0,5]]}]\n'
    )
    (tmp_path / "broken.yaml").write_text("a: [1\n")
    (tmp_path / "list.yaml").write_text("- 1\n")
    (tmp_path / "misspelt.yaml").write_text("rouns: 2\n")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATAKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def datakit(monkeypatch, capsys):
    """Run a command line in this process; (exit code, stdout, stderr)."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["datakit", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, *capsys.readouterr()

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


# Command line -> what the last line of stderr says; the same four kinds of file for every command.
WRONG = {
    # missing
    "audit gone.txt": "gone.txt: no such label file",
    "audit good.txt --dict gone.txt": "gone.txt: cannot be read as a dictionary",
    "synth --out s --chars-file gone.txt": "gone.txt: cannot be read",
    "synth --out s --targets gone.json": "gone.json: cannot be read",
    "synth --out s --corpus gone.txt --count 1": "gone.txt: cannot be read",
    "synth --out s --chars a --dict gone.txt": "gone.txt: cannot be read as a dictionary",
    "synth --out s --chars a --fonts gone.ttf": "gone.ttf: no such font file or folder",
    "synth --out s --chars a --backgrounds gone": "gone: no such folder of backgrounds",
    "synth --out s --chars a --resume": "s holds no run to go on with",
    "mix --domain gone.txt --out m": "gone.txt: no such label file",
    "badcases gone.jsonl --out b": "gone.jsonl: cannot be read",
    "badcases p.jsonl --out b --train-labels gone.txt": "gone.txt: ",
    "loop run gone.yaml": "gone.yaml: cannot be read",
    "models pull ppocrv3-rec --from gone.onnx": "gone.onnx: is not a file",
    "models info ppocrv3-rec": "get it with: datakit models pull ppocrv3-rec",
    "models info gone": "gone is neither a model",
    "fonts list --fonts gone.ttf": "gone.ttf: no such font file or folder",
    "fonts coverage --chars a --fonts gone": "no installed font family is called 'gone'",
    "fonts coverage --dict gone.txt": "gone.txt: cannot be read as a dictionary",
    "fonts sheet --out o.png --fonts gone.ttf": "gone.ttf: no such font file or folder",
    "corpora show gone": "there is no template 'gone'; there are address-en",
    # a folder
    "audit folder": "folder: is a folder, not a label file",
    "mix --domain folder --out m": "folder: is a folder, not a label file",
    "badcases folder --out b": "folder: cannot be read",
    "synth --out s --corpus folder --count 1": "folder: cannot be read",
    "loop run folder": "folder: cannot be read",
    "fonts list --fonts folder": "folder: holds no font file",
    # empty
    "audit empty.txt": "empty.txt: holds no line",
    "synth --out s --chars-file empty.txt": "nothing to render",
    "synth --out s --targets empty.txt": "empty.txt: is not valid JSON",
    "synth --out s --corpus empty.txt --count 1": "empty.txt: holds no text",
    "synth --out s --chars a --dict empty.txt": "empty.txt: is an empty dictionary",
    "mix --domain empty.txt --out m": "empty.txt: no usable line",
    "badcases empty.txt --out b": "empty.txt: holds no prediction",
    "loop run empty.txt": "empty.txt: holds no mapping",
    "fonts list --fonts empty.txt": "empty.txt: is not a usable font",
    "fonts coverage": "nothing to look for",
    # of another kind
    "synth --out s --targets good.txt": "good.txt: is not valid JSON",
    "synth --out s --corpus bytes.txt --count 1": "bytes.txt:2: is not UTF-8",
    "synth --out s --chars-file bytes.txt": "bytes.txt: is not UTF-8",
    "synth --out s --chars a --backgrounds folder": "folder: holds no picture",
    "mix --domain bytes.txt --out m": "bytes.txt: no usable line",
    "mix --domain broken.yaml --out m": "broken.yaml: is not valid YAML",
    "mix --domain list.yaml --out m": "list.yaml: holds no list of sources",
    "badcases good.txt --out b": "good.txt:1: is not valid JSON",
    "badcases bytes.txt --out b": "bytes.txt: is not UTF-8",
    "loop run broken.yaml": "broken.yaml: is not valid YAML",
    "loop run list.yaml": "list.yaml: holds no mapping",
    "loop run misspelt.yaml": "unknown key 'rouns', did you mean 'rounds'",
    "fonts list --fonts 0.png": "0.png: is not a usable font",
    "models pull ppocrv3-rec --from 0.png": "which is not pinned for ppocrv3-rec",
    # values that make no sense
    "audit good.txt --fail-on never": "known are info, warning, error",
    "audit good.txt --task page": "known are rec, det",
    "audit good.txt --encoder nope": "nope",
    "synth --out s --chars a --preset nope": "there is no preset 'nope'; there are clean",
    "synth --out s --chars a --shard 2/2": "k/n with k from 0 to n - 1",
    "synth --out s --chars a --shard x": "k/n with k from 0 to n - 1",
    "synth --out s --chars a --per-char 0": "--per-char 0: at least 1",
    "synth --out s --template time --count -1": "count -1: at least 1",
    "synth --out s --chars a --background-kind nope": "there is no background kind 'nope'",
    "synth --out s --chars a --template nope": "there is no template 'nope'",
    "mix --domain good.txt --out m --rule nope": "nope",
    "mix --domain good.txt --out m --ratio nope=1": "nope",
    "finetune --train good.txt --val good.txt --out f --task det": "only rec can be trained so far",
    "finetune --train good.txt --val good.txt --out f --learning-rate -1": "is not above 0",
    "models pull nope": "no model is called 'nope'; there are: ppocrv3-det",
    # outputs that cannot be
    "audit good.txt --html folder": "folder: is a folder",
    "audit good.txt --html good.txt/page.html": "good.txt/page.html: cannot be written",
    "synth --out good.txt --chars a": "good.txt: is a file, not a folder",
    "badcases p.jsonl --out good.txt": "good.txt/",
    "mix --domain good.txt --out good.txt": "good.txt/",
    "loop init good.txt": "good.txt is there already; --force overwrites it",
    "loop init folder --force": "folder: is a folder",
    "fonts sheet --out folder": "folder: is a folder",
}


@pytest.mark.parametrize(("command", "sentence"), WRONG.items(), ids=WRONG)
def test_one_sentence_and_exit_code_2(home, datakit, command, sentence):
    before = sorted(home.rglob("*"))
    status, out, err = datakit(*command.split())
    assert status == 2, (out, err)
    assert out == ""
    last = err.rstrip().splitlines()[-1]
    assert last.startswith("datakit: ") and sentence in last
    assert "Traceback" not in err
    left = [path.name for path in home.rglob("*") if path not in before and path.is_file()]
    assert not [name for name in left if name.endswith(".tmp") or name == ".datakit.lock"], left


# These import Paddle before anything else.
WRONG_FOR_THE_TRAINER = {
    "predict gone.txt": "gone.txt: no such label file",
    "predict folder": "folder: is a folder, not a label file",
    "predict empty.txt": "empty.txt: holds no line",
    "predict garbage.txt": "garbage.txt: holds no usable line; the first: invalid-utf8",
    "predict pages.txt": "pages.txt: holds pages of boxes (detection labels), not lines of text",
    "predict good.txt": "model ppocrv3-rec is not here yet; get it with: datakit models pull ppocrv3-rec",
    "predict good.txt --model folder": "folder is neither a model",
    "predict good.txt --out folder": "folder: is a folder",
    "predict good.txt --out good.txt/p.jsonl": "good.txt/p.jsonl: cannot be written",
    "evaluate gone.txt": "gone.txt: no such label file",
    "evaluate gone.jsonl": "gone.jsonl: cannot be read",
    "evaluate empty.txt": "empty.txt: holds no line",
    "evaluate garbage.txt": "garbage.txt: holds no usable line",
    "evaluate pages.txt": "pages.txt: holds pages of boxes",
    "evaluate p.jsonl --train-labels gone.txt": "gone.txt: no such label file",
    "finetune --train gone.txt --val good.txt --out f": "",
    "finetune --train good.txt --val gone.txt --out f --dry-run": "gone.txt: no such label file",
    "finetune --train good.txt --val good.txt --guard pages.txt --out f": "pages.txt: holds pages of boxes",
    "finetune --train broken.yaml --val good.txt --out f": "broken.yaml: is not valid YAML",
    "finetune --train list.yaml --val good.txt --out f": "list.yaml: holds no list of sources",
    "finetune --train good.txt --val good.txt --out f --resume": "f holds no unfinished run",
    "finetune --train good.txt --val good.txt --out f --batch-norm nope": "neither fixed nor moving",
}


@pytest.mark.parametrize(("command", "sentence"), WRONG_FOR_THE_TRAINER.items(), ids=WRONG_FOR_THE_TRAINER)
def test_one_sentence_of_the_trainer(home, datakit, command, sentence):
    pytest.importorskip("paddle", reason="needs ocr-datakit[train]")
    test_one_sentence_and_exit_code_2(home, datakit, command, sentence)


@pytest.mark.parametrize(
    "command",
    (
        *("audit", "synth", "mix", "finetune", "predict", "evaluate", "badcases", "doctor"),
        *("loop run", "loop init", "models list", "models pull", "models info"),
        *("fonts list", "fonts coverage", "fonts sheet", "corpora list", "corpora show"),
    ),
)
def test_an_unknown_option_is_named(home, datakit, command):
    status, out, err = datakit(*command.split(), "--nonsense")
    assert (status, out) == (2, "")
    assert "No such option: --nonsense" in err
    assert "Traceback" not in err


def test_an_unknown_command_is_named(home, datakit):
    status, _, err = datakit("frobnicate")
    assert status == 2 and "No such command 'frobnicate'" in err


def test_a_file_that_is_no_picture_is_named_and_counted(home, datakit):
    status, out, _ = datakit("audit", "notes.txt")
    assert status == 1
    assert "notes.txt:1" in out
    assert re.search(r"unreadable +1 ", out)


def test_an_error_of_ours_is_reported_as_a_bug(home, datakit, monkeypatch):
    monkeypatch.setattr("datakit.audit.audit", lambda *_, **__: 1 / 0)
    status, _, err = datakit("audit", "good.txt")
    assert status == 3
    assert "ZeroDivisionError" in err and "internal error, please report it" in err


def test_every_error_has_an_exit_code_of_the_design():
    family, known = [DatakitError], set()
    while family:
        kind = family.pop()
        family += kind.__subclasses__()
        known.add(kind.exit_code)
    assert known == {1, 2}


def environment():
    path = os.pathsep.join(str(ROOT / part) for part in ("", "synth", "train", "fonts", "corpora"))
    return {**os.environ, "PYTHONPATH": path}


def start(*arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-m", "datakit.cli.main", *map(str, arguments)],
        env=environment(),
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux")
@pytest.mark.parametrize("command", ["audit good.txt --json", "corpora list", "models list", "fonts list"])
def test_stdout_on_a_full_disk(home, command):
    with Path("/dev/full").open("w") as full:
        process = start(*command.split(), stdout=full)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert err.splitlines()[-1] == "datakit: the output cannot be written (No space left on device)"
    assert "Traceback" not in err and "Exception ignored" not in err


def small_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (900, 900))


@pytest.mark.parametrize(
    ("command", "target"),
    [
        ("audit good.txt --html page.html", "page.html"),
        ("synth --out s --chars a --per-char 3 --workers 1", "s"),
        ("synth --out s --chars a --per-char 3 --workers 2", "s"),
        ("mix --domain long.txt --out m", "m"),
        ("badcases p.jsonl --out b", "b"),
        ("loop init loop.yaml", "loop.yaml"),
        ("fonts sheet --out o.png", "o.png"),
    ],
)
def test_a_full_disk_is_said_and_nothing_half_remains(home, command, target):
    (home / "long.txt").write_text("".join(f"{number % 4}.png\tword {number}\n" for number in range(200)))
    process = start(*command.split(), preexec_fn=small_files)
    _, err = process.communicate(timeout=60)
    assert process.returncode in {1, 2}, err
    assert "Traceback" not in err
    assert re.search(rf"{re.escape(target)}.*cannot be written", err), err
    assert not list(home.rglob("*.tmp"))
    assert not (home / target).is_file()


def test_predictions_on_a_full_disk(home, tiny_lines):
    process = start(*tiny_lines(20), preexec_fn=small_files)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 2, err
    assert "predictions.jsonl: cannot be written" in err.splitlines()[-1]
    assert not list(home.rglob("*.tmp"))


@pytest.mark.parametrize(
    "command", ["corpora show date-en -n 5000", "audit --list-checks", "audit many.txt --json", "fonts list"]
)
def test_a_reader_that_goes_away_is_no_error(home, command):
    (home / "many.txt").write_text("".join(f"gone/{number}.png\tword\n" for number in range(2000)))
    process = start(*command.split())
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    # Some outputs are small enough to fit into the pipe before the reader goes.
    assert process.wait(timeout=60) in {0, 1, 141}
    assert "Broken" not in err and "Traceback" not in err and "Exception ignored" not in err


@pytest.fixture
def tiny_lines(home):
    """Arguments of `datakit predict` over so many lines, with a small random model."""
    pytest.importorskip("paddle", reason="needs ocr-datakit[train]")
    from datakit_train.framework import import_paddle
    from datakit_train.recognizer import build_network, measure_probe
    from datakit_train.weights.store import StoredModel, save_model

    architecture = {"name": "ppocrv3_rec", "scale": 0.25, "last_pool_kernel_size": [2, 2]}
    import_paddle(1).seed(5)
    network = build_network(architecture, 11)
    tensors = {name: np.array(value.numpy()) for name, value in network.state_dict().items()}
    model = home / "tiny"
    save_model(model, StoredModel(tensors, architecture, tuple("0123456789"), "", "", measure_probe(network)))

    def arguments(count):
        (home / "lines.txt").write_text("".join(f"{number % 4}.png\tword\n" for number in range(count)))
        return "predict", "lines.txt", "--model", model, "--batch-size", "1"

    return arguments


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("command", ["audit", "synth", "synth-workers", "predict", "corpora"])
def test_a_signal_ends_with_its_code(home, number, status, command, request):
    (home / "many.txt").write_text("".join(f"{line % 4}.png\tword {line}\n" for line in range(200_000)))
    lines = {
        "audit": ("audit", "many.txt"),
        "synth": ["synth", "--out", "s", "--chars", "abc", "--per-char", "20000", "--workers", "1"],
        "synth-workers": ["synth", "--out", "s", "--chars", "abc", "--per-char", "20000", "--workers", "2"],
        "corpora": ["corpora", "show", "address-en", "-n", "3000000"],
    }
    arguments = lines[command] if command in lines else request.getfixturevalue("tiny_lines")(50_000)
    process = start(*arguments, start_new_session=True, stdout=subprocess.DEVNULL)
    time.sleep(4 if command == "predict" else 2)
    assert process.poll() is None, process.stderr.read()
    # Ctrl-C reaches the whole group, as from a terminal; a service manager sends SIGTERM to one process.
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == status, err
    assert err.rstrip().splitlines()[-1].startswith("datakit: stopped; ")
    assert "Traceback" not in err
    assert not list(home.rglob("*.tmp"))
    assert group_ends(process.pid), "workers outlive their parent"


def group_ends(group, seconds=10):
    """Whether the last process of a group ends within some seconds."""
    for _ in range(seconds * 20):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
