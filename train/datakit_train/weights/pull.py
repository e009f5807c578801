"""Fetches weights: the only part of datakit that uses the network.

Sources in order: the local cache, ``--from`` (file or URL), a wheel through pip's own configured index (so
mirrors and air-gapped indexes work), the official archive. Every file is checked against a sha256: the pinned
one, or the one that the user states for a file that is not pinned. Archives are read member by member by
exact name, never extracted.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import unquote, urlsplit

from datakit.charset import load_charset
from datakit.errors import InputError, OutputError, UsageError
from datakit.files import FolderLock, atomic_write, remove_temporaries, sha256_file
from datakit.models import ModelSpec, get_spec, model_folder
from datakit_train.framework import require_train_extra
from datakit_train.weights.convert import detector_from_onnx, recognizer_from_onnx, recognizer_from_pdparams
from datakit_train.weights.pdparams import WeightsError
from datakit_train.weights.store import StoredModel, save_model

SOURCE_ONNX = "source.onnx"
_SCRATCH = ".datakit-pull-"
_MAX_DOWNLOAD_BYTES = 1024**3
_MAX_MEMBER_BYTES = 512 * 1024**2
# Deflate cannot honestly shrink weights by more than a few times.
_MAX_RATIO = 50
_CHUNK = 1 << 20
_TIMEOUT_SECONDS = 60
_PIP_TIMEOUT_SECONDS = 600

Say = Callable[[str], None]


class PullError(InputError):
    """Weights that could not be had from one source."""


def _copy_limited(stream: IO[bytes], target: Path, limit: int, what: str) -> Path:
    written = 0
    with target.open("wb") as out:
        while chunk := stream.read(_CHUNK):
            written += len(chunk)
            if written > limit:
                raise PullError(f"{what} is larger than {limit >> 20} MiB; refused")
            _write(out, chunk, target)
    return target


def _write(out: IO[bytes], chunk: bytes, target: Path) -> None:
    """Not left to the caller, who would take a full disk for a failed download."""
    try:
        out.write(chunk)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written ({error.strerror})") from error


def _file_name(url: str) -> str:
    """A plain file name for what ``url`` leads to, with its suffix and without its query."""
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    return re.sub(r"[^\w.+-]", "_", name).lstrip(".") or "download"


def _download(url: str, folder: Path) -> Path:
    if not url.startswith(("https://", "http://")):
        raise PullError(f"{url}: only http and https addresses are fetched")
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - scheme checked above
            return _copy_limited(answer, folder / _file_name(url), _MAX_DOWNLOAD_BYTES, url)
    except (urllib.error.URLError, TimeoutError, ConnectionError, HTTPException, ValueError) as error:
        raise PullError(f"{url} cannot be fetched ({error})") from error


def _pip_download(requirement: str, folder: Path) -> Path:
    """Ask pip's configured index for one wheel.

    The Python that it was built for does not matter: nothing is installed.
    """
    command = [
        sys.executable, "-m", "pip", "download", "--no-deps", "--ignore-requires-python", "--only-binary",
        ":all:", "--disable-pip-version-check", "--quiet", "--dest", str(folder), requirement,
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_PIP_TIMEOUT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise PullError(f"pip did not deliver {requirement} within {_PIP_TIMEOUT_SECONDS} s") from error
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
        raise PullError(f"pip could not deliver {requirement} ({reason})")
    return wheels[0]


def _wheel_member(wheel: Path, member: str, folder: Path) -> Path:
    try:
        with zipfile.ZipFile(wheel) as archive:
            info = archive.getinfo(member)
            if info.file_size > _MAX_MEMBER_BYTES or info.file_size > _MAX_RATIO * max(1, info.compress_size):
                raise PullError(f"{wheel.name}: {member} unpacks to {info.file_size} bytes; refused")
            with archive.open(info) as stream:
                return _copy_limited(stream, folder / Path(member).name, _MAX_MEMBER_BYTES, member)
    except (zipfile.BadZipFile, zlib.error, KeyError, RuntimeError, EOFError, ValueError) as error:
        raise PullError(f"{wheel.name} holds no readable {member} ({error})") from error


def _tar_member(archive_path: Path, member: str, folder: Path) -> Path:
    try:
        # Plain tar only, as the official ones are: a compressed one can hide a header of any size.
        with tarfile.open(archive_path, "r:") as archive:
            for info in archive:
                if info.name.removeprefix("./") == member and info.isreg():
                    if info.size > _MAX_MEMBER_BYTES:
                        raise PullError(f"{archive_path.name}: {member} has {info.size} bytes; refused")
                    stream = archive.extractfile(info)
                    if stream is not None:
                        return _copy_limited(stream, folder / Path(member).name, _MAX_MEMBER_BYTES, member)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise PullError(f"{archive_path.name} cannot be read as a plain tar archive ({error})") from error
    raise PullError(f"{archive_path.name} holds no {member}")


def _unpack(path: Path, spec: ModelSpec, folder: Path) -> Path:
    """The weights file in ``path``: itself, or the one member of an archive that the model's sources name."""
    if zipfile.is_zipfile(path) and path.suffix in {".whl", ".zip"}:
        return _wheel_member(path, spec.wheel.member, folder)
    if path.suffix in {".tar", ".gz", ".tgz", ".xz", ".bz2"}:
        return _tar_member(path, spec.tar.member, folder)
    return path


