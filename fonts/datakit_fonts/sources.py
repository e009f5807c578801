"""Where font files come from: installed packages, the system, folders and files that the user names.

No package is imported to find its files: only its folder is asked for.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from datakit.errors import InputError
from datakit_fonts.faces import SUFFIXES

ENTRY_POINT_GROUP = "fontpkg.family"

# Packages that hold fonts and have no entry point: import name -> distribution.
FONT_PACKAGES = {"manimgx_fonts_cjk": "manimgx-fonts-cjk"}

SYSTEM_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.local/share/fonts",
    "~/.fonts",
    "/Library/Fonts",
    "/System/Library/Fonts",
    "~/Library/Fonts",
    "C:/Windows/Fonts",
)


@dataclass(frozen=True, slots=True)
class FontFile:
    """A font file, who offers it, and the licence that the offer states ("" when it says nothing)."""

    path: Path
    source: str
    licence: str = ""


def folder_files(folder: Path) -> list[Path]:
    """Font files below ``folder`` by suffix, sorted: the catalogue does not depend on the disk."""
    found = (path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    return sorted(found, key=lambda path: path.as_posix())


def package_files() -> Iterator[FontFile]:
    """Files of every installed ``fontpkg-*`` family and of the packages in :data:`FONT_PACKAGES`."""
    points = sorted(metadata.entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name)
    for point in points:
        distribution = point.dist
        name = point.value if distribution is None else distribution.metadata["Name"]
        yield from _module_files(point.module, name, _stated_licence(distribution))
    for module, name in FONT_PACKAGES.items():
        try:
            licence = _stated_licence(metadata.distribution(name))
        except metadata.PackageNotFoundError:
            licence = ""
        yield from _module_files(module, name, licence)


def _stated_licence(distribution: metadata.Distribution | None) -> str:
    if distribution is None:
        return ""
    fields = distribution.metadata
    for field in ("License-Expression", "License"):
        if field in fields:
            return str(fields[field]).strip().split("\n", maxsplit=1)[0][:80]
    return ""


def _module_files(module: str, source: str, licence: str) -> Iterator[FontFile]:
    spec = importlib.util.find_spec(module.split(".", maxsplit=1)[0])
    for location in [] if spec is None else spec.submodule_search_locations or []:
        for path in folder_files(Path(location)):
            yield FontFile(path, source, licence)


def system_files() -> Iterator[FontFile]:
    """What fontconfig lists; where ``fc-list`` is missing or fails, what the usual folders hold."""
    listed = _fontconfig_files()
    paths = listed if listed is not None else [p for folder in SYSTEM_FOLDERS for p in _system_folder(folder)]
    for path in paths:
        yield FontFile(path, "system")


def _system_folder(folder: str) -> list[Path]:
    path = Path(os.path.expanduser(folder))  # noqa: PTH111 - Path.expanduser raises where there is no home
    return folder_files(path) if path.is_dir() else []


def _fontconfig_files() -> list[Path] | None:
    program = shutil.which("fc-list")
    if program is None:
        return None
    command = [program, "--format", "%{file}\n"]
    try:
        output = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    paths = {Path(os.fsdecode(line)) for line in output.split(b"\n") if line}
    return sorted(
        (path for path in paths if path.suffix.lower() in SUFFIXES), key=lambda path: path.as_posix()
    )


def named_files(path: Path) -> list[FontFile]:
    """The font files that a user's ``--fonts PATH`` means.

    Raises:
        InputError: the path does not exist, or is a folder without any font file.
    """
    if path.is_file():
        return [FontFile(path, "path")]
    if not path.is_dir():
        raise InputError("no such font file or folder", file=path)
    files = folder_files(path)
    if not files:
        raise InputError(f"holds no font file ({', '.join(sorted(SUFFIXES))})", file=path)
    return [FontFile(file, "path") for file in files]
