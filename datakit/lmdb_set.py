"""Recognition sets in LMDB, with PaddleOCR's keys: ``num-samples``, ``image-%09d``, ``label-%09d`` from 1.

Values are the bytes of a picture file and the label in UTF-8; nothing is ever unpickled. LMDB trusts its own
pages: a file with a broken header or a missing end is refused here, one with damage inside may not be.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datakit.errors import InputError, MissingExtraError, OutputError
from datakit.files import TEMPORARY
from datakit.labels import LabelFault, RecLine, text_notes

DATA_FILE = "data.mdb"
COUNT_KEY = b"num-samples"
# A transaction is written again after the map has grown, so it is kept in memory until then.
BATCH_BYTES = 16 * 1024 * 1024
FIRST_MAP = 64 * 1024 * 1024
MAX_SAMPLES = 999_999_999
_IMAGE_KEY = re.compile(r"image-(\d{9})")

# One open environment a set: LMDB allows no second one in a process. Real path -> (inode, environment).
_ENVIRONMENTS: dict[str, tuple[int, Any]] = {}


@dataclass(frozen=True, slots=True)
class LmdbSample:
    """Sample ``key`` (from 1): the bytes of its picture file and its label."""

    key: int
    image: bytes
    label: str


def is_lmdb(path: str | Path) -> bool:
    """Whether ``path`` is a folder with an LMDB file."""
    return Path(path, DATA_FILE).is_file()


def find_lmdb_sets(folder: str | Path) -> list[Path]:
    """The LMDB folders under ``folder``, itself included, sorted; PaddleOCR reads all of them."""
    return sorted(path.parent for path in Path(folder).rglob(DATA_FILE) if path.is_file())


def image_key(key: int) -> str:
    """The name that the picture of sample ``key`` has in the set."""
    return f"image-{key:09d}"


def count_samples(path: str | Path) -> int:
    """The value of ``num-samples``.

    Raises:
        InputError: no LMDB set, a broken one, or one without a sample.
        MissingExtraError: the package lmdb is not installed.
    """
    with _transaction(path) as transaction:
        return _count(path, transaction)


def unread_samples(path: str | Path) -> int:
    """Labels under keys above ``num-samples``, which PaddleOCR never reads; raises as
    :func:`count_samples` does.
    """
    with _transaction(path) as transaction:
        cursor = transaction.cursor()
        beyond = 0
        more = cursor.set_range(_label_key(_count(path, transaction) + 1))
        while more and cursor.key().startswith(b"label-"):
            beyond += 1
            more = cursor.next()
        return beyond


def read_lmdb(path: str | Path) -> Iterator[LmdbSample | LabelFault]:
    """Yield every sample from 1 to ``num-samples``, usable or not; ``line`` of a fault is the key.

    Codes of faults: ``missing-key`` (picture or label), ``invalid-utf8``. Pictures are not decoded. Raises as
    :func:`count_samples` does.
    """
    with _transaction(path) as transaction:
        for key in range(1, _count(path, transaction) + 1):
            label = _label(path, key, transaction)
            image = transaction.get(image_key(key).encode())
            if isinstance(label, LabelFault):
                yield label
            elif image is None:
                yield _missing(path, key, image_key(key), label)
            else:
                yield LmdbSample(key, image, label)


def scan_lmdb(path: str | Path) -> Iterator[RecLine | LabelFault]:
    """Yield the labels as lines of a recognition label file: ``line`` is the key, the picture ``image-%09d``.

    Faults and errors as in :func:`read_lmdb`; pictures stay where they are, see :func:`lmdb_picture`.
    """
    file = str(path)
    with _transaction(path) as transaction:
        cursor = transaction.cursor()
        for key in range(1, _count(path, transaction) + 1):
            label = _label(path, key, transaction)
            if isinstance(label, LabelFault):
                yield label
            elif not cursor.set_key(image_key(key).encode()):
                yield _missing(path, key, image_key(key), label)
            else:
                yield RecLine(file, key, (image_key(key),), label, text_notes(label))


def lmdb_picture(path: str | Path, image: str) -> bytes:
    """The bytes of picture ``image`` (``image-%09d``).

    Raises:
        InputError: no such key, or as :func:`count_samples`.
        MissingExtraError: the package lmdb is not installed.
    """
    if not _IMAGE_KEY.fullmatch(image):
        raise InputError(f"{image!r} is no key of a picture", file=path)
    with _transaction(path) as transaction:
        data = transaction.get(image.encode())
    if data is None:
        raise InputError(f"has no key {image}", file=path)
    return bytes(data)


def write_lmdb(path: str | Path, samples: Iterable[tuple[bytes, str]]) -> int:
    """Write pictures (bytes of a file) and labels as a new LMDB folder; returns how many.

    The folder appears whole at the end, or not at all. The order of ``samples`` gives the keys, from 1.

    Raises:
        OutputError: ``path`` holds something, a label is no text, the disk is full, over 999,999,999 samples.
        MissingExtraError: the package lmdb is not installed.
    """
    lmdb = _lmdb()
    target = Path(os.path.realpath(path))
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise OutputError(f"{path}: is there already and not an empty folder")
    temporary = target.parent / f"{TEMPORARY}{os.getpid()}-{secrets.token_hex(4)}.tmp"
    try:
        temporary.mkdir(parents=True)
        count = _write_samples(lmdb, path, temporary, samples)
        (temporary / "lock.mdb").unlink(missing_ok=True)
        temporary.rename(target)
        _sync(target.parent)
    except lmdb.Error as error:
        raise OutputError(f"{path}: cannot be written ({error})") from error
    except OSError as error:
        if error.filename is not None and str(temporary) not in os.fsdecode(error.filename):
            raise
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return count


def _write_samples(lmdb: Any, path: str | Path, folder: Path, samples: Iterable[tuple[bytes, str]]) -> int:
    environment = lmdb.open(str(folder), map_size=FIRST_MAP, max_dbs=0)
    try:
        count = 0
        batch: dict[bytes, bytes] = {}
        size = 0
        for image, label in samples:
            count += 1
            if count > MAX_SAMPLES:
                raise OutputError(f"{path}: over {MAX_SAMPLES:,} samples")
            batch[image_key(count).encode()] = image
            batch[_label_key(count)] = _encoded(path, count, label)
            size += len(image)
            if size >= BATCH_BYTES:
                _put(lmdb, environment, batch)
                batch, size = {}, 0
        batch[COUNT_KEY] = str(count).encode()
        _put(lmdb, environment, batch)
        environment.sync(True)
    finally:
        environment.close()
    return count


def _put(lmdb: Any, environment: Any, batch: Mapping[bytes, bytes]) -> None:
    """Write a batch in one transaction, in a map of twice the size for as long as it does not fit."""
    while True:
        try:
            with environment.begin(write=True) as transaction:
                for key, value in batch.items():
                    transaction.put(key, value)
        except lmdb.MapFullError:
            environment.set_mapsize(environment.info()["map_size"] * 2)
        else:
            return


def _encoded(path: str | Path, key: int, label: str) -> bytes:
    try:
        return label.encode()
    except UnicodeEncodeError as error:
        raise OutputError(f"{path}: label {key}: {error.object[error.start]!r} is no character") from error


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        # Some network file systems have no fsync of folders.
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _label_key(key: int) -> bytes:
    return b"label-%09d" % key


def _label(path: str | Path, key: int, transaction: Any) -> str | LabelFault:
    value = transaction.get(_label_key(key))
    if value is None:
        return _missing(path, key, _label_key(key).decode(), "")
    try:
        return bytes(value).decode()
    except UnicodeDecodeError as error:
        raw = bytes(value[:200]).decode("utf-8", "backslashreplace")
        message = f"byte {error.start} of the label is not UTF-8 ({error.reason})"
        return LabelFault(str(path), key, "invalid-utf8", message, raw)


def _missing(path: str | Path, key: int, name: str, label: str) -> LabelFault:
    return LabelFault(str(path), key, "missing-key", f"the set has no key {name}", label[:200])


def _count(path: str | Path, transaction: Any) -> int:
    value = transaction.get(COUNT_KEY)
    if value is None:
        raise InputError("is an LMDB set without num-samples, so no recognition set of PaddleOCR", file=path)
    digits = bytes(value[:20])
    if not digits.isdigit() or int(digits) > MAX_SAMPLES:
        raise InputError(f"has num-samples {digits!r}, which is no count", file=path)
    if int(digits) == 0:
        raise InputError("holds no sample (num-samples is 0)", file=path)
    return int(digits)


def _lmdb() -> Any:
    try:
        import lmdb
    except ImportError as error:
        raise MissingExtraError("lmdb", "lmdb") from error
    return lmdb


@contextlib.contextmanager
def _transaction(path: str | Path) -> Iterator[Any]:
    lmdb = _lmdb()
    try:
        with _environment(lmdb, path).begin(write=False) as transaction:
            yield transaction
    except lmdb.Error as error:
        raise InputError(f"cannot be read as LMDB ({error})", file=path) from error


def _environment(lmdb: Any, path: str | Path) -> Any:
    """The open environment of a set; opened anew when another file has taken its place."""
    real = os.path.realpath(path)
    try:
        status = Path(real, DATA_FILE).stat()
    except OSError as error:
        raise InputError(f"is no LMDB set ({error.strerror})", file=path) from error
    inode, environment = _ENVIRONMENTS.get(real, (0, None))
    if environment is not None and inode == status.st_ino:
        return environment
    if environment is not None:
        environment.close()
    environment = lmdb.open(real, readonly=True, lock=False, readahead=False, meminit=False, create=False)
    pages = environment.info()["last_pgno"] + 1
    if pages * environment.stat()["psize"] > status.st_size:
        environment.close()
        # Reading on would end the process with SIGBUS.
        raise InputError(f"is cut off: {status.st_size:,} bytes of {pages} pages", file=path)
    _ENVIRONMENTS[real] = (status.st_ino, environment)
    return environment