def _check_sha256(path: Path, spec: ModelSpec, stated: str | None) -> str:
    digest = sha256_file(path)
    if digest == (stated.lower() if stated else spec.wheel.sha256):
        return digest
    if stated:
        raise PullError(f"has sha256 {digest}, not the stated {stated}", file=path)
    raise PullError(
        f"has sha256 {digest}, which is not pinned for {spec.name}. If you trust where it comes from, "
        f"say so with: --sha256 {digest}",
        file=path,
    )


def _from_given(given: str, spec: ModelSpec, folder: Path) -> tuple[Path, str]:
    if "://" in given:
        return _unpack(_download(given, folder), spec, folder), given
    path = Path(given)
    if not path.is_file():
        raise PullError("is not a file", file=path)
    return _unpack(path, spec, folder), str(path)


def _from_index(spec: ModelSpec, folder: Path) -> tuple[Path, str]:
    wheel = _pip_download(spec.wheel.requirement, folder)
    return _wheel_member(wheel, spec.wheel.member, folder), f"{spec.wheel.requirement}:{spec.wheel.member}"


def _from_tar(spec: ModelSpec, folder: Path) -> tuple[Path, str]:
    return _tar_member(_download(spec.tar.url, folder), spec.tar.member, folder), spec.tar.url


def _fetch(
    spec: ModelSpec, given: str | None, stated: str | None, folder: Path, say: Say
) -> tuple[Path, str, str]:
    """The first source that delivers a file with the right sha256; if none does, all failures are raised."""
    sources: list[tuple[str, Callable[[], tuple[Path, str]]]] = [
        (f"{spec.wheel.requirement} from pip's index", lambda: _from_index(spec, folder)),
        (spec.tar.url, lambda: _from_tar(spec, folder)),
    ]
    if given is not None:
        sources = [(given, lambda: _from_given(given, spec, folder))]
    failures = []
    for title, source in sources:
        say(f"trying {title}")
        try:
            path, origin = source()
            return path, origin, _check_sha256(path, spec, stated)
        except PullError as error:
            failures.append(str(error))
            say(f"  {error}")
    raise PullError(f"no source delivered {spec.name}: " + "; ".join(failures))


def _convert(path: Path, spec: ModelSpec, origin: str, dictionary: Path | None) -> StoredModel:
    if path.suffix == ".pdparams":
        if spec.task != "rec":
            raise WeightsError(f"{path.name}: .pdparams of a detector cannot be converted yet")
        if dictionary is None:
            raise UsageError("a .pdparams file holds no dictionary; give it with --dict")
        return recognizer_from_pdparams(path, load_charset(dictionary), licence=spec.licence)
    convert = recognizer_from_onnx if spec.task == "rec" else detector_from_onnx
    return convert(path, spec, origin)


def is_pulled(name: str) -> bool:
    """Whether the cache holds the model."""
    return (model_folder(name) / "model.json").exists()


def pull(
    name: str,
    *,
    given: str | None = None,
    sha256: str | None = None,
    dictionary: Path | None = None,
    force: bool = False,
    say: Say = lambda _line: None,
) -> Path:
    """Make sure that the weights of ``name`` are in the cache; returns their folder.

    Args:
        name: a name of :data:`datakit.models.MODELS`.
        given: a file or address to use instead of the usual sources.
        sha256: what the file has to have; without it, the pinned one.
        dictionary: for a ``.pdparams`` file, which holds none.
        force: fetch again although it is there.
        say: told what is tried.

    Raises:
        PullError: no source delivered the right file; all reasons are in the message.
    """
    spec = get_spec(name)
    folder = model_folder(name)
    if is_pulled(name) and not force and given is None:
        return folder
    require_train_extra()
    folder.mkdir(parents=True, exist_ok=True)
    with FolderLock(folder):
        _remove_scratch(folder)
        with tempfile.TemporaryDirectory(dir=folder, prefix=_SCRATCH) as scratch:
            path, origin, digest = _fetch(spec, given, sha256, Path(scratch), say)
            say(f"converting {path.name}")
            model = _convert(path, spec, origin, dictionary)
            _store(folder, path, replace(model, extra={**_facts(spec), "source_sha256": digest}))
    return folder


def _facts(spec: ModelSpec) -> dict[str, str]:
    return {"model": spec.name, "task": spec.task}


def _remove_scratch(folder: Path) -> None:
    """Take away what a killed pull left; the caller holds the lock."""
    for leftover in folder.glob(f"{_SCRATCH}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    remove_temporaries(folder)


def _store(folder: Path, path: Path, model: StoredModel) -> None:
    """Write the model, ``model.json`` last, and beside it the ONNX file that it comes from, if it does."""
    source = folder / SOURCE_ONNX
    if path.suffix == ".onnx":
        # Kept: export writes trained tensors back into this very graph.
        atomic_write(source, path.read_bytes())
    save_model(folder, model)
    if path.suffix != ".onnx":
        source.unlink(missing_ok=True)
