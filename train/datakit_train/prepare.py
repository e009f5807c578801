"""Everything that a run needs before its first step: base model, dictionary, samples, schedule, engine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from datakit.charset import load_charset
from datakit.errors import UsageError
from datakit.files import sha256_file
from datakit.line_sets import set_files
from datakit.mix import Mix, Part
from datakit_train.dictionary import change_dictionary
from datakit_train.distill import make_distiller
from datakit_train.engine import Addition, Engine
from datakit_train.label_sets import name_sets
from datakit_train.predict import read_label_set
from datakit_train.preflight import describe_samples, guide_remarks, load_for
from datakit_train.ranks import ALONE, Ranks, current_ranks
from datakit_train.recognizer import assemble, find_model
from datakit_train.run import Run, Say
from datakit_train.score_book import ScoreBook
from datakit_train.settings import Settings, epoch_steps, make_schedule, plan_steps
from datakit_train.watch import evaluation_steps
from datakit_train.weights.convert import recognizer_from_pdparams
from datakit_train.weights.store import StoredModel, load_model

SCORED = "scored.jsonl"


@dataclass(frozen=True, slots=True)
class NewDictionary:
    """A dictionary that the model is to read instead of its own; ``mode`` as in ``--dict-mode``."""

    file: Path
    mode: str = "fail"
    use_space_char: bool = True


def load_base(pretrained: str | Path, dictionary: NewDictionary | None, say: Say) -> StoredModel:
    """The model that training starts from, with its new dictionary if there is one.

    Raises:
        WeightsError: not there, damaged.
        UsageError: the dictionary differs and ``mode`` is ``fail``, or a ``.pdparams`` comes without one.
    """
    if str(pretrained).endswith(".pdparams"):
        # PaddleOCR's checkpoints hold no dictionary: the given one is theirs.
        if dictionary is None:
            raise UsageError(f"{pretrained} holds no dictionary; name the one it was trained with (--dict)")
        charset = load_charset(dictionary.file, dictionary.use_space_char)
        return recognizer_from_pdparams(Path(pretrained), charset)
    base = load_model(find_model(pretrained))
    if dictionary is None:
        return base
    base, change = change_dictionary(
        base, dictionary.file, dictionary.mode, use_space_char=dictionary.use_space_char
    )
    if change.changed:
        say(change.describe())
    return base


def prepare(
    mix: Mix,
    val: Part,
    out: Path,
    base: StoredModel,
    guards: Sequence[Part],
    settings: Settings,
    *,
    allow_outside: bool,
    say: Say,
    book: Path | None = None,
) -> Run:
    """Network, samples and schedule of a run; says what will train.

    ``book`` is the file of scores that were counted before; default: in ``out``.

    Raises:
        DatakitError: any bad input.
    """
    recognizer = assemble(base)
    samples = load_for(mix, base, settings, allow_outside=allow_outside)
    per_epoch = epoch_steps(samples, settings)
    schedule = make_schedule(settings, plan_steps(samples, settings), per_epoch)
    evaluation_steps(settings, schedule.steps)
    for sentence in (
        describe_samples(samples, settings, schedule),
        *guide_remarks(samples, settings, schedule),
    ):
        say(sentence)
    named, ranks = name_sets(guards), current_ranks()
    distiller = make_distiller(base, settings, ranks=ranks, allow_outside=allow_outside, say=say)
    return Run(
        base=base,
        recognizer=recognizer,
        engine=make_engine(recognizer.network, settings, addition=distiller, ranks=ranks),
        samples=samples,
        schedule=schedule,
        settings=settings,
        domain=read_label_set(val.label_file, val.data_dir),
        guards={name: read_label_set(part.label_file, part.data_dir) for name, part in named.items()},
        out=out,
        say=say,
        fingerprint=_fingerprint(settings, mix, base),
        allow_outside=allow_outside,
        book=ScoreBook(book or out / SCORED),
        ranks=ranks,
    )


def make_engine(
    network: object, settings: Settings, *, addition: Addition | None = None, ranks: Ranks = ALONE
) -> Engine:
    """The engine of ``settings`` for a network."""
    return Engine(
        network,
        weight_decay=settings.weight_decay,
        betas=settings.betas,
        freeze=settings.freeze,
        fixed_batch_norm=settings.fixed_batch_norm,
        layer_decay=settings.layer_decay,
        amp=settings.amp,
        addition=addition,
        ranks=ranks,
        seed=settings.seed,
    )


def _fingerprint(settings: Settings, mix: Mix, base: StoredModel) -> str:
    """What must be the same for a run to be resumed."""
    sources = [
        (*map(sha256_file, set_files(s.label_file)), str(s.data_dir), s.kind, s.ratio) for s in mix.sources
    ]
    known = [base.source, list(base.probe), list(base.characters)]
    return json.dumps([asdict(settings), sources, *known], sort_keys=True)
