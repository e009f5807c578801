"""loop.yaml: what the rounds work on, validated before anything starts."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from datakit.badcases.restore import Restored
from datakit.errors import InputError
from datakit.loop.values import FINETUNE, STOPS, SYNTH, check_values, number
from datakit.mix import KINDS, Part
from datakit.mix.sources import MAX_RATIO
from datakit.models import MODELS

TEMPLATE = """\
# datakit loop: paths are relative to this file; a label file's pictures are relative to its own folder unless
# it is written as {label_file: ..., data_dir: ...}.
model: ppocrv3-rec
out: loop-out
rounds: 2
seed: 0
domain: [train.txt]           # real lines of your domain: they train, and are searched for badcases
val: val.txt                  # picks the best model of a round; not in domain
general: [general_train.txt]  # real lines of other kinds, mixed in against forgetting
guard: [general_val.txt]      # must not get worse; not in general
test:                         # only scored after each round, never used to decide
  domain: test.txt
mine: 1000                    # lines of the domain read for badcases each round
patience: null                # stop after so many rounds in a row without a gain
budget_minutes: null          # stop before a round that would not fit (all starts count)
target_accuracy: null         # stop when val is read this well (folded, 0..1)
floor: 0                      # draws an epoch that a character of the domain should have, by repeats
restore: []                   # case, space, marks: labels of the domain that follow the picture, not a rule
new_characters: 0             # of the domain, outside the dictionary, in so many lines: added; 0: none is
leave_one_out: 0              # steps of a short run without each source, before training; 0: no such runs
finetune:                     # for some hundreds of lines; docs/results.md says what these were measured on
  steps: 160
  batch_size: 16
  learning_rate: 0.0003       # with thousands of lines: the whole network, batches of 32, 0.0001 to 0.0002,
  freeze: backbone            # freeze: none, and steps for a pass over all of them
  shares: [0.6, 0.3]          # of the tuned weights, in averages with the base; the gate picks
  max_text_length: 25         # longer labels do not train: raise it if general lines are longer
  max_width: 320              # px; wider lines are squeezed in training, and forgotten first
synth:
  per_char: 100               # lines that a badly read character should have
  max_targets: 20
  corpus: []                  # text files in the language of the domain
  templates: []               # see: datakit corpora list
  fonts: []                   # folders, files or families; empty: every font found
  photos: null                # folder of background pictures
  presets: [photo, scan]
