"""Where a round keeps what: one folder a step, each with a manifest.

A step counts as done when its result is there, whoever made it: a step that was run by hand into its folder
is taken as it is.
"""

from __future__ import annotations

import contextlib
import json
import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datakit.errors import InputError, LockedError
from datakit.files import TEMPORARY, FolderLock, Manifest, atomic_write, remove_temporaries, write_manifest

Say = Callable[[str], None]

STEPS = ("audit", "restore", "predict", "badcases", "targets", "synth", "mix", "sources", "finetune", "score")


@dataclass(frozen=True, slots=True)
class RoundFolder:
    """The files of a round that say that a step is done, and those that later steps read."""

    path: Path

    @property
    def number(self) -> int:
        """Which round, from 0 (the base)."""
        return int(self.path.name.rpartition("-")[2])

    @property
    def audit(self) -> Path:
        """What audit says of the training labels."""
        return self.path / "audit" / "audit.json"

    def restored(self, index: int) -> Path:
        """One domain source with restored labels; only round 0 has any."""
        return self.path / f"restored-{index}"

    def mined(self, index: int) -> Path:
        """The label file of the lines of one domain source that are read for badcases."""
        return self.path / "predict" / f"mined-{index}.txt"

    @property
    def predictions(self) -> Path:
        """What the model of the round before reads from them."""
        return self.path / "predict" / "predictions.jsonl"

    @property
    def badcases(self) -> Path:
        """Badcases and their report."""
        return self.path / "badcases"

    @property
    def targets(self) -> Path:
        """What this round makes, decided from the badcases and the rounds before."""
        return self.path / "targets" / "targets.json"

    @property
    def decision(self) -> Path:
        """Why: the sentences, and what the next decision builds on."""
        return self.path / "targets" / "decision.json"

    @property
    def dictionary(self) -> Path:
        """The dictionary that training starts with, where the round adds characters to the model's."""
        return self.path / "targets" / "dictionary.txt"

    @property
    def synth(self) -> Path:
        """The rendered lines."""
        return self.path / "synth"

    @property
    def mix(self) -> Path:
        """The training set of the round."""
        return self.path / "mix" / "mix.yaml"

    @property
    def sources(self) -> Path:
        """Which sources of the mix help, where that was tried."""
        return self.path / "sources" / "sources.json"

    @property
    def finetune(self) -> Path:
        """The training run; its best model is the result of the round."""
        return self.path / "finetune"

    @property
    def scores(self) -> Path:
        """Scores of the test sets after the round."""
        return self.path / "scores.json"

    @property
    def times(self) -> Path:
        """Seconds spent in each step, over all starts."""
        return self.path / "times.json"

    @property
    def summary(self) -> Path:
        """The round's row of the table; a round that has one is over."""
        return self.path / "round.json"

    def readings(self, name: str) -> Path:
        """What was read from the test set ``name``.

        The name may be a path, and comes from the user: the file stays in the round's folder.
        """
        plain = re.sub(r"[^\w.-]", "-", name)
        mark = "" if plain == name else f"-{zlib.crc32(name.encode()):08x}"
        return self.path / f"predictions-{plain}{mark}.jsonl"


def round_folder(out: Path, number: int) -> RoundFolder:
    """The folder of round ``number``."""
    return RoundFolder(out / f"round-{number:02d}")


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """A whole JSON document or none."""
    atomic_write(path, json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """A document that :func:`write_json` wrote.

    Raises:
        InputError: it is no JSON object (somebody edited it).
    """
    try:
        document = json.loads(path.read_bytes())
    except ValueError as error:
        raise InputError(f"is not valid JSON ({error})", file=path) from error
    if not isinstance(document, dict):
        raise InputError("holds no JSON object", file=path)
    return document


# Steps that lock their folder.
_LOCKED = ("synth", "finetune")


def step_done(
    folder: Path, step: str, number: int, *, inputs: Iterable[Path] = (), counts: Mapping[str, int]
) -> None:
    """Write the manifest of a finished step into its folder."""
    manifest = Manifest.begin(f"loop {step}", {"round": number}, inputs=inputs)
    write_manifest(folder, manifest.ended("done", counts))


def remove_leftovers(out: Path) -> None:
    """Take away what killed starts left half written, but for folders in which somebody is at work.

    The caller holds the lock of ``out``; synth and finetune have locks of their own.
    """
    for pattern in ("", "round-*/", "round-*/*/"):
        for path in out.glob(f"{pattern}{TEMPORARY}*.tmp"):
            if path.is_file() and path.parent.name not in _LOCKED:
                path.unlink(missing_ok=True)
    for step in _LOCKED:
        for folder in out.glob(f"round-*/{step}"):
            if next(folder.rglob(f"{TEMPORARY}*.tmp"), None) is not None:
                with contextlib.suppress(LockedError), FolderLock(folder):
                    remove_temporaries(folder)
