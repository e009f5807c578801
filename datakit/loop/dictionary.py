"""Characters of the domain that the model's dictionary lacks: which are added, and what is made of them.

A text with such a character cannot be read at all, whatever is trained; a row of the classifier that no line
trains stays silent. So what is added occurs in real lines, and gets lines of its own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from datakit.badcases.targets import MOST_CONTEXTS, context
from datakit.charset import SPACE, Charset, load_charset, write_charset
from datakit.labels import LabelFault, scan_rec
from datakit.records import Target
from datakit.report.text import is_hidden


@dataclass(frozen=True, slots=True)
class Lacking:
    """A character outside the dictionary, the domain's lines that hold it, and text around it."""

    char: str
    lines: int
    contexts: tuple[str, ...]


def lacking(label_files: Iterable[Path], charset: Charset, limit: int) -> list[Lacking]:
    """Characters of the label files that ``charset`` lacks, those in most lines first.

    ``limit`` is the length of a context in code points. Characters that no picture shows are left out.

    Raises:
        InputError: a file cannot be read.
    """
    lines: Counter[str] = Counter()
    around: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for label_file in label_files:
        for entry in scan_rec(label_file):
            if isinstance(entry, LabelFault):
                continue
            for char in charset.missing(entry.text):
                if is_hidden(char) or char.isspace():
                    continue
                lines[char] += 1
                if len(around[char]) < MOST_CONTEXTS:
                    around[char][context(entry.text, entry.text.index(char), limit)] = None
    ordered = sorted(lines.items(), key=lambda item: (-item[1], item[0]))
    return [Lacking(char, count, tuple(around[char])) for char, count in ordered]


def sentence(found: Sequence[Lacking], least: int) -> str:
    """What is added and what is not, with the figures."""
    added = [entry for entry in found if entry.lines >= least]
    rest = len(found) - len(added)
    listed = " ".join(f"{entry.char!r} in {entry.lines}" for entry in added[:20])
    more = f" and {len(added) - 20} more" if len(added) > 20 else ""
    left = f"; {rest} in fewer lines stay out" if rest else ""
    return (
        f"the dictionary lacks {len(found)} characters of the domain; {len(added)} stand in at least {least} "
        f"training lines and are added: {listed}{more}{left}"
    )


def target(entry: Lacking, per_char: int) -> Target:
    """Lines to make of an added character: what the training lines lack to ``per_char``, at least a quarter
    of it (a new row starts from nothing, and real lines alone show it in few places)."""
    count = max(per_char - entry.lines, -(-per_char // 4))
    return Target(entry.char, count, (), entry.contexts)


def write_extended(path: Path, charset: Charset, chars: Iterable[str]) -> None:
    """Write the dictionary of ``charset`` with ``chars`` behind it, as :func:`read_extended` reads it.

    Raises:
        OutputError: the file cannot be written.
    """
    spaced = charset.chars[-1:] == (SPACE,)
    body = charset.chars[:-1] if spaced else charset.chars
    write_charset(path, Charset((*body, *chars)), use_space_char=False)


def read_extended(path: Path, charset: Charset) -> Charset:
    """The dictionary that the round's training starts with; ``charset`` itself if none was written."""
    if not path.exists():
        return charset
    return load_charset(path, use_space_char=charset.chars[-1:] == (SPACE,))
