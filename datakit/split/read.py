"""The lines of label files, as bytes and as what a split has to know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit.errors import InputError
from datakit.labels import LabelFault, RecLine, Task, det_entry, rec_entry, sniff_task

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class SplitLine:
    """A usable line: its place, its bytes with the newline, its first picture, its text ("" of a page)."""

    file: str
    line: int
    raw: bytes
    image: str
    text: str


def read_lines(
    files: Sequence[str | Path], task: Task | None = None
) -> tuple[list[SplitLine], list[LabelFault]]:
    """All usable lines of label files, in order, and what cannot be used.

    Bytes are kept as they are, but for a byte order mark, which may only stand before a first line.

    Raises:
        InputError: a file is missing, cannot be read, holds no usable line, or they are of different tasks.
    """
    lines: list[SplitLine] = []
    faults: list[LabelFault] = []
    tasks = {str(file): task or sniff_task(file) for file in files}
    if len(set(tasks.values())) > 1:
        told = ", ".join(f"{file} is {kind}" for file, kind in tasks.items())
        raise InputError(f"label files of different tasks cannot be split together: {told}")
    for file, kind in tasks.items():
        before = len(lines)
        _read(file, kind, lines, faults)
        if len(lines) == before:
            raise InputError("holds no usable line", file=file)
    return lines, faults


def _read(file: str, task: Task, lines: list[SplitLine], faults: list[LabelFault]) -> None:
    parse = rec_entry if task == "rec" else det_entry
    try:
        with Path(file).open("rb") as stream:
            for number, raw in enumerate(stream, start=1):
                entry = parse(file, number, raw)
                if isinstance(entry, LabelFault):
                    faults.append(entry)
                    continue
                whole = raw.removeprefix(_BOM) if number == 1 else raw
                text = entry.text if isinstance(entry, RecLine) else ""
                lines.append(SplitLine(file, number, whole.removesuffix(b"\n") + b"\n", entry.image, text))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=file) from error
