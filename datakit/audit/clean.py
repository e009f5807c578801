"""``--clean`` and ``--dropped``: the lines that are trained, byte for byte, and a record of every other."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from datakit.audit.inputs.source import LabelSource, scan
from datakit.audit.lost import LostLines
from datakit.audit.raw_lines import raw_lines
from datakit.errors import InputError
from datakit.files import atomic_open
from datakit.labels import LabelFault, RecLine
from datakit.records import SCHEMA_VERSION

# The check that names what the encoder cuts.
CUT_REASON = "not-in-dictionary"


@dataclass(frozen=True, slots=True)
class Audited:
    """A source after its audit: how many lines it has, and which of them are not trained as labelled."""

    source: LabelSource
    lines: int
    lost: LostLines


@dataclass(frozen=True, slots=True)
class Split:
    """What became of one source: lines = kept + dropped."""

    source: str
    lines: int
    kept: int
    dropped: int


def split_lines(
    audited: Sequence[Audited],
    *,
    clean: Sequence[Path] = (),
    dropped: Path | None = None,
    drop_cut: bool = False,
) -> tuple[Split, ...]:
    """Write kept lines of each source to its path of ``clean``, a record of every other line to ``dropped``.

    Left out are lines that are dropped, never learnable or unreadable; those trained with characters cut only
    with ``drop_cut``. Kept lines are the bytes of the input, in their order. All files appear at the end.

    Raises:
        InputError: a source changed since its audit.
        OutputError: an output cannot be written.
    """
    with contextlib.ExitStack() as stack:
        records = stack.enter_context(atomic_open(dropped, "w")) if dropped else None
        outs = [stack.enter_context(atomic_open(path, "wb")) for path in clean]
        done = []
        for number, one in enumerate(audited):
            done.append(_split(one, outs[number] if outs else None, records, drop_cut))
        return tuple(done)


def _split(one: Audited, out: IO[Any] | None, records: IO[Any] | None, drop_cut: bool) -> Split:
    left_out = 0
    last = 0
    for number, data, raw in _lines(one):
        fate, reason = one.lost[number] or ("trained", "")
        gone = fate not in ("trained", "cut") or (drop_cut and fate == "cut")
        if gone and number != last:
            left_out += 1
            if records is not None:
                records.write(_record(one.source.file, number, fate, reason, raw or data))
        elif not gone and out is not None:
            out.write(data)
        last = number
    if last != one.lines:
        raise InputError(f"changed during its audit: {last} lines, {one.lines} before", file=one.source.file)
    return Split(one.source.file, one.lines, one.lines - left_out, left_out)


def _lines(one: Audited) -> Iterator[tuple[int, bytes, str]]:
    """(number, bytes, text for the record) of every line; of an LMDB set the label, without bytes."""
    if one.source.kind == "lmdb":
        for entry in scan(one.source):
            label = entry.text if isinstance(entry, RecLine) else ""
            yield entry.line, b"", entry.raw if isinstance(entry, LabelFault) else label
        return
    for raw in raw_lines(one.source.file):
        # The scanner does not count a last line that holds nothing.
        if raw.number <= one.lines or raw.data.strip(b"\r\n\xef\xbb\xbf"):
            yield raw.number, raw.data, ""


def _record(file: str, line: int, fate: str, reason: str, raw: bytes | str) -> str:
    text = raw if isinstance(raw, str) else raw.removesuffix(b"\n").decode("utf-8", "backslashreplace")
    record = {
        "schema_version": SCHEMA_VERSION,
        "file": file,
        "line": line,
        "fate": fate,
        "reason": reason or CUT_REASON,
        "raw": text,
    }
    return json.dumps(record, ensure_ascii=False) + "\n"
