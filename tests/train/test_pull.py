"""models pull: the order of sources, sha256, archives that are read by exact name, and nothing half done."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from datakit.charset import load_charset
from datakit.cli.main import app
from datakit.errors import LockedError, MissingExtraError, OutputError, UsageError
from datakit.models import MODELS, ModelSpec, model_folder
from datakit_train.weights import pull as pulling
from datakit_train.weights.pull import PullError, is_pulled, pull
from datakit_train.weights.store import StoredModel, load_model, read_description

NAME = "ppocrv3-rec"
ONNX = b"the bytes of a model"
DIGEST = hashlib.sha256(ONNX).hexdigest()
MEMBER = MODELS[NAME].wheel.member
TAR_MEMBER = MODELS[NAME].tar.member


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, a pinned sha256 that fits ONNX, and a conversion that keeps the bytes."""
    spec = MODELS[NAME]
    pinned = replace(spec, wheel=replace(spec.wheel, sha256=DIGEST))
    monkeypatch.setitem(MODELS, NAME, pinned)
    monkeypatch.setenv("DATAKIT_CACHE", str(tmp_path / "cache"))

    def convert(path: Path, _spec: ModelSpec, origin: str, _dictionary: Path | None) -> StoredModel:
        raw = np.frombuffer(path.read_bytes(), np.uint8)
        return StoredModel({"raw": raw}, {"name": "x"}, ("a",), origin, "none")

    monkeypatch.setattr(pulling, "_convert", convert)
    monkeypatch.setattr(subprocess, "run", no_network)
    monkeypatch.setattr(pulling.urllib.request, "urlopen", no_network)
    return tmp_path / "cache"


def no_network(*_arguments: object, **_named: object) -> None:
    raise AssertionError("the network was asked")


def wheel(
    path: Path, content: bytes = ONNX, member: str = MEMBER, method: int = zipfile.ZIP_DEFLATED
) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("../outside.txt", "x")
        archive.writestr(member, content)
    return path


