"""Pictures of single characters, found in a folder or a label file, and what of them can be used."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from datakit.errors import InputError
from datakit.files import safe_join
from datakit.labels import read_rec
from datakit_fonts import BrokenFont
from datakit_synth.backgrounds import PHOTO_SUFFIXES
from datakit_synth.crop_ink import read_ink

# Pictures of one character that are looked at, evenly spread over those there are.
MOST_A_CHARACTER = 40
_CODE_POINT = re.compile(r"(?:U\+|u\+|uni)([0-9A-Fa-f]{4,6})")
_NAMED = 12


@dataclass(frozen=True, slots=True)
class CropBook:
    """Usable pictures by character, as paths below ``root``; picklable. ``digest``: sha256 of all of them."""

    root: str
    crops: tuple[tuple[str, tuple[str, ...]], ...]
    digest: str

    def pictures(self) -> dict[str, tuple[str, ...]]:
        """Character to paths below ``root``."""
        return dict(self.crops)

    @property
    def count(self) -> int:
        """Pictures of all characters."""
        return sum(len(paths) for _, paths in self.crops)


class CropCoverage:
    """Which texts can be written: stands where a :class:`datakit_fonts.CoverageIndex` stands for fonts."""

    def __init__(self, book: CropBook) -> None:
        self._chars = {char for char, _ in book.crops} | {" "}
        self.broken: list[BrokenFont] = []

    def mask(self, text: Iterable[str]) -> int:
        """1 when every character of ``text`` has a picture or is a space, else 0."""
        return int(all(char in self._chars for char in text))


def read_crops(source: Path, data_dir: Path | None = None) -> tuple[CropBook, tuple[str, ...]]:
    """The usable pictures of ``source``, and why others were set aside.

    ``source`` is a folder with a folder a character (named by it, or ``U+002F``), a folder of pictures whose
    names begin with their character, or a recognition label file with labels of one character (``data_dir``:
    where its pictures are, the file's folder by default). At most :data:`MOST_A_CHARACTER` of a character are
    decoded.

    Raises:
        InputError: there is no such folder or file, or it holds no usable picture.
    """
    aside: list[str] = []
    root = source if source.is_dir() else (data_dir or source.parent)
    try:
        found = _in_folder(source, aside) if source.is_dir() else _in_labels(source, root, aside)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=error.filename or source) from error
    digest = hashlib.sha256()
    usable: dict[str, tuple[str, ...]] = {}
    for char in sorted(found):
        kept = [name for name in _spread(sorted(found[char])) if _usable(root, name, char, digest, aside)]
        if kept:
            usable[char] = tuple(kept)
    if not usable:
        reason = f"; {aside[0]}" if aside else ""
        raise InputError(f"holds no picture of one character{reason}", file=source)
    return CropBook(str(root), tuple(usable.items()), digest.hexdigest()), tuple(aside)


def _spread(names: list[str]) -> list[str]:
    number = len(names)
    if number <= MOST_A_CHARACTER:
        return names
    return [names[k * number // MOST_A_CHARACTER] for k in range(MOST_A_CHARACTER)]


def _usable(root: Path, name: str, char: str, digest: hashlib._Hash, aside: list[str]) -> bool:
    path = root / name
    try:
        read_ink(path)
        digest.update(char.encode() + hashlib.sha256(path.read_bytes()).digest())
    except InputError as error:
        aside.append(str(error))
        return False
    except OSError as error:
        aside.append(f"{path}: cannot be read ({error.strerror})")
        return False
    return True


def _char_named(name: str) -> str:
    """The character that the name of a folder stands for; "" when it is none."""
    name = unicodedata.normalize("NFC", name)
    code = _CODE_POINT.fullmatch(name)
    if code and int(code[1], 16) <= 0x10FFFF:
        name = chr(int(code[1], 16))
    return name if len(name) == 1 and _visible(name) else ""


def _visible(char: str) -> bool:
    return not char.isspace() and unicodedata.category(char)[0] not in "CZ"


def _in_folder(folder: Path, aside: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            char = _char_named(path.name)
            if not char:
                aside.append(f"{path}: the name is no single character (nor U+XXXX)")
                continue
            found.setdefault(char, []).extend(f"{path.name}/{picture}" for picture in _pictures(path))
        elif path.suffix.lower() in PHOTO_SUFFIXES:
            stem = unicodedata.normalize("NFC", path.stem)
            code = _CODE_POINT.match(stem)
            char = _char_named(code[0]) if code else stem[0]
            if _visible(char or " "):
                found.setdefault(char, []).append(path.name)
            else:
                aside.append(f"{path}: the name begins with no character")
    return found


def _pictures(folder: Path) -> Iterator[str]:
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() in PHOTO_SUFFIXES and path.is_file():
            yield path.name


def _in_labels(file: Path, root: Path, aside: list[str]) -> dict[str, list[str]]:
    lines, faults = read_rec(file)
    aside += [f"{file}:{fault.line}: {fault.message}" for fault in faults]
    found: dict[str, list[str]] = {}
    longer = 0
    for line in lines:
        text = unicodedata.normalize("NFC", line.text.strip())
        if len(text) != 1 or not _visible(text):
            longer += 1
            continue
        for image in line.images:
            # Refuses a path that leaves the folder.
            safe_join(root, image)
            found.setdefault(text, []).append(image)
    if longer:
        aside.append(f"{file}: {longer} lines have no label of one character")
    return found


def name_missing(texts: Iterable[str], book: CropBook) -> str:
    """A sentence on the characters of ``texts`` that have no picture, with their lines; "" when all have."""
    known = {char for char, _ in book.crops}
    missing: Counter[str] = Counter()
    lost = 0
    for text in texts:
        without = {char for char in text if char not in known and not char.isspace()}
        missing.update(without)
        lost += bool(without)
    if not missing:
        return ""
    ranked = sorted(missing.items(), key=lambda entry: (-entry[1], entry[0]))
    named = ", ".join(f"{char!r} ({count} lines)" for char, count in ranked[:_NAMED])
    more = f" and {len(ranked) - _NAMED} more" if len(ranked) > _NAMED else ""
    return f"{len(ranked)} characters of the corpora have no crop, in {lost} lines: {named}{more}"


def describe(book: CropBook) -> Mapping[str, object]:
    """For the manifest."""
    return {"root": book.root, "characters": len(book.crops), "pictures": book.count, "sha256": book.digest}
