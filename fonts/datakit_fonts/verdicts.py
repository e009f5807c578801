"""What is known of font files, kept on disk by the sha256 of their content.

``$DATAKIT_CACHE/fonts/`` holds ``index.json`` (path, size and time of change -> sha256, so that a font is
read once) and one verdict a content. What cannot be read there is made anew, and a folder that cannot be
written costs time and nothing else.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import freetype

from datakit.errors import InputError, OutputError
from datakit.files import atomic_write, sha256_file
from datakit.models import cache_folder
from datakit_fonts.faces import Axis, FontFace

# Raise it when examination, or the meaning of "covers", changes.
VERSION = 1
_INDEX = "index.json"


@dataclass(frozen=True, slots=True)
class Verdict:
    """On the content ``sha256``: its faces (with an empty path) and their coverage, or why it is not used.

    ``coverage[k]`` is a bit set: bit ``code & 7`` of byte ``code >> 3``.
    """

    sha256: str
    reason: str
    faces: tuple[FontFace, ...] = ()
    coverage: tuple[bytes, ...] = ()

    def faces_at(self, path: str, source: str, licence: str) -> list[FontFace]:
        """The faces of the file at ``path``; ``licence``, if the offer states one, goes before the font's."""
        return [
            replace(face, path=path, source=source, licence=licence or face.licence) for face in self.faces
        ]


def make_verdict(sha256: str, document: dict[str, Any]) -> Verdict:
    """The verdict that an examination comes to."""
    faces, coverage = [], []
    for entry in document["faces"]:
        values = {key: value for key, value in entry.items() if key != "codes"}
        axes = tuple(Axis(**axis) for axis in values["axes"])
        faces.append(FontFace(**{**values, "axes": axes, "path": "", "source": ""}))
        coverage.append(_bits(entry["codes"]))
    return Verdict(sha256, document["reason"], tuple(faces), tuple(coverage))


def _bits(codes: Iterable[int]) -> bytes:
    """Ascending code points as a bit set."""
    listed = list(codes)
    bits = bytearray((listed[-1] >> 3) + 1 if listed else 0)
    for code in listed:
        bits[code >> 3] |= 1 << (code & 7)
    return bytes(bits)


class VerdictStore:
    """The verdicts on disk, and in memory for the life of the process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._verdicts: dict[str, Verdict] = {}
        self._index: dict[str, tuple[int, int, str]] | None = None
        self._changed = False

    def sha256(self, path: str) -> str:
        """The sha256 of a font file; read only when size or time of change are not those known.

        Raises:
            InputError: it cannot be read.
        """
        try:
            status = Path(path).stat()
        except OSError as error:
            raise InputError(f"cannot be read ({error.strerror})", file=path) from error
        known = self._entries().get(path)
        if known is not None and known[:2] == (status.st_size, status.st_mtime_ns):
            return known[2]
        digest = sha256_file(path)
        self._entries()[path] = (status.st_size, status.st_mtime_ns, digest)
        self._changed = True
        return digest

    def known(self, path: str) -> Verdict | None:
        """The verdict on a file whose content has been examined before, without reading it."""
        entry = self._entries().get(path)
        if entry is None:
            return None
        try:
            status = Path(path).stat()
        except OSError:
            return None
        return self.get(entry[2]) if entry[:2] == (status.st_size, status.st_mtime_ns) else None

    def get(self, sha256: str) -> Verdict | None:
        """The verdict on a content; None when there is none that can be read and is of this version."""
        found = self._verdicts.get(sha256)
        if found is None:
            found = self._read(sha256)
            if found is not None:
                self._verdicts[sha256] = found
        return found

    def put(self, verdict: Verdict, *, lasting: bool) -> None:
        """Keep a verdict; on disk only if it is ``lasting``."""
        self._verdicts[verdict.sha256] = verdict
        if lasting:
            with contextlib.suppress(OutputError):
                atomic_write(self._file(verdict.sha256), _written(verdict))

    def save(self) -> None:
        """Write the index if it has changed; forgets files that are gone, and verdicts that no file needs."""
        if not self._changed:
            return
        entries = {path: entry for path, entry in self._entries().items() if Path(path).exists()}
        needed = {entry[2] for entry in entries.values()}
        document = {"version": VERSION, "files": entries}
        with contextlib.suppress(OutputError, OSError):
            atomic_write(self.folder / _INDEX, json.dumps(document))
            for found in self.folder.glob("*.font.json"):
                if found.name.partition(".")[0] not in needed:
                    found.unlink(missing_ok=True)
        self._changed = False

    def _file(self, sha256: str) -> Path:
        return self.folder / f"{sha256}.font.json"

    def _entries(self) -> dict[str, tuple[int, int, str]]:
        if self._index is None:
            self._index = _read_index(self.folder / _INDEX)
        return self._index

    def _read(self, sha256: str) -> Verdict | None:
        try:
            document = json.loads(self._file(sha256).read_bytes())
            body = document["body"]
            if document["version"] != _made_by() or document["crc32"] != zlib.crc32(body.encode()):
                return None
            return _parsed(sha256, json.loads(body))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, zlib.error, binascii.Error):
            return None


def _made_by() -> list[Any]:
    return [VERSION, list(freetype.version())]


def _written(verdict: Verdict) -> str:
    faces = [
        {**asdict(face), "coverage": base64.b64encode(zlib.compress(bits, 9)).decode()}
        for face, bits in zip(verdict.faces, verdict.coverage, strict=True)
    ]
    body = json.dumps({"reason": verdict.reason, "faces": faces})
    return json.dumps({"version": _made_by(), "crc32": zlib.crc32(body.encode()), "body": body})


def _parsed(sha256: str, document: dict[str, Any]) -> Verdict:
    faces, coverage = [], []
    for entry in document["faces"]:
        values = {key: value for key, value in entry.items() if key != "coverage"}
        faces.append(FontFace(**{**values, "axes": tuple(Axis(**axis) for axis in values["axes"])}))
        coverage.append(zlib.decompress(base64.b64decode(entry["coverage"], validate=True)))
    return Verdict(sha256, str(document["reason"]), tuple(faces), tuple(coverage))


def _read_index(path: Path) -> dict[str, tuple[int, int, str]]:
    try:
        document = json.loads(path.read_bytes())
        if document["version"] != VERSION:
            return {}
        return {
            str(name): (int(size), int(changed), str(sha256))
            for name, (size, changed, sha256) in document["files"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


_STORES: dict[str, VerdictStore] = {}


def open_store() -> VerdictStore:
    """The store of this machine's cache folder; one a process and folder."""
    folder = cache_folder() / "fonts"
    return _STORES.setdefault(os.fspath(folder), VerdictStore(folder))


def known_coverage(face: FontFace) -> bytes | None:
    """The coverage of ``face`` as a bit set if its file has been examined, else None."""
    verdict = open_store().known(face.path)
    if verdict is None or face.index >= len(verdict.coverage):
        return None
    return verdict.coverage[face.index]