def tar(path: Path, *members: tuple[tarfile.TarInfo, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for info, content in members:
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def stored() -> bytes:
    return load_model(model_folder(NAME)).tensors["raw"].tobytes()


def files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_cached_model_is_not_asked_for_again(tmp_path: Path) -> None:
    assert not is_pulled(NAME)
    folder = pull(NAME, given=str(wheel(tmp_path / "a.whl")))
    assert is_pulled(NAME)
    assert pull(NAME) == folder == model_folder(NAME)
    assert stored() == ONNX


def test_from_a_wheel_and_from_the_file_itself(tmp_path: Path) -> None:
    folder = pull(NAME, given=str(wheel(tmp_path / "a.whl")))
    assert read_description(folder)["source_sha256"] == DIGEST
    assert (folder / "source.onnx").read_bytes() == ONNX
    plain = tmp_path / "other.onnx"
    plain.write_bytes(ONNX)
    assert read_description(pull(NAME, given=str(plain)))["source"] == str(plain)
    assert not (tmp_path / "outside.txt").exists()
    assert not (folder.parent / "outside.txt").exists()
    assert len(files(folder)) == 3


def test_another_sha256_is_refused_with_the_way_to_accept_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.onnx"
    path.write_bytes(b"something else")
    other = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(PullError) as caught:
        pull(NAME, given=str(path))
    assert f"has sha256 {other}, which is not pinned for {NAME}" in str(caught.value)
    assert f"--sha256 {other}" in str(caught.value)
    assert not is_pulled(NAME)
    pull(NAME, given=str(path), sha256=other.upper())
    assert stored() == b"something else"


def test_a_stated_sha256_has_to_fit_even_a_pinned_file(tmp_path: Path) -> None:
    with pytest.raises(PullError, match=f"not the stated {'0' * 64}"):
        pull(NAME, given=str(wheel(tmp_path / "a.whl")), sha256="0" * 64)


def test_weights_without_the_graph_take_the_old_graph_away(tmp_path: Path) -> None:
    folder = pull(NAME, given=str(wheel(tmp_path / "a.whl")))
    assert (folder / "source.onnx").exists()
    pull(NAME, given=str(tar(tmp_path / "b.tar", (tarfile.TarInfo(TAR_MEMBER), b"pd"))), sha256=_sha(b"pd"))
    assert not (folder / "source.onnx").exists()


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_tar_by_exact_name_only(tmp_path: Path) -> None:
    content = b"weights"
    members = [
        (tarfile.TarInfo("../evil.txt"), b"x"),
        (tarfile.TarInfo("/tmp/evil-datakit-test.txt"), b"x"),
        (tarfile.TarInfo(f"../{TAR_MEMBER}"), b"wrong one"),
        (tarfile.TarInfo(f"./{TAR_MEMBER}"), content),
    ]
    pull(NAME, given=str(tar(tmp_path / "a.tar", *members)), sha256=_sha(content))
    assert stored() == content
    assert not Path("/tmp/evil-datakit-test.txt").exists()
    assert files(tmp_path) == {"a.tar", *(f"cache/models/{NAME}/{n}" for n in files(model_folder(NAME)))}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_a_tar_member_that_is_no_file_is_refused(tmp_path: Path, kind: bytes) -> None:
    info = tarfile.TarInfo(TAR_MEMBER)
    info.type, info.linkname = kind, "/etc/passwd"
    with pytest.raises(PullError, match=f"holds no {TAR_MEMBER}"):
        pull(NAME, given=str(tar(tmp_path / "a.tar", (info, b""))))
    assert files(model_folder(NAME)) == set()


def test_oversize_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "_MAX_MEMBER_BYTES", 1 << 20)
    large = os.urandom((1 << 20) + 1)
    with pytest.raises(PullError, match="has 1048577 bytes; refused"):
        pull(
            NAME, given=str(tar(tmp_path / "a.tar", (tarfile.TarInfo(TAR_MEMBER), large))), sha256=_sha(large)
        )
    with pytest.raises(PullError, match="unpacks to 1048577 bytes; refused"):
        pull(NAME, given=str(wheel(tmp_path / "a.whl", large)), sha256=_sha(large))


def test_a_zip_bomb_is_refused_by_its_ratio(tmp_path: Path) -> None:
    bomb = wheel(tmp_path / "bomb.whl", bytes(64 << 20))
    assert bomb.stat().st_size < 100_000
    with pytest.raises(PullError, match="unpacks to 67108864 bytes; refused"):
        pull(NAME, given=str(bomb))
    assert files(model_folder(NAME)) == set()


def test_a_size_that_lies_is_cut_off(tmp_path: Path) -> None:
    """The directory says 20 bytes, the data unpacks to 64 MB."""
    path = wheel(tmp_path / "bomb.whl", bytes(64 << 20))
    raw = path.read_bytes().replace((64 << 20).to_bytes(4, "little"), (20).to_bytes(4, "little"))
    path.write_bytes(raw)
    with pytest.raises(PullError, match=r"holds no readable|has sha256"):
        pull(NAME, given=str(path))


@pytest.mark.parametrize("mode", ["w:gz", "w:xz", "w:bz2"])
def test_compressed_tars_are_refused(tmp_path: Path, mode: str) -> None:
    path = tar(tmp_path / f"a.tar.{mode[2:]}", (tarfile.TarInfo(TAR_MEMBER), b"x"), mode=mode)
    with pytest.raises(PullError, match="plain tar"):
        pull(NAME, given=str(path))


def test_damaged_archives_are_refused(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    content = rng.integers(0, 4, 20_000).astype(np.uint8).tobytes()
    zipped = wheel(tmp_path / "a.whl", content).read_bytes()
    tarred = tar(tmp_path / "a.tar", (tarfile.TarInfo(TAR_MEMBER), content)).read_bytes()
    refused = 0
    for number in range(300):
        raw = bytearray(zipped if number % 2 else tarred)
        for place in rng.integers(0, len(raw), 3):
            raw[place] ^= int(rng.integers(1, 256))
        path = tmp_path / f"torn{'.whl' if number % 2 else '.tar'}"
        path.write_bytes(raw[: int(rng.integers(1, len(raw)))] if number % 3 == 0 else raw)
        try:
            pull(NAME, given=str(path), sha256=_sha(content))
        except PullError:
            refused += 1
    assert refused > 250
    assert files(tmp_path) - {"a.whl", "a.tar", "torn.whl", "torn.tar"} == {
        f"cache/models/{NAME}/{name}" for name in files(model_folder(NAME))
    }


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("nothing.onnx", "is not a file"),
        ("file:///etc/passwd", "only http and https"),
        (".", "is not a file"),
    ],
)
def test_sources_that_make_no_sense(given: str, words: str) -> None:
    with pytest.raises(PullError, match=words):
        pull(NAME, given=given)
    with pytest.raises(UsageError, match="no model is called 'ppocrv9'"):
        pull("ppocrv9")


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder, logs nothing."""

    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A folder on loopback; the address of it."""
    monkeypatch.setattr(pulling.urllib.request, "urlopen", URLOPEN)
    (tmp_path / "www").mkdir()
    handler = functools.partial(Quiet, directory=str(tmp_path / "www"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


URLOPEN = pulling.urllib.request.urlopen


def test_from_an_address(server: str, tmp_path: Path) -> None:
    wheel(tmp_path / "www" / "a b.whl")
    pull(NAME, given=f"{server}/a%20b.whl?token=../../x")
    assert stored() == ONNX
    assert read_description(model_folder(NAME))["source"].startswith(server)
    (tmp_path / "www" / "model.onnx").write_bytes(ONNX)
    pull(NAME, given=f"{server}/model.onnx?raw=true#top")
    assert (model_folder(NAME) / "source.onnx").read_bytes() == ONNX


@pytest.mark.parametrize("path", ["/none.onnx", "/", "/..", "/%2e%2e/%2e%2e", "/."])
def test_an_address_that_gives_nothing_useful(server: str, path: str) -> None:
    with pytest.raises(PullError):
        pull(NAME, given=server + path)
    assert files(model_folder(NAME)) == set()


def test_no_server_and_no_address() -> None:
    for given in ("http://127.0.0.1:9/x.onnx", "http://", "http://127.0.0.1:9/a b\n", "http://[::1"):
        with pytest.raises(PullError), pytest.MonkeyPatch.context() as patch:
            patch.setattr(pulling.urllib.request, "urlopen", URLOPEN)
            pull(NAME, given=given)


def test_a_download_without_end_is_cut_off(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling, "_MAX_DOWNLOAD_BYTES", 1 << 20)
    (tmp_path / "www" / "large.onnx").write_bytes(bytes(2 << 20))
    with pytest.raises(PullError, match="is larger than 1 MiB; refused"):
        pull(NAME, given=f"{server}/large.onnx")


def test_a_full_disk_is_no_failed_download(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.BytesIO):
        def write(self, _chunk: object) -> int:
            raise OSError(28, "No space left on device")

    (tmp_path / "www" / "a.onnx").write_bytes(ONNX)
    real = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda self, *a, **k: Full() if self.suffix == ".onnx" and "wb" in a else real(self, *a, **k),
    )
    with pytest.raises(OutputError, match="No space left"):
        pull(NAME, given=f"{server}/a.onnx")


def test_sources_in_order_and_every_failure_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said: list[str] = []
    failed = subprocess.CompletedProcess([], 1, "", "WARNING: x\nERROR: No matching distribution found\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    monkeypatch.setattr(pulling.urllib.request, "urlopen", lambda *_, **__: io.BytesIO(b"not a tar"))
    with pytest.raises(PullError) as caught:
        pull(NAME, say=said.append)
    tried = [line for line in said if line.startswith("trying")]
    assert tried == [
        "trying rapidocr-onnxruntime==1.2.13 from pip's index",
        f"trying {MODELS[NAME].tar.url}",
    ]
    message = str(caught.value)
    assert "pip could not deliver rapidocr-onnxruntime==1.2.13 (ERROR: No matching distribution" in message
    assert "cannot be read as a plain tar archive" in message
    assert files(model_folder(NAME)) == set()


def test_pip_is_asked_first_and_told_to_install_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def deliver(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        wheel(Path(command[command.index("--dest") + 1]) / "rapidocr.whl")
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", deliver)
    pull(NAME)
    assert stored() == ONNX
    (command,) = commands
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert {"--no-deps", "--ignore-requires-python", "--only-binary"} < set(command)
    pull(NAME, force=True)
    assert len(commands) == 2


def test_pip_that_hangs_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(command: list[str], timeout: float, **_: object) -> None:
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(subprocess, "run", hang)
    monkeypatch.setattr(pulling.urllib.request, "urlopen", lambda *_, **__: io.BytesIO(b""))
    with pytest.raises(PullError, match=r"pip did not deliver .* within 600 s"):
        pull(NAME)


_SLOW = """
import sys, time
from pathlib import Path
from datakit_train.weights import pull as pulling
pulling._check_sha256 = lambda *_: "x"
def convert(path, *_):
    print("converting", flush=True)
    time.sleep(60)
pulling._convert = convert
pulling.pull("ppocrv3-rec", given=sys.argv[1])
"""


def test_a_killed_pull_leaves_no_half_model_and_the_next_cleans_up(tmp_path: Path) -> None:
    path = wheel(tmp_path / "a.whl")
    with subprocess.Popen([sys.executable, "-c", _SLOW, str(path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        with pytest.raises(LockedError, match=str(child.pid)):
            pull(NAME, given=str(path))
        child.send_signal(signal.SIGKILL)
    time.sleep(0.05)
    assert not is_pulled(NAME)
    assert any(name.startswith(".datakit-pull-") for name in files(model_folder(NAME)))
    pull(NAME, given=str(path))
    assert stored() == ONNX
    assert not any(name.startswith(".datakit-pull-") for name in files(model_folder(NAME)))


def test_the_command(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["models", "pull", NAME, "--from", str(wheel(tmp_path / "a.whl"))])
    assert (result.exit_code, result.stdout) == (0, f"{model_folder(NAME)}\n")
    assert "trying" in result.stderr
    listed = CliRunner().invoke(app, ["models", "list"])
    assert listed.stdout.splitlines()[0].startswith("ppocrv3-rec    here")
    keys = tmp_path / "keys.txt"
    info = CliRunner().invoke(app, ["models", "info", NAME, "--dict", str(keys)])
    assert f"source_sha256    {DIGEST}" in info.stdout
    chars = read_description(model_folder(NAME))["characters"]
    assert list(load_charset(keys, use_space_char=chars[-1] == " ").chars) == chars


def test_a_missing_extra_is_said_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATAKIT_CACHE", str(tmp_path))
    monkeypatch.setattr("datakit_train.framework._TRAIN_EXTRA", {"no_such_module": "paddlepaddle"})
    tried: list[str] = []
    with pytest.raises(MissingExtraError, match=r"pip install 'ocr-datakit\[train\]'"):
        pull("ppocrv3-rec", say=tried.append)
    assert tried == []
    assert list(tmp_path.iterdir()) == []
