"""``--fix``: a copy of a label file with every mend that cannot spoil a line, each change written down.

A line is byte-identical where nothing had to be mended, and stays as it is where nothing can be: it is never
left out. Labels of detection keep their JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from datakit.audit.inputs.source import LabelSource
from datakit.audit.mends import Change, mend_path, mend_text
from datakit.audit.raw_lines import RawLine, raw_lines
from datakit.charset import Charset
from datakit.files import atomic_open
from datakit.labels import Task
from datakit.records import SCHEMA_VERSION

CHANGES_SUFFIX = ".changes.jsonl"
BACKSLASH = "path-backslash"

_BOM = b"\xef\xbb\xbf"
# A line without any of these has nothing to mend: most lines of most files.
_SUSPECT = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f-\xff\\]|  |\t | [\t\n]| \Z")


@dataclass(frozen=True, slots=True)
class Fixed:
    """What ``--fix`` made of one label file: where it is, its lines, those changed, changes by code."""

    source: str
    out: str
    lines: int
    changed: int
    counts: dict[str, int]


def fix_file(source: LabelSource, out: Path, charset: Charset | None = None) -> Fixed:
    """Write the mended label file to ``out`` and its changes to ``out`` + ``.changes.jsonl``.

    Paths keep their root, ``source.data_dir``. Lines are streamed: memory does not grow with the file.

    Raises:
        InputError: the label file cannot be read.
        OutputError: an output cannot be written.
    """
    counts: dict[str, int] = {}
    lines = changed = 0
    # The list of changes first: it must not be missing beside a changed file.
    with atomic_open(changes_path(out), "w") as listed, atomic_open(out, "wb") as stream:
        for raw in raw_lines(source.file):
            after, changes = mend_line(raw, source.task, source.data_dir, charset)
            stream.write(after)
            lines = raw.number
            changed += bool(changes)
            for change in changes:
                counts[change.code] = counts.get(change.code, 0) + 1
                listed.write(_record(source.file, raw.number, change))
    return Fixed(source.file, str(out), lines, changed, counts)


def changes_path(out: Path) -> Path:
    """Where the changes of a mended file are listed."""
    return out.with_name(out.name + CHANGES_SUFFIX)


def _record(file: str, line: int, change: Change) -> str:
    record = {"schema_version": SCHEMA_VERSION, "file": file, "line": line, **asdict(change)}
    return json.dumps(record, ensure_ascii=False) + "\n"


def mend_line(
    raw: RawLine, task: Task, data_dir: Path, charset: Charset | None = None
) -> tuple[bytes, list[Change]]:
    """The mended bytes of a line (newline included if there was one), and what was changed."""
    if not raw.whole or not _SUSPECT.search(raw.data) or not raw.data.strip():
        return raw.data, []
    marked = raw.number == 1 and raw.data.startswith(_BOM)
    try:
        body = raw.data.removeprefix(_BOM if marked else b"").decode("utf-8")
    except UnicodeDecodeError:
        return raw.data, []
    line = body.removesuffix("\n")
    path, tab, label = line.partition("\t")
    changes = [Change("bom", "path", "\ufeff" + path, path)] if marked else []
    fields = _mended_fields(path, label, task, data_dir, charset, changes) if tab else _ended(path, changes)
    return ((fields + body[len(line) :]).encode() if changes else raw.data), changes


def _mended_fields(
    path: str, label: str, task: Task, data_dir: Path, charset: Charset | None, changes: list[Change]
) -> str:
    """The line without its newline; what follows a second tab is nobody's text and stays."""
    text, tab, extra = _ended(label, changes).partition("\t")
    path = _after(_mended_path(path, data_dir), path, changes)
    if task == "rec":
        text = _after(mend_text(text, charset), text, changes)
    return f"{path}\t{text}{tab}{extra}"


def _ended(field: str, changes: list[Change]) -> str:
    """The last field of a line without its carriage return."""
    if field.endswith("\r"):
        changes.append(Change("crlf", "text", field, field[:-1]))
        return field[:-1]
    return field


def _after(found: Iterator[Change], value: str, changes: list[Change]) -> str:
    """Note the changes of a field; returns what they leave."""
    for change in found:
        changes.append(change)
        value = change.after
    return value


def _mended_path(path: str, data_dir: Path) -> Iterator[Change]:
    """Slashes in a path, or in every path of a JSON list."""
    if "\\" not in path:
        return
    if not path.startswith("["):
        yield from mend_path(path, data_dir, BACKSLASH)
        return
    try:
        names = json.loads(path)
    except (ValueError, RecursionError):
        return
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return
    mended = [next(mend_path(name, data_dir, BACKSLASH), None) for name in names]
    if any(mended):
        after = [change.after if change else name for change, name in zip(mended, names, strict=True)]
        yield Change(BACKSLASH, "path", path, json.dumps(after, ensure_ascii=False))
