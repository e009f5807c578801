"""The catalogue: every usable face, and every font file that had to be set aside with the reason."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit.errors import InputError, UsageError
from datakit_fonts.faces import FontFace, read_faces
from datakit_fonts.sources import FontFile, named_files, package_files, system_files

INSTALL_HINT = (
    "Install some with: pip install 'ocr-datakit[fonts]' (CJK and Latin families under the OFL), or with the "
    "system's packages (fonts-noto-cjk, fonts-dejavu), or name a folder with --fonts."
)

_SOURCES = {"package": package_files, "system": system_files}


@dataclass(frozen=True, slots=True)
class BrokenFont:
    """A font file that cannot be used, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Faces in a fixed order (source, path, index); ``broken`` names what was set aside."""

    faces: tuple[FontFace, ...]
    broken: tuple[BrokenFont, ...] = ()

    def require(self) -> Catalogue:
        """Itself.

        Raises:
            InputError: there is no usable face; says what was set aside and what to install.
        """
        if self.faces:
            return self
        aside = "".join(f" {font.reason}." for font in self.broken[:5])
        raise InputError(f"no usable font was found.{aside} {INSTALL_HINT}")


def _looks_like_path(entry: str) -> bool:
    return Path(entry).exists() or "/" in entry or "\\" in entry or Path(entry).suffix != ""


def find_fonts(wanted: Sequence[str | Path] = ()) -> Catalogue:
    """Build the catalogue of what ``wanted`` names; of packages and system when it is empty.

    An entry is ``package``, ``system``, a font file, a folder, or a family name among packages and system
    (case does not matter).

    Raises:
        InputError: a path that does not exist or a folder without fonts.
        UsageError: a family that is not installed; names the closest ones.
    """
    entries = [str(entry) for entry in wanted] or list(_SOURCES)
    faces: list[FontFace] = []
    broken: list[BrokenFont] = []
    families: list[str] = []
    for entry in entries:
        if entry in _SOURCES:
            _collect(_SOURCES[entry](), faces, broken)
        elif _looks_like_path(entry):
            _collect(named_files(Path(entry)), faces, broken)
        else:
            families.append(entry)
    if families:
        faces.extend(_families(families))
    return Catalogue(tuple(dict.fromkeys(faces)), tuple(dict.fromkeys(broken)))


def _collect(files: Iterable[FontFile], faces: list[FontFace], broken: list[BrokenFont]) -> None:
    for file in files:
        try:
            faces.extend(read_faces(file.path, source=file.source, licence=file.licence))
        except InputError as error:
            broken.append(BrokenFont(str(file.path), str(error)))


def _families(names: Sequence[str]) -> list[FontFace]:
    installed = find_fonts().faces
    known = {face.family.casefold(): face.family for face in installed}
    missing = [name for name in names if name.casefold() not in known]
    if missing:
        near = {name: difflib.get_close_matches(name.casefold(), known, n=3) for name in missing}
        hints = "; ".join(
            f"{name!r}" + (f" (close: {', '.join(known[n] for n in near[name])})" if near[name] else "")
            for name in missing
        )
        raise UsageError(f"no installed font family is called {hints}. `datakit fonts list` shows them all.")
    chosen = {name.casefold() for name in names}
    return [face for face in installed if face.family.casefold() in chosen]
