"""Runs the loop on the demo's domain."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datakit.demo.sets import TRAIN_LOOK, render_sets
from datakit.demo.texts import SIGNS
from datakit.loop.plan import LoopPlan
from datakit.loop.rounds import Say
from datakit.loop.run import LoopResult, run_loop
from datakit.metrics import fold
from datakit.mix import Part
from datakit.records import read_predictions

MODEL = "ppocrv3-rec"
# How much of the general accuracy may go, as a share.
MAX_LOSS = 0.01

FINETUNE: dict[str, Any] = {
    "steps": 25,
    "batch_size": 16,
    "learning_rate": 3e-4,
    "warmup_steps": 5,
    "freeze": "backbone",
    "shares": (0.7, 0.5),
    "max_text_length": 30,
}


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The rounds, and the share of lines with a sign that were read, by round."""

    loop: LoopResult
    sign_accuracy: tuple[float, ...]
    seconds: float

    def accuracy(self, name: str, number: int) -> float:
        """Folded exact accuracy of a test set after a round."""
        return float(self.loop.rounds[number].scores[name]["all"]["accuracy_folded"])

    @property
    def passed(self) -> bool:
        """Whether the last round beats the base on the domain and lost at most a point in general."""
        better = self.accuracy("domain", -1) > self.accuracy("domain", 0)
        return better and self.accuracy("general", -1) >= self.accuracy("general", 0) - MAX_LOSS


def _sign_accuracy(folder: Path) -> float:
    """Exact (folded) share of the domain's test lines that hold a sign."""
    lines = [p for p in read_predictions(folder / "predictions-domain.jsonl") if set(p.label) & set(SIGNS)]
    read = sum(p.text is not None and fold(p.text) == fold(p.label) for p in lines)
    return read / len(lines) if lines else 0.0


def demo(out: Path, *, seed: int = 0, workers: int = 2, say: Say = lambda _line: None) -> DemoResult:
    """Pull the weights, render the domain, run two rounds; everything finished earlier in ``out`` is kept.

    Raises:
        DatakitError: weights that cannot be had, fonts that are missing, no space.
    """
    from datakit_train.recognizer import load_recognizer
    from datakit_train.weights.pull import pull

    started = time.monotonic()
    say("1/3 weights of PP-OCRv3")
    pull(MODEL, say=say)
    charset = load_recognizer(MODEL).charset
    say("2/3 a small domain: train and test share no font, text, background or degradation")
    files = render_sets(out, seed=seed, workers=workers, charset=charset)
    say("3/3 two rounds of the loop")
    plan = LoopPlan(
        out=out / "rounds",
        domain=(Part(files["domain_train"]),),
        val=Part(files["domain_val"]),
        general=(Part(files["general_train"]),),
        guard=(Part(files["general_guard"]),),
        test={"domain": Part(files["domain_test"]), "general": Part(files["general_test"])},
        model=MODEL,
        seed=seed,
        mine=180,
        finetune=FINETUNE,
        synth={
            "per_char": 60,
            "max_targets": 10,
            "fonts": list(TRAIN_LOOK.fonts),
            "backgrounds": list(TRAIN_LOOK.backgrounds),
            "presets": list(TRAIN_LOOK.presets),
            "workers": workers,
        },
    )
    result = run_loop(plan, say=say)
    signs = tuple(_sign_accuracy(plan.out / f"round-{row.number:02d}") for row in result.rounds)
    return DemoResult(result, signs, time.monotonic() - started)
