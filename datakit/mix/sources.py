"""mix.yaml: the sources of a training set and their ratios."""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast, get_args

import yaml

from datakit.errors import InputError, UsageError
from datakit.files import atomic_write

Kind = Literal["domain", "general", "synthetic", "badcases"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# A line seen more often than this in one epoch is a mistake in the file, not a plan.
MAX_RATIO = 1000.0
_KEYS = ("label_file", "data_dir", "kind", "ratio")


@dataclass(frozen=True, slots=True)
class Source:
    """One label file of a mix.

    ``data_dir`` is what its picture paths are relative to; ``ratio`` (0..1000) is the share of its lines
    that one epoch draws, where 1 is every line once.
    """

    label_file: Path
    data_dir: Path
    kind: Kind
    ratio: float = 1.0


@dataclass(frozen=True, slots=True)
class Mix:
    """The sources of an epoch, in the order in which they are drawn."""

    sources: tuple[Source, ...]


def checked_ratio(value: object, *, file: Path | None = None) -> float:
    """``value`` as a ratio.

    Raises:
        InputError: it is no finite number in 0..1000 (``file`` given); UsageError without a file.
    """
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        ratio = float(value)
        if math.isfinite(ratio) and 0 <= ratio <= MAX_RATIO:
            return ratio
    message = f"ratio {value!r} is not a number from 0 to {MAX_RATIO:g}"
    raise UsageError(message) if file is None else InputError(message, file=file)


def _unknown_key(key: str, known: Iterable[str], file: Path) -> InputError:
    names = list(known)
    close = difflib.get_close_matches(key, names, n=1)
    hint = f", did you mean {close[0]!r}?" if close else f"; known are {', '.join(names)}"
    return InputError(f"unknown key {key!r}{hint}", file=file)


def _source(entry: Any, number: int, path: Path) -> Source:
    if not isinstance(entry, dict):
        raise InputError(f"source {number} is not a mapping with label_file and kind", file=path)
    for key in entry:
        if key not in _KEYS:
            raise _unknown_key(str(key), _KEYS, path)
    label_file, kind = entry.get("label_file"), entry.get("kind")
    if not isinstance(label_file, str) or not label_file:
        raise InputError(f"source {number} names no label_file", file=path)
    if kind not in KINDS:
        raise InputError(f"source {number} has kind {kind!r}; known are {', '.join(KINDS)}", file=path)
    labels = path.parent / label_file
    data_dir = entry.get("data_dir")
    if data_dir is not None and not isinstance(data_dir, str):
        raise InputError(f"source {number} has data_dir {data_dir!r}, expected a folder", file=path)
    folder = labels.parent if data_dir is None else path.parent / data_dir
    return Source(labels, folder, cast(Kind, kind), checked_ratio(entry.get("ratio", 1.0), file=path))


def load_mix(path: Path) -> Mix:
    """Read a mix.yaml; relative paths in it start at the file's own folder.

    Raises:
        InputError: the file is missing, no YAML, or a key or value in it makes no sense (named).
    """
    try:
        document = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=path) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"is not valid YAML ({' '.join(str(error).split())})", file=path) from error
    if not isinstance(document, dict) or not isinstance(document.get("sources"), list):
        raise InputError("holds no list of sources", file=path)
    for key in document:
        if key not in ("schema_version", "sources"):
            raise _unknown_key(str(key), ("schema_version", "sources"), path)
    if document.get("schema_version", 1) != 1:
        raise InputError(f"has schema_version {document['schema_version']!r}, expected 1", file=path)
    if not document["sources"]:
        raise InputError("has an empty list of sources", file=path)
    return Mix(
        tuple(_source(entry, number, path) for number, entry in enumerate(document["sources"], start=1))
    )


def relative(target: Path, folder: Path) -> str:
    """``target`` as seen from ``folder``, with forward slashes and links resolved."""
    return Path(os.path.relpath(target.resolve(), folder.resolve())).as_posix()


def write_mix(path: Path, mix: Mix) -> None:
    """Write a mix.yaml whose paths are relative to its own folder.

    Raises:
        OutputError: the file cannot be written.
    """
    sources = [
        {
            "label_file": relative(source.label_file, path.parent),
            "data_dir": relative(source.data_dir, path.parent),
            "kind": source.kind,
            "ratio": source.ratio,
        }
        for source in mix.sources
    ]
    document = {"schema_version": 1, "sources": sources}
    atomic_write(path, yaml.safe_dump(document, sort_keys=False, allow_unicode=True))
