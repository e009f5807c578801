"""Fine-tunes a recogniser on a mix, keeps what it knew, and resumes where it stopped.

A run: score the base (step 0), train, score the result and its averages with the base, keep the best
candidate that passes the gate (:mod:`datakit_train.gate`). The output folder holds ``best/`` (a model),
``latest.json`` with its step folder, ``kept/`` (the best scored on the way), ``train.jsonl`` (loss and rate
of every step), ``evaluations.jsonl``, ``scored.jsonl`` (every score, by weights and set), ``speed.jsonl``,
``curves.html`` and ``curves.png``, ``dropped.jsonl``, ``broken.jsonl`` (pictures that could not be decoded,
if any), ``config.yml`` (the run as PaddleOCR's own trainer reads it) and ``result.json``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from datakit.files import FolderLock, Manifest, atomic_write, write_manifest
from datakit.line_sets import set_files
from datakit.metrics import Score
from datakit.mix import Mix, Part
from datakit.paddleocr_config import PaddleConfig
from datakit_train.advice import advice
from datakit_train.curves import write_curves
from datakit_train.engine import average
from datakit_train.gate import Candidate, best_passing, choose, forgotten
from datakit_train.label_sets import as_part, require_apart
from datakit_train.prepare import prepare
from datakit_train.recognizer import find_model
from datakit_train.result import Result
from datakit_train.run import Run, Say, score_sets, trained_model
from datakit_train.settings import Settings
from datakit_train.to_paddleocr import write_recipe
from datakit_train.training import BROKEN, follow, train, unique_lines, write_dropped
from datakit_train.weights.store import StoredModel, load_model, save_model

BEST = "best"
RESULT = "result.json"
# Of the tuned weights: an average with less is the base but for rounding.
LEAST_SHARE = 0.1
# Val lines that differ from their labels in case or spaces alone: from this share on it is said.
RULE_SHARE = 0.1


def finetune(
    mix: Mix,
    *,
    val: Path | Part,
    out: Path,
    pretrained: str | Path | StoredModel = "ppocrv3-rec",
    guards: Sequence[Path | Part] = (),
    settings: Settings | None = None,
    config: PaddleConfig | None = None,
    floor: Mapping[str, Score] | None = None,
    book: Path | None = None,
    allow_outside: bool = False,
    say: Say = lambda _line: None,
) -> Result:
    """Fine-tune ``pretrained`` on ``mix`` and keep the best candidate that has not forgotten.

    Args:
        mix: training sources and ratios.
        val: label file of the domain (as a Part: with its data_dir), scored at step 0, at the end, and in
            between if the settings say so.
        out: output folder; a folder with an unfinished run of the same settings is gone on with.
        pretrained: name of a pulled model, folder of a checkpoint, or a model that was loaded already.
        guards: label files of what must not be forgotten.
        settings: how to train.
        config: the PaddleOCR recipe that this run comes from; ``config.yml`` keeps its other keys.
        floor: scores of the guard sets to measure forgetting from, by name; default: those of ``pretrained``.
        book: file of scores that were counted before (:mod:`datakit_train.score_book`), which runs may share
            one after the other; default: one in ``out``.
        allow_outside: follow paths that leave a ``data_dir``.
        say: told what happens, one sentence at a time.

    Raises:
        DatakitError: any bad input, diverged training, or too many broken pictures.
    """
    settings = settings or Settings()
    started = time.monotonic()
    base = pretrained if isinstance(pretrained, StoredModel) else load_model(find_model(pretrained))
    judge, kept = as_part(val), [as_part(guard) for guard in guards]
    require_apart(mix, (judge, *kept))
    with FolderLock(out):
        run = prepare(mix, judge, out, base, kept, settings, allow_outside=allow_outside, say=say, book=book)
        arguments = {"val": judge.label_file, "pretrained": base.source, "settings": asdict(settings)}
        sets = [*(source.label_file for source in mix.sources), *(p.label_file for p in (judge, *kept))]
        inputs = [file for path in sets for file in set_files(path)]
        manifest = Manifest.begin("finetune", arguments, seed=settings.seed, inputs=inputs)
        write_manifest(out, manifest)
        write_dropped(out / "dropped.jsonl", (*run.samples.dropped, *run.samples.cut))
        write_recipe(run, judge, config)
        result = _train_and_choose(run, floor, started)
        write_curves(out)
        write_manifest(out, manifest.ended("done", {"steps": result.steps, "trained": result.trained_lines}))
    return result


def help_finetune(
    mix: Mix,
    *,
    val: Path | Part,
    out: Path,
    pretrained: str | Path | StoredModel = "ppocrv3-rec",
    settings: Settings | None = None,
    allow_outside: bool = False,
) -> None:
    """What every process but the first does of a run that has several (:mod:`datakit_train.ranks`).

    Arguments as those of :func:`finetune` in the first one. Nothing is written.

    Raises:
        DatakitError: as there.
    """
    base = pretrained if isinstance(pretrained, StoredModel) else load_model(find_model(pretrained))
    settings = settings or Settings()
    follow(prepare(mix, as_part(val), out, base, (), settings, allow_outside=allow_outside, say=_silence))


def _silence(_line: str) -> None:
    pass


def _train_and_choose(run: Run, floor: Mapping[str, Score] | None, started: float) -> Result:
    scored = score_sets(run, "base")
    if hint := _rule_hint(scored.domain):
        run.say(hint)
    guards = {name: (floor or {}).get(name, score) for name, score in scored.guards.items()}
    judged = Candidate(scored.name, scored.domain, guards)
    training = train(run, judged)
    bad = unique_lines(training.bad)
    if bad:
        write_dropped(run.out / BROKEN, bad)
    kept = [] if training.kept is None else [training.kept]
    trials = [*_trials(run, judged, [candidate for candidate, _ in kept]), *kept]
    return _finish(run, scored, trials, judged, training.steps, len(bad), time.monotonic() - started)


def _rule_hint(score: Score) -> str:
    """What to look at where many lines are read but for what folding ignores: labels may follow a rule that
    their pictures do not, and learning that costs other text."""
    lines = score.exact_folded - score.exact
    if lines < RULE_SHARE * score.lines:
        return ""
    return (
        f"{lines} of {score.lines} val lines are read but for case or spaces; if that is a rule of the "
        "labels, such as all upper case, learning it costs other text: datakit badcases on predictions of "
        "the training labels says so, and --restore case|space writes labels that follow the pictures"
    )


def _trials(
    run: Run, base: Candidate, kept: Sequence[Candidate]
) -> list[tuple[Candidate, Mapping[str, Any]]]:
    """The tuned weights and their averages with the base, each scored.

    Where all of them and ``kept`` are refused, some of them by a guard, smaller shares follow: half of the
    least one, and half of that again. Most of what was learned stays there, and little was forgotten.
    """
    tuned, shares = run.engine.weights(), run.settings.shares
    trials = [_trial(run, tuned, share) for share in (1.0, *shares)]
    least = min(shares, default=0.0) / 2
    while least >= LEAST_SHARE and _all_refused(
        base, [*kept, *(candidate for candidate, _ in trials)], run.settings.max_forget
    ):
        run.say(f"refused so far; trying the average with {least:g} of the tuned weights")
        trials.append(_trial(run, tuned, least))
        least /= 2
    return trials


def _trial(run: Run, tuned: Mapping[str, Any], share: float) -> tuple[Candidate, Mapping[str, Any]]:
    """The average with ``share`` of the tuned weights, scored; 1 is those themselves."""
    name = "tuned" if share == 1.0 else f"average {share:g}"
    weights = tuned if share == 1.0 else average(run.base.tensors, tuned, share)
    run.engine.set_weights(weights)
    return score_sets(run, name), weights


def _all_refused(base: Candidate, candidates: Sequence[Candidate], max_forget: float) -> bool:
    """Whether the gate keeps the base, and a guard is among the reasons."""
    forgot = any(forgotten(base, candidate, max_forget) for candidate in candidates)
    return forgot and choose(base, candidates, max_forget) is base


def _finish(
    run: Run,
    base: Candidate,
    trials: Sequence[tuple[Candidate, Mapping[str, Any]]],
    judged: Candidate,
    steps: int,
    bad: int,
    seconds: float,
) -> Result:
    candidates = [candidate for candidate, _ in trials]
    chosen = choose(judged, candidates, run.settings.max_forget)
    best = best_passing(judged, candidates, run.settings.max_forget)
    if chosen is not best:
        run.say(
            f"{chosen.name} is kept and not {best.name}: val cannot tell them apart "
            f"({chosen.domain.exact_folded} and {best.domain.exact_folded} of {best.domain.lines} lines), "
            "and it reads that much more of the guards"
        )
    weights = next((tensors for candidate, tensors in trials if candidate is chosen), run.base.tensors)
    model = run.base if chosen is judged else trained_model(run, weights, name=chosen.name)
    save_model(run.out / BEST, model)
    refused = {c.name: forgotten(judged, c, run.settings.max_forget) for c in candidates}
    result = Result(
        base=base,
        candidates=tuple(candidates),
        chosen=base if chosen is judged else chosen,
        model=run.out / BEST,
        steps=steps,
        seconds=seconds,
        trained_lines=sum(map(len, run.samples.samples)) - bad,
        dropped_lines=len(run.samples.dropped) + bad,
        refused={name: reasons for name, reasons in refused.items() if reasons},
    )
    for name, sets in result.changes.items():
        for known, change in sets.items():
            run.say(f"{name}, {known or 'domain'}: {change.describe()}")
    if chosen is judged:
        run.say(advice(run.samples.mix, run.settings, forgot=bool(result.refused)))
    atomic_write(run.out / RESULT, json.dumps(result.to_dict(), ensure_ascii=False, indent=1) + "\n")
    return result
