"""The catalogue: every usable face, and every font file that had to be set aside with the reason."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit.errors import InputError, UsageError
from datakit_fonts.faces import BrokenFont, FontFace
from datakit_fonts.sandbox import examine_all
from datakit_fonts.sources import FontFile, named_files, package_files, system_files
from datakit_fonts.verdicts import VerdictStore, make_verdict, open_store

INSTALL_HINT = (
    "Install some with: pip install 'ocr-datakit[fonts]' (CJK and Latin families under the OFL), or with the "
    "system's packages (fonts-noto-cjk, fonts-dejavu), or name a folder with --fonts."
)

_SOURCES = {"package": package_files, "system": system_files}


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
    files: list[FontFile] = []
    families: list[str] = []
    for entry in entries:
        if entry in _SOURCES:
            files.extend(_SOURCES[entry]())
        elif _looks_like_path(entry):
            files.extend(named_files(Path(entry)))
        else:
            families.append(entry)
    faces, broken = _judged(list(dict.fromkeys(files)))
    if families:
        faces.extend(_families(families))
    return Catalogue(tuple(dict.fromkeys(faces)), tuple(dict.fromkeys(broken)))


def _judged(files: Sequence[FontFile]) -> tuple[list[FontFace], list[BrokenFont]]:
    """Faces and broken files; contents that nobody has seen yet are examined in a child process."""
    store = open_store()
    contents: dict[str, str] = {}
    broken: dict[str, str] = {}
    for file in files:
        path = str(file.path)
        try:
            contents[path] = store.sha256(path)
        except InputError as error:
            broken[path] = str(error)
    _examine_new(store, contents)
    store.save()
    faces: list[FontFace] = []
    for file in files:
        path = str(file.path)
        verdict = store.get(contents[path]) if path in contents else None
        if verdict is not None and verdict.reason:
            broken[path] = f"{path}: {verdict.reason}"
        elif verdict is not None:
            faces.extend(verdict.faces_at(path, file.source, file.licence))
    return faces, [BrokenFont(path, broken[path]) for path in map(str, _paths(files)) if path in broken]


def _paths(files: Iterable[FontFile]) -> Iterable[Path]:
    return dict.fromkeys(file.path for file in files)


def _examine_new(store: VerdictStore, contents: Mapping[str, str]) -> None:
    unknown = {sha256: path for path, sha256 in contents.items() if store.get(sha256) is None}
    digests = {path: sha256 for sha256, path in unknown.items()}
    for examined in examine_all(list(digests)):
        verdict = make_verdict(digests[examined.path], examined.document)
        store.put(verdict, lasting=examined.lasting)


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
