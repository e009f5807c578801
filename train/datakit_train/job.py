"""What a run is asked to do: a PaddleOCR recipe, flags over it, or flags alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from datakit.effects import LINE_EFFECTS
from datakit.errors import UsageError
from datakit.mix import Mix, Part
from datakit.paddleocr_config import PaddleConfig, describe_notes, load_config, require_files, to_ctc
from datakit_train.from_paddleocr import (
    check_base,
    dictionary_of,
    guards_of,
    mix_of,
    settings_of,
    start_of,
    val_of,
)
from datakit_train.label_sets import sources_of
from datakit_train.prepare import NewDictionary, load_base
from datakit_train.replay import with_replay
from datakit_train.run import Say
from datakit_train.settings import Settings
from datakit_train.weights.store import StoredModel

DEFAULT_MODEL = "ppocrv3-rec"
# The section of a recipe that a flag takes the place of.
_FILES = {"Train": "train", "Eval": "val"}
# Where a recipe keeps what a flag says, for the remark that the flag wins.
_KEYS = {
    "train": "Train.dataset.label_file_list",
    "val": "Eval.dataset.label_file_list",
    "out": "Global.save_model_dir",
    "pretrained": "Global.pretrained_model",
    "dictionary": "Global.character_dict_path",
    "guard": "Datakit.guard",
    "epochs": "Global.epoch_num",
    "batch_size": "Train.loader.batch_size_per_card",
    "learning_rate": "Optimizer.lr",
    "schedule": "Optimizer.lr.name",
    "warmup_steps": "Optimizer.lr.warmup_epoch",
    "max_text_length": "Global.max_text_length",
    "max_width": "RecResizeImg.image_shape",
    "evaluate_every": "Global.eval_batch_step",
}


@dataclass(frozen=True, slots=True)
class Job:
    """A run as asked for.

    ``config`` is the recipe as CTC, ``diff`` what that changed in it, ``remarks`` one sentence each.
    """

    mix: Mix
    val: Part
    guards: tuple[Part, ...]
    out: Path
    pretrained: str | Path
    settings: Settings
    dictionary: NewDictionary | None = None
    config: PaddleConfig | None = None
    diff: str = ""
    remarks: tuple[str, ...] = ()


def make_job(
    flags: Mapping[str, Any],
    recipe: Path | None = None,
    overrides: Sequence[str] = (),
    *,
    folder: Path | None = None,
) -> Job:
    """What flags and a recipe come to; a flag wins over the recipe, and a remark says so.

    Args:
        flags: only what was given: train, replay, val, guard, out, pretrained, dictionary, dict_mode,
            submodel, aug_prob, and fields of :class:`Settings`.
        recipe: a PaddleOCR YAML.
        overrides: ``Global.epoch_num=10`` and the like over it.
        folder: where the recipe's relative paths start; default: the working folder.

    Raises:
        UsageError: something is missing, or makes no sense.
        InputError: the recipe or a file that it names cannot be read.
    """
    if recipe is None:
        if overrides:
            raise UsageError(f"-o {overrides[0]} changes a recipe: name it with -c")
        return _from_flags(flags)
    given = load_config(recipe, overrides, folder=folder)
    ctc = to_ctc(given, submodel=flags.get("submodel"))
    return _from_recipe(flags, ctc.config, ctc.diff)


def _from_flags(flags: Mapping[str, Any]) -> Job:
    if missing := [name for name in ("train", "val", "out") if not flags.get(name)]:
        raise UsageError(f"--{missing[0]} is missing (or a recipe with -c)")
    return Job(
        mix=with_replay(sources_of(flags["train"]), flags.get("replay") or ()),
        val=Part(flags["val"]),
        guards=tuple(Part(guard) for guard in flags.get("guard") or ()),
        out=flags["out"],
        pretrained=flags.get("pretrained", DEFAULT_MODEL),
        settings=Settings(**_settings(flags)),
        dictionary=_dictionary(flags),
    )


def _settings(flags: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(Settings)}
    given = {name: value for name, value in flags.items() if name in names}
    if "aug_prob" in flags:
        given["chances"] = dict.fromkeys(LINE_EFFECTS, flags["aug_prob"])
    return given


def _dictionary(flags: Mapping[str, Any]) -> NewDictionary | None:
    file = flags.get("dictionary")
    return None if file is None else NewDictionary(file, flags.get("dict_mode", "fail"))


def _from_recipe(flags: Mapping[str, Any], config: PaddleConfig, diff: str) -> Job:
    remarks = [*describe_notes(config.notes)]
    remarks += [f"--{name.replace('_', '-')} wins over {key}" for name, key in _KEYS.items() if name in flags]
    settings, said = settings_of(config)
    remarks += said
    dictionary, pretrained = _dictionary(flags), flags.get("pretrained")
    if dictionary is None:
        dictionary, remark = dictionary_of(config, flags.get("dict_mode", "fail"))
        remarks += [remark] if remark else []
    if pretrained is None:
        pretrained, remark = start_of(config)
        remarks += [remark] if remark else []
    # The dictionary is looked up with its own message.
    require_files(config, [section for section in _FILES if _FILES[section] not in flags])
    if "evaluate_every" in flags:
        settings["evaluate_from"] = 0
    if "schedule" in flags:
        # Of the other schedule nothing but the rate can be kept.
        settings["curve"] = None
    guards = tuple(Part(guard) for guard in flags.get("guard") or ()) or guards_of(config)
    mix = sources_of(flags["train"]) if "train" in flags else mix_of(config)
    return Job(
        mix=with_replay(mix, flags.get("replay") or ()),
        val=Part(flags["val"]) if "val" in flags else val_of(config),
        guards=guards,
        out=flags.get("out", config.save_dir),
        pretrained=pretrained,
        settings=Settings(**{**settings, **_settings(flags)}),
        dictionary=dictionary,
        config=config,
        diff=diff,
        remarks=tuple(remarks),
    )


def load_job_base(job: Job, say: Say) -> StoredModel:
    """The model that the job starts from, checked against the recipe's network.

    Raises:
        DatakitError: not there, damaged, another network, another dictionary.
    """
    base = load_base(job.pretrained, job.dictionary, say)
    if job.config is not None:
        check_base(job.config, base.architecture)
    return base