"""

_KEYS = (
    "model", "out", "rounds", "seed", "domain", "val", "general", "guard", "test", "mine", "finetune",
    "synth", "ratios", "patience", "budget_minutes", "target_accuracy", "floor", "restore",
    "new_characters", "leave_one_out",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LoopPlan:
    """A validated loop.yaml; ``finetune`` and ``synth`` hold the settings of those steps by name.

    ``patience`` (rounds), ``budget_minutes`` and ``target_accuracy`` (folded, on val) end the rounds early.
    ``restore`` says what of the domain's labels is taken from the model's readings before the first round.
    ``new_characters`` is the number of the domain's lines from which on a character that the dictionary
    lacks is added to it (0: never), ``leave_one_out`` the steps of the short runs that try every source of a
    round's mix (0: none).
    """

    out: Path
    domain: tuple[Part, ...]
    val: Part
    general: tuple[Part, ...] = ()
    guard: tuple[Part, ...] = ()
    test: Mapping[str, Part] = field(default_factory=dict)
    model: str = "ppocrv3-rec"
    rounds: int = 2
    seed: int = 0
    mine: int = 1000
    finetune: Mapping[str, Any] = field(default_factory=dict)
    synth: Mapping[str, Any] = field(default_factory=dict)
    ratios: Mapping[str, float] = field(default_factory=dict)
    patience: int | None = None
    budget_minutes: float | None = None
    target_accuracy: float | None = None
    floor: int = 0
    restore: Sequence[Restored] = ()
    new_characters: int = 0
    leave_one_out: int = 0

    def blind(self) -> LoopPlan:
        """What a step may see: everything but the test sets."""
        return replace(self, test={})


def _check_keys(given: Mapping[str, Any], known: Sequence[str], where: str, file: Path) -> None:
    for key in given:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
            raise InputError(f"unknown key {where}{key!r}, {hint}", file=file)


def _part(entry: Any, file: Path) -> Part:
    folder = file.parent
    if isinstance(entry, str):
        return Part(folder / entry)
    if isinstance(entry, dict) and isinstance(entry.get("label_file"), str):
        _check_keys(entry, ("label_file", "data_dir"), "", file)
        data_dir = entry.get("data_dir")
        return Part(folder / entry["label_file"], None if data_dir is None else folder / str(data_dir))
    raise InputError(f"{entry!r} is neither a path nor {{label_file: ..., data_dir: ...}}", file=file)


def _parts(entry: Any, file: Path) -> tuple[Part, ...]:
    entries = entry if isinstance(entry, list) else [] if entry is None else [entry]
    return tuple(_part(item, file) for item in entries)


def _mapping(document: Mapping[str, Any], key: str, file: Path) -> dict[str, Any]:
    value = document.get(key) or {}
    if not isinstance(value, dict):
        raise InputError(f"{key} is not a mapping", file=file)
    return value


def _number(document: Mapping[str, Any], key: str, default: int, minimum: int, file: Path) -> int:
    value = document.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
        raise InputError(f"{key} {value!r} is not a whole number of at least {minimum}", file=file)
    return value


def _read(file: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(file.read_bytes())
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=file) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"is not valid YAML ({str(error).splitlines()[0]})", file=file) from error
    if not isinstance(document, dict):
        raise InputError("holds no mapping", file=file)
    return document


def _synth(document: Mapping[str, Any], file: Path) -> dict[str, Any]:
    synth = _mapping(document, "synth", file)
    _check_keys(synth, tuple(SYNTH), "synth.", file)
    synth = check_values(synth, SYNTH, "synth.", file)
    folder = file.parent
    paths = {"corpus": [folder / str(path) for path in synth.get("corpus") or []]}
    if synth.get("photos"):
        paths["photos"] = folder / str(synth["photos"])  # type: ignore[assignment]
    fonts = [folder / str(f) if (folder / str(f)).exists() else str(f) for f in synth.get("fonts") or []]
    return {**synth, **paths, "fonts": fonts}


def _model(document: Mapping[str, Any], file: Path) -> str:
    """The name of a model, or a folder relative to ``file``."""
    given = str(document.get("model") or "ppocrv3-rec")
    folder = file.parent / given
    return str(folder) if given not in MODELS and (folder / "model.json").is_file() else given


def _ratios(document: Mapping[str, Any], parts: Sequence[Part], file: Path) -> dict[str, float]:
    """Ratios by kind, or by the path or name of a label file that trains."""
    ratios = _mapping(document, "ratios", file)
    files = [part.label_file for part in parts]
    known = (*KINDS, *(path.name for path in files), *map(str, files))
    _check_keys(ratios, known, "ratios.", file)
    return check_values(ratios, dict.fromkeys(known, number(0, MAX_RATIO)), "ratios.", file)


def load_plan(file: Path) -> LoopPlan:
    """Read and check a loop.yaml; every label file it names has to exist.

    Raises:
        InputError: no YAML, an unknown key (the nearest known one is named), a value that makes no sense,
            missing files (all named at once).
    """
    document = _read(file)
    _check_keys(document, _KEYS, "", file)
    finetune = _mapping(document, "finetune", file)
    _check_keys(finetune, tuple(FINETUNE), "finetune.", file)
    finetune = check_values(finetune, FINETUNE, "finetune.", file)
    if finetune.get("distill_on"):
        finetune["distill_on"] = str(file.parent / finetune["distill_on"])
    for key in ("domain", "val"):
        if not document.get(key):
            raise InputError(f"{key} is missing", file=file)
    domain, general = _parts(document["domain"], file), _parts(document.get("general"), file)
    stops = {key: document[key] for key in STOPS if key in document}
    plan = LoopPlan(
        **check_values(stops, STOPS, "", file),
        out=file.parent / str(document.get("out") or "loop-out"),
        domain=domain,
        val=_part(document["val"], file),
        general=general,
        guard=_parts(document.get("guard"), file),
        test={str(name): _part(entry, file) for name, entry in _mapping(document, "test", file).items()},
        model=_model(document, file),
        rounds=_number(document, "rounds", 2, 1, file),
        seed=_number(document, "seed", 0, 0, file),
        mine=_number(document, "mine", 1000, 1, file),
        finetune=finetune,
        synth=_synth(document, file),
        ratios=_ratios(document, (*domain, *general), file),
    )
    _check_files(plan, file)
    return plan


def _check_files(plan: LoopPlan, file: Path) -> None:
    parts = [*plan.domain, plan.val, *plan.general, *plan.guard, *plan.test.values()]
    missing = [str(part.label_file) for part in parts if not part.label_file.is_file()]
    missing += [str(path) for path in plan.synth.get("corpus", []) if not Path(path).is_file()]
    if missing:
        raise InputError(f"files that are not there: {', '.join(missing)}", file=file)
    trains = {part.label_file.resolve() for part in (*plan.domain, *plan.general)}
    judged = {part.label_file.resolve() for part in (plan.val, *plan.guard, *plan.test.values())}
    if both := trains & judged:
        raise InputError(f"{sorted(map(str, both))[0]} both trains and judges", file=file)
