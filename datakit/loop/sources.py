"""Which sources of a round's mix help: short runs, each without one of them.

Only what was made or repeated (synthetic lines, badcases) is left out by it: general lines are there against
forgetting, which a short run on the validation set does not show.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datakit.loop.clock import seconds_spent
from datakit.loop.folders import RoundFolder, Say, read_json, step_done, write_json
from datakit.loop.plan import LoopPlan
from datakit.loop.score import book_of
from datakit.mix import Mix, Source, load_mix

# A difference of so many lines of val, or of this share of them, is taken for one.
LEAST_LINES, LEAST_SHARE = 2, 0.01
MAY_GO = ("synthetic", "badcases")
# Of the time budget; beyond it the training itself matters more.
BUDGET_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class Trial:
    """A short run: lines of val read right (folded) at its end, of ``lines``; ``source`` was left out."""

    source: Source | None
    right: int
    lines: int


def verdict(whole: Trial, without: Trial) -> str:
    """``helps``, ``hurts`` or ``unclear``: what the source did that ``without`` lacks."""
    least = max(LEAST_LINES, LEAST_SHARE * whole.lines)
    gained = without.right - whole.right
    return "hurts" if gained > least else "helps" if -gained > least else "unclear"


def goes(whole: Trial, without: Trial) -> bool:
    """Whether the round trains without the source."""
    kind = "" if without.source is None else without.source.kind
    return kind in MAY_GO and verdict(whole, without) == "hurts"


def sentences(whole: Trial, trials: list[Trial], steps: int) -> Iterator[str]:
    """What every source did, with the figures."""
    for trial in trials:
        if trial.source is None:
            continue
        what = {"helps": "it helps", "hurts": "it hurts", "unclear": "no clear difference"}
        end = ", left out of this round" if goes(whole, trial) else ""
        yield (
            f"{trial.source.kind} {trial.source.label_file}: without it {trial.right} of {trial.lines} lines "
            f"of val after {steps} steps, with it {whole.right}: {what[verdict(whole, trial)]}{end}"
        )


def sources_step(plan: LoopPlan, folder: RoundFolder, start: Any, say: Say) -> None:
    """Try every source that is not the domain's; what hurts is left out by :func:`mix_of_round`.

    ``start`` is what training starts from, as ``datakit_train.finetune`` takes it. Not done where more than
    half of the time budget is spent.
    """
    if not plan.leave_one_out or folder.sources.exists():
        return
    if plan.budget_minutes and seconds_spent(plan.out) > 60 * BUDGET_SHARE * plan.budget_minutes:
        say(f"sources: not tried, over {BUDGET_SHARE:.0%} of the {plan.budget_minutes:g} minutes are spent")
        return
    mix, runs = load_mix(folder.mix), folder.sources.parent
    whole = _trial(plan, folder, mix, None, runs / "all", start, say)
    trials = [
        _trial(plan, folder, mix, source, runs / f"without-{number}", start, say)
        for number, source in enumerate(mix.sources)
        if source.kind != "domain"
    ]
    gone = [str(t.source.label_file) for t in trials if t.source is not None and goes(whole, t)]
    said = list(sentences(whole, trials, plan.leave_one_out))
    step_done(runs, "sources", folder.number, counts={"tried": len(trials), "left out": len(gone)})
    write_json(folder.sources, {"schema_version": 1, "left_out": gone, "sentences": said})
    for path in runs.glob("*/"):
        # Weights of runs that nothing reads any more.
        shutil.rmtree(path, ignore_errors=True)
    for sentence in said:
        say(f"sources: {sentence}")


def _trial(
    plan: LoopPlan, folder: RoundFolder, mix: Mix, source: Source | None, out: Path, start: Any, say: Say
) -> Trial:
    from datakit_train.finetune import RESULT, finetune
    from datakit_train.settings import Settings

    if not (out / RESULT).exists():
        finetune(
            Mix(tuple(entry for entry in mix.sources if entry is not source)),
            val=plan.val,
            out=out,
            pretrained=start,
            settings=Settings(
                **{
                    **plan.finetune,
                    "steps": plan.leave_one_out,
                    "shares": (),
                    "seed": plan.seed + folder.number,
                }
            ),
            book=book_of(plan),
            say=lambda _line: None,
        )
    tuned: Mapping[str, Any] = read_json(out / RESULT)["candidates"][0]["domain"]
    trial = Trial(source, int(tuned["exact_folded"]), int(tuned["lines"]))
    say(f"sources: {out.name}: {trial.right} of {trial.lines} lines of val")
    return trial


def mix_of_round(folder: RoundFolder) -> Mix:
    """The round's mix without the sources that hurt."""
    mix = load_mix(folder.mix)
    if not folder.sources.exists():
        return mix
    gone = set(read_json(folder.sources)["left_out"])
    return Mix(tuple(source for source in mix.sources if str(source.label_file) not in gone))
