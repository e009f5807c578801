"""Changes the dictionary of a trained recogniser without losing what it can read.

A row of the classifier (a column of its weight, an entry of its bias) belongs to a character, not to a
number: rows of characters that stay go with them, whatever the order. (PaddleOCR starts the whole classifier
at random when the size differs, and keeps the rows in the wrong places when only the order does.)

A new row starts below the row it is made from, so that at step 0 it is never the best one of a time step:
every text is read as before. Where the model knows a look-alike (the same sign in another width or case, the
letter without its accent) the row is a copy of that one, shifted down; else it is the mean over the known
characters of its kind, which is never above the best of them. Figures: docs/results.md.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from datakit.charset import SPACE, Charset, load_charset
from datakit.errors import UsageError
from datakit_train.architectures import build_network, family_of
from datakit_train.recognizer import assemble, load_tensors, measure_probe
from datakit_train.weights.pdparams import WeightsError
from datakit_train.weights.store import StoredModel

MODES = ("fail", "union", "new")
# Of a copied row, in logits.
MARGIN = 2.0
# Of a class that nothing can be read as: the first of two entries for one character.
_DEAD = 30.0

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class DictionaryChange:
    """What becomes of the classifier's rows.

    ``look_alikes`` maps a new character to the known one that its row is made from; the rest of ``added``
    starts from a mean. ``duplicates`` are entries of the new dictionary that stand there more than once.
    """

    mode: str
    kept: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    duplicates: tuple[str, ...]
    look_alikes: Mapping[str, str]

    @property
    def changed(self) -> bool:
        """Whether the set of characters is another one."""
        return bool(self.added or self.removed)

    def describe(self) -> str:
        """One sentence."""
        parts = [f"{self.kept} characters kept"]
        if self.added:
            copied = f" ({len(self.look_alikes)} from a look-alike)" if self.look_alikes else ""
            parts.append(f"{len(self.added)} new{copied}: {_shown(self.added)}")
        if self.removed:
            parts.append(f"{len(self.removed)} removed: {_shown(self.removed)}")
        if self.duplicates:
            parts.append(f"{len(self.duplicates)} stand twice: {_shown(self.duplicates)}")
        return f"dictionary ({self.mode}): " + "; ".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """For a manifest and ``--json``."""
        return {
            "mode": self.mode,
            "kept": self.kept,
            "added": list(self.added),
            "removed": list(self.removed),
            "duplicates": list(self.duplicates),
            "look_alikes": dict(self.look_alikes),
        }


def _shown(chars: Sequence[str]) -> str:
    more = f" and {len(chars) - 20} more" if len(chars) > 20 else ""
    return (
        " ".join(
            "space" if char == SPACE else ascii(char)[1:-1] + f" {char}" if not char.isprintable() else char
            for char in chars[:20]
        )
        + more
    )


def merge(old: Charset, new: Charset, mode: str) -> Charset:
    """The dictionary that ``mode`` makes of the model's and the given one.

    ``fail``: the given one, which has to hold the same characters. ``union``: the model's, what is new behind
    it, the space last if either has one. ``new``: the given one.

    Raises:
        UsageError: ``fail`` and they differ (both sides are named); no such mode.
    """
    if mode not in MODES:
        raise UsageError(f"--dict-mode {mode!r} is not one of {', '.join(MODES)}")
    added = [char for char in dict.fromkeys(new.chars) if char not in old.chars]
    removed = [char for char in dict.fromkeys(old.chars) if char not in new.chars]
    if mode == "fail" and (added or removed):
        raise UsageError(
            f"the dictionary has {len(added)} characters that the model lacks ({_shown(added)}) and lacks "
            f"{len(removed)} of its ({_shown(removed)}); say what to do with --dict-mode union or new"
        )
    if mode != "union":
        return new
    body = old.chars[:-1] if old.chars[-1:] == (SPACE,) else old.chars
    tail = (SPACE,) if SPACE in (old.chars[-1:] + new.chars[-1:]) else ()
    return Charset((*body, *(char for char in added if char != SPACE or not tail), *tail))


def _pair(old: Sequence[str], new: Sequence[str]) -> list[int | None]:
    """For every entry of ``new`` the index in ``old`` of its row.

    Where entries stand several times they pair from the last one back: the last is the one that is trained.
    """
    places: dict[str, list[int]] = defaultdict(list)
    for index, char in enumerate(old):
        places[char].append(index)
    pairs: list[int | None] = [None] * len(new)
    for index in range(len(new) - 1, -1, -1):
        left = places.get(new[index])
        if left:
            pairs[index] = left.pop()
    return pairs


def _forms(char: str) -> Iterator[str]:
    """Characters that look like ``char``, nearest first."""
    compatible = unicodedata.normalize("NFKC", char)
    yield compatible
    yield from (chr(code) for code in (ord(compatible[0]) + 0xFEE0,) if 0xFF01 <= code <= 0xFF5E)
    yield char.swapcase()
    # The letter under the accents; for a sign made of several, its first.
    base = [c for c in unicodedata.normalize("NFKD", char) if not unicodedata.combining(c)]
    if base:
        yield base[0]
        yield base[0].swapcase()


def look_alike(char: str, known: Charset) -> str | None:
    """The character of ``known`` that ``char`` looks most like: width, compatibility, case, accents.

    By Unicode's own tables; None where they know none, as for most ideographs.
    """
    if len(char) != 1 or char.isspace():
        return None
    return next((form for form in _forms(char) if form != char and form in known), None)


def _kind(char: str) -> str:
    name = unicodedata.name(char, "") if len(char) == 1 else ""
    if name.startswith("CJK"):
        return "CJK"
    return unicodedata.category(char)[0] if name else ""


def carry_over(
    weight: Array, bias: Array, old: Charset, new: Charset, *, margin: float = MARGIN
) -> tuple[Array, Array]:
    """The classifier for ``new``: weight (features x classes) and bias, class 0 the blank.

    Rows of characters that both have are the same bits; ``margin`` (logits) is taken from the bias of a copy.
    """
    pairs = _pair(old.chars, new.chars)
    features = weight.shape[0]
    rows = np.zeros((features, new.num_classes), np.float32)
    biases = np.zeros(new.num_classes, np.float32)
    rows[:, 0], biases[0] = weight[:, 0], bias[0]
    means = _means(weight, bias, old)
    for index, (char, source) in enumerate(zip(new.chars, pairs, strict=True), start=1):
        if source is not None:
            rows[:, index], biases[index] = weight[:, source + 1], bias[source + 1]
            continue
        if char in old:
            rows[:, index], biases[index] = means[""][0], means[""][1] - _DEAD
        elif (twin := look_alike(char, old)) is not None:
            place = old.encode(twin)[0]
            rows[:, index], biases[index] = weight[:, place], bias[place] - margin
        else:
            rows[:, index], biases[index] = means.get(_kind(char), means[""])
    return rows, biases


def _means(weight: Array, bias: Array, charset: Charset) -> dict[str, tuple[Array, np.float32]]:
    """Mean row and bias by kind of character; "" over all of them, the blank left out."""
    members: dict[str, list[int]] = defaultdict(list)
    for index, char in enumerate(charset.chars, start=1):
        members[_kind(char)].append(index)
    # A kind of a handful has the mean of one of them, more or less.
    kinds = {kind: places for kind, places in members.items() if kind and len(places) >= 20}
    kinds[""] = list(range(1, charset.num_classes))
    return {
        kind: (weight[:, places].mean(axis=1), np.float32(bias[places].mean()))
        for kind, places in kinds.items()
    }


def compare(old: Charset, new: Charset, mode: str) -> DictionaryChange:
    """What stays, comes and goes between two dictionaries."""
    present, wanted = set(old.chars), set(new.chars)
    added = tuple(char for char in dict.fromkeys(new.chars) if char not in present)
    twins = {char: twin for char in added if (twin := look_alike(char, old)) is not None}
    counted: dict[str, int] = defaultdict(int)
    for char in new.chars:
        counted[char] += 1
    return DictionaryChange(
        mode=mode,
        kept=len(present & wanted),
        added=added,
        removed=tuple(char for char in dict.fromkeys(old.chars) if char not in wanted),
        duplicates=tuple(char for char, count in counted.items() if count > 1),
        look_alikes=twins,
    )


def change_dictionary(
    model: StoredModel, dictionary: Path | Charset, mode: str = "fail", *, use_space_char: bool = True
) -> tuple[StoredModel, DictionaryChange]:
    """``model`` with another dictionary, ready to be trained, and what changed.

    Args:
        model: a recogniser.
        dictionary: a dictionary file as PaddleOCR reads it, or what was read from one.
        mode: see :func:`merge`.
        use_space_char: whether a space is appended to the file's entries.

    Raises:
        UsageError: the mode is ``fail`` and the characters differ.
        InputError: the file cannot be read.
        WeightsError: the model is no recogniser, or not the network its weights come from.
    """
    old = Charset(model.characters)
    given = dictionary if isinstance(dictionary, Charset) else load_charset(dictionary, use_space_char)
    new = merge(old, given, mode)
    change = compare(old, new, mode)
    if new.chars == old.chars:
        return model, change
    assemble(model)  # checks the probe, which the new one takes the place of
    layer = family_of(model.architecture).classifier
    try:
        weight, bias = model.tensors[f"{layer}.weight"], model.tensors[f"{layer}.bias"]
    except KeyError as error:
        raise WeightsError(f"the model has no classifier {error}") from error
    rows, biases = carry_over(weight, bias, old, new)
    tensors = {**model.tensors, f"{layer}.weight": rows, f"{layer}.bias": biases}
    network = build_network(model.architecture, new.num_classes)
    load_tensors(network, tensors)
    extra = {**dict(model.extra), "dictionary_change": change.to_dict()}
    changed = replace(model, tensors=tensors, characters=new.chars, probe=measure_probe(network), extra=extra)
    return changed, change
