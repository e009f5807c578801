"""Scores during training: which step was the best so far, and whether it is time to stop.

Everything follows from ``evaluations.jsonl``, so that a resumed run stops where the undisturbed one does.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from datakit.errors import UsageError
from datakit.files import atomic_write
from datakit_train.gate import Candidate, best_passing
from datakit_train.result import candidate_dict, candidate_of
from datakit_train.run import Run, score_sets, trained_model
from datakit_train.settings import Settings
from datakit_train.weights.store import load_model, save_model

EVALUATIONS = "evaluations.jsonl"
KEPT = "kept"


def evaluation_steps(settings: Settings, steps: int) -> tuple[int, ...]:
    """Steps after which the weights are scored, the last one always.

    As PaddleOCR counts ``eval_batch_step``: every so many steps behind ``evaluate_from``.

    Raises:
        UsageError: ``evaluate_every`` never comes, or ``patience`` has no evaluations to wait for.
    """
    every, start = settings.evaluate_every, settings.evaluate_from
    if every is not None and start + every > steps:
        raise UsageError(
            f"there would be no evaluation: the first comes after {start + every} steps, the run has "
            f"{steps}; set --evaluate-every (or -o Global.eval_batch_step=[0,{max(1, steps // 5)}])"
        )
    between = range(start + every, steps, every) if every else range(0)
    if settings.patience is not None and not between:
        raise UsageError(
            f"--patience {settings.patience}: there is no evaluation in {steps} steps that could stop them; "
            "set --evaluate-every"
        )
    return (*between, steps)


def read_evaluations(path: Path) -> list[tuple[int, Candidate]]:
    """Step and scores of every evaluation so far; nothing where the file is missing."""
    if not path.exists():
        return []
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [(int(record["step"]), candidate_of(record)) for record in records]


class Watch:
    """Scores a run at the steps of :func:`evaluation_steps` and keeps the best weights in ``kept/``."""

    def __init__(self, run: Run, base: Candidate, first_step: int) -> None:
        """``base`` is what forgetting is measured from; evaluations behind ``first_step`` are cut."""
        self._run = run
        self._base = base
        self._path = run.out / EVALUATIONS
        self._steps = frozenset(evaluation_steps(run.settings, run.schedule.steps)[:-1])
        self.best: Candidate | None = None
        self._misses = 0
        self._seen = [entry for entry in read_evaluations(self._path) if entry[0] <= first_step]
        for _, candidate in self._seen:
            self._judge(candidate)
        self._write()

    @property
    def stopped(self) -> bool:
        """Whether ``patience`` is used up."""
        patience = self._run.settings.patience
        return patience is not None and self._misses >= patience

    def look(self, step: int) -> bool:
        """Score the weights if ``step`` is one of those; says whether it did."""
        if step not in self._steps:
            return False
        candidate = score_sets(self._run, f"step {step}")
        if self._judge(candidate):
            model = trained_model(self._run, self._run.engine.weights(), name=candidate.name)
            save_model(self._run.out / KEPT, model)
        self._seen.append((step, candidate))
        self._write()
        if self.stopped:
            best = self.best.name if self.best else "the base"
            self._run.say(f"stopped at step {step}: {self._misses} scores without one better than {best}")
        return True

    def kept(self) -> tuple[Candidate, Mapping[str, Any]] | None:
        """The best candidate of the run so far with its weights."""
        if self.best is None:
            return None
        return self.best, load_model(self._run.out / KEPT).tensors

    def _judge(self, candidate: Candidate) -> bool:
        """Whether it is the best so far that has not forgotten."""
        rivals: Sequence[Candidate] = [*([self.best] if self.best else []), candidate]
        better = best_passing(self._base, rivals, self._run.settings.max_forget) is candidate
        self.best = candidate if better else self.best
        self._misses = 0 if better else self._misses + 1
        return better

    def _write(self) -> None:
        if not self._seen and not self._path.exists():
            return
        lines = [
            json.dumps({"step": step, **candidate_dict(c)}, ensure_ascii=False) for step, c in self._seen
        ]
        atomic_write(self._path, "".join(f"{line}\n" for line in lines))
