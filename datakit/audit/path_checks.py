"""Checks on the path of a label line, and on what stands in place of the tab after it."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
import numpy.typing as npt

from datakit.audit.check import Check
from datakit.labels import DetLine, RecLine
from datakit.report.text import shorten, visible

Line = RecLine | DetLine
_SPACES = " \u00a0\u3000"
_EDGE = _SPACES + "\u2002\u2003\u2009\u202f\r\x0b\x0c"
_DRIVE = re.compile(r"[A-Za-z]:(?:[\\/]|$)")
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_SUFFIX = r"\.(?:jpe?g|png|bmp|webp|tiff?|gif)"
_SPACES_FOR_TAB = re.compile(
    rf"(?:[^\t]*?{_SUFFIX}(?:\"\])?[{_SPACES}]+|[^\s]+[{_SPACES}]{{2,}})[^\s]", re.IGNORECASE
)
_ESCAPE_FOR_TAB = re.compile(rf"[^\t]*?{_SUFFIX}(?:\"\])?[{_SPACES}]*\\t", re.IGNORECASE)

# Byte strings of which the line (with the newline before it) holds at least one where the check fires, for
# checks whose characters stand in nearly every path.
PATH_NEEDLES: dict[str, tuple[bytes, ...]] = {
    "path-absolute": (b"\n/", b"\n~", b"\xbf/", b"\xbf~", b'"/', b'"~', b'"\\/', b"\\u00"),
    "path-parent": (b"..", b"\\u00"),
}


def _images(line: Line) -> tuple[str, ...]:
    return line.images if isinstance(line, RecLine) else (line.image,)


def _reported(is_bad: Callable[[str], bool]) -> Callable[[Line], Iterator[str]]:
    def run(line: Line) -> Iterator[str]:
        bad = [image for image in _images(line) if is_bad(image)]
        if bad:
            more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
            yield f"'{visible(shorten(bad[0], 80))}'{more}"

    return run


def has_backslash(path: str) -> bool:
    """Whether a backslash stands in the path; one of a drive (``C:\\``) has a check of its own."""
    return "\\" in path and not is_drive(path)


def is_absolute(path: str) -> bool:
    """Whether the path starts at the root or a home folder."""
    return path.startswith(("/", "~"))


def is_drive(path: str) -> bool:
    """Whether the path starts with a Windows drive or a network share."""
    return _DRIVE.match(path) is not None or path.startswith("\\\\")


def is_url(path: str) -> bool:
    """Whether the path is a web address or another URL."""
    return _URL.match(path) is not None


def climbs(path: str) -> bool:
    """Whether the path goes up and stays below its folder; one that leaves it is ``path-outside``."""
    return "/../" in path and not is_absolute(path) and not posixpath.normpath(path).startswith("..")


def has_edge_space(path: str) -> bool:
    """Whether the path begins or ends with a space."""
    return path != path.strip(_EDGE)


def in_place_of_tab(raw: str) -> Literal["spaces", "escape"] | None:
    """What parts path and label in a line without a tab: spaces, or a backslash and a t; None for neither.

    ``raw`` is the beginning of the line, as in :class:`datakit.labels.LabelFault`. A single space counts only
    after the suffix of a picture.
    """
    if "\t" in raw:
        return None
    if _ESCAPE_FOR_TAB.match(raw):
        return "escape"
    return "spaces" if _SPACES_FOR_TAB.match(raw) else None


def folded_path(path: str) -> str:
    """``path`` normalised and without case: equal for names that Windows and macOS take for one file."""
    return posixpath.normpath(path).casefold()


class CaseNames:
    """Finds paths that differ from an earlier one by case alone; keeps one string a folded path."""

    def __init__(self) -> None:
        self._first: dict[str, str] = {}

    def seen(self, path: str) -> str | None:
        """The earlier path that ``path`` differs from by case; None for none."""
        exact = posixpath.normpath(path)
        first = self._first.setdefault(exact.casefold(), exact)
        return None if first == exact else first


def case_twins(folded: npt.NDArray[np.uint64], exact: npt.NDArray[np.uint64]) -> list[tuple[int, int]]:
    """Pairs (first, later) of positions with equal ``folded`` and other ``exact`` hashes.

    Hashes of the paths without and with case, one entry a line; each position that differs from the first of
    its group is named once. Equal 64-bit hashes are taken for equal paths; compare the strings before
    reporting. Memory: one sort of the array.
    """
    order = np.argsort(folded, kind="stable")
    values = folded[order]
    starts = np.flatnonzero(np.r_[True, values[1:] != values[:-1]]) if len(values) else np.empty(0, np.int64)
    first = np.repeat(order[starts], np.diff(np.r_[starts, len(values)]))
    differs = exact[order] != exact[first]
    pairs = zip(first[differs].tolist(), order[differs].tolist(), strict=True)
    return sorted(pairs, key=lambda pair: pair[1])


def same_but_case(first: str, path: str) -> str:
    """The message of ``path-case``."""
    return f"'{visible(shorten(path, 60))}' differs from '{visible(shorten(first, 60))}' by case alone"


PATH_CHECKS: dict[str, Check[Line]] = {
    "path-backslash": Check(
        _reported(has_backslash),
        "warning",
        "Is the path written with slashes?",
        "On Linux a backslash is a part of the name, and the picture is not found.",
        "write / for \\",
        triggers=("\\",),
    ),
    "path-drive": Check(
        _reported(is_drive),
        "warning",
        "Is the path free of a drive or share?",
        "The trainer joins it to data_dir, and the picture is found on one machine at most.",
        "a path relative to data_dir",
        triggers=(":\\",),
    ),
    "path-absolute": Check(
        _reported(is_absolute),
        "warning",
        "Is the path relative to data_dir?",
        "An absolute path leaves data_dir and is good for one machine only.",
        "a path relative to data_dir",
        triggers=("/~",),
    ),
    "path-url": Check(
        _reported(is_url),
        "warning",
        "Is the path a file?",
        "The trainer opens files and downloads nothing.",
        "download the picture and write its path",
        triggers=(":",),
    ),
    "path-parent": Check(
        _reported(climbs),
        "info",
        "Is the path free of .. inside?",
        "Two names for one picture hide copies and leaks between sets.",
        "write the shortest path",
        triggers=(".",),
    ),
    "path-edge-space": Check(
        _reported(has_edge_space),
        "warning",
        "Does the path start and end with its name?",
        "A space at the edge is a part of the file name, and the picture is not found.",
        "take the space out",
        triggers=(_EDGE,),
    ),
}

# Reported by whoever sees all paths: see CaseNames and case_twins.
CASE_CHECK: dict[str, Check[tuple[str, str]]] = {
    "path-case": Check(
        lambda pair: iter([same_but_case(*pair)]),
        "warning",
        "Does every picture have one spelling?",
        "Names that differ by case are two files on Linux and one on Windows and macOS.",
        "write the name as the file has it",
    ),
}
